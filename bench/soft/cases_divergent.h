// Lanes of a warp that do not stay together.
#pragma once

#include "soft/cases.h"

namespace longwire::bench::soft {

Case mandelbrot();
Case collatz();
Case sparse_rows();
Case binary_search();

}  // namespace longwire::bench::soft
