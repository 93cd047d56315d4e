// The program form that both back ends execute: PTX with every name resolved. A module is what one
// or more PTX inputs were linked into; a function is basic blocks of instructions over numbered
// registers. An instruction keeps the shape that the PTX ISA gives it (root, types, modifiers,
// operands in the order of the text), so that its meaning is found in one place: "Instruction Set"
// of the PTX ISA, version 8.8. What the instruction set gives a default is written out here.
//
// Everything in a module has been checked: operands have the kinds and widths that their
// instruction wants, register numbers and block indices exist, types and modifiers go together. A
// back end need not look again. What is not supported was refused when the module was loaded.
//
// Immutable after link(); shared by all launches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "softcuda/ir/op.h"
#include "softcuda/ir/type.h"

namespace longwire::softcuda::ir {

inline constexpr int kWarpSize = 32;

// Of one PTX input or a link of several: `file` is the number of the input.
struct Place {
  std::uint32_t line = 0;  // from 1; 0: made by us
  std::uint16_t column = 0;
  std::uint16_t file = 0;
};

enum class Space : std::uint8_t {
  kGeneric,
  kGlobal,
  kShared,  // of the block; shared::cluster is shared, as a cluster has one block
  kLocal,   // of the thread
  kConst,
  kParam,  // of the kernel; .param of functions was lowered to kLocal
};

using RegisterId = std::uint32_t;
using BlockId = std::uint32_t;
using FunctionId = std::uint32_t;
using VariableId = std::uint32_t;
inline constexpr std::uint32_t kNone = 0xffff'ffff;

// %tid.x and its like. kClock and so on are read when the instruction runs.
enum class Special : std::uint8_t {
  kTidX,
  kTidY,
  kTidZ,
  kNtidX,
  kNtidY,
  kNtidZ,
  kCtaidX,
  kCtaidY,
  kCtaidZ,
  kNctaidX,
  kNctaidY,
  kNctaidZ,
  kClusterCtaidX,
  kClusterCtaidY,
  kClusterCtaidZ,
  kClusterNctaidX,
  kClusterNctaidY,
  kClusterNctaidZ,
  kClusteridX,
  kClusteridY,
  kClusteridZ,
  kNclusteridX,
  kNclusteridY,
  kNclusteridZ,
  kClusterCtarank,
  kClusterNctarank,
  kIsExplicitCluster,
  kLaneid,
  kWarpid,
  kNwarpid,
  kSmid,
  kNsmid,
  kGridid,
  kLanemaskEq,
  kLanemaskLe,
  kLanemaskLt,
  kLanemaskGe,
  kLanemaskGt,
  kClock,
  kClockHi,
  kClock64,
  kGlobaltimer,
  kGlobaltimerLo,
  kGlobaltimerHi,
  kTotalSmemSize,
  kDynamicSmemSize,
  kAggrSmemSize,
  kCurrentGraphExec,
  kEnvreg1,  // of a cooperative grid's workspace: its address's low half
  kEnvreg2,  // and its high half
  kEnvregOther,
};

enum class OperandKind : std::uint8_t {
  kNothing,    // "_", or an optional operand that is not there
  kRegister,   // reg
  kImmediate,  // bits, as wide as the instruction's type
  kSpecial,    // special
  kAddress,    // [base + offset]: reg, or kNone; plus a variable, or kNone; plus bits (signed)
  kVariable,   // the address of a variable in its own space (mov), plus bits
  kFunction,   // the address of a function, for indirect calls
  kBlock,      // a branch's target
  kBlocks,     // brx.idx: block indices, `count` from `first` in Function::tables
  kVector,     // {a, b, ...}: `count` operands from `first` in Function::elements
  kCallee,     // call: a function
  kArguments,  // call: a list as kVector, of parameters (see Call below)
  kTexture,    // tex and its like: `id` in Module::textures (else a register has the handle)
};

// What an address is, space by space. global, const and generic: a host address. shared: an offset
// in the block's shared memory; local: an offset in the thread's local memory, of which a function
// has a part, its frame. So kAddress and kVariable of local variables have neither reg nor id, and
// bits is the offset in the frame of the function. param is an offset in the kernel's parameter
// block, again with neither reg nor id when a parameter is named. A mov or cvta of such a variable
// has its space in Modifiers::space. cvta turns any of these into a host address and back.
// The register of an address has 64 bits, or 32 (zero-extended) in shared, local, const and param.
// Special registers, addresses of variables and of functions are operands of mov only; elsewhere
// the text's are brought by a mov of ours.
struct Operand {
  OperandKind kind = OperandKind::kNothing;
  bool negated = false;  // "!p" of a predicate; "-a" where the ISA has it
  Special special = Special::kTidX;
  std::uint16_t count = 0;   // kVector, kBlocks, kArguments
  std::uint32_t first = 0;   // the same
  RegisterId reg = kNone;    // kRegister, kAddress
  std::uint32_t id = kNone;  // VariableId, FunctionId or BlockId
  std::uint64_t bits = 0;    // kImmediate (zero-extended), or a signed offset
};

struct Modifiers {
  Rounding rounding = Rounding::kNone;
  Compare compare = Compare::kNone;
  Combine combine = Combine::kNone;  // setp .and .or .xor; redux and atom use AtomicOp
  AtomicOp atomic = AtomicOp::kNone;
  Part part = Part::kNone;  // mul.lo .hi .wide
  Space space = Space::kGeneric;
  Space to_space = Space::kGeneric;  // cvta.to, cp.async
  Order order = Order::kWeak;
  Scope scope = Scope::kNone;
  Mode mode = Mode::kNone;  // shfl, vote, prmt, match, barrier, testp, tex geometry and so on
  MatrixShape shape;        // mma, ldmatrix, movmatrix
  std::uint8_t vector = 1;  // of ld, st, tex: .v2, .v4, .v8
  bool ftz : 1 = false;
  bool saturate : 1 = false;     // .sat, .satfinite
  bool approximate : 1 = false;  // .approx
  bool full : 1 = false;         // div.full
  bool relu : 1 = false;
  bool nan : 1 = false;  // min, max: NaN wins
  bool xorsign_abs : 1 = false;
  bool wrap : 1 = false;        // shf.wrap, bfind.shiftamt and other on-off switches: see op.h
  bool uniform : 1 = false;     // bra.uni, call.uni: asserted by the program, a hint
  bool carry_in : 1 = false;    // addc, subc, madc
  bool carry_out : 1 = false;   // .cc
  bool transposed : 1 = false;  // ldmatrix.trans
  bool volatile_ : 1 = false;
};

struct Instruction {
  Op op = Op::kMov;
  // The type suffixes in the order of the text; for cvt destination then source, for mma D A B C.
  Type type = Type::kNone;
  Type type2 = Type::kNone;
  Type type3 = Type::kNone;
  Type type4 = Type::kNone;
  Modifiers modifiers;
  RegisterId guard = kNone;  // "@p"
  bool guard_negated = false;
  std::uint16_t operand_count = 0;
  std::uint32_t first_operand = 0;  // in Function::operands, in the order of the text
  Place place;
};

// Straight-line; only the last instruction may leave it (bra, brx.idx, ret, exit, trap), and
// without one it goes on with the next block. A guarded terminator may also go on with the next
// block.
struct Block {
  std::uint32_t first = 0;  // in Function::instructions
  std::uint32_t count = 0;
  std::vector<BlockId> successors;  // each once
};

struct Register {
  std::string name;   // as the text has it, for messages
  std::uint8_t bits;  // 1 (a predicate), 16, 32, 64 or 128; .b8 registers have 16
  // Where its 32 lanes lie in a warp's frame of this function: predicates as one 32-bit mask, the
  // others as an array of 32 values; aligned to its size.
  std::uint32_t offset = 0;
};

// A parameter of a kernel or a function, or its result.
struct Parameter {
  std::string name;
  std::uint32_t bytes = 0;
  std::uint32_t alignment = 1;
  std::uint32_t offset = 0;  // kernel: in the parameter block. Function: in its local frame
  Type type = Type::kNone;   // of .reg parameters and of scalars; kNone: an array of bytes
  RegisterId reg = kNone;    // .reg parameters of functions
};

struct LaunchLimits {  // .maxntid, .reqntid, .minnctapersm; 0: not said
  std::uint32_t max_threads[3] = {0, 0, 0};
  std::uint32_t required_threads[3] = {0, 0, 0};
  std::uint32_t max_registers = 0;
  std::uint32_t min_blocks = 0;
};

struct Function {
  std::string name;
  bool kernel = false;    // .entry
  bool external = false;  // declared, and provided by the machine: vprintf, malloc and so on
  std::vector<Register> registers;
  std::uint32_t frame_bytes = 0;  // all registers of a warp
  std::uint32_t local_bytes = 0;  // of each thread: .local variables and .param of calls
  std::uint32_t local_alignment = 16;
  std::vector<Parameter> parameters;
  std::vector<Parameter> results;
  std::uint32_t parameter_bytes = 0;
  std::uint32_t static_shared_bytes = 0;  // a kernel: of everything that it may reach
  LaunchLimits limits;
  std::vector<Instruction> instructions;
  std::vector<Operand> operands;
  std::vector<Operand> elements;  // of vectors and argument lists
  std::vector<BlockId> tables;    // of brx.idx
  std::vector<Block> blocks;      // the first is the entry
  std::uint32_t call_depth = 0;   // calls in the deepest chain below; kNone: recursive or indirect

  std::span<const Operand> operands_of(const Instruction& i) const {
    return {operands.data() + i.first_operand, i.operand_count};
  }
};

// A call: operands are kCallee (or a register with the function's address), kArguments with the
// results, kArguments with the parameters, and for an indirect call kCallee with the index of the
// prototype. An argument is a register, an immediate, or kAddress in local space: a .param variable
// of the caller, of which `count` bytes are copied.

struct Variable {
  std::string name;
  Space space = Space::kGlobal;  // global, const, shared; locals are in Function::local_bytes
  Type type = Type::kB8;
  // 0: extern shared, the launch's dynamic part. It begins at the static_shared_bytes of the
  // kernel that runs, which are aligned to what the kernel's dynamic variables want, at least 16.
  std::uint64_t bytes = 0;
  std::uint32_t alignment = 1;
  bool visible = false;            // .visible, .common, .weak: found by cuModuleGetGlobal
  bool managed = false;            // .attribute(.managed)
  std::uint64_t offset = 0;        // in its space's part of the module
  std::vector<std::byte> initial;  // the rest, up to `bytes`, is zeros
  struct Relocation {              // an address in the initial bytes
    std::uint64_t at = 0;          // offset in `initial`
    std::uint8_t bytes = 8;
    std::uint8_t shift = 0;    // the address is shifted right by so many bits: single bytes of it
    bool generic = false;      // generic(name)
    std::uint32_t id = kNone;  // a variable, or with `function` a function
    bool function = false;
    std::int64_t addend = 0;
  };
  std::vector<Relocation> relocations;
};

struct Texture {  // .texref, .samplerref, .surfref
  std::string name;
  enum class Kind : std::uint8_t { kTexture, kSampler, kSurface } kind = Kind::kTexture;
};

struct Module {
  std::uint32_t ptx_version = 0;  // 83 is 8.3
  std::uint32_t target = 0;       // 80 is sm_80
  std::vector<Function> functions;
  std::vector<Variable> variables;
  std::vector<Texture> textures;
  std::vector<Function> prototypes;  // .callprototype: parameters and results only
  std::uint64_t global_bytes = 0;    // what the module's globals take, aligned to 256
  std::uint64_t const_bytes = 0;

  const Function* find_kernel(std::string_view name) const;
  const Variable* find_variable(std::string_view name) const;
};

}  // namespace longwire::softcuda::ir
