// The approximate instructions: what the PTX ISA (9.0) documents of each, and how a result is held
// against it. approximate_test.cc looks at a sample of all inputs, every_input.cc at all of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cudaapi/cuda.h"

namespace longwire::softcuda::approximate {

enum class Format : std::uint8_t { kF16, kBF16, kF32, kF64 };

// How far a result may be from what it stands for.
enum class Bound : std::uint8_t {
  kUlp,       // units in the last place of the result
  kRelative,  // of the result
  kAbsolute,
  kLogarithm,  // absolute between 0.5 and 2, relative outside
  kCircle      // absolute, by how far the angle is from 0
};

struct Form {
  const char* instruction;
  Format format = Format::kF32;
  int sources = 1;
  double (*exact)(double) = nullptr;  // of one source
  Bound bound = Bound::kUlp;
  double error = 0;
  bool gross = false;   // reads and gives the upper half of an f64
  bool packed = false;  // two numbers in a register

  bool flushes() const;
  bool divides_fast() const;  // div.approx, which multiplies by the reciprocal
};

std::span<const Form> forms();
int bytes_of(Format format);
double value_of(Format format, std::uint64_t bits);

// Whether a result is one that the ISA allows for these sources; all as bits.
bool is_allowed(const Form& form, std::uint64_t a, std::uint64_t b, std::uint64_t result);

// The same of f32 and one source, for every_input.cc: `exact` is exact(a), after flushing.
struct Verdict {
  bool allowed = false;
  bool nearest = false;  // the number of the format that is nearest to the exact result
  double share = 0;      // how much of the documented error it has, where it is not the nearest
};
Verdict verdict_f32(const Form& form, float a, double exact, std::uint32_t result);

// All kernels of all forms; a kernel's name is name_of(form).
// kernel(.u64 results, .u64 a, .u64 b, .u32 count), one element (two where packed) a thread.
std::string ptx();
std::string name_of(const Form& form);

// Runs one on memory that the host sees as well; elements as the kernel has them.
CUresult launch(CUfunction kernel, void* results, void* a, void* b, unsigned count);

}  // namespace longwire::softcuda::approximate
