// cuComplex.h on both sides, at the ends of the range too.
#include <cuComplex.h>
#include <cuda_runtime.h>

#include <cmath>

#include "check.h"

struct Results {
  cuDoubleComplex product, quotient, fused;
  double magnitude;
  cuComplex small;
};

__host__ __device__ Results compute(cuDoubleComplex a, cuDoubleComplex b) {
  return {cuCmul(a, b), cuCdiv(a, b), cuCfma(a, b, cuConj(a)), cuCabs(a),
          cuComplexDoubleToFloat(cuCsub(cuCadd(a, b), b))};
}

__global__ void on_device(cuDoubleComplex a, cuDoubleComplex b, Results* out) {
  *out = compute(a, b);
}

bool is(cuDoubleComplex a, double x, double y) { return a.x == x && a.y == y; }

int main() {
  Results* out = nullptr;
  OK(cudaMallocManaged(&out, sizeof(Results)));
  const cuDoubleComplex a = make_cuDoubleComplex(3, 4), b = make_cuDoubleComplex(1, -1);
  on_device<<<1, 1>>>(a, b, out);
  OK(cudaDeviceSynchronize());
  for (const Results& got : {*out, compute(a, b)}) {
    CHECK(is(got.product, 7, 1) && is(got.quotient, -0.5, 3.5) && is(got.fused, 10, -3));
    CHECK(got.magnitude == 5 && got.small.x == 3 && cuCimagf(got.small) == 4);
  }
  const double huge = 1e300;
  CHECK(std::fabs(cuCabs(make_cuDoubleComplex(3 * huge, 4 * huge)) / huge - 5) < 1e-14);
  CHECK(cuCabsf(make_cuComplex(0, 0)) == 0 && cuCabsf(make_cuComplex(-INFINITY, NAN)) == INFINITY);
  CHECK(cuCabsf(make_cuComplex(0, -2)) == 2);
  const cuDoubleComplex one = cuCdiv(make_cuDoubleComplex(huge, huge), make_cuDoubleComplex(huge, huge));
  CHECK(std::fabs(one.x - 1) < 1e-14 && std::fabs(one.y) < 1e-14);
  OK(cudaFree(out));
  return 0;
}
