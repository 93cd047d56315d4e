// What tests of a whole session begin with: a rig, its first device, a context and a queue.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "opencl/client_api.h"
#include "session_rig.h"

namespace longwire::inproc {

namespace api = client::opencl::api;

class SessionFixture : public ::testing::TestWithParam<Setup> {
 protected:
  explicit SessionFixture(cl_command_queue_properties queue_properties)
      : queue_properties_(queue_properties) {}

  void SetUp() override {
    if (!Rig::available(GetParam().driver)) GTEST_SKIP() << "no OpenCL on this machine";
    rig = std::make_unique<Rig>(GetParam());
    ASSERT_EQ(api::GetPlatformIDs(1, &platform, nullptr), CL_SUCCESS);
    ASSERT_EQ(api::GetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr), CL_SUCCESS);
    cl_int status = CL_SUCCESS;
    context = api::CreateContext(nullptr, 1, &device, nullptr, nullptr, &status);
    ASSERT_EQ(status, CL_SUCCESS);
    queue = new_queue(queue_properties_);
  }
  void TearDown() override {
    if (!rig) return;
    if (program != nullptr) api::ReleaseProgram(program);
    EXPECT_EQ(api::ReleaseCommandQueue(queue), CL_SUCCESS);
    EXPECT_EQ(api::ReleaseContext(context), CL_SUCCESS);
    EXPECT_EQ(rig->end(), 0u) << "native objects are left";
  }

  cl_command_queue new_queue(cl_command_queue_properties properties) {
    const cl_queue_properties list[] = {CL_QUEUE_PROPERTIES, properties, 0};
    cl_int status = CL_SUCCESS;
    const auto made = api::CreateCommandQueueWithProperties(context, device, list, &status);
    EXPECT_EQ(status, CL_SUCCESS);
    return made;
  }

  std::unique_ptr<Rig> rig;
  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
  cl_context context = nullptr;
  cl_command_queue queue = nullptr;
  cl_program program = nullptr;

 private:
  const cl_command_queue_properties queue_properties_;
};

}  // namespace longwire::inproc
