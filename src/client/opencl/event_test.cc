// Events, wait lists, callbacks, sticky errors, and what the loss of a node does to them.
#include <gmock/gmock.h>

#include <sys/wait.h>

#include <string>
#include <vector>

#include "client/opencl/client_test.h"
#include "client/opencl/enqueue.h"
#include "opencl/client_api.h"

namespace longwire::client::opencl::testing {
namespace {

using ::testing::ElementsAre;

// What callbacks told, in their order.
class Told {
 public:
  static void CL_CALLBACK note(cl_event, cl_int status, void* self) {
    auto& told = *static_cast<Told*>(self);
    const std::lock_guard lock(told.mutex_);
    told.statuses_.push_back(status);
    told.thread_ = std::this_thread::get_id();
    told.changed_.notify_all();
  }
  std::vector<cl_int> await(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return statuses_.size() >= count; });
    return statuses_;
  }
  std::thread::id thread() const { return thread_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<cl_int> statuses_;
  std::thread::id thread_;
};

class EventTest : public ClientTest {
 protected:
  void SetUp() override {
    runtime();
    ASSERT_EQ(api::GetDeviceIDs(nullptr, CL_DEVICE_TYPE_ALL, 1, &device, nullptr), CL_SUCCESS);
    context = api::CreateContext(nullptr, 1, &device, nullptr, nullptr, nullptr);
    const cl_queue_properties profiling[] = {CL_QUEUE_PROPERTIES, CL_QUEUE_PROFILING_ENABLE, 0};
    queue = api::CreateCommandQueueWithProperties(context, device, profiling, nullptr);
    ASSERT_NE(queue, nullptr);
    node().on<msg::EnqueueMarkerWithWaitList>([this](const msg::EnqueueMarkerWithWaitList& m) {
      marker = m.event;
      waits = m.wait_list.size();
    });
  }
  void TearDown() override {
    api::ReleaseCommandQueue(queue);
    api::ReleaseContext(context);
    ClientTest::TearDown();
  }
  cl_event enqueue() {
    cl_event event = nullptr;
    EXPECT_EQ(api::EnqueueMarkerWithWaitList(queue, 0, nullptr, &event), CL_SUCCESS);
    return event;
  }
  // Enqueues a marker that the node has seen.
  cl_event sent() {
    const std::size_t before = node().count(msg::EnqueueMarkerWithWaitList::kOpcode);
    const cl_event event = enqueue();
    api::Flush(queue);
    node().await(msg::EnqueueMarkerWithWaitList::kOpcode, before + 1);
    return event;
  }
  template <class T>
  T info(cl_event event, cl_event_info param) {
    T value{};
    EXPECT_EQ(api::GetEventInfo(event, param, sizeof value, &value, nullptr), CL_SUCCESS);
    return value;
  }
  cl_int status(cl_event event) { return info<cl_int>(event, CL_EVENT_COMMAND_EXECUTION_STATUS); }

  cl_device_id device = nullptr;
  cl_context context = nullptr;
  cl_command_queue queue = nullptr;
  std::atomic<wire::Handle> marker{0};
  std::atomic<std::size_t> waits{0};
};

TEST_F(EventTest, StatusMovesOnByFlushAndPushes) {
  const cl_event event = enqueue();
  EXPECT_EQ(status(event), CL_QUEUED);
  EXPECT_EQ(api::Flush(queue), CL_SUCCESS);
  EXPECT_EQ(status(event), CL_SUBMITTED);
  node().await(msg::EnqueueMarkerWithWaitList::kOpcode);
  EXPECT_NE(marker, 0u);
  node().event_done(marker, CL_RUNNING);
  node().event_done(marker, CL_COMPLETE, {1, 2, 3, 4, 5});
  EXPECT_EQ(api::WaitForEvents(1, &event), CL_SUCCESS);
  EXPECT_EQ(status(event), CL_COMPLETE);
  node().event_done(marker, -5);  // a second word does not count
  EXPECT_EQ(info<cl_command_type>(event, CL_EVENT_COMMAND_TYPE), CL_COMMAND_MARKER);
  EXPECT_EQ(info<cl_command_queue>(event, CL_EVENT_COMMAND_QUEUE), queue);
  EXPECT_EQ(info<cl_context>(event, CL_EVENT_CONTEXT), context);
  EXPECT_EQ(info<cl_uint>(event, CL_EVENT_REFERENCE_COUNT), 1u);
  EXPECT_EQ(api::ReleaseEvent(event), CL_SUCCESS);
  node().await(msg::ReleaseObject::kOpcode);
}

TEST_F(EventTest, ProfilingComesWithTheCompletion) {
  const cl_event event = sent();
  cl_ulong time = 0;
  const auto get = [&](cl_profiling_info param, size_t size) {
    return api::GetEventProfilingInfo(event, param, size, &time, nullptr);
  };
  EXPECT_EQ(get(CL_PROFILING_COMMAND_START, 8), CL_PROFILING_INFO_NOT_AVAILABLE);
  node().event_done(marker, CL_COMPLETE, {10, 20, 30, 40, 50});
  EXPECT_EQ(api::WaitForEvents(1, &event), CL_SUCCESS);
  EXPECT_EQ(get(CL_PROFILING_COMMAND_QUEUED, 8), CL_SUCCESS);
  EXPECT_EQ(time, 10u);
  EXPECT_EQ(get(CL_PROFILING_COMMAND_COMPLETE, 8), CL_SUCCESS);
  EXPECT_EQ(time, 50u);
  EXPECT_EQ(get(CL_PROFILING_COMMAND_END, 4), CL_INVALID_VALUE);
  EXPECT_EQ(get(0x1299, 8), CL_INVALID_VALUE);
  api::ReleaseEvent(event);
}

TEST_F(EventTest, UserEventsAreSetOnce) {
  cl_int result = 1;
  const cl_event event = api::CreateUserEvent(context, &result);
  ASSERT_EQ(result, CL_SUCCESS);
  EXPECT_EQ(status(event), CL_SUBMITTED);
  EXPECT_EQ(info<cl_command_queue>(event, CL_EVENT_COMMAND_QUEUE), nullptr);
  EXPECT_EQ(info<cl_command_type>(event, CL_EVENT_COMMAND_TYPE), CL_COMMAND_USER);
  cl_ulong time = 0;
  EXPECT_EQ(api::GetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, 8, &time, nullptr),
            CL_PROFILING_INFO_NOT_AVAILABLE);
  EXPECT_EQ(api::SetUserEventStatus(event, CL_RUNNING), CL_INVALID_VALUE);
  EXPECT_EQ(api::SetUserEventStatus(event, -7), CL_SUCCESS);
  EXPECT_EQ(api::SetUserEventStatus(event, CL_COMPLETE), CL_INVALID_OPERATION);
  EXPECT_EQ(status(event), -7);
  EXPECT_EQ(api::WaitForEvents(1, &event), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  node().await(msg::SetUserEventStatus::kOpcode);
  const cl_event command = enqueue();
  EXPECT_EQ(api::SetUserEventStatus(command, CL_COMPLETE), CL_INVALID_EVENT);
  api::ReleaseEvent(command);
  api::ReleaseEvent(event);
}

TEST_F(EventTest, AnotherThreadEndsAWait) {
  const cl_event event = api::CreateUserEvent(context, nullptr);
  std::thread setter([&] { EXPECT_EQ(api::SetUserEventStatus(event, CL_COMPLETE), CL_SUCCESS); });
  EXPECT_EQ(api::WaitForEvents(1, &event), CL_SUCCESS);
  setter.join();
  api::ReleaseEvent(event);
}

TEST_F(EventTest, CallbacksComeInOrderOnAThreadOfTheirOwn) {
  const cl_event event = sent();
  Told told;
  EXPECT_EQ(api::SetEventCallback(event, CL_COMPLETE, Told::note, &told), CL_SUCCESS);
  EXPECT_EQ(api::SetEventCallback(event, CL_RUNNING, Told::note, &told), CL_SUCCESS);
  EXPECT_EQ(api::SetEventCallback(event, CL_SUBMITTED, Told::note, &told), CL_SUCCESS);
  EXPECT_EQ(api::SetEventCallback(event, CL_QUEUED, Told::note, &told), CL_INVALID_VALUE);
  EXPECT_EQ(api::SetEventCallback(event, CL_COMPLETE, nullptr, &told), CL_INVALID_VALUE);
  api::Flush(queue);
  node().await(msg::SubscribeEvent::kOpcode, 1);
  // Released by the program: what is due is called all the same.
  EXPECT_EQ(api::ReleaseEvent(event), CL_SUCCESS);
  node().event_done(marker, CL_COMPLETE);
  EXPECT_THAT(told.await(3), ElementsAre(CL_SUBMITTED, CL_RUNNING, CL_COMPLETE));
  EXPECT_NE(told.thread(), std::this_thread::get_id());
}

TEST_F(EventTest, CallbacksHearOfErrors) {
  const cl_event event = sent();
  Told told;
  EXPECT_EQ(api::SetEventCallback(event, CL_COMPLETE, Told::note, &told), CL_SUCCESS);
  node().event_done(marker, CL_OUT_OF_RESOURCES);
  EXPECT_THAT(told.await(1), ElementsAre(CL_OUT_OF_RESOURCES));
  EXPECT_EQ(api::SetEventCallback(event, CL_COMPLETE, Told::note, &told), CL_SUCCESS);
  EXPECT_THAT(told.await(2), ElementsAre(CL_OUT_OF_RESOURCES, CL_OUT_OF_RESOURCES));
  EXPECT_EQ(api::WaitForEvents(1, &event), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  api::ReleaseEvent(event);
}

// A callback may call what does not block, the release of its own event included.
TEST_F(EventTest, CallbacksMayUseTheApi) {
  const cl_event event = sent();
  static std::atomic<bool> called{false};
  called = false;
  const auto release = [](cl_event self, cl_int, void* queue) {
    EXPECT_EQ(
        api::EnqueueMarkerWithWaitList(static_cast<cl_command_queue>(queue), 0, nullptr, nullptr),
        CL_SUCCESS);
    api::ReleaseEvent(self);
    called = true;
    called.notify_all();
  };
  EXPECT_EQ(api::SetEventCallback(event, CL_COMPLETE, release, queue), CL_SUCCESS);
  node().event_done(marker, CL_COMPLETE);
  called.wait(false);
}

TEST_F(EventTest, WaitListsAreValidated) {
  const cl_event event = enqueue();
  cl_event bad[2] = {event, nullptr};
  const auto mark = [&](cl_uint count, const cl_event* list) {
    return api::EnqueueMarkerWithWaitList(queue, count, list, nullptr);
  };
  EXPECT_EQ(mark(1, nullptr), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(mark(0, bad), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(mark(2, bad), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(api::EnqueueMarkerWithWaitList(nullptr, 0, nullptr, nullptr), CL_INVALID_COMMAND_QUEUE);
  const cl_context other = api::CreateContext(nullptr, 1, &device, nullptr, nullptr, nullptr);
  const cl_event foreign = api::CreateUserEvent(other, nullptr);
  bad[1] = foreign;
  EXPECT_EQ(mark(2, bad), CL_INVALID_CONTEXT);
  EXPECT_EQ(api::WaitForEvents(2, bad), CL_INVALID_CONTEXT);
  EXPECT_EQ(api::WaitForEvents(0, nullptr), CL_INVALID_VALUE);
  bad[1] = nullptr;
  EXPECT_EQ(api::WaitForEvents(2, bad), CL_INVALID_EVENT);
  EXPECT_EQ(api::EnqueueWaitForEvents(queue, 0, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(api::EnqueueWaitForEvents(queue, 2, bad), CL_INVALID_EVENT);
  EXPECT_EQ(api::EnqueueMarker(queue, nullptr), CL_INVALID_VALUE);
  api::ReleaseEvent(foreign);
  api::ReleaseContext(other);
  api::ReleaseEvent(event);
}

TEST_F(EventTest, CompletedEventsAreLeftOutOfWaitLists) {
  std::vector<cl_event> list = {sent()};
  node().event_done(marker, CL_COMPLETE);
  EXPECT_EQ(api::WaitForEvents(1, list.data()), CL_SUCCESS);
  for (int i = 0; i < 20; ++i)
    list.push_back(api::CreateUserEvent(context, nullptr));
  EXPECT_EQ(api::EnqueueMarkerWithWaitList(queue, static_cast<cl_uint>(list.size()), list.data(),
                                           nullptr),
            CL_SUCCESS);
  api::Flush(queue);
  node().await(msg::EnqueueMarkerWithWaitList::kOpcode, 2);
  EXPECT_EQ(waits, 20u);
  EXPECT_EQ(marker, 0u);  // the program wanted no event
  for (const cl_event event : list)
    api::ReleaseEvent(event);
}

TEST_F(EventTest, AnErrorWithoutAnEventIsToldOnce) {
  Queue* const object = from_cl<Queue>(queue);
  EXPECT_EQ(api::EnqueueBarrier(queue), CL_SUCCESS);
  node().on<msg::Finish>([&](const msg::Finish& m) {
    node().object_failed(m.queue, CL_MEM_OBJECT_ALLOCATION_FAILURE);
    node().reply(m.token, CL_SUCCESS);
  });
  EXPECT_EQ(api::Finish(queue), CL_MEM_OBJECT_ALLOCATION_FAILURE);
  node().on<msg::Finish>([&](const msg::Finish& m) { node().reply(m.token, CL_SUCCESS); });
  EXPECT_EQ(api::Finish(queue), CL_SUCCESS);
  object->on_failed(CL_OUT_OF_RESOURCES);
  object->on_failed(CL_INVALID_VALUE);  // the first one counts
  cl_event event = nullptr;
  EXPECT_EQ(api::EnqueueMarkerWithWaitList(queue, 0, nullptr, &event), CL_OUT_OF_RESOURCES);
  EXPECT_EQ(event, nullptr);
  EXPECT_EQ(api::EnqueueBarrier(queue), CL_SUCCESS);
}

TEST_F(EventTest, HoldsKeepAnEventFromCompleting) {
  const cl_event event = sent();
  Event* const object = from_cl<Event>(event);
  object->hold();
  node().event_done(marker, CL_COMPLETE);
  EXPECT_EQ(api::Finish(queue), CL_SUCCESS);  // the completion has come by now
  EXPECT_EQ(status(event), CL_SUBMITTED);
  object->drop_hold(CL_OUT_OF_HOST_MEMORY);
  EXPECT_EQ(status(event), CL_OUT_OF_HOST_MEMORY);
  api::ReleaseEvent(event);
}

TEST_F(EventTest, QueueQueriesAndErrors) {
  cl_int result = 0;
  const auto create = [&](std::vector<cl_queue_properties> list) {
    const cl_command_queue made =
        api::CreateCommandQueueWithProperties(context, device, list.data(), &result);
    if (made != nullptr) api::ReleaseCommandQueue(made);
    return result;
  };
  EXPECT_EQ(create({CL_QUEUE_PROPERTIES, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, 0}), CL_SUCCESS);
  EXPECT_EQ(create({CL_QUEUE_PROPERTIES, 1 << 20, 0}), CL_INVALID_VALUE);
  EXPECT_EQ(create({0x5555, 1, 0}), CL_INVALID_VALUE);
  EXPECT_EQ(create({CL_QUEUE_SIZE, 16, 0}), CL_INVALID_VALUE);
  EXPECT_EQ(
      create({CL_QUEUE_PROPERTIES, CL_QUEUE_ON_DEVICE | CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, 0}),
      CL_INVALID_QUEUE_PROPERTIES);
  EXPECT_EQ(api::CreateCommandQueue(context, nullptr, 0, &result), nullptr);
  EXPECT_EQ(result, CL_INVALID_DEVICE);
  EXPECT_EQ(api::CreateCommandQueue(nullptr, device, 0, &result), nullptr);
  EXPECT_EQ(result, CL_INVALID_CONTEXT);
  size_t size = 0;
  EXPECT_EQ(api::GetCommandQueueInfo(queue, CL_QUEUE_PROPERTIES_ARRAY, 0, nullptr, &size), 0);
  EXPECT_EQ(size, 3 * sizeof(cl_queue_properties));
  EXPECT_EQ(api::GetCommandQueueInfo(queue, CL_QUEUE_SIZE, 0, nullptr, &size),
            CL_INVALID_COMMAND_QUEUE);
  const cl_command_queue legacy = api::CreateCommandQueue(context, device, 0, nullptr);
  EXPECT_EQ(api::GetCommandQueueInfo(legacy, CL_QUEUE_PROPERTIES_ARRAY, 0, nullptr, &size), 0);
  EXPECT_EQ(size, 0u);
  api::ReleaseCommandQueue(legacy);
}

TEST_F(EventTest, KernelsPrintBeforeTheirCompletion) {
  ::testing::internal::CaptureStdout();
  const cl_event event = sent();
  node().standard_output("hello from a kernel\n");
  node().event_done(marker, CL_COMPLETE);
  EXPECT_EQ(api::WaitForEvents(1, &event), CL_SUCCESS);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "hello from a kernel\n");
  api::ReleaseEvent(event);
}

// --- loss ---

TEST_F(EventTest, LossFailsWhatWaitsAndWhatComesLater) {
  const cl_event event = sent();
  Told told;
  EXPECT_EQ(api::SetEventCallback(event, CL_COMPLETE, Told::note, &told), CL_SUCCESS);
  std::thread waiting([&] {
    EXPECT_EQ(api::WaitForEvents(1, &event), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  });
  node().on<msg::Finish>([](const msg::Finish&) {});  // no answer
  std::thread finishing([&] { EXPECT_EQ(api::Finish(queue), kLostCallStatus); });
  node().await(msg::Finish::kOpcode);
  node().vanish();
  waiting.join();
  finishing.join();
  EXPECT_THAT(told.await(1), ElementsAre(kLostEventStatus));
  EXPECT_EQ(status(event), kLostEventStatus);
  EXPECT_EQ(api::Finish(queue), kLostCallStatus);
  EXPECT_EQ(api::Flush(queue), kLostCallStatus);
  cl_event later = nullptr;
  EXPECT_EQ(api::EnqueueMarkerWithWaitList(queue, 0, nullptr, &later), kLostCallStatus);
  EXPECT_EQ(later, nullptr);
  cl_bool available = CL_TRUE;
  EXPECT_EQ(api::GetDeviceInfo(device, CL_DEVICE_AVAILABLE, sizeof available, &available, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(available, cl_bool{CL_FALSE});
  cl_int result = 0;
  EXPECT_EQ(api::CreateContext(nullptr, 1, &device, nullptr, nullptr, &result), nullptr);
  EXPECT_EQ(result, CL_DEVICE_NOT_AVAILABLE);
  api::ReleaseEvent(event);
}

// The program sleeps: nobody calls us, but its callback must come.
TEST_F(EventTest, LossIsNoticedWithoutACall) {
  const cl_event event = sent();
  Told told;
  EXPECT_EQ(api::SetEventCallback(event, CL_COMPLETE, Told::note, &told), CL_SUCCESS);
  node().vanish();
  EXPECT_THAT(told.await(1), ElementsAre(kLostEventStatus));
  api::ReleaseEvent(event);
}

TEST_F(EventTest, AWaitForAUserEventEndsWithTheNode) {
  const cl_event event = api::CreateUserEvent(context, nullptr);
  std::thread waiting([&] { EXPECT_EQ(api::WaitForEvents(1, &event), kLostCallStatus); });
  node().await(msg::CreateUserEvent::kOpcode);
  node().vanish();
  waiting.join();
  api::ReleaseEvent(event);
}

TEST_F(EventTest, BrokenFramesEndTheSession) {
  const cl_event event = sent();
  node().frame(wire::kOpReply, 8, [](wire::Writer& out) { out.u64(1); });
  EXPECT_EQ(api::WaitForEvents(1, &event), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_EQ(status(event), kLostEventStatus);
  api::ReleaseEvent(event);
}

TEST_F(EventTest, MalformedRepliesAreNeverSuccess) {
  node().on<msg::GetDeviceAndHostTimer>([&](const msg::GetDeviceAndHostTimer& m) {
    node().reply(m.token, CL_SUCCESS);  // without its fields
  });
  cl_ulong host = 7;
  EXPECT_NE(api::GetHostTimer(device, &host), CL_SUCCESS);
  EXPECT_EQ(host, 7u);
}

// --- fork ---

// The child of a process that has used us: errors, no hang, and the parent's session goes on.
TEST_F(EventTest, ForkAfterUse) {
  const cl_event event = sent();
  runtime().before_fork();
  const pid_t child = ::fork();
  if (child == 0) {
    runtime().after_fork(true);
    const bool fails =
        api::EnqueueBarrier(queue) == kLostCallStatus && api::Finish(queue) == kLostCallStatus &&
        api::WaitForEvents(1, &event) == kLostCallStatus && api::ReleaseEvent(event) == CL_SUCCESS;
    ::_exit(fails ? 0 : 1);
  }
  runtime().after_fork(false);
  int result = -1;
  ASSERT_EQ(::waitpid(child, &result, 0), child);
  EXPECT_EQ(result, 0);
  node().event_done(marker, CL_COMPLETE);
  EXPECT_EQ(api::WaitForEvents(1, &event), CL_SUCCESS);
  EXPECT_EQ(api::Finish(queue), CL_SUCCESS);
  api::ReleaseEvent(event);
}

}  // namespace
}  // namespace longwire::client::opencl::testing
