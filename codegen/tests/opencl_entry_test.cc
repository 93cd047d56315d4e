// The ICD's table and the lookup of functions by name, over the real client.
#include <CL/cl_icd.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "client/opencl/runtime.h"
#include "opencl/entry.h"
#include "opencl/native_api.h"

namespace longwire::client::opencl {

Runtime* process_runtime() noexcept { return nullptr; }  // nothing is configured

namespace {

TEST(Dispatch, HasEveryOfferedFunctionAndNoOther) {
  EXPECT_EQ(kDispatch.clGetPlatformIDs, longwire_clGetPlatformIDs);
  EXPECT_EQ(kDispatch.clEnqueueNDRangeKernel, longwire_clEnqueueNDRangeKernel);
  EXPECT_EQ(kDispatch.clSetContextDestructorCallback, longwire_clSetContextDestructorCallback);
  EXPECT_EQ(kDispatch.clGetKernelSubGroupInfoKHR, longwire_clGetKernelSubGroupInfoKHR);
  EXPECT_EQ(kDispatch.clCreateFromGLBuffer, nullptr);
  EXPECT_EQ(kDispatch.clCreateFromEGLImageKHR, nullptr);
  EXPECT_EQ(kDispatch.clGetDeviceIDsFromD3D10KHR, nullptr);
}

TEST(FindExtensionFunction, FindsEveryOfferedFunctionByName) {
  // NativeApi names every offered function: let it look them all up here.
  longwire::opencl::NativeApi api;
  std::vector<std::string> missing;
  const auto resolve = [](const char* name, void*) { return find_extension_function(name); };
  EXPECT_TRUE(longwire::opencl::NativeApi::load(api, resolve, nullptr, missing));
  EXPECT_EQ(api.clFinish, longwire_clFinish);
  EXPECT_EQ(api.clCreateProgramWithILKHR, longwire_clCreateProgramWithILKHR);
  EXPECT_EQ(api.clGetKernelSuggestedLocalWorkSizeKHR,
            longwire_clGetKernelSuggestedLocalWorkSizeKHR);
}

TEST(FindExtensionFunction, AnswersNullForTheRest) {
  for (const char* name :
       {"", "cl", "clFinis", "clFinishh", "clSVMAllocARM", "zz", "clCreateFromGLBuffer"})
    EXPECT_EQ(find_extension_function(name), nullptr) << name;
  EXPECT_EQ(find_extension_function(nullptr), nullptr);
}

TEST(Unsupported, FailsWithTheApisOwnError) {
  cl_int status = CL_SUCCESS;
  EXPECT_EQ(longwire_clCreatePipe(nullptr, 0, 4, 4, nullptr, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_OPERATION);
  EXPECT_EQ(longwire_clCreatePipe(nullptr, 0, 4, 4, nullptr, nullptr), nullptr);
  EXPECT_EQ(longwire_clSVMAlloc(nullptr, 0, 64, 0), nullptr);
  longwire_clSVMFree(nullptr, nullptr);
  EXPECT_EQ(
      longwire_clEnqueueSVMMap(nullptr, CL_TRUE, CL_MAP_READ, nullptr, 4, 0, nullptr, nullptr),
      CL_INVALID_OPERATION);
  EXPECT_EQ(longwire_clGetPipeInfo(nullptr, CL_PIPE_MAX_PACKETS, 0, nullptr, nullptr),
            CL_INVALID_MEM_OBJECT);
}

}  // namespace
}  // namespace longwire::client::opencl
