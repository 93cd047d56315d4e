// Program: a function as the interpreter executes it. Every instruction of the ir is a Step, with
// the function that executes it on 32 lanes and its operands as places in memory.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "softcuda/ir/ir.h"
#include "softcuda/machine/warp.h"

namespace longwire::softcuda::interp {

using machine::Mask;

inline constexpr Mask kAllLanes = ~Mask{0};
inline constexpr int kLanes = ir::kWarpSize;

// Where the 32 values of an operand stand.
enum class Base : std::uint8_t { kFrame, kConstants, kSpecials, kScratch, kCount };

// Constants and specials stand there three times, for whichever width they are read with: the 32
// values as 64-bit, as 32-bit and as 16-bit numbers. 128-bit reads see 64-bit ones.
inline constexpr std::uint32_t kWideBytes = kLanes * 8, kMiddleBytes = kLanes * 4;
inline constexpr std::uint32_t kPoolBytes = kLanes * (8 + 4 + 2);
inline constexpr std::uint32_t kScratchBytes = kLanes * 16;

struct Slot {
  std::uint32_t offset = 0;
  Base base = Base::kScratch;
  std::uint8_t bytes = 0;  // of the register; 0: a predicate; constants: 8
  bool present = false;    // not kNothing
  bool negated = false;    // of predicates
  bool in_frame = false;   // an address in the function's own part of local memory
  // The address of KernelPrograms::variables[this] is part of the constant, or of the displacement.
  std::uint32_t variable = ir::kNone;
  std::int64_t displacement = 0;  // of addresses
};

struct Context;
struct Step;
using Handler = void (*)(Context&, const Step&);

enum class StepKind : std::uint8_t {
  kPlain,     // run(), then the next step
  kBlockEnd,  // goes on with the next block, where lanes may wait to be joined
  kBranch,
  kBranchIndexed,
  kCall,
  kReturn,
  kExit,
  kBarrier,   // of the block
  kWarpSync,  // run(), once the lanes of its mask have come
  kNative,    // compiled code may take over here: entry `target`
};

inline constexpr std::size_t kMaxOperands = 8;

struct Step {
  Handler run = nullptr;
  const Slot* slots = nullptr;  // all operands, vectors flattened
  const ir::Instruction* source = nullptr;
  std::uint32_t target = 0;         // kBranch: a step
  std::uint32_t guard = ir::kNone;  // offset of the predicate in the frame
  StepKind kind = StepKind::kPlain;
  bool guard_negated = false;
  std::uint8_t operands = 0;
  std::uint16_t start[kMaxOperands] = {};  // of an operand in slots
  std::uint16_t count[kMaxOperands] = {};  // of its elements

  const Slot& slot(int operand, int element = 0) const noexcept {
    return slots[start[operand] + element];
  }
  bool has(int operand) const noexcept {
    return operand < operands && slots[start[operand]].present;
  }
};

inline constexpr std::size_t kMaxNativeSpecials = 64;  // more than there are
inline constexpr std::size_t kNativeRanges = 64;
// So many of them belong to one access of the code each, further accesses share the others.
inline constexpr std::size_t kOwnedRanges = 56;

struct KernelPrograms;

// What compiled code sees of the warp that runs it. Plain data.
struct NativeState {
  std::byte* frame = nullptr;           // of the function
  const std::byte* specials = nullptr;  // the n-th at n * kPoolBytes
  const std::byte* constants = nullptr;
  // For accesses without a call; of no size where every access must be looked at (careful).
  std::uint64_t memory_base = 0, memory_bytes = 0;
  const std::atomic<std::uint64_t>* granules = nullptr;
  std::byte* shared = nullptr;
  std::uint64_t shared_bytes = 0;
  const std::byte* parameters = nullptr;
  std::uint64_t parameter_bytes = 0;
  // Local memory of the lanes: lane n's begins n * local_stride further on.
  std::byte* local = nullptr;
  std::uint64_t local_stride = 0;
  const std::atomic<bool>* stopping = nullptr;
  // Allocated memory that was found last, for each access of the code: kNativeRanges of them. An
  // access is within it where (address - begin) / its size is below `places`.
  struct Range {
    std::uint64_t begin = 0, bytes = 0, places = 0;
  };
  Range* ranges = nullptr;
  std::uint32_t local_base = 0;
  std::uint32_t join = 0;    // a group that comes to this step or beyond must stop there
  std::uint32_t rounds = 0;  // backward branches since the group was picked
  Mask live = 0;             // lanes that have not exited
  Mask parked = 0;           // lanes that wait for others
  std::uint32_t strong = 0;  // memory was looked at that others may write
  // Of special registers: what is one for all lanes, in the order of KernelPrograms::specials, and
  // each lane's %tid, as far as the code reads it (rows).
  std::uint64_t values[kMaxNativeSpecials];
  std::uint32_t tid[3][kLanes];
  std::uint32_t rows = 0;  // how many lanes have a %tid.x that counts up; 0: it may be any
  // Where the code leaves lanes at several steps: set in this order, the last is its result's.
  static constexpr std::size_t kMostApart = 26;
  std::uint32_t apart = 0;
  Mask apart_lanes[kMostApart];
  std::uint32_t apart_steps[kMostApart];
  Mask resting = 0;  // those of them that have looped for long, and let others run
  machine::Warp* warp = nullptr;
  const KernelPrograms* programs = nullptr;
  // Made when first there is something to do for it, at runner_place.
  Context* context = nullptr;
  class Runner* runner = nullptr;
  void* runner_place = nullptr;
  // For who runs it, not for the code: %tid of the next warp's first thread, which value is %warpid
  // (kMaxNativeSpecials: none), and the step at which an earlier warp has ended.
  machine::Dim3 thread;
  std::size_t number_at = kMaxNativeSpecials;
  std::uint32_t ended = 0;
};
// Runs the lanes of `group` from an entry on until it comes to a step that it leaves to the Runner,
// and returns that step, with the group's registers in the frame. kNotEntered: these lanes'
// registers are not what it was compiled for.
using NativeRun = std::uint32_t (*)(NativeState& state, std::uint32_t entry, Mask group);
inline constexpr std::uint32_t kNotEntered = ~std::uint32_t{0};
// The entry of a kernel's beginning, where no register has a value yet.
inline constexpr std::uint32_t kStart = ~std::uint32_t{0} - 1;

struct Program {
  const ir::Function* function = nullptr;
  std::vector<Step> steps;
  std::vector<Slot> slots;
  std::vector<std::uint32_t> first_steps;  // of each block
  std::uint32_t entries = 0;               // how many kNative steps there are
  NativeRun native = nullptr;              // what another back end has made of it
};

// A special register of which the code has need, and in which widths.
struct SpecialUse {
  ir::Special special = ir::Special::kTidX;
  bool wide = false, middle = false, narrow = false;
};

// What steps see of the warp: the lanes that execute them, and where operands are.
struct Context {
  static constexpr std::size_t kWidths = 5;  // 1, 2, 4, 8, 16 bytes
  std::byte* bases[kWidths][static_cast<std::size_t>(Base::kCount)] = {};
  Mask mask = 0;    // that execute this step
  Mask active = 0;  // that would if it had no guard
  Mask live = 0;    // that have not exited
  Mask carry = 0;   // CC.CF of each lane
  std::uint32_t local_base = 0;
  std::uint32_t local_top = 0;  // where the frame of the function that runs ends
  bool allocates = false;       // alloca has taken of each lane's stack what is in `taken`
  std::uint32_t taken[kLanes];
  bool strong_access = false;  // memory was looked at that others may write: a loop may wait for it
  machine::Warp* warp = nullptr;
  const machine::BlockState* block = nullptr;

  template <class T>
  T* at(const Slot& slot) const noexcept {
    constexpr int kWidth = std::countr_zero(sizeof(T));
    return reinterpret_cast<T*>(bases[kWidth][static_cast<std::size_t>(slot.base)] + slot.offset);
  }
  // The lanes for which a predicate is true.
  Mask predicate(const Slot& slot) const noexcept {
    Mask value = *at<Mask>(slot);
    if (slot.bytes != 0) value = value != 0 ? kAllLanes : 0;  // an immediate
    return slot.negated ? ~value : value;
  }
  void set_predicate(const Slot& slot, Mask value) const noexcept {
    Mask& place = *at<Mask>(slot);
    place = (place & ~mask) | (value & mask);
  }
  bool has(int lane) const noexcept { return (mask >> lane & 1) != 0; }
};

}  // namespace longwire::softcuda::interp
