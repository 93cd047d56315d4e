#include "kernels_fixture.h"

#include <fstream>
#include <map>
#include <sstream>

namespace longwire::softcuda::kernels {
namespace {

constexpr std::size_t kLogBytes = 4096;

std::string read(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

std::string KernelsTest::ptx() const {
  return read(std::string(SOFTCUDA_KERNELS) + "/" + file_ + ".ptx");
}

void KernelsTest::SetUp() {
  ASSERT_EQ(cuInit(0), CUDA_SUCCESS);
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&context_, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
  char log[kLogBytes] = "";
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void* values[] = {log, reinterpret_cast<void*>(kLogBytes)};
  ASSERT_EQ(cuModuleLoadDataEx(&module_, ptx().c_str(), 2, options, values), CUDA_SUCCESS) << log;
}

void KernelsTest::TearDown() {
  if (module_ != nullptr) cuModuleUnload(module_);
  EXPECT_EQ(cuCtxSetCurrent(nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuDevicePrimaryCtxRelease(0), CUDA_SUCCESS);
}

CUfunction KernelsTest::function(const char* name) {
  CUfunction found = nullptr;
  EXPECT_EQ(cuModuleGetFunction(&found, module_, name), CUDA_SUCCESS) << name;
  return found;
}

CUdeviceptr KernelsTest::global(const char* name, std::size_t bytes) {
  CUdeviceptr address = 0;
  std::size_t size = 0;
  EXPECT_EQ(cuModuleGetGlobal(&address, &size, module_, name), CUDA_SUCCESS) << name;
  EXPECT_EQ(size, bytes) << name;
  return address;
}

CUresult KernelsTest::launch(const char* name, const LaunchShape& shape, void** values) {
  next_ = 0;
  const Size &g = shape.grid, &b = shape.block;
  if (shape.cooperative)
    return cuLaunchCooperativeKernel(function(name), g.x, g.y, g.z, b.x, b.y, b.z,
                                     shape.shared_bytes, shape.stream, values);
  return cuLaunchKernel(function(name), g.x, g.y, g.z, b.x, b.y, b.z, shape.shared_bytes,
                        shape.stream, values, nullptr);
}

std::vector<float> random_floats(std::size_t count, float least, float most, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(count);
  for (float& each : values)
    each = least + (most - least) * (static_cast<float>(generator() >> 8) * 0x1p-24F);
  return values;
}

std::vector<int> random_ints(std::size_t count, int least, int most, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<int> values(count);
  const auto choices = static_cast<unsigned>(most - least) + 1;
  for (int& each : values)
    each = least + static_cast<int>(generator() % choices);
  return values;
}

}  // namespace longwire::softcuda::kernels
