// Platform, devices and contexts as a program sees them.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "client/opencl/client_test.h"
#include "client/opencl/platform.h"
#include "opencl/client_api.h"

namespace longwire::client::opencl::testing {
namespace {

using ::testing::ElementsAre;

class PlatformTest : public ClientTest {
 protected:
  cl_platform_id platform() {
    runtime();
    cl_platform_id id = nullptr;
    EXPECT_EQ(api::IcdGetPlatformIDsKHR(1, &id, nullptr), CL_SUCCESS);
    return id;
  }
  std::vector<cl_device_id> devices(cl_device_type type = CL_DEVICE_TYPE_ALL) {
    cl_device_id ids[8] = {};
    cl_uint count = 0;
    const cl_int status = api::GetDeviceIDs(platform(), type, 8, ids, &count);
    EXPECT_EQ(status, count == 0 ? CL_DEVICE_NOT_FOUND : CL_SUCCESS);
    return {ids, ids + count};
  }
  std::string text(cl_device_id device, cl_device_info param) {
    char value[256] = {};
    size_t size = 0;
    EXPECT_EQ(api::GetDeviceInfo(device, param, sizeof value, value, &size), CL_SUCCESS);
    EXPECT_EQ(std::string(value).size() + 1, size);
    return value;
  }
};

TEST_F(PlatformTest, WithoutARuntimeThereIsNoPlatform) {
  cl_uint count = 7;
  EXPECT_EQ(api::IcdGetPlatformIDsKHR(0, nullptr, &count), CL_PLATFORM_NOT_FOUND_KHR);
  EXPECT_EQ(count, 0u);
  EXPECT_EQ(api::GetPlatformInfo(nullptr, CL_PLATFORM_NAME, 0, nullptr, nullptr),
            CL_INVALID_PLATFORM);
}

TEST_F(PlatformTest, PlatformQueriesFollowTheSizeRules) {
  const cl_platform_id id = platform();
  char name[9] = "        ";
  size_t size = 0;
  EXPECT_EQ(api::GetPlatformInfo(id, CL_PLATFORM_NAME, 0, nullptr, &size), CL_SUCCESS);
  EXPECT_EQ(size, 9u);
  EXPECT_EQ(api::GetPlatformInfo(id, CL_PLATFORM_NAME, 8, name, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(api::GetPlatformInfo(id, CL_PLATFORM_NAME, 9, name, nullptr), CL_SUCCESS);
  EXPECT_STREQ(name, "Longwire");
  EXPECT_EQ(api::GetPlatformInfo(id, CL_PLATFORM_NAME, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(api::GetPlatformInfo(id, 0x1234, 0, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(api::IcdGetPlatformIDsKHR(0, nullptr, nullptr), CL_INVALID_VALUE);
}

// The ICD loader asks for these when any program starts.
TEST_F(PlatformTest, WhatTheLoaderAsksCostsNoConnection) {
  const cl_platform_id id = platform();
  for (const cl_platform_info param :
       {CL_PLATFORM_EXTENSIONS, CL_PLATFORM_ICD_SUFFIX_KHR, CL_PLATFORM_PROFILE,
        CL_PLATFORM_VERSION, CL_PLATFORM_NUMERIC_VERSION, CL_PLATFORM_EXTENSIONS_WITH_VERSION}) {
    EXPECT_EQ(api::GetPlatformInfo(id, param, 0, nullptr, nullptr), CL_SUCCESS);
  }
  EXPECT_EQ(node().count(msg::DescribePlatforms::kOpcode), 0u);
}

TEST_F(PlatformTest, DevicesByType) {
  node().devices = {
      DeviceFacts::plain().set<cl_device_type>(CL_DEVICE_TYPE, CL_DEVICE_TYPE_GPU),
      DeviceFacts::plain().set<cl_device_type>(CL_DEVICE_TYPE, CL_DEVICE_TYPE_CPU),
      DeviceFacts::plain().set<cl_device_type>(CL_DEVICE_TYPE, CL_DEVICE_TYPE_CUSTOM)};
  const auto all = devices();
  ASSERT_EQ(all.size(), 2u);  // not the custom one
  EXPECT_THAT(devices(CL_DEVICE_TYPE_GPU), ElementsAre(all[0]));
  EXPECT_THAT(devices(CL_DEVICE_TYPE_CPU), ElementsAre(all[1]));
  EXPECT_THAT(devices(CL_DEVICE_TYPE_DEFAULT), ElementsAre(all[0]));
  EXPECT_THAT(devices(CL_DEVICE_TYPE_DEFAULT | CL_DEVICE_TYPE_CPU), ElementsAre(all[0], all[1]));
  EXPECT_EQ(devices(CL_DEVICE_TYPE_CUSTOM).size(), 1u);
  EXPECT_EQ(devices(CL_DEVICE_TYPE_ACCELERATOR).size(), 0u);
  EXPECT_EQ(node().count(msg::DescribePlatforms::kOpcode), 1u);
}

TEST_F(PlatformTest, DeviceIdErrors) {
  const cl_platform_id id = platform();
  cl_device_id device = nullptr;
  cl_uint count = 0;
  EXPECT_EQ(api::GetDeviceIDs(id, 0, 1, &device, nullptr), CL_INVALID_DEVICE_TYPE);
  EXPECT_EQ(api::GetDeviceIDs(id, 1 << 20, 1, &device, nullptr), CL_INVALID_DEVICE_TYPE);
  EXPECT_EQ(api::GetDeviceIDs(id, CL_DEVICE_TYPE_ALL, 0, &device, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(api::GetDeviceIDs(id, CL_DEVICE_TYPE_ALL, 0, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(api::GetDeviceIDs(id, CL_DEVICE_TYPE_ALL, 0, nullptr, &count), CL_SUCCESS);
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(api::GetDeviceInfo(nullptr, CL_DEVICE_NAME, 0, nullptr, nullptr), CL_INVALID_DEVICE);
  // A handle of another kind.
  EXPECT_EQ(
      api::GetDeviceInfo(reinterpret_cast<cl_device_id>(id), CL_DEVICE_NAME, 0, nullptr, nullptr),
      CL_INVALID_DEVICE);
}

TEST_F(PlatformTest, WhatIsNotOfferedIsNotShown) {
  const cl_device_id device = devices().at(0);
  EXPECT_EQ(text(device, CL_DEVICE_EXTENSIONS), "cl_khr_fp64 cl_khr_int64_base_atomics");
  cl_device_svm_capabilities svm = 1;
  EXPECT_EQ(api::GetDeviceInfo(device, CL_DEVICE_SVM_CAPABILITIES, sizeof svm, &svm, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(svm, 0u);
  cl_device_exec_capabilities execution = 0;
  EXPECT_EQ(api::GetDeviceInfo(device, CL_DEVICE_EXECUTION_CAPABILITIES, sizeof execution,
                               &execution, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(execution, cl_device_exec_capabilities{CL_EXEC_KERNEL});
}

TEST_F(PlatformTest, UnknownParametersAreAskedForOnce) {
  node().on<msg::GetDeviceInfo>([&](const msg::GetDeviceInfo& m) {
    EXPECT_EQ(m.device, kFirstDevice);
    msg::GetDeviceInfo::Reply reply;
    const auto value = std::as_bytes(std::span("abc"));
    reply.value = value;
    if (m.param == 0x4321) return node().reply(m.token, CL_INVALID_VALUE);
    node().reply(m.token, CL_SUCCESS, reply);
  });
  const cl_device_id device = devices().at(0);
  EXPECT_EQ(text(device, 0x9999), "abc");
  EXPECT_EQ(text(device, 0x9999), "abc");
  EXPECT_EQ(api::GetDeviceInfo(device, 0x4321, 0, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(api::GetDeviceInfo(device, 0x4321, 0, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(node().count(msg::GetDeviceInfo::kOpcode), 2u);
}

TEST_F(PlatformTest, RootDevicesAreNotCounted) {
  const cl_device_id device = devices().at(0);
  EXPECT_EQ(api::RetainDevice(device), CL_SUCCESS);
  EXPECT_EQ(api::ReleaseDevice(device), CL_SUCCESS);
  EXPECT_EQ(api::ReleaseDevice(device), CL_SUCCESS);
  cl_uint count = 0;
  EXPECT_EQ(api::GetDeviceInfo(device, CL_DEVICE_REFERENCE_COUNT, sizeof count, &count, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(count, 1u);
}

TEST_F(PlatformTest, SubDevicesAreCountedAndReleased) {
  node().on<msg::CreateSubDevices>([&](const msg::CreateSubDevices& m) {
    EXPECT_EQ(m.properties.size(), 3u);
    msg::CreateSubDevices::Reply reply;
    reply.devices = {node().devices[0].described(0x0200000000000010),
                     node().devices[0].described(0x0200000000000011)};
    node().reply(m.token, CL_SUCCESS, reply);
  });
  const cl_device_id device = devices().at(0);
  const cl_device_partition_property equally[] = {CL_DEVICE_PARTITION_EQUALLY, 1, 0};
  cl_device_id parts[2] = {};
  cl_uint count = 0;
  EXPECT_EQ(api::CreateSubDevices(device, nullptr, 2, parts, &count), CL_INVALID_VALUE);
  EXPECT_EQ(api::CreateSubDevices(device, equally, 1, parts, &count), CL_INVALID_VALUE);
  node().await(msg::ReleaseObject::kOpcode, 2);  // those were of no use
  ASSERT_EQ(api::CreateSubDevices(device, equally, 2, parts, &count), CL_SUCCESS);
  EXPECT_EQ(count, 2u);
  cl_device_id parent = nullptr;
  EXPECT_EQ(api::GetDeviceInfo(parts[0], CL_DEVICE_PARENT_DEVICE, sizeof parent, &parent, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(parent, device);
  EXPECT_EQ(api::RetainDevice(parts[0]), CL_SUCCESS);
  EXPECT_EQ(api::ReleaseDevice(parts[0]), CL_SUCCESS);
  EXPECT_EQ(api::ReleaseDevice(parts[0]), CL_SUCCESS);
  EXPECT_EQ(api::ReleaseDevice(parts[1]), CL_SUCCESS);
  node().await(msg::ReleaseObject::kOpcode, 4);
}

TEST_F(PlatformTest, ContextPropertiesAreChecked) {
  cl_device_id device = devices().at(0);
  cl_int status = 0;
  const auto create = [&](std::vector<cl_context_properties> properties) {
    const cl_context context =
        api::CreateContext(properties.data(), 1, &device, nullptr, nullptr, &status);
    EXPECT_EQ(context == nullptr, status != CL_SUCCESS);
    if (context != nullptr) api::ReleaseContext(context);
    return status;
  };
  const auto id = reinterpret_cast<cl_context_properties>(platform());
  EXPECT_EQ(create({0}), CL_SUCCESS);
  EXPECT_EQ(create({CL_CONTEXT_PLATFORM, id, 0}), CL_SUCCESS);
  EXPECT_EQ(create({CL_CONTEXT_PLATFORM, 0, 0}), CL_INVALID_PLATFORM);
  EXPECT_EQ(create({0x7777, 1, 0}), CL_INVALID_PROPERTY);
  EXPECT_EQ(create({CL_CONTEXT_PLATFORM, id, CL_CONTEXT_PLATFORM, id, 0}), CL_INVALID_PROPERTY);
  EXPECT_EQ(api::CreateContext(nullptr, 0, &device, nullptr, nullptr, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_VALUE);
  EXPECT_EQ(api::CreateContext(nullptr, 1, &device, nullptr, &device, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_VALUE);
  device = nullptr;
  EXPECT_EQ(api::CreateContext(nullptr, 1, &device, nullptr, nullptr, &status), nullptr);
  EXPECT_EQ(status, CL_INVALID_DEVICE);
}

TEST_F(PlatformTest, ContextQueriesAndEnd) {
  const cl_device_id device = devices().at(0);
  const cl_context_properties properties[] = {
      CL_CONTEXT_PLATFORM, reinterpret_cast<cl_context_properties>(platform()), 0};
  const cl_context context = api::CreateContext(properties, 1, &device, nullptr, nullptr, nullptr);
  size_t size = 0;
  EXPECT_EQ(api::GetContextInfo(context, CL_CONTEXT_PROPERTIES, 0, nullptr, &size), CL_SUCCESS);
  EXPECT_EQ(size, sizeof properties);
  cl_device_id got = nullptr;
  EXPECT_EQ(api::GetContextInfo(context, CL_CONTEXT_DEVICES, sizeof got, &got, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(got, device);
  EXPECT_EQ(api::GetContextInfo(context, CL_CONTEXT_DEVICES, 1, &got, nullptr), CL_INVALID_VALUE);

  static std::mutex mutex;
  static std::vector<int> order;
  static std::condition_variable changed;
  order.clear();
  const auto note = [](cl_context, void* number) {
    const std::lock_guard lock(mutex);
    order.push_back(static_cast<int>(reinterpret_cast<std::intptr_t>(number)));
    changed.notify_all();
  };
  EXPECT_EQ(api::SetContextDestructorCallback(context, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(api::SetContextDestructorCallback(context, note, reinterpret_cast<void*>(1)), 0);
  EXPECT_EQ(api::SetContextDestructorCallback(context, note, reinterpret_cast<void*>(2)), 0);
  EXPECT_EQ(api::RetainContext(context), CL_SUCCESS);
  EXPECT_EQ(api::ReleaseContext(context), CL_SUCCESS);
  EXPECT_EQ(api::ReleaseContext(context), CL_SUCCESS);
  node().await(msg::ReleaseObject::kOpcode);
  std::unique_lock lock(mutex);
  changed.wait(lock, [] { return order.size() == 2; });
  EXPECT_THAT(order, ElementsAre(2, 1));
}

class NoNodeTest : public ClientTest {
 protected:
  NoNodeTest() : ClientTest(0) {}
};

TEST_F(NoNodeTest, APlatformWithoutDevices) {
  cl_platform_id id = nullptr;
  runtime();
  ASSERT_EQ(api::IcdGetPlatformIDsKHR(1, &id, nullptr), CL_SUCCESS);
  cl_uint count = 1;
  EXPECT_EQ(api::GetDeviceIDs(id, CL_DEVICE_TYPE_ALL, 0, nullptr, &count), CL_DEVICE_NOT_FOUND);
  EXPECT_EQ(count, 0u);
}

class TwoNodesTest : public ClientTest {
 protected:
  TwoNodesTest() : ClientTest(2) {}
};

TEST_F(TwoNodesTest, OneContextOnBoth) {
  cl_device_id devices[2] = {};
  runtime();
  ASSERT_EQ(api::GetDeviceIDs(nullptr, CL_DEVICE_TYPE_ALL, 2, devices, nullptr), CL_SUCCESS);
  ASSERT_NE(devices[1], nullptr);
  const cl_context context = api::CreateContext(nullptr, 2, devices, nullptr, nullptr, nullptr);
  ASSERT_NE(context, nullptr);
  node(0).await(msg::CreateContext::kOpcode);
  node(1).await(msg::CreateContext::kOpcode);
  api::ReleaseContext(context);
  node(0).await(msg::ReleaseObject::kOpcode);
  node(1).await(msg::ReleaseObject::kOpcode);
}

// A wait list over two nodes: the second waits for a user event of its own that follows the first.
TEST_F(TwoNodesTest, WaitListsAreBridged) {
  cl_device_id devices[2] = {};
  runtime();
  ASSERT_EQ(api::GetDeviceIDs(nullptr, CL_DEVICE_TYPE_ALL, 2, devices, nullptr), CL_SUCCESS);
  const cl_context context = api::CreateContext(nullptr, 2, devices, nullptr, nullptr, nullptr);
  const cl_command_queue first = api::CreateCommandQueue(context, devices[0], 0, nullptr);
  const cl_command_queue second = api::CreateCommandQueue(context, devices[1], 0, nullptr);
  std::atomic<wire::Handle> source{0};
  std::atomic<wire::Handle> waited_for{0};
  std::atomic<cl_int> set_to{1};
  node(0).on<msg::EnqueueMarkerWithWaitList>(
      [&](const msg::EnqueueMarkerWithWaitList& m) { source = m.event; });
  node(1).on<msg::EnqueueMarkerWithWaitList>([&](const msg::EnqueueMarkerWithWaitList& m) {
    ASSERT_EQ(m.wait_list.size(), 1u);
    waited_for = m.wait_list[0];
  });
  node(1).on<msg::SetUserEventStatus>([&](const msg::SetUserEventStatus& m) {
    EXPECT_EQ(m.event, waited_for);
    set_to = m.execution_status;
  });
  cl_event event = nullptr;
  ASSERT_EQ(api::EnqueueMarkerWithWaitList(first, 0, nullptr, &event), CL_SUCCESS);
  ASSERT_EQ(api::EnqueueMarkerWithWaitList(second, 1, &event, nullptr), CL_SUCCESS);
  api::Flush(first);
  api::Flush(second);
  node(0).await(msg::EnqueueMarkerWithWaitList::kOpcode);
  node(1).await(msg::EnqueueMarkerWithWaitList::kOpcode);
  EXPECT_NE(waited_for, source);
  // Released while the other node still waits for it.
  EXPECT_EQ(api::ReleaseEvent(event), CL_SUCCESS);
  node(0).event_done(source, CL_COMPLETE);
  node(1).await(msg::SetUserEventStatus::kOpcode);
  EXPECT_EQ(set_to, CL_COMPLETE);
  node(1).await(msg::ReleaseObject::kOpcode);  // the bridge
  api::ReleaseCommandQueue(first);
  api::ReleaseCommandQueue(second);
  api::ReleaseContext(context);
}

}  // namespace
}  // namespace longwire::client::opencl::testing
