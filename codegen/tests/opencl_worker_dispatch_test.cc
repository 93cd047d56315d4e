// Dispatch of frames to handlers, and the commands that the generator executes itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>

#include "opencl/mock_native.h"
#include "opencl/test_handlers.h"
#include "random_message.h"

namespace longwire::worker::opencl {
namespace {

using ::longwire::opencl::encoded;
using ::longwire::opencl::MockOpenCl;
using ::longwire::opencl::NativeApi;
using ::testing::_;
using ::testing::DoAll;
using ::testing::ElementsAre;
using ::testing::InSequence;
using ::testing::IsNull;
using ::testing::NotNull;
using ::testing::Return;
using ::testing::SetArgPointee;
using ::testing::StrictMock;

TEST(Dispatch, EveryMessageReachesItsHandler) {
  RecordingHandler handler;
  longwire::opencl::for_each_message([&handler](auto message) {
    using M = decltype(message);
    longwire::opencl::RandomMessage random(1);
    random.fill(message);
    const auto bytes = encoded(message);
    EXPECT_TRUE(dispatch(M::kOpcode, bytes, handler).ok()) << M::kName;
    ASSERT_FALSE(handler.given().empty());
    EXPECT_EQ(handler.given().back().opcode, M::kOpcode);
    EXPECT_EQ(handler.given().back().bytes, bytes) << M::kName;
  });
}

TEST(Dispatch, UnknownOpcodeIsAWireFault) {
  RecordingHandler handler;
  for (const wire::Opcode opcode : {0, 6, 0x0fff, 0x1fff, 0xffff}) {
    const auto status = dispatch(opcode, {}, handler);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code(), base::ErrorCode::kWireFault);
  }
  EXPECT_TRUE(handler.given().empty());
}

TEST(Dispatch, MalformedPayloadNamesMessageAndField) {
  RecordingHandler handler;
  const std::array<std::byte, 8> bytes{};
  const auto status = dispatch(msg::GetDeviceInfo::kOpcode, bytes, handler);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), base::ErrorCode::kWireFault);
  EXPECT_NE(status.error().message().find("GetDeviceInfo.param"), std::string::npos)
      << status.error().message();
  EXPECT_TRUE(handler.given().empty());
}

// Objects are made-up pointers; what the commands report is recorded.
class FakeSupport : public AutoSupport {
 public:
  explicit FakeSupport(NativeApi api) : api_(api) {}

  template <class T>
  T add(wire::Handle handle) {
    objects_[handle] = reinterpret_cast<void*>(0x1000 + handle);
    return find<T>(handle);
  }
  template <class T>
  T find(wire::Handle handle) {
    const auto found = objects_.find(handle);
    return found == objects_.end() ? nullptr : reinterpret_cast<T>(found->second);
  }

  const NativeApi& api() const override { return api_; }
  cl_context context(wire::Handle h) override { return find<cl_context>(h); }
  cl_command_queue queue(wire::Handle h) override { return find<cl_command_queue>(h); }
  cl_mem mem(wire::Handle h) override { return find<cl_mem>(h); }
  cl_sampler sampler(wire::Handle h) override { return find<cl_sampler>(h); }
  cl_program program(wire::Handle h) override { return find<cl_program>(h); }
  cl_kernel kernel(wire::Handle h) override { return find<cl_kernel>(h); }
  cl_event event(wire::Handle h) override { return find<cl_event>(h); }
  cl_device_id device(wire::Handle h) override { return find<cl_device_id>(h); }

  std::span<const cl_event> wait_list(wire::U64View handles, cl_int* failed) override {
    waits_.clear();
    for (std::size_t i = 0; i < handles.size(); ++i)
      waits_.push_back(event(handles[i]));
    for (const cl_event one : waits_)
      if (one == nullptr) *failed = CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
    return waits_;
  }
  bool wants_event(wire::Handle, wire::Handle event) override { return event != 0; }

  MOCK_METHOD(void, enqueued, (wire::Handle, wire::Handle, cl_event, cl_int), (override));
  MOCK_METHOD(void, created, (wire::Handle, void*, cl_int), (override));
  MOCK_METHOD(void, failed, (wire::Handle, cl_int), (override));

  NativeApi api_;

 private:
  std::map<wire::Handle, void*> objects_;
  std::vector<cl_event> waits_;
};

class AutoCommandsTest : public testing::Test {
 protected:
  static constexpr wire::Handle kQueue = 1, kSource = 2, kDestination = 3, kEvent = 4, kKernel = 5,
                                kContext = 6, kDevice = 7, kNew = 8, kWait = 9, kNobody = 99;

  StrictMock<MockOpenCl> native_;
  StrictMock<FakeSupport> support_{longwire::opencl::table(native_)};
  AutoCommandsAlone commands_{support_};
  cl_command_queue queue_ = support_.add<cl_command_queue>(kQueue);
  cl_mem source_ = support_.add<cl_mem>(kSource);
  cl_mem destination_ = support_.add<cl_mem>(kDestination);
  cl_kernel kernel_ = support_.add<cl_kernel>(kKernel);
  cl_context context_ = support_.add<cl_context>(kContext);
  cl_device_id device_ = support_.add<cl_device_id>(kDevice);
  cl_event wait_ = support_.add<cl_event>(kWait);
  cl_event const made_ = reinterpret_cast<cl_event>(0x77);
};

TEST_F(AutoCommandsTest, EnqueueTranslatesEverything) {
  const std::array<std::uint64_t, 1> waits = {kWait};
  EXPECT_CALL(native_, clEnqueueCopyBuffer(queue_, source_, destination_, 16, 32, 64, 1, NotNull(),
                                           NotNull()))
      .WillOnce(DoAll(SetArgPointee<8>(made_), Return(CL_SUCCESS)));
  EXPECT_CALL(support_, enqueued(kQueue, kEvent, made_, CL_SUCCESS));
  ASSERT_TRUE(commands_
                  .on(msg::EnqueueCopyBuffer{.queue = kQueue,
                                             .source = kSource,
                                             .destination = kDestination,
                                             .source_offset = 16,
                                             .destination_offset = 32,
                                             .size = 64,
                                             .wait_list = wire::U64View(waits),
                                             .event = kEvent})
                  .ok());
}

TEST_F(AutoCommandsTest, NoEventIsAskedForWhereNobodyWantsOne) {
  EXPECT_CALL(native_, clEnqueueMarkerWithWaitList(queue_, 0, IsNull(), IsNull()))
      .WillOnce(Return(CL_SUCCESS));
  EXPECT_CALL(support_, enqueued(kQueue, 0, IsNull(), CL_SUCCESS));
  ASSERT_TRUE(commands_.on(msg::EnqueueMarkerWithWaitList{.queue = kQueue}).ok());
}

TEST_F(AutoCommandsTest, MissingObjectsNeverReachTheDriver) {
  InSequence in_this_order;
  EXPECT_CALL(support_, enqueued(kQueue, kEvent, IsNull(), CL_INVALID_MEM_OBJECT));
  EXPECT_CALL(support_, enqueued(kNobody, 0, IsNull(), CL_INVALID_COMMAND_QUEUE));
  EXPECT_CALL(support_, enqueued(kQueue, 0, IsNull(), CL_INVALID_KERNEL));
  msg::EnqueueCopyBuffer copy{.queue = kQueue, .source = kNobody, .destination = kDestination};
  copy.event = kEvent;
  ASSERT_TRUE(commands_.on(copy).ok());
  ASSERT_TRUE(commands_.on(msg::EnqueueMarkerWithWaitList{.queue = kNobody}).ok());
  const std::array<std::uint64_t, 1> size = {64};
  ASSERT_TRUE(commands_
                  .on(msg::EnqueueNDRangeKernel{
                      .queue = kQueue, .kernel = kNobody, .global_size = wire::U64View(size)})
                  .ok());
}

TEST_F(AutoCommandsTest, FailedWaitListFailsTheCommand) {
  const std::array<std::uint64_t, 1> waits = {kNobody};
  EXPECT_CALL(support_,
              enqueued(kQueue, 0, IsNull(), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST));
  ASSERT_TRUE(
      commands_
          .on(msg::EnqueueBarrierWithWaitList{.queue = kQueue, .wait_list = wire::U64View(waits)})
          .ok());
}

TEST_F(AutoCommandsTest, NativeFailureIsReportedWithoutAnEvent) {
  EXPECT_CALL(native_, clEnqueueMarkerWithWaitList(_, _, _, _))
      .WillOnce(Return(CL_OUT_OF_RESOURCES));
  EXPECT_CALL(support_, enqueued(kQueue, kEvent, IsNull(), CL_OUT_OF_RESOURCES));
  ASSERT_TRUE(commands_.on(msg::EnqueueMarkerWithWaitList{.queue = kQueue, .event = kEvent}).ok());
}

MATCHER_P2(Sizes2, x, y, "") { return arg != nullptr && arg[0] == x && arg[1] == y; }

TEST_F(AutoCommandsTest, LaunchWithAndWithoutOptionalSizes) {
  const std::array<std::uint64_t, 2> global = {64, 32}, local = {8, 4};
  InSequence in_this_order;
  EXPECT_CALL(native_, clEnqueueNDRangeKernel(queue_, kernel_, 2, IsNull(), Sizes2(64u, 32u),
                                              Sizes2(8u, 4u), 0, IsNull(), IsNull()))
      .WillOnce(Return(CL_SUCCESS));
  EXPECT_CALL(support_, enqueued(kQueue, 0, _, CL_SUCCESS));
  EXPECT_CALL(native_, clEnqueueNDRangeKernel(queue_, kernel_, 2, Sizes2(8u, 4u), NotNull(),
                                              IsNull(), 0, IsNull(), IsNull()))
      .WillOnce(Return(CL_SUCCESS));
  EXPECT_CALL(support_, enqueued(kQueue, 0, _, CL_SUCCESS));
  msg::EnqueueNDRangeKernel launch{.queue = kQueue, .kernel = kKernel};
  launch.global_size = wire::U64View(global);
  launch.local_size = wire::U64View(local);
  ASSERT_TRUE(commands_.on(launch).ok());
  launch.local_size = {};
  launch.global_offset = wire::U64View(local);
  ASSERT_TRUE(commands_.on(launch).ok());
}

TEST_F(AutoCommandsTest, SizesOfWrongLengthAreRefused) {
  const std::array<std::uint64_t, 9> nine{};
  const std::array<std::uint64_t, 2> two = {1, 1};
  InSequence in_this_order;
  EXPECT_CALL(support_, enqueued(kQueue, 0, _, CL_INVALID_WORK_DIMENSION)).Times(2);
  EXPECT_CALL(support_, enqueued(kQueue, 0, _, CL_INVALID_VALUE)).Times(2);
  msg::EnqueueNDRangeKernel launch{.queue = kQueue, .kernel = kKernel};
  ASSERT_TRUE(commands_.on(launch).ok());
  launch.global_size = wire::U64View(nine);
  ASSERT_TRUE(commands_.on(launch).ok());
  launch.global_size = wire::U64View(two);
  launch.local_size = wire::U64View(nine);
  ASSERT_TRUE(commands_.on(launch).ok());
  msg::EnqueueCopyImage copy{.queue = kQueue, .source = kSource, .destination = kDestination};
  copy.region = wire::U64View(two);
  ASSERT_TRUE(commands_.on(copy).ok());
}

TEST_F(AutoCommandsTest, CreationsReportTheObjectOrTheError) {
  const auto made = reinterpret_cast<cl_command_queue>(0x88);
  const std::array<std::uint64_t, 3> properties = {CL_QUEUE_PROPERTIES, CL_QUEUE_PROFILING_ENABLE,
                                                   0};
  EXPECT_CALL(native_, clCreateCommandQueueWithProperties(context_, device_, NotNull(), NotNull()))
      .WillOnce(Return(made));
  EXPECT_CALL(support_, created(kNew, made, CL_SUCCESS));
  msg::CreateCommandQueue create{.queue = kNew, .context = kContext, .device = kDevice};
  create.properties = wire::U64View(properties);
  ASSERT_TRUE(commands_.on(create).ok());

  support_.api_.clCreateCommandQueueWithProperties = nullptr;  // an OpenCL 1.2 driver
  EXPECT_CALL(native_,
              clCreateCommandQueue(context_, device_, CL_QUEUE_PROFILING_ENABLE, NotNull()))
      .WillOnce(DoAll(SetArgPointee<3>(CL_OUT_OF_HOST_MEMORY), Return(nullptr)));
  EXPECT_CALL(support_, created(kNew, IsNull(), CL_OUT_OF_HOST_MEMORY));
  ASSERT_TRUE(commands_.on(create).ok());

  EXPECT_CALL(support_, created(kNew, IsNull(), CL_INVALID_CONTEXT));
  create.context = kNobody;
  ASSERT_TRUE(commands_.on(create).ok());
}

TEST_F(AutoCommandsTest, FunctionsThatTheDriverLacks) {
  support_.api_.clCloneKernel = nullptr;
  EXPECT_CALL(support_, created(kNew, IsNull(), CL_INVALID_OPERATION));
  ASSERT_TRUE(commands_.on(msg::CloneKernel{.kernel = kNew, .source = kKernel}).ok());
}

TEST_F(AutoCommandsTest, SamplersOfOldAndNewDrivers) {
  const std::array<std::uint64_t, 7> properties = {CL_SAMPLER_NORMALIZED_COORDS,
                                                   CL_FALSE,
                                                   CL_SAMPLER_ADDRESSING_MODE,
                                                   CL_ADDRESS_NONE,
                                                   CL_SAMPLER_FILTER_MODE,
                                                   CL_FILTER_LINEAR,
                                                   0};
  const auto made = reinterpret_cast<cl_sampler>(0x99);
  EXPECT_CALL(native_,
              clCreateSampler(context_, CL_FALSE, CL_ADDRESS_NONE, CL_FILTER_LINEAR, NotNull()))
      .WillOnce(Return(made));
  EXPECT_CALL(native_, clCreateSamplerWithProperties(context_, NotNull(), NotNull()))
      .WillOnce(Return(made));
  EXPECT_CALL(support_, created(kNew, made, CL_SUCCESS)).Times(2);
  msg::CreateSampler create{.sampler = kNew, .context = kContext};
  create.properties = wire::U64View(properties);
  ASSERT_TRUE(commands_.on(create).ok());
  create.legacy = 1;
  ASSERT_TRUE(commands_.on(create).ok());
}

TEST_F(AutoCommandsTest, KernelNamesAreTerminated) {
  const std::string_view text = "blurring";
  const auto program = support_.add<cl_program>(20);
  EXPECT_CALL(native_, clCreateKernel(program, testing::StrEq("blur"), NotNull()))
      .WillOnce(Return(kernel_));
  EXPECT_CALL(support_, created(kNew, kernel_, CL_SUCCESS));
  ASSERT_TRUE(
      commands_.on(msg::CreateKernel{.kernel = kNew, .program = 20, .name = text.substr(0, 4)})
          .ok());
}

TEST_F(AutoCommandsTest, MigratesLists) {
  const std::array<std::uint64_t, 2> objects = {kSource, kDestination};
  EXPECT_CALL(native_, clEnqueueMigrateMemObjects(queue_, 2, NotNull(), CL_MIGRATE_MEM_OBJECT_HOST,
                                                  0, IsNull(), IsNull()))
      .WillOnce([&](auto, auto, const cl_mem* list, auto, auto, auto, auto) {
        EXPECT_THAT(std::vector<cl_mem>(list, list + 2), ElementsAre(source_, destination_));
        return CL_SUCCESS;
      });
  EXPECT_CALL(support_, enqueued(kQueue, 0, _, CL_SUCCESS));
  msg::EnqueueMigrateMemObjects migrate{.queue = kQueue};
  migrate.objects = wire::U64View(objects);
  migrate.flags = CL_MIGRATE_MEM_OBJECT_HOST;
  ASSERT_TRUE(commands_.on(migrate).ok());
}

TEST_F(AutoCommandsTest, FlushReportsOnlyFailure) {
  EXPECT_CALL(native_, clFlush(queue_)).WillOnce(Return(CL_SUCCESS)).WillOnce(Return(-5));
  EXPECT_CALL(support_, failed(kQueue, -5));
  ASSERT_TRUE(commands_.on(msg::Flush{.queue = kQueue}).ok());
  ASSERT_TRUE(commands_.on(msg::Flush{.queue = kQueue}).ok());
}

TEST(NativeApiTable, SaysWhatIsMissing) {
  NativeApi api;
  std::vector<std::string> missing;
  const auto resolve = [](const char* name, void*) -> void* {
    const std::string_view wanted = name;
    return wanted == "clFinish" || wanted == "clSVMAlloc" ? nullptr : reinterpret_cast<void*>(1);
  };
  EXPECT_FALSE(NativeApi::load(api, resolve, nullptr, missing));
  EXPECT_THAT(missing, ElementsAre("clFinish"));
  EXPECT_NE(api.clEnqueueNDRangeKernel, nullptr);
  EXPECT_EQ(api.clSVMAlloc, nullptr);
}

}  // namespace
}  // namespace longwire::worker::opencl
