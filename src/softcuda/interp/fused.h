// a * b + c with one rounding, for 32 lanes: by the processor's own instruction where it has one.
#pragma once

#include "softcuda/interp/program.h"

namespace longwire::softcuda::interp {

void fused_multiply_add(float* d, const float* a, const float* b, const float* c) noexcept;
void fused_multiply_add(double* d, const double* a, const double* b, const double* c) noexcept;

}  // namespace longwire::softcuda::interp
