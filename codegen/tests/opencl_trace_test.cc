#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "opencl/trace.h"

namespace longwire::client::opencl {
namespace {

std::vector<std::string>& lines() {
  static std::vector<std::string> all;
  return all;
}

class TraceTest : public testing::Test {
 protected:
  TraceTest() {
    lines().clear();
    start_trace([](std::string_view line) { lines().emplace_back(line); });
  }
  ~TraceTest() override { stop_trace(); }
  template <class T>
  static T pointer(std::uintptr_t value) {
    return reinterpret_cast<T>(value);
  }
};

TEST_F(TraceTest, OnAndOff) {
  EXPECT_TRUE(g_trace.load());
  EXPECT_TRUE(prints_calls());
  stop_trace();
  EXPECT_FALSE(g_trace.load());
  EXPECT_FALSE(prints_calls());
}

TEST_F(TraceTest, RecordingPrintsNothing) {
  stop_trace();
  start_recording();
  EXPECT_TRUE(g_trace.load());
  EXPECT_FALSE(prints_calls());
}

TEST_F(TraceTest, FunctionsHaveNames) {
  EXPECT_GT(kFunctionNames.size(), 100u);
  for (const char* const name : kFunctionNames)
    EXPECT_EQ(std::string_view(name).substr(0, 2), "cl");
}

TEST_F(TraceTest, ReadBuffer) {
  trace::EnqueueReadBuffer(CL_INVALID_VALUE, pointer<cl_command_queue>(0x10), pointer<cl_mem>(0x20),
                           CL_TRUE, 8, 4096, pointer<void*>(0x30), 0, nullptr, nullptr);
  ASSERT_EQ(lines().size(), 1u);
  EXPECT_EQ(lines()[0],
            "clEnqueueReadBuffer(command_queue=0x10, buffer=0x20, blocking_read=CL_TRUE, offset=8, "
            "size=4096, ptr=0x30 [4096 B], num_events_in_wait_list=0, event_wait_list=NULL, "
            "event=NULL) = CL_INVALID_VALUE");
}

TEST_F(TraceTest, FlagsEnumsAndOutputs) {
  cl_int status = CL_SUCCESS;
  trace::CreateBuffer(pointer<cl_mem>(0x40), pointer<cl_context>(0x1),
                      CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, 16, nullptr, &status);
  std::size_t size = 4;
  trace::GetDeviceInfo(CL_SUCCESS, pointer<cl_device_id>(0x2), CL_DEVICE_MAX_COMPUTE_UNITS, 4,
                       pointer<void*>(0x50), &size);
  ASSERT_EQ(lines().size(), 2u);
  EXPECT_EQ(lines()[0],
            "clCreateBuffer(context=0x1, flags=CL_MEM_READ_ONLY|CL_MEM_COPY_HOST_PTR, "
            "size=16, host_ptr=NULL, errcode_ret=&CL_SUCCESS) = 0x40");
  EXPECT_EQ(lines()[1],
            "clGetDeviceInfo(device=0x2, param_name=CL_DEVICE_MAX_COMPUTE_UNITS, "
            "param_value_size=4, param_value=0x50 [4 B], param_value_size_ret=&4) "
            "= CL_SUCCESS");
}

TEST_F(TraceTest, ArraysStringsAndUnknownNumbers) {
  const std::size_t global[] = {64, 2};
  trace::EnqueueNDRangeKernel(-9999, nullptr, nullptr, 2, nullptr, global, nullptr, 0, nullptr,
                              nullptr);
  trace::BuildProgram(CL_SUCCESS, nullptr, 0, nullptr, "-DX=1", nullptr, nullptr);
  const cl_queue_properties properties[] = {CL_QUEUE_PROPERTIES, 2, 0};
  trace::CreateCommandQueueWithProperties(nullptr, nullptr, nullptr, properties, nullptr);
  ASSERT_EQ(lines().size(), 3u);
  EXPECT_NE(lines()[0].find("global_work_size={64, 2}"), std::string::npos) << lines()[0];
  EXPECT_NE(lines()[0].find(" = -9999"), std::string::npos) << lines()[0];
  EXPECT_NE(lines()[1].find("options=\"-DX=1\""), std::string::npos) << lines()[1];
  EXPECT_NE(lines()[2].find("properties={4243, 2}"), std::string::npos) << lines()[2];
}

TEST_F(TraceTest, OutputsOfFailedCallsAreNotRead) {
  auto* unreadable = pointer<cl_uint*>(0x8);
  trace::GetPlatformIDs(CL_INVALID_VALUE, 0, nullptr, unreadable);
  ASSERT_EQ(lines().size(), 1u);
  EXPECT_EQ(lines()[0],
            "clGetPlatformIDs(num_entries=0, platforms=NULL, num_platforms=0x8) "
            "= CL_INVALID_VALUE");
}

TEST(Names, OfErrors) {
  EXPECT_EQ(trace::name_of_error(-1001), "CL_PLATFORM_NOT_FOUND_KHR");
  EXPECT_EQ(trace::name_of_error(CL_BUILD_PROGRAM_FAILURE), "CL_BUILD_PROGRAM_FAILURE");
  EXPECT_EQ(trace::name_of_mem_flags(0), "0");
}

}  // namespace
}  // namespace longwire::client::opencl
