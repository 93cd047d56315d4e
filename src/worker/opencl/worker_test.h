// For tests: a worker on the fake driver, and what its raw client says to it most of the time.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "worker/fake/fake_driver.h"
#include "worker/opencl/raw_client_test.h"

namespace longwire::worker::opencl {
namespace testing {

using Bytes = std::vector<std::byte>;

inline Bytes pattern(std::size_t size, unsigned seed = 1) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    seed = seed * 1664525 + 1013904223;
    bytes[i] = static_cast<std::byte>(seed >> 24);
  }
  return bytes;
}

class CollectSink final : public session::BulkSink {
 public:
  explicit CollectSink(std::size_t size) : bytes(size) {}
  std::span<std::byte> buffer(std::uint64_t offset, std::size_t size) override {
    return std::span(bytes).subspan(offset, size);
  }
  void received(std::uint64_t, std::size_t, bool complete) override { done = done || complete; }
  void aborted(const base::Error&) override { failed = true; }
  Bytes bytes;
  std::atomic<bool> done{false};
  std::atomic<bool> failed{false};
};

class WorkerTest : public ::testing::Test {
 protected:
  explicit WorkerTest(StdoutPipe* output = nullptr, void (*change)(NativeApi&) = nullptr,
                      const fake::FakeOptions& options = {})
      : driver(options) {
    table = driver.api();
    if (change != nullptr) change(table);
    auto [ours, theirs] = link::make_inproc_pair();
    worker = std::make_unique<WorkerThread>(table, std::move(theirs), output);
    client = std::make_unique<RawClient>(std::move(ours));
    msg::DescribePlatforms::Reply answer;
    EXPECT_EQ(client->call(msg::DescribePlatforms{}, &answer), CL_SUCCESS);
    for (const auto& platform : answer.platforms)
      for (const auto& device : platform.devices)
        devices.push_back(device.handle);
    context = client->handle(Kind::kContext);
    msg::CreateContext m;
    m.context = context;
    m.devices = wire::U64View(devices);
    client->send(m);
    queue = create_queue(CL_QUEUE_PROFILING_ENABLE);
  }
  ~WorkerTest() override { end(); }

  core::ExitCode end() {
    client->goodbye();
    const auto code = worker->join();
    if (!ended_) {
      ended_ = true;
      EXPECT_EQ(driver.live_objects(), 0u) << "the session has left native objects behind";
    }
    return code;
  }

  Handle create_queue(std::uint64_t properties) {
    const std::uint64_t list[] = {CL_QUEUE_PROPERTIES, properties, 0};
    msg::CreateCommandQueue m;
    m.queue = client->handle(Kind::kQueue);
    m.context = context;
    m.device = devices.front();
    m.properties = wire::U64View(list, 3);
    client->send(m);
    return m.queue;
  }
  Handle create_buffer(std::size_t size, wire::Blob data = {}) {
    msg::CreateBuffer m;
    m.mem = client->handle(Kind::kMem);
    m.context = context;
    m.flags = CL_MEM_READ_WRITE;
    m.size = size;
    m.data = data;
    client->send(m);
    return m.mem;
  }
  Handle create_user_event() {
    msg::CreateUserEvent m;
    m.event = client->handle(Kind::kEvent);
    m.context = context;
    client->send(m);
    return m.event;
  }
  void set_user_event(Handle event, cl_int status) {
    msg::SetUserEventStatus m;
    m.event = event;
    m.execution_status = status;
    client->send(m);
  }
  Handle build(std::string_view source, cl_int expected = CL_SUCCESS) {
    msg::CreateProgramWithSource m;
    m.program = client->handle(Kind::kProgram);
    m.context = context;
    m.source = wire::Blob::inlined(std::as_bytes(std::span(source)));
    client->send(m);
    msg::BuildProgram b;
    b.program = m.program;
    EXPECT_EQ(client->call(b, &built), expected);
    return m.program;
  }
  Handle create_kernel(Handle program, std::string_view name) {
    msg::CreateKernel m;
    m.kernel = client->handle(Kind::kKernel);
    m.program = program;
    m.name = name;
    client->send(m);
    return m.kernel;
  }
  Handle launch(Handle on, Handle kernel, wire::U64View waits = {}, bool wants_event = true) {
    const std::uint64_t size = 16;
    msg::EnqueueNDRangeKernel m;
    m.queue = on;
    m.kernel = kernel;
    m.global_size = wire::U64View(&size, 1);
    m.wait_list = waits;
    m.event = wants_event ? client->handle(Kind::kEvent) : 0;
    client->send(m);
    return m.event;
  }
  Bytes read(Handle buffer, std::size_t size, std::size_t offset = 0) {
    msg::EnqueueReadBuffer m;
    m.queue = queue;
    m.buffer = buffer;
    m.offset = offset;
    m.download.bytes = size;
    if (size <= session::kInlineBytes) {
      msg::EnqueueReadBuffer::Reply answer;
      EXPECT_EQ(client->call(m, &answer), CL_SUCCESS);
      return {answer.data.begin(), answer.data.end()};
    }
    m.download.transfer = ++transfers;
    m.download.mode = wire::BlobMode::kEager;
    const auto sink = std::make_shared<CollectSink>(size);
    client->bulk().expect(m.download.transfer, size, sink);
    EXPECT_EQ(client->call(m), CL_SUCCESS);
    EXPECT_TRUE(client->await([&] { return sink->done.load(); }));
    return sink->bytes;
  }
  wire::Blob upload_blob(std::size_t size, wire::BlobMode mode) {
    return {mode, ++transfers, size, {}};
  }
  void send_bytes(const wire::Blob& blob, std::span<const std::byte> bytes) {
    client->bulk().send(blob.transfer, 0, bytes, [](base::Status) {});
    (void)client->stream().flush();
  }
  Handle write(Handle buffer, const wire::Blob& blob, wire::U64View waits = {}) {
    msg::EnqueueWriteBuffer m;
    m.queue = queue;
    m.buffer = buffer;
    m.data = blob;
    m.wait_list = waits;
    m.event = client->handle(Kind::kEvent);
    client->send(m);
    return m.event;
  }
  void finish(Handle on) {
    msg::Finish m;
    m.queue = on;
    EXPECT_EQ(client->call(m), CL_SUCCESS);
  }
  // Everything sent so far has been executed by the dispatch thread.
  void round_trip() {
    msg::GetDeviceInfo m;
    m.device = devices.front();
    m.param = CL_DEVICE_NAME;
    EXPECT_EQ(client->call(m), CL_SUCCESS);
  }

  fake::FakeDriver driver;
  NativeApi table;
  std::unique_ptr<WorkerThread> worker;
  std::unique_ptr<RawClient> client;
  std::vector<Handle> devices;
  Handle context = 0;
  Handle queue = 0;
  std::uint64_t transfers = 0;
  msg::BuildProgram::Reply built;
  bool ended_ = false;
};

// --- drivers that are not as they should be ---

template <void (*kChange)(NativeApi&)>
class Changed : public WorkerTest {
 public:
  Changed() : WorkerTest(nullptr, kChange) {}
};

}  // namespace testing
}  // namespace longwire::worker::opencl
