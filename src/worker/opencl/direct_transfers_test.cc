// Large transfers without the driver: of idle queues, over lanes, in memory that is shared.
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "worker/opencl/program_info.h"
#include "worker/opencl/worker_test.h"

namespace longwire::worker::opencl {
namespace {

using testing::Bytes;
using testing::CollectSink;
using testing::pattern;
using testing::WorkerTest;

constexpr std::size_t kBytes = 1'000'000;
constexpr std::size_t kLaneBytes = 10'000;  // that a lane holds: the rest waits for its reader

fake::FakeOptions sharing() {
  fake::FakeOptions options;
  options.type = CL_DEVICE_TYPE_CPU;
  options.shares_memory = true;
  return options;
}

// Takes nothing until it is told to.
class PatientSink final : public session::BulkSink {
 public:
  explicit PatientSink(std::size_t size) : collected_(std::make_shared<CollectSink>(size)) {}
  std::span<std::byte> buffer(std::uint64_t offset, std::size_t size) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
    return collected_->buffer(offset, size);
  }
  void received(std::uint64_t offset, std::size_t size, bool complete) override {
    collected_->received(offset, size, complete);
  }
  void aborted(const base::Error& why) override { collected_->aborted(why); }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  const CollectSink& collected() const { return *collected_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  const std::shared_ptr<CollectSink> collected_;
};

class DirectTransfersTest : public WorkerTest {
 protected:
  DirectTransfersTest() : WorkerTest(nullptr, nullptr, sharing()) {
    auto [ours, theirs] = link::make_inproc_pair(kLaneBytes);
    EXPECT_TRUE(worker->worker().adopt_lane(std::move(theirs), 1).ok());
    EXPECT_TRUE(client->bulk().add_lane(std::move(ours), 1).ok());
  }

  // No event is wanted.
  wire::Blob announce(Handle buffer, wire::BlobMode mode = wire::BlobMode::kEager) {
    const auto blob = upload_blob(kBytes, mode);
    msg::EnqueueWriteBuffer m;
    m.queue = queue;
    m.buffer = buffer;
    m.data = blob;
    client->send(m);
    return blob;
  }
  void write_inline(Handle buffer, const Bytes& data) {
    msg::EnqueueWriteBuffer m;
    m.queue = queue;
    m.buffer = buffer;
    m.data = wire::Blob::inlined(data);
    client->send(m);
  }
  std::shared_ptr<PatientSink> begin_read(Handle buffer, wire::Token* token) {
    msg::EnqueueReadBuffer m;
    m.queue = queue;
    m.buffer = buffer;
    m.download = {wire::BlobMode::kEager, ++transfers, kBytes, {}};
    m.token = *token = client->token();
    const auto sink = std::make_shared<PatientSink>(kBytes);
    client->bulk().expect(m.download.transfer, kBytes, sink);
    client->send(m);
    return sink;
  }
  wire::Token begin_finish() {
    msg::Finish m;
    m.queue = queue;
    m.token = client->token();
    client->send(m);
    return m.token;
  }
  bool await_reply(wire::Token token) {
    return client->await([&] { return client->replies.count(token) != 0; });
  }
  Handle filled(const Bytes& data) {
    const Handle buffer = create_buffer(data.size());
    send_bytes(announce(buffer), data);
    finish(queue);
    return buffer;
  }
};

TEST_F(DirectTransfersTest, TakeNoNativeCommandAndNoStaging) {
  const Bytes data = pattern(kBytes);
  const Handle buffer = create_buffer(kBytes);
  finish(queue);
  const std::size_t before = driver.commands_run();
  for (const auto mode : {wire::BlobMode::kEager, wire::BlobMode::kRendezvous}) {
    send_bytes(announce(buffer, mode), data);
    finish(queue);
    EXPECT_EQ(read(buffer, kBytes), data);
  }
  EXPECT_EQ(driver.commands_run(), before);
  EXPECT_EQ(worker->worker().uploads().staged_bytes(), 0u);
  EXPECT_EQ(client->credit, kBytes);
}

TEST_F(DirectTransfersTest, WhatFollowsAReadDoesNotChangeItsBytes) {
  const Bytes data = pattern(kBytes);
  const Handle buffer = filled(data);
  wire::Token replied = 0;
  const auto sink = begin_read(buffer, &replied);
  write_inline(buffer, Bytes(1000, std::byte{7}));
  round_trip();
  EXPECT_EQ(client->replies.count(replied), 0u);
  sink->open();
  ASSERT_TRUE(await_reply(replied));
  ASSERT_TRUE(client->await([&] { return sink->collected().done.load(); }));
  EXPECT_EQ(sink->collected().bytes, data);
  EXPECT_EQ(read(buffer, 1000), Bytes(1000, std::byte{7}));
}

TEST_F(DirectTransfersTest, AFinishWaitsForTheBytesOfReadsAndWrites) {
  const Bytes data = pattern(kBytes);
  const Handle buffer = filled(data);
  wire::Token replied = 0;
  const auto sink = begin_read(buffer, &replied);
  const wire::Token behind_read = begin_finish();
  round_trip();
  EXPECT_EQ(client->replies.count(behind_read), 0u);
  sink->open();
  ASSERT_TRUE(await_reply(behind_read));
  EXPECT_EQ(client->replies.count(replied), 1u);

  const auto blob = announce(buffer);
  const wire::Token behind_write = begin_finish();
  round_trip();
  EXPECT_EQ(client->replies.count(behind_write), 0u);
  send_bytes(blob, data);
  ASSERT_TRUE(await_reply(behind_write));
}

TEST_F(DirectTransfersTest, WhatFollowsAWriteWaitsForItsBytes) {
  const Bytes data = pattern(kBytes);
  const Handle buffer = filled(Bytes(kBytes));
  const auto blob = announce(buffer);
  wire::Token replied = 0;
  const auto sink = begin_read(buffer, &replied);
  sink->open();
  const wire::Token finished = begin_finish();
  round_trip();
  EXPECT_EQ(client->replies.count(replied), 0u);
  send_bytes(blob, data);
  ASSERT_TRUE(await_reply(finished));
  ASSERT_TRUE(client->await([&] { return sink->collected().done.load(); }));
  EXPECT_EQ(sink->collected().bytes, data);
  // And the queue is idle again.
  const std::size_t before = driver.commands_run();
  EXPECT_EQ(read(buffer, kBytes), data);
  EXPECT_EQ(driver.commands_run(), before);
}

TEST_F(DirectTransfersTest, AWriteThatIsGivenUpHoldsNothingBack) {
  const Handle buffer = create_buffer(kBytes);
  for (const bool something_follows : {false, true}) {
    const auto blob = announce(buffer, wire::BlobMode::kRendezvous);
    if (something_follows) write_inline(buffer, Bytes(10));
    const wire::Token finished = begin_finish();
    round_trip();
    EXPECT_EQ(client->replies.count(finished), 0u);
    const std::uint64_t abort[] = {blob.transfer, std::uint64_t(std::int64_t{CL_OUT_OF_RESOURCES})};
    client->send_raw(wire::kOpBulkAbort, std::as_bytes(std::span(abort)));
    EXPECT_TRUE(await_reply(finished));
  }
}

// Released at once: the bytes are kept until the client has them.
TEST_F(DirectTransfersTest, ABufferMayGoWhileItIsRead) {
  const Bytes data = pattern(kBytes);
  const Handle buffer = filled(data);
  wire::Token replied = 0;
  const auto sink = begin_read(buffer, &replied);
  msg::ReleaseObject m;
  m.object = buffer;
  client->send(m);
  round_trip();
  sink->open();
  ASSERT_TRUE(await_reply(replied));
  ASSERT_TRUE(client->await([&] { return sink->collected().done.load(); }));
  EXPECT_EQ(sink->collected().bytes, data);
}

// The fixture sees that no native object is left behind.
TEST_F(DirectTransfersTest, TheClientMayGoInTheMiddle) {
  const Handle buffer = filled(pattern(kBytes));
  wire::Token replied = 0;
  const auto sink = begin_read(buffer, &replied);
  const auto more = begin_read(buffer, &replied);
  round_trip();
  announce(create_buffer(kBytes));
  begin_finish();
  round_trip();
  sink->open();
  more->open();
}

}  // namespace
}  // namespace longwire::worker::opencl
