#pragma once

#include "soft/cases.h"

namespace longwire::bench::soft {

Case matmul();
Case n_body();
Case softmax();
Case layer_norm();
Case transpose();
Case stencil_2d();
Case stencil_3d();
Case attention();

}  // namespace longwire::bench::soft
