// longwire_bench_soft_cuda: the cases on a CUDA device, by the runtime API alone.
//
//   longwire_bench_soft_cuda                      serves the cases (cases.h)
//   longwire_bench_soft_cuda launches             microseconds of an empty kernel of one block
//   longwire_bench_soft_cuda first FILE KERNEL    what a kernel's first launch takes, from its PTX
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "soft/cases.h"
#include "soft/cuda.h"
#include "soft/kernels.cl"

namespace longwire::bench::soft {
namespace {

void require(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  std::fprintf(stderr, "longwire_bench_soft_cuda: %s: %s\n", what, cudaGetErrorString(status));
  std::exit(1);
}

const void* kernel_of(const std::string& name) {
#define NAMED(kernel) {#kernel, reinterpret_cast<const void*>(&::kernel)}
  static const std::map<std::string, const void*> all = {
      NAMED(vector_add), NAMED(saxpy),      NAMED(matmul),     NAMED(n_body),     NAMED(clear),
      NAMED(histogram),  NAMED(scan),       NAMED(add_totals), NAMED(reduction),  NAMED(softmax),
      NAMED(layer_norm), NAMED(transpose),  NAMED(stencil_2d), NAMED(stencil_3d), NAMED(mandelbrot),
      NAMED(collatz), NAMED(sparse_rows), NAMED(binary_search), NAMED(philox),     NAMED(black_scholes), NAMED(attention), NAMED(empty)};
#undef NAMED
  return all.at(name);
}

class CudaDevice : public Device {
 public:
  void prepare(const Case& what) override {
    for (void* buffer : buffers_)
      require(cudaFree(buffer), "cudaFree");
    buffers_.clear();
    case_ = what;
    for (const Bytes& bytes : case_.buffers) {
      void* buffer = nullptr;
      require(cudaMalloc(&buffer, bytes.size()), "cudaMalloc");
      require(cudaMemcpy(buffer, bytes.data(), bytes.size(), cudaMemcpyHostToDevice), "cudaMemcpy");
      buffers_.push_back(buffer);
    }
  }

  double run_us() override {
    const double start = now_us();
    for (const Launch& one : case_.launches)
      launch(one);
    require(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    return now_us() - start;
  }

  Bytes read(std::size_t buffer) override {
    Bytes bytes(case_.buffers[buffer].size());
    require(cudaMemcpy(bytes.data(), buffers_[buffer], bytes.size(), cudaMemcpyDeviceToHost),
            "cudaMemcpy");
    return bytes;
  }

 private:
  void launch(const Launch& one) {
    void* arguments[8];
    for (std::size_t i = 0; i < one.arguments.size(); ++i) {
      const Argument& argument = one.arguments[i];
      if (const auto* buffer = std::get_if<BufferIndex>(&argument))
        arguments[i] = &buffers_[buffer->index];
      else
        std::visit([&](const auto& v) { arguments[i] = const_cast<void*>((const void*)&v); },
                   argument);
    }
    require(cudaLaunchKernel(kernel_of(one.kernel), dim3(one.grid[0], one.grid[1]),
                             dim3(one.block[0], one.block[1]), arguments, 0, nullptr),
            one.kernel.c_str());
  }

  std::vector<void*> buffers_;
  Case case_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Alone: launched and waited for. In a row: a thousand launched, waited for at the end.
int measure_launches() {
  constexpr int kRounds = 200, kInARow = 1000;
  std::vector<double> alone, in_a_row;
  for (int i = 0; i < kRounds; ++i) {
    const double start = now_us();
    empty<<<1, 32>>>(0);
    require(cudaDeviceSynchronize(), "empty kernel");
    alone.push_back(now_us() - start);
  }
  for (int i = 0; i < 10; ++i) {
    const double start = now_us();
    for (int j = 0; j < kInARow; ++j)
      empty<<<1, 32>>>(0);
    require(cudaDeviceSynchronize(), "empty kernels");
    in_a_row.push_back((now_us() - start) / kInARow);
  }
  std::printf("{\"alone\": %f, \"in_a_row\": %f}\n", median(alone), median(in_a_row));
  return 0;
}

double first_launch_us(const std::string& ptx, const std::string& name, float* data, int n) {
  const double start = now_us();
  cudaLibrary_t library = nullptr;
  cudaKernel_t kernel = nullptr;
  require(cudaLibraryLoadData(&library, ptx.c_str(), nullptr, nullptr, 0, nullptr, nullptr, 0),
          "cudaLibraryLoadData");
  require(cudaLibraryGetKernel(&kernel, library, name.c_str()), name.c_str());
  void* arguments[] = {&data, &n};
  require(cudaLaunchKernel(reinterpret_cast<const void*>(kernel), dim3(1), dim3(32), arguments, 0,
                           nullptr),
          name.c_str());
  require(cudaDeviceSynchronize(), name.c_str());
  return now_us() - start;
}

// The device is there, and one small kernel has run: what is counted is what this one adds.
int measure_first(const char* file, const char* kernel) {
  std::stringstream ptx;
  ptx << std::ifstream(file).rdbuf();
  constexpr int kCount = 4096;
  float* data = nullptr;
  require(cudaMalloc(&data, kCount * sizeof(float)), "cudaMalloc");
  require(cudaMemset(data, 0, kCount * sizeof(float)), "cudaMemset");
  empty<<<1, 32>>>(0);
  require(cudaDeviceSynchronize(), "empty kernel");
  std::printf("{\"first\": %f}\n", first_launch_us(ptx.str(), kernel, data, kCount));
  return 0;
}

}  // namespace
}  // namespace longwire::bench::soft

int main(int argc, char** argv) {
  using namespace longwire::bench::soft;
  if (argc == 2 && std::strcmp(argv[1], "launches") == 0) return measure_launches();
  if (argc == 4 && std::strcmp(argv[1], "first") == 0) return measure_first(argv[2], argv[3]);
  CudaDevice device;
  return serve(device);
}
