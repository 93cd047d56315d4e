#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "softcuda/driver/testing.h"

namespace longwire::softcuda::driver {
namespace {

class LaunchTest : public ContextTest {
 protected:
  void SetUp() override {
    ContextTest::SetUp();
    ASSERT_EQ(cuModuleLoadData(&module_, kPtx), CUDA_SUCCESS);
  }
  CUfunction function(const char* name) {
    CUfunction found = nullptr;
    EXPECT_EQ(cuModuleGetFunction(&found, module_, name), CUDA_SUCCESS);
    return found;
  }
  CUmodule module_ = nullptr;
};

TEST_F(LaunchTest, vector_add_from_ptx_to_result) {
  constexpr unsigned int kCount = 1000, kBlock = 128;
  std::vector<float> a(kCount), b(kCount), c(kCount);
  for (unsigned int i = 0; i < kCount; ++i) {
    a[i] = float(i);
    b[i] = float(2 * i);
  }
  CUdeviceptr da = 0, db = 0, dc = 0;
  for (CUdeviceptr* each : {&da, &db, &dc})
    ASSERT_EQ(cuMemAlloc(each, kCount * sizeof(float)), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyHtoD(da, a.data(), kCount * sizeof(float)), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyHtoD(db, b.data(), kCount * sizeof(float)), CUDA_SUCCESS);
  unsigned int n = kCount;
  void* parameters[] = {&da, &db, &dc, &n};
  ASSERT_EQ(cuLaunchKernel(function("add"), (kCount + kBlock - 1) / kBlock, 1, 1, kBlock, 1, 1, 0,
                           nullptr, parameters, nullptr),
            CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyDtoH(c.data(), dc, kCount * sizeof(float)), CUDA_SUCCESS);
  for (unsigned int i = 0; i < kCount; ++i)
    ASSERT_EQ(c[i], float(3 * i)) << i;
}

TEST_F(LaunchTest, parameters_in_a_buffer) {
  CUdeviceptr memory = 0;
  ASSERT_EQ(cuMemAlloc(&memory, 64), CUDA_SUCCESS);
  struct {
    CUdeviceptr p;
    unsigned int value;
  } buffer{memory, 5};
  size_t bytes = sizeof buffer;
  void* extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &buffer, CU_LAUNCH_PARAM_BUFFER_SIZE, &bytes,
                   CU_LAUNCH_PARAM_END};
  ASSERT_EQ(cuLaunchKernel(function("fill"), 1, 1, 1, 16, 1, 1, 0, nullptr, nullptr, extra),
            CUDA_SUCCESS);
  std::vector<unsigned int> out(16);
  ASSERT_EQ(cuMemcpyDtoH(out.data(), memory, 64), CUDA_SUCCESS);
  EXPECT_THAT(out, ::testing::Each(5U));
  bytes = 4;  // too short
  EXPECT_EQ(cuLaunchKernel(function("fill"), 1, 1, 1, 16, 1, 1, 0, nullptr, nullptr, extra),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(LaunchTest, wrong_launches_are_refused) {
  CUfunction fill = function("fill");
  CUdeviceptr memory = 0;
  unsigned int value = 1;
  void* good[] = {&memory, &value};
  auto launch = [&](unsigned grid, unsigned block, unsigned shared, CUstream stream, void** p) {
    return cuLaunchKernel(fill, grid, 1, 1, block, 1, 1, shared, stream, p, nullptr);
  };
  EXPECT_EQ(launch(0, 1, 0, nullptr, good), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launch(1, 1025, 0, nullptr, good), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launch(1, 1, 1 << 20, nullptr, good), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launch(1, 1, 0, nullptr, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launch(1, 1, 0, CUstream(0x1234560), good), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuLaunchKernel(nullptr, 1, 1, 1, 1, 1, 1, 0, nullptr, good, nullptr),
            CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuLaunchKernel(CUfunction(module_), 1, 1, 1, 1, 1, 1, 0, nullptr, good, nullptr),
            CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(LaunchTest, a_fault_stays_until_the_context_is_reset) {
  ASSERT_EQ(cuLaunchKernel(function("bad"), 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr),
            CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  CUdeviceptr memory = 0;
  EXPECT_EQ(cuMemAlloc(&memory, 4), CUDA_ERROR_ILLEGAL_ADDRESS);
  ASSERT_EQ(cuDevicePrimaryCtxReset(0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAlloc(&memory, 4), CUDA_ERROR_CONTEXT_IS_DESTROYED);
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&context_, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAlloc(&memory, 4), CUDA_SUCCESS);
}

TEST_F(LaunchTest, globals_names_and_parameters_of_a_module) {
  CUdeviceptr address = 0;
  size_t bytes = 0, offset = 0;
  ASSERT_EQ(cuModuleGetGlobal(&address, &bytes, module_, "counter"), CUDA_SUCCESS);
  EXPECT_EQ(bytes, 4U);
  unsigned int value = 0;
  ASSERT_EQ(cuMemcpyDtoH(&value, address, 4), CUDA_SUCCESS);
  EXPECT_EQ(value, 7U);
  EXPECT_EQ(cuModuleGetGlobal(&address, &bytes, module_, "nothing"), CUDA_ERROR_NOT_FOUND);
  CUfunction missing = nullptr;
  EXPECT_EQ(cuModuleGetFunction(&missing, module_, "nothing"), CUDA_ERROR_NOT_FOUND);
  const char* name = nullptr;
  ASSERT_EQ(cuFuncGetName(&name, function("add")), CUDA_SUCCESS);
  EXPECT_STREQ(name, "add");
  ASSERT_EQ(cuFuncGetParamInfo(function("add"), 3, &offset, &bytes), CUDA_SUCCESS);
  EXPECT_EQ(offset, 24U);
  EXPECT_EQ(bytes, 4U);
  EXPECT_EQ(cuFuncGetParamInfo(function("add"), 4, &offset, &bytes), CUDA_ERROR_INVALID_VALUE);
  unsigned int count = 0;
  ASSERT_EQ(cuModuleGetFunctionCount(&count, module_), CUDA_SUCCESS);
  EXPECT_EQ(count, 3U);
  ASSERT_EQ(cuModuleUnload(module_), CUDA_SUCCESS);
  EXPECT_EQ(cuModuleUnload(module_), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(LaunchTest, wrong_ptx_is_told_in_the_log) {
  char log[512] = "";
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void* values[] = {log, reinterpret_cast<void*>(sizeof log)};
  CUmodule module = nullptr;
  EXPECT_EQ(cuModuleLoadDataEx(&module,
                               ".version 8.0\n.target sm_80\n.address_size 64\n"
                               ".visible .entry f()\n{\n  frob.b32 %r1;\n  ret;\n}\n",
                               2, options, values),
            CUDA_ERROR_INVALID_PTX);
  EXPECT_THAT(std::string(log), ::testing::HasSubstr("line 6"));
}

TEST_F(LaunchTest, a_library_launches_in_the_current_context) {
  CUlibrary library = nullptr;
  CUkernel kernel = nullptr;
  ASSERT_EQ(cuLibraryLoadData(&library, kPtx, nullptr, nullptr, 0, nullptr, nullptr, 0),
            CUDA_SUCCESS);
  ASSERT_EQ(cuLibraryGetKernel(&kernel, library, "fill"), CUDA_SUCCESS);
  CUdeviceptr memory = 0;
  ASSERT_EQ(cuMemAlloc(&memory, 4), CUDA_SUCCESS);
  unsigned int value = 9, out = 0;
  void* parameters[] = {&memory, &value};
  ASSERT_EQ(cuLaunchKernel(CUfunction(kernel), 1, 1, 1, 1, 1, 1, 0, nullptr, parameters, nullptr),
            CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyDtoH(&out, memory, 4), CUDA_SUCCESS);
  EXPECT_EQ(out, 9U);
  EXPECT_EQ(cuLibraryUnload(library), CUDA_SUCCESS);
  EXPECT_EQ(cuLibraryUnload(library), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(LaunchTest, occupancy) {
  int blocks = 0, grid = 0, block = 0;
  ASSERT_EQ(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function("add"), 256, 0),
            CUDA_SUCCESS);
  EXPECT_GE(blocks, 1);
  ASSERT_EQ(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function("add"), 256, 1 << 20),
            CUDA_SUCCESS);
  EXPECT_EQ(blocks, 0);
  EXPECT_EQ(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function("add"), 0, 0),
            CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuOccupancyMaxPotentialBlockSize(&grid, &block, function("add"), nullptr, 0, 100),
            CUDA_SUCCESS);
  EXPECT_GE(grid, 1);
  EXPECT_LE(block, 100);
}

TEST_F(LaunchTest, clusters_have_one_block) {
  int size = 0, clusters = -1;
  CUlaunchConfig config{};
  config.gridDimX = config.gridDimY = config.gridDimZ = 1;
  config.blockDimX = 64;
  config.blockDimY = config.blockDimZ = 1;
  ASSERT_EQ(cuOccupancyMaxPotentialClusterSize(&size, function("add"), &config), CUDA_SUCCESS);
  EXPECT_EQ(size, 1);
  EXPECT_EQ(cuOccupancyMaxActiveClusters(&clusters, function("add"), &config),
            CUDA_ERROR_INVALID_CLUSTER_SIZE);
  CUlaunchAttribute attribute{};
  attribute.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
  attribute.value.clusterDim = {1, 1, 1};
  config.attrs = &attribute;
  config.numAttrs = 1;
  ASSERT_EQ(cuOccupancyMaxActiveClusters(&clusters, function("add"), &config), CUDA_SUCCESS);
  EXPECT_GE(clusters, 1);
  attribute.value.clusterDim = {2, 1, 1};
  ASSERT_EQ(cuOccupancyMaxActiveClusters(&clusters, function("add"), &config), CUDA_SUCCESS);
  EXPECT_EQ(clusters, 0);
  attribute.value.clusterDim = {0, 1, 1};
  EXPECT_EQ(cuOccupancyMaxActiveClusters(&clusters, function("add"), &config),
            CUDA_ERROR_INVALID_CLUSTER_SIZE);
  attribute.value.clusterDim = {1, 1, 1};
  config.blockDimX = 0;
  EXPECT_EQ(cuOccupancyMaxActiveClusters(&clusters, function("add"), &config),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuOccupancyMaxPotentialClusterSize(&size, function("add"), nullptr),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(LaunchTest, there_are_no_unified_functions) {
  CUlibrary library = nullptr;
  void* found = nullptr;
  ASSERT_EQ(cuLibraryLoadData(&library, kPtx, nullptr, nullptr, 0, nullptr, nullptr, 0),
            CUDA_SUCCESS);
  EXPECT_EQ(cuLibraryGetUnifiedFunction(&found, library, "add"), CUDA_ERROR_NOT_FOUND);
  EXPECT_EQ(cuLibraryGetUnifiedFunction(nullptr, library, "add"), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuLibraryUnload(library), CUDA_SUCCESS);
  EXPECT_EQ(cuLibraryGetUnifiedFunction(&found, library, "add"), CUDA_ERROR_INVALID_HANDLE);
}

}  // namespace
}  // namespace longwire::softcuda::driver
