#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <thread>

#include "softcuda/driver/testing.h"

namespace longwire::softcuda::driver {
namespace {

TEST(InitTest, nothing_works_before_it) {
  pid_t child = ::fork();  // in a process of its own, whatever the other tests did
  if (child == 0) {
    char* const arguments[] = {const_cast<char*>("softcuda_driver_test"),
                               const_cast<char*>("--gtest_filter=InitTest.DISABLED_before_init"),
                               const_cast<char*>("--gtest_also_run_disabled_tests"), nullptr};
    ::execv("/proc/self/exe", arguments);
    ::_exit(99);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(InitTest, DISABLED_before_init) {
  int count = 0, version = 0;
  CUcontext context = nullptr;
  EXPECT_EQ(cuDeviceGetCount(&count), CUDA_ERROR_NOT_INITIALIZED);
  EXPECT_EQ(cuCtxGetCurrent(&context), CUDA_ERROR_NOT_INITIALIZED);
  EXPECT_EQ(cuTexRefCreate(nullptr), CUDA_ERROR_NOT_INITIALIZED);
  EXPECT_EQ(cuDriverGetVersion(&version), CUDA_SUCCESS);
  EXPECT_EQ(version, 13000);
  EXPECT_EQ(cuInit(1), CUDA_ERROR_INVALID_VALUE);
  pid_t child = ::fork();  // before use: the child may use it
  if (child == 0) ::_exit(cuInit(0));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(cuInit(0), CUDA_SUCCESS);
  child = ::fork();  // after use: it may not
  if (child == 0) ::_exit(cuDeviceGetCount(&count));
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), CUDA_ERROR_NOT_INITIALIZED);
}

TEST(InitTest, errors_have_names) {
  const char* text = nullptr;
  ASSERT_EQ(cuGetErrorName(CUDA_ERROR_INVALID_PTX, &text), CUDA_SUCCESS);
  EXPECT_STREQ(text, "CUDA_ERROR_INVALID_PTX");
  ASSERT_EQ(cuGetErrorString(CUDA_ERROR_OUT_OF_MEMORY, &text), CUDA_SUCCESS);
  EXPECT_STREQ(text, "out of memory");
  EXPECT_EQ(cuGetErrorName(CUresult(12345), &text), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(text, nullptr);
}

TEST(InitTest, entry_points_by_version) {
  auto get = [](const char* name, int version, cuuint64_t flags,
                CUdriverProcAddressQueryResult* s) {
    void* function = nullptr;
    (void)cuGetProcAddress_v2(name, &function, version, flags, s);
    return function;
  };
  CUdriverProcAddressQueryResult status{};
  EXPECT_EQ(get("cuMemAlloc", 12000, 0, &status), reinterpret_cast<void*>(&cuMemAlloc_v2));
  EXPECT_EQ(status, CU_GET_PROC_ADDRESS_SUCCESS);
  EXPECT_EQ(get("cuCtxCreate", 12000, 0, &status), reinterpret_cast<void*>(&cuCtxCreate_v3));
  EXPECT_EQ(get("cuCtxCreate", 13000, 0, &status), reinterpret_cast<void*>(&cuCtxCreate_v4));
  EXPECT_EQ(get("cuStreamQuery", 12000, CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM, &status),
            reinterpret_cast<void*>(&cuStreamQuery_ptsz));
  EXPECT_EQ(get("cuGraphAddNode", 11000, 0, &status), nullptr);
  EXPECT_EQ(status, CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT);
  EXPECT_EQ(get("cuNothing", 13000, 0, &status), nullptr);
  EXPECT_EQ(status, CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);
}

using DeviceTest = ContextTest;

TEST_F(DeviceTest, says_what_it_is) {
  int count = 0, value = 0;
  ASSERT_EQ(cuDeviceGetCount(&count), CUDA_SUCCESS);
  EXPECT_EQ(count, 1);
  CUdevice device = 0;
  EXPECT_EQ(cuDeviceGet(&device, 1), CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(cuDeviceGet(&device, -1), CUDA_ERROR_INVALID_DEVICE);
  ASSERT_EQ(cuDeviceGet(&device, 0), CUDA_SUCCESS);
  char name[8];
  ASSERT_EQ(cuDeviceGetName(name, sizeof name, device), CUDA_SUCCESS);
  EXPECT_STREQ(name, "Longwir");
  for (int i = 1; i < CU_DEVICE_ATTRIBUTE_MAX; ++i)
    EXPECT_EQ(cuDeviceGetAttribute(&value, CUdevice_attribute(i), device), CUDA_SUCCESS) << i;
  EXPECT_EQ(cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_MAX, device),
            CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_WARP_SIZE, device), CUDA_SUCCESS);
  EXPECT_EQ(value, 32);
  char id[32];
  CUdevice found = -1;
  ASSERT_EQ(cuDeviceGetPCIBusId(id, sizeof id, device), CUDA_SUCCESS);
  ASSERT_EQ(cuDeviceGetByPCIBusId(&found, id), CUDA_SUCCESS);
  EXPECT_EQ(found, device);
}

using ContextStackTest = ContextTest;

TEST_F(ContextStackTest, push_pop_and_destroy) {
  CUcontext made = nullptr, current = nullptr;
  ASSERT_EQ(cuCtxCreate_v2(&made, 0, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxGetCurrent(&current), CUDA_SUCCESS);
  EXPECT_EQ(current, made);
  ASSERT_EQ(cuCtxPopCurrent(&current), CUDA_SUCCESS);
  EXPECT_EQ(current, made);
  ASSERT_EQ(cuCtxGetCurrent(&current), CUDA_SUCCESS);
  EXPECT_EQ(current, context_);
  std::thread([&] {  // another thread has a stack of its own
    CUcontext other = context_;
    CUdeviceptr memory = 0;
    EXPECT_EQ(cuCtxGetCurrent(&other), CUDA_SUCCESS);
    EXPECT_EQ(other, nullptr);
    EXPECT_EQ(cuMemAlloc(&memory, 4), CUDA_ERROR_INVALID_CONTEXT);
  })
      .join();
  ASSERT_EQ(cuCtxDestroy(made), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxDestroy(made), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_EQ(cuCtxPushCurrent(made), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_EQ(cuCtxDestroy(context_), CUDA_ERROR_INVALID_CONTEXT);  // the primary one is released
  EXPECT_EQ(cuCtxDestroy(CUcontext(16)), CUDA_ERROR_INVALID_CONTEXT);
}

TEST_F(ContextStackTest, a_destroyed_context_takes_its_memory_along) {
  size_t before = 0, after = 0, total = 0;
  ASSERT_EQ(cuMemGetInfo(&before, &total), CUDA_SUCCESS);
  CUcontext made = nullptr;
  CUdeviceptr memory = 0;
  CUstream stream = nullptr;
  ASSERT_EQ(cuCtxCreate_v2(&made, 0, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuMemAlloc(&memory, 1 << 20), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamCreate(&stream, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxDestroy(made), CUDA_SUCCESS);
  ASSERT_EQ(cuMemGetInfo(&after, &total), CUDA_SUCCESS);
  EXPECT_EQ(after, before);
  EXPECT_EQ(cuStreamSynchronize(stream), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(ContextStackTest, what_it_may_do) {
  CUexecAffinityParam affinity{};
  int processors = 0;
  CUcontext context = nullptr;
  ASSERT_EQ(cuCtxCreate(&context, nullptr, 0, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuDeviceGetAttribute(&processors, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 0),
            CUDA_SUCCESS);
  ASSERT_EQ(cuCtxGetExecAffinity(&affinity, CU_EXEC_AFFINITY_TYPE_SM_COUNT), CUDA_SUCCESS);
  EXPECT_EQ(affinity.param.smCount.val, static_cast<unsigned>(processors));
  EXPECT_EQ(cuCtxGetExecAffinity(&affinity, CU_EXEC_AFFINITY_TYPE_MAX),
            CUDA_ERROR_UNSUPPORTED_EXEC_AFFINITY);
  EXPECT_EQ(cuProfilerStart(), CUDA_SUCCESS);
  EXPECT_EQ(cuProfilerStop(), CUDA_SUCCESS);
  unsigned can[2] = {};
  const CUatomicOperation asked[] = {CU_ATOMIC_OPERATION_INTEGER_INCREMENT,
                                     CU_ATOMIC_OPERATION_FLOAT_MIN};
  ASSERT_EQ(cuDeviceGetHostAtomicCapabilities(can, asked, 2, 0), CUDA_SUCCESS);
  EXPECT_EQ(can[0], 0xeU);  // of unsigned words, and as a reduction
  EXPECT_EQ(can[1], 0U);
  const CUatomicOperation odd = CU_ATOMIC_OPERATION_MAX;
  EXPECT_EQ(cuDeviceGetHostAtomicCapabilities(can, &odd, 1, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuDeviceGetP2PAtomicCapabilities(can, asked, 2, 0, 0), CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(cuCtxDestroy(context), CUDA_SUCCESS);
}

TEST_F(ContextStackTest, limits) {
  size_t value = 0;
  ASSERT_EQ(cuCtxSetLimit(CU_LIMIT_STACK_SIZE, 4096), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxGetLimit(&value, CU_LIMIT_STACK_SIZE), CUDA_SUCCESS);
  EXPECT_EQ(value, 4096U);
  EXPECT_EQ(cuCtxSetLimit(CU_LIMIT_STACK_SIZE, size_t{1} << 40), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuCtxGetLimit(&value, CU_LIMIT_MAX), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuCtxGetLimit(nullptr, CU_LIMIT_STACK_SIZE), CUDA_ERROR_INVALID_VALUE);
}

}  // namespace
}  // namespace longwire::softcuda::driver
