// The worker on the fake driver, spoken to in raw messages: what a client can rely on.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <numeric>

#include "worker/opencl/program_info.h"
#include "worker/opencl/worker_test.h"

namespace longwire::worker::opencl {
namespace {

using namespace testing;  // NOLINT: the fixture's
using ::testing::ElementsAre;

// --- data ---

TEST_F(WorkerTest, DescribesDevicesWithHandlesOfItsOwn) {
  ASSERT_EQ(devices.size(), 2u);
  EXPECT_EQ(kind_of(devices[0]), Kind::kDevice);
  EXPECT_NE(devices[0], devices[1]);
}

TEST_F(WorkerTest, CreationDataAndInlineTransfersRoundTrip) {
  const Bytes data = pattern(10'000);
  const Handle buffer = create_buffer(data.size(), wire::Blob::inlined(data));
  EXPECT_EQ(read(buffer, data.size()), data);
  const Bytes other = pattern(100, 7);
  const Handle event = write(buffer, wire::Blob::inlined(other));
  EXPECT_EQ(read(buffer, 100), other);
  EXPECT_EQ(client->events.at(event).status, CL_COMPLETE);
}

TEST_F(WorkerTest, EagerWriteIsStagedAndItsCreditComesBack) {
  const Bytes data = pattern(300'000);
  const Handle buffer = create_buffer(data.size());
  const auto blob = upload_blob(data.size(), wire::BlobMode::kEager);
  write(buffer, blob);
  send_bytes(blob, data);
  EXPECT_EQ(read(buffer, data.size()), data);
  EXPECT_TRUE(client->await([&] { return client->credit == data.size(); }));
}

TEST_F(WorkerTest, BytesBeforeTheirCommandAreKept) {
  const Bytes data = pattern(100'000);
  const Handle buffer = create_buffer(data.size());
  const auto blob = upload_blob(data.size(), wire::BlobMode::kEager);
  send_bytes(blob, data);
  write(buffer, blob);
  EXPECT_EQ(read(buffer, data.size()), data);
}

TEST_F(WorkerTest, RendezvousIsGrantedWhenItsTurnHasComeAndStreams) {
  const Bytes data = pattern(20'000'000);
  const Handle buffer = create_buffer(data.size());
  const Handle user = create_user_event();
  const auto blob = upload_blob(data.size(), wire::BlobMode::kRendezvous);
  const Handle event = write(buffer, blob, wire::U64View(&user, 1));
  round_trip();
  EXPECT_TRUE(client->grants.empty()) << "granted while the wait list is not complete";
  set_user_event(user, CL_COMPLETE);
  ASSERT_TRUE(client->await([&] { return !client->grants.empty(); }));
  EXPECT_THAT(client->grants, ElementsAre(blob.transfer));
  send_bytes(blob, data);
  ASSERT_TRUE(client->await_event(event));
  EXPECT_EQ(client->events.at(event).status, CL_COMPLETE);
  const auto& times = client->events.at(event).times;
  ASSERT_EQ(times.size(), 5u);
  EXPECT_LE(times[0], times[1]);
  EXPECT_LE(times[1], times[2]);
  EXPECT_LE(times[2], times[3]);
  EXPECT_EQ(read(buffer, data.size()), data) << "a streamed read";
  EXPECT_EQ(read(buffer, 1'000'000, 500), Bytes(data.begin() + 500, data.begin() + 1'000'500));
}

TEST_F(WorkerTest, CommandsBehindAStreamedWriteSeeItsBytes) {
  const Bytes data = pattern(9'000'000);
  const Handle buffer = create_buffer(data.size());
  const auto blob = upload_blob(data.size(), wire::BlobMode::kRendezvous);
  write(buffer, blob);
  msg::EnqueueReadBuffer m;  // on the same in-order queue, before a byte has come
  m.queue = queue;
  m.buffer = buffer;
  m.offset = data.size() - 10;
  m.download.bytes = 10;
  m.token = client->token();
  client->send(m);
  ASSERT_TRUE(client->await([&] { return !client->grants.empty(); }));
  EXPECT_EQ(client->replies.count(m.token), 0u);
  send_bytes(blob, data);
  ASSERT_TRUE(client->await([&] { return client->replies.count(m.token) != 0; }));
  const auto& payload = client->replies[m.token].payload;
  ASSERT_GE(payload.size(), 18u);
  EXPECT_TRUE(std::equal(data.end() - 10, data.end(), payload.begin() + 8));
}

TEST_F(WorkerTest, AnAbortedUploadFailsItsCommand) {
  const Handle buffer = create_buffer(1'000'000);
  const auto blob = upload_blob(1'000'000, wire::BlobMode::kRendezvous);
  const Handle event = write(buffer, blob);
  ASSERT_TRUE(client->await([&] { return !client->grants.empty(); }));
  const std::uint64_t abort[] = {blob.transfer, std::uint64_t(std::int64_t{CL_OUT_OF_RESOURCES})};
  client->send_raw(wire::kOpBulkAbort, std::as_bytes(std::span(abort)));
  ASSERT_TRUE(client->await_event(event));
  EXPECT_LT(client->events.at(event).status, 0);
}

TEST_F(WorkerTest, CreationDataOnItsWayHoldsTheCommandsBehindIt) {
  const Bytes data = pattern(200'000);
  const auto blob = upload_blob(data.size(), wire::BlobMode::kRendezvous);
  const Handle buffer = create_buffer(data.size(), blob);
  const Handle event = write(buffer, wire::Blob::inlined(std::span(data).first(8)));
  ASSERT_TRUE(client->await([&] { return !client->grants.empty(); }));
  EXPECT_EQ(client->events.count(event), 0u);
  send_bytes(blob, data);
  EXPECT_EQ(read(buffer, data.size()), data);
  EXPECT_TRUE(client->failures.empty());
}

TEST_F(WorkerTest, ImagesRoundTrip) {
  const Bytes data = pattern(16 * 8 * 4);
  msg::CreateImage m;
  m.mem = client->handle(Kind::kMem);
  m.context = context;
  m.flags = CL_MEM_READ_WRITE;
  m.format = {CL_RGBA, CL_UNORM_INT8};
  m.desc.type = CL_MEM_OBJECT_IMAGE2D;
  m.desc.width = 16;
  m.desc.height = 8;
  m.data = wire::Blob::inlined(data);
  client->send(m);
  const std::uint64_t origin[] = {4, 2, 0};
  const std::uint64_t region[] = {8, 4, 1};
  msg::EnqueueReadImage r;
  r.queue = queue;
  r.image = m.mem;
  r.origin = wire::U64View(origin, 3);
  r.region = wire::U64View(region, 3);
  r.download.bytes = 8 * 4 * 4;
  msg::EnqueueReadImage::Reply answer;
  ASSERT_EQ(client->call(r, &answer), CL_SUCCESS);
  for (std::size_t row = 0; row < 4; ++row)
    EXPECT_TRUE(std::equal(answer.data.begin() + row * 32, answer.data.begin() + row * 32 + 32,
                           data.begin() + (row + 2) * 64 + 16));
  r.download.bytes = 100;  // not the region's
  EXPECT_EQ(client->call(r), CL_INVALID_VALUE);
}

TEST_F(WorkerTest, ImageRequirementsAreTheVendors) {
  msg::GetImageRequirements m;
  m.context = context;
  m.param = CL_IMAGE_REQUIREMENTS_BASE_ADDRESS_ALIGNMENT_EXT;
  const auto ask = [&] {
    msg::GetImageRequirements::Reply answer;
    EXPECT_EQ(client->call(m, &answer), CL_SUCCESS);
    return answer.value;
  };
  EXPECT_EQ(ask(), 16u) << "of any format";
  m.has_format = 1;
  m.format = {CL_R, CL_FLOAT};
  EXPECT_EQ(ask(), 4u);
  m.param = CL_IMAGE_REQUIREMENTS_MAX_WIDTH_EXT;
  EXPECT_EQ(ask(), 65536u) << "a cl_uint";
  m.param = CL_IMAGE_REQUIREMENTS_SIZE_EXT;
  EXPECT_EQ(client->call(m), CL_INVALID_VALUE) << "without a description";
  m.has_desc = 1;
  m.desc.type = CL_MEM_OBJECT_IMAGE2D;
  m.desc.width = 5;
  m.desc.height = 3;
  EXPECT_EQ(ask(), 60u);
  m.desc.mem = create_buffer(1000);
  EXPECT_EQ(ask(), 1000u) << "the vendor is given its own object";
  m.desc.mem = client->handle(Kind::kMem);
  EXPECT_EQ(client->call(m), CL_INVALID_MEM_OBJECT);
  m.desc.mem = 0;
  m.param = CL_IMAGE_FORMAT;
  EXPECT_EQ(client->call(m), CL_INVALID_VALUE);
  m.context = client->handle(Kind::kContext);
  EXPECT_EQ(client->call(m), CL_INVALID_CONTEXT);
}

// --- status ---

TEST_F(WorkerTest, FailedCreationIsToldAndRemembered) {
  const Handle buffer = create_buffer(std::size_t{1} << 40);
  round_trip();
  ASSERT_EQ(client->failures.size(), 1u);
  EXPECT_EQ(client->failures[0].first, buffer);
  EXPECT_EQ(client->failures[0].second, CL_INVALID_BUFFER_SIZE);
  const Handle event = write(buffer, wire::Blob::inlined(pattern(8)));
  ASSERT_TRUE(client->await_event(event));
  EXPECT_EQ(client->events.at(event).status, CL_INVALID_BUFFER_SIZE);
}

// Or a later command of the queue would be blamed for it.
TEST_F(WorkerTest, AReadThatFailsIsToldOnce) {
  msg::EnqueueReadBuffer m;
  m.queue = queue;
  m.buffer = create_buffer(std::size_t{1} << 40);
  m.download.bytes = 8;
  EXPECT_EQ(client->call(m), CL_INVALID_BUFFER_SIZE);
  round_trip();
  EXPECT_EQ(client->failures.size(), 1u) << "the buffer's own, and no other";
}

TEST_F(WorkerTest, DependentsOfAFailedEnqueueFail) {
  const Handle program = build("kernel void noop(uint x) {}");
  const Handle kernel = create_kernel(program, "noop");  // its argument was never set
  const Handle failed = launch(queue, kernel);
  const Handle dependent =
      write(create_buffer(64), wire::Blob::inlined(pattern(8)), wire::U64View(&failed, 1));
  ASSERT_TRUE(client->await_event(dependent));
  EXPECT_EQ(client->events.at(failed).status, CL_INVALID_KERNEL_ARGS);
  EXPECT_EQ(client->events.at(dependent).status, CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  launch(queue, kernel, {}, false);
  round_trip();
  ASSERT_EQ(client->failures.size(), 1u);
  EXPECT_EQ(client->failures[0], std::pair(queue, cl_int{CL_INVALID_KERNEL_ARGS}));
}

TEST_F(WorkerTest, FailureWhileRunningAndOfUserEventsArrives) {
  const Handle kernel = create_kernel(build("kernel void fail() {}"), "fail");
  const Handle failed = launch(queue, kernel);
  ASSERT_TRUE(client->await_event(failed));
  EXPECT_EQ(client->events.at(failed).status, CL_OUT_OF_RESOURCES);
  const Handle user = create_user_event();
  const Handle dependent =
      write(create_buffer(64), wire::Blob::inlined(pattern(8)), wire::U64View(&user, 1));
  set_user_event(user, -42);
  ASSERT_TRUE(client->await_event(dependent));
  EXPECT_EQ(client->events.at(dependent).status, CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
}

TEST_F(WorkerTest, FinishRepliesBehindEveryCompletionAndEachIsReportedOnce) {
  const Handle kernel = create_kernel(build("kernel void noop() {}"), "noop");
  std::vector<Handle> events;
  for (int i = 0; i < 100; ++i)
    events.push_back(launch(queue, kernel));
  finish(queue);
  for (const Handle event : events) {
    EXPECT_EQ(client->reports[event], 1);
    EXPECT_EQ(client->events[event].times.size(), 5u);
  }
  EXPECT_EQ(client->order.back().substr(0, 5), "reply");
}

TEST_F(WorkerTest, FinishDoesNotStopTheDispatchThread) {
  const Handle user = create_user_event();
  const Handle event =
      write(create_buffer(64), wire::Blob::inlined(pattern(8)), wire::U64View(&user, 1));
  msg::Finish m;
  m.queue = queue;
  m.token = client->token();
  client->send(m);
  const Handle other = create_queue(0);
  finish(other);
  EXPECT_EQ(client->replies.count(m.token), 0u);
  set_user_event(user, CL_COMPLETE);
  EXPECT_TRUE(client->await([&] { return client->replies.count(m.token) != 0; }));
  EXPECT_EQ(client->events.at(event).status, CL_COMPLETE);
}

TEST_F(WorkerTest, NothingOnAnOutOfOrderQueueDoesNotWaitForOthers) {
  const Handle unordered = create_queue(CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
  const Handle user = create_user_event();
  msg::EnqueueMarkerWithWaitList waiting;
  waiting.queue = unordered;
  waiting.wait_list = wire::U64View(&user, 1);
  waiting.event = client->handle(Kind::kEvent);
  client->send(waiting);
  msg::EnqueueNothing m;
  m.queue = unordered;
  m.event = client->handle(Kind::kEvent);
  EXPECT_EQ(client->call(m), CL_SUCCESS);
  EXPECT_EQ(client->events.at(m.event).status, CL_COMPLETE);
  EXPECT_EQ(client->events.count(waiting.event), 0u);
}

// --- programs ---

TEST_F(WorkerTest, BuildDescribesKernelsAndProbesStructs) {
  build("kernel void add(global uint* a, float4x s, local int* l, uint n) {} kernel void b() {}");
  const auto& program = built.program;
  EXPECT_THAT(program.kernel_names, ElementsAre("add", "b"));
  ASSERT_EQ(program.kernels.size(), 2u);
  const auto& args = program.kernels[0].args;
  ASSERT_EQ(args.size(), 4u);
  EXPECT_EQ(args[0].kind, 2u);
  EXPECT_EQ(args[1].kind, 1u);
  EXPECT_EQ(args[1].value_bytes, 12u) << "the fake driver's struct";
  EXPECT_EQ(args[2].kind, 4u);
  EXPECT_EQ(args[3].value_bytes, 4u);
  EXPECT_EQ(args[3].name, "n");
  ASSERT_EQ(program.devices.size(), 2u);
  EXPECT_EQ(program.devices[0].device, devices[0]);
}

TEST_F(WorkerTest, ARefusedArgumentFailsLaunchesUntilOneIsTaken) {
  const Handle kernel =
      create_kernel(build("kernel void fill(global uint* to, uint value) {}"), "fill");
  const Handle buffer = create_buffer(64);
  msg::SetKernelArg m;
  m.kernel = kernel;
  m.kind = static_cast<std::uint32_t>(ArgKind::kMemory);
  m.object = buffer;
  client->send(m);
  const std::uint64_t value = 7;
  const auto set_value = [&](std::size_t bytes) {
    msg::SetKernelArg v;
    v.kernel = kernel;
    v.index = 1;
    v.kind = static_cast<std::uint32_t>(ArgKind::kValue);
    v.value = std::as_bytes(std::span(&value, 1)).first(bytes);
    client->send(v);
  };
  set_value(3);
  const Handle refused = launch(queue, kernel);
  set_value(4);
  const Handle taken = launch(queue, kernel);
  ASSERT_TRUE(client->await_event(taken));
  EXPECT_EQ(client->events.at(refused).status, CL_INVALID_ARG_SIZE);
  EXPECT_EQ(client->events.at(taken).status, CL_COMPLETE);
  EXPECT_TRUE(client->failures.empty()) << "the kernel itself is well";
}

TEST_F(WorkerTest, FailedBuildComesWithItsLog) {
  build("#error no", CL_BUILD_PROGRAM_FAILURE);
  ASSERT_EQ(built.program.devices.size(), 2u);
  std::string log;
  for (const auto& info : built.program.devices[0].infos)
    if (info.param == CL_PROGRAM_BUILD_LOG) log = reinterpret_cast<const char*>(info.value.data());
  EXPECT_EQ(log, "fake: #error");
}

TEST_F(WorkerTest, BinariesRoundTrip) {
  const Handle program = build("kernel void noop() {}");
  msg::GetProgramBinaries g;
  g.program = program;
  msg::GetProgramBinaries::Reply sizes;
  ASSERT_EQ(client->call(g, &sizes), CL_SUCCESS);
  ASSERT_EQ(sizes.sizes.size(), 2u);
  msg::FetchProgramBinaries f;
  f.program = program;
  f.download.bytes = sizes.sizes[0] + sizes.sizes[1];
  msg::FetchProgramBinaries::Reply data;
  ASSERT_EQ(client->call(f, &data), CL_SUCCESS);
  ASSERT_EQ(data.data.size(), f.download.bytes);
  msg::CreateProgramWithBinary c;
  c.program = client->handle(Kind::kProgram);
  c.context = context;
  c.devices = wire::U64View(devices);
  c.binaries = {wire::Blob::inlined(data.data.first(sizes.sizes[0])),
                wire::Blob::inlined(data.data.subspan(sizes.sizes[0]))};
  msg::CreateProgramWithBinary::Reply statuses;
  EXPECT_EQ(client->call(c, &statuses), CL_SUCCESS);
  ASSERT_EQ(statuses.binary_status.size(), 2u);
  EXPECT_EQ(statuses.binary_status[0], 0u);
  msg::BuildProgram b;
  b.program = c.program;
  EXPECT_EQ(client->call(b, &built), CL_SUCCESS);
  EXPECT_THAT(built.program.kernel_names, ElementsAre("noop"));
}

// --- life ---

TEST_F(WorkerTest, DestructorTokenRepliesWhenTheMemoryIsReallyGone) {
  const Handle buffer = create_buffer(64);
  const Handle user = create_user_event();
  write(buffer, wire::Blob::inlined(pattern(8)), wire::U64View(&user, 1));
  msg::ReleaseObject m;
  m.object = buffer;
  m.token = client->token();
  client->send(m);
  round_trip();
  EXPECT_EQ(client->replies.count(m.token), 0u) << "the write still uses it";
  set_user_event(user, CL_COMPLETE);
  EXPECT_TRUE(client->await([&] { return client->replies.count(m.token) != 0; }));
}

TEST_F(WorkerTest, EndFreesEverythingThoughCommandsWait) {
  const Handle user = create_user_event();
  for (int i = 0; i < 10; ++i)
    write(create_buffer(64), wire::Blob::inlined(pattern(8)), wire::U64View(&user, 1));
  write(create_buffer(20'000'000), upload_blob(20'000'000, wire::BlobMode::kRendezvous));
  write(create_buffer(200'000), upload_blob(200'000, wire::BlobMode::kEager));
  round_trip();
  EXPECT_EQ(end(), core::ExitCode::kEnded);
}

TEST_F(WorkerTest, AStopIsToldFromAnEndInOrder) {
  round_trip();  // nothing is under way that could find out
  worker->worker().stop(base::Error(base::ErrorCode::kUnavailable, "the node is going down"));
  ASSERT_TRUE(client->await([&] { return client->stream().ended(); }));
  EXPECT_THAT(client->stream().why_ended().message(),
              ::testing::HasSubstr("the node is going down"));
  EXPECT_EQ(end(), core::ExitCode::kStopped);
}

TEST_F(WorkerTest, ATakenHandleEndsTheSession) {
  const Handle buffer = create_buffer(64);
  msg::CreateBuffer m;
  m.mem = buffer;
  m.context = context;
  m.size = 64;
  client->send(m);
  EXPECT_TRUE(client->await([&] { return client->stream().ended(); }));
  EXPECT_EQ(end(), core::ExitCode::kFault);
}

TEST_F(WorkerTest, AHandleOfTheWrongKindLeavesNothingBehind) {
  msg::CreateSubBuffer m;
  m.mem = client->handle(Kind::kContext);
  m.parent = create_buffer(4096);
  m.size = 64;
  client->send(m);
  EXPECT_TRUE(client->await([&] { return client->stream().ended(); }));
  EXPECT_EQ(end(), core::ExitCode::kFault);
}

TEST_F(WorkerTest, AnUnknownCommandEndsTheSession) {
  client->send_raw(0x1FFF, {});
  EXPECT_TRUE(client->await([&] { return client->stream().ended(); }));
  EXPECT_EQ(end(), core::ExitCode::kFault);
}

// More replies than the send ring holds, to a client that does not read: nothing is lost, and the
// worker goes on when it does.
TEST_F(WorkerTest, ASlowReaderLosesNothing) {
  const Bytes data = pattern(60'000);
  const Handle buffer = create_buffer(data.size(), wire::Blob::inlined(data));
  std::vector<wire::Token> tokens;
  for (int i = 0; i < 400; ++i) {
    msg::EnqueueReadBuffer m;
    m.queue = queue;
    m.buffer = buffer;
    m.download.bytes = data.size();
    m.token = client->token();
    tokens.push_back(m.token);
    client->send(m);
  }
  ASSERT_TRUE(client->await([&] { return client->replies.size() >= tokens.size() + 1; }));
  for (const wire::Token token : tokens)
    EXPECT_EQ(client->replies[token].status, CL_SUCCESS);
}

// --- output ---

class OutputTest : public ::testing::Test {};

TEST_F(OutputTest, WhatKernelsPrintComesBeforeTheirCompletion) {
  std::fflush(stdout);
  auto pipe = StdoutPipe::create();
  ASSERT_TRUE(pipe.ok());
  class Rig : public WorkerTest {
   public:
    explicit Rig(StdoutPipe* output) : WorkerTest(output) {}
    void TestBody() override {
      const Handle kernel = create_kernel(build("kernel void hello() { printf(\"\"); }"), "hello");
      const Handle event = launch(queue, kernel);
      ASSERT_TRUE(client->await_event(event));
      EXPECT_EQ(client->output, "hello from a kernel\n");
    }
  };
  Rig rig(pipe->get());
  rig.TestBody();
}

// --- drivers that are not as they should be ---

void no_callbacks(NativeApi& api) {
  api.clSetEventCallback = [](cl_event, cl_int, void(CL_CALLBACK*)(cl_event, cl_int, void*),
                              void*) -> cl_int { return CL_INVALID_OPERATION; };
}
using WithoutCallbacks = Changed<no_callbacks>;

TEST_F(WithoutCallbacks, CompletionsComeAllTheSame) {
  const Bytes data = pattern(1000);
  const Handle buffer = create_buffer(data.size());
  const Handle event = write(buffer, wire::Blob::inlined(data));
  EXPECT_EQ(read(buffer, data.size()), data);
  ASSERT_TRUE(client->await_event(event));
  finish(queue);
}

void no_markers(NativeApi& api) {
  api.clEnqueueMarkerWithWaitList = [](cl_command_queue, cl_uint, const cl_event*,
                                       cl_event*) -> cl_int { return CL_OUT_OF_HOST_MEMORY; };
}
using WithoutMarkers = Changed<no_markers>;

TEST_F(WithoutMarkers, FinishWaitsOnAThreadOfItsOwn) {
  const Handle event = write(create_buffer(64), wire::Blob::inlined(pattern(64)));
  finish(queue);
  EXPECT_EQ(client->reports[event], 1);
  // A streamed write needs one: it fails, and so does the client's side of it.
  const auto blob = upload_blob(1'000'000, wire::BlobMode::kRendezvous);
  const Handle failed = write(create_buffer(1'000'000), blob);
  ASSERT_TRUE(client->await_event(failed));
  EXPECT_EQ(client->events.at(failed).status, CL_OUT_OF_HOST_MEMORY);
  EXPECT_THAT(client->aborts, ElementsAre(blob.transfer));
}

// As PoCL 3.1: what fails because of its wait list is never called back.
decltype(NativeApi::clSetEventCallback) real_set_callback;
struct Quiet {
  void(CL_CALLBACK* function)(cl_event, cl_int, void*);
  void* user;
};
void silent_failures(NativeApi& api) {
  real_set_callback = api.clSetEventCallback;
  api.clSetEventCallback = [](cl_event event, cl_int trigger,
                              void(CL_CALLBACK * function)(cl_event, cl_int, void*),
                              void* user) -> cl_int {
    return real_set_callback(
        event, trigger,
        [](cl_event of, cl_int status, void* quiet) {
          const std::unique_ptr<Quiet> its(static_cast<Quiet*>(quiet));
          if (status >= 0) its->function(of, status, its->user);
        },
        new Quiet{function, user});
  };
}
using WithSilentFailures = Changed<silent_failures>;

TEST_F(WithSilentFailures, DependentsAreFoundAndFinishReturns) {
  const Handle user = create_user_event();
  const Handle buffer = create_buffer(64);
  const Handle first = write(buffer, wire::Blob::inlined(pattern(64)), wire::U64View(&user, 1));
  const Handle second = write(buffer, wire::Blob::inlined(pattern(64)), wire::U64View(&first, 1));
  set_user_event(user, -5);
  ASSERT_TRUE(client->await_event(second));
  EXPECT_LT(client->events.at(first).status, 0);
  EXPECT_LT(client->events.at(second).status, 0);
  finish(queue);
  EXPECT_EQ(client->reports[first], 1);
}

void no_user_events(NativeApi& api) {
  api.clCreateUserEvent = [](cl_context, cl_int* status) -> cl_event {
    *status = CL_OUT_OF_RESOURCES;
    return nullptr;
  };
}
using WithoutUserEvents = Changed<no_user_events>;

TEST_F(WithoutUserEvents, AnEagerWriteFailsAndItsCreditComesBack) {
  const Bytes data = pattern(100'000);
  const auto blob = upload_blob(data.size(), wire::BlobMode::kEager);
  const Handle event = write(create_buffer(data.size()), blob);
  send_bytes(blob, data);
  ASSERT_TRUE(client->await_event(event));
  EXPECT_EQ(client->events.at(event).status, CL_OUT_OF_RESOURCES);
  EXPECT_TRUE(client->await([&] { return client->credit == data.size(); }));
  round_trip();
}

void an_old_driver(NativeApi& api) {
  api.clCloneKernel = nullptr;
  api.clCreateCommandQueueWithProperties = nullptr;
  api.clCreateSamplerWithProperties = nullptr;
  api.clGetDeviceAndHostTimer = nullptr;
  api.clGetExtensionFunctionAddressForPlatform = [](cl_platform_id, const char*) -> void* {
    return nullptr;
  };
}
using OnAnOldDriver = Changed<an_old_driver>;

TEST_F(OnAnOldDriver, WhatItLacksFailsHonestly) {
  const Handle kernel = create_kernel(build("kernel void noop() {}"), "noop");
  msg::CloneKernel m;
  m.kernel = client->handle(Kind::kKernel);
  m.source = kernel;
  client->send(m);
  msg::GetDeviceAndHostTimer t;
  t.device = devices.front();
  EXPECT_EQ(client->call(t), CL_INVALID_OPERATION);
  msg::GetImageRequirements r;
  r.context = context;
  r.param = CL_IMAGE_REQUIREMENTS_MAX_WIDTH_EXT;
  EXPECT_EQ(client->call(r), CL_INVALID_OPERATION);
  ASSERT_EQ(client->failures.size(), 1u);
  EXPECT_EQ(client->failures[0], std::pair(m.kernel, cl_int{CL_INVALID_OPERATION}));
  EXPECT_TRUE(client->await_event(launch(queue, kernel))) << "on a queue made the old way";
}

// --- leaves ---

TEST(ProgramInfoTest, KnowsOpenClTypes) {
  EXPECT_EQ(builtin_type_bytes("uint", 8), 4u);
  EXPECT_EQ(builtin_type_bytes("float3", 8), 16u);
  EXPECT_EQ(builtin_type_bytes("uchar16", 8), 16u);
  EXPECT_EQ(builtin_type_bytes("double8", 8), 64u);
  EXPECT_EQ(builtin_type_bytes("size_t", 4), 4u);
  EXPECT_EQ(builtin_type_bytes("unsigned int", 8), 4u);
  EXPECT_EQ(builtin_type_bytes("half2", 8), 4u);
  EXPECT_EQ(builtin_type_bytes("struct S", 8), 0u);
  EXPECT_EQ(builtin_type_bytes("float5", 8), 0u);
  EXPECT_EQ(with_argument_info(""), "-cl-kernel-arg-info");
  EXPECT_EQ(with_argument_info("-DX -cl-kernel-arg-info"), "-DX -cl-kernel-arg-info");
}

TEST(ProgramInfoTest, TellsKindsOfArguments) {
  const auto kind = [](std::uint32_t address, std::uint32_t access, std::string_view type) {
    return kind_of_argument(address, access, 0, type);
  };
  constexpr auto kPrivate = CL_KERNEL_ARG_ADDRESS_PRIVATE;
  constexpr auto kNone = CL_KERNEL_ARG_ACCESS_NONE;
  EXPECT_EQ(kind(CL_KERNEL_ARG_ADDRESS_GLOBAL, kNone, "float*"), ArgKind::kMemory);
  EXPECT_EQ(kind(CL_KERNEL_ARG_ADDRESS_LOCAL, kNone, "float*"), ArgKind::kLocal);
  EXPECT_EQ(kind(kPrivate, CL_KERNEL_ARG_ACCESS_READ_ONLY, "image2d_t"), ArgKind::kMemory);
  EXPECT_EQ(kind(kPrivate, kNone, "sampler_t"), ArgKind::kSampler);
  EXPECT_EQ(kind(kPrivate, kNone, "float4"), ArgKind::kValue);
  EXPECT_EQ(kind(kPrivate, kNone, "queue_t"), ArgKind::kOther);
}

}  // namespace
}  // namespace longwire::worker::opencl
