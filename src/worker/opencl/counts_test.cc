// What the hot paths of a worker may cost, in counts, so that a regression fails without a clock.
#include <gtest/gtest.h>

#include <atomic>

#include "worker/fake/fake_driver.h"
#include "worker/opencl/raw_client_test.h"

namespace longwire::worker::opencl {
namespace {

using testing::RawClient;
using testing::WorkerThread;
namespace msg = longwire::opencl::msg;

constexpr int kCommands = 1000;

struct Calls {
  std::atomic<int> reads{0};
  std::atomic<int> writes{0};
  std::atomic<int> waits{0};
  int all() const { return reads + writes + waits; }
};

// Each of these is a system call on a socket.
class CountedLink final : public link::Link {
 public:
  CountedLink(std::unique_ptr<link::Link> under, Calls& calls)
      : under_(std::move(under)), calls_(calls) {}
  base::Result<std::size_t> read_some(std::span<std::byte> out) override {
    ++calls_.reads;
    return under_->read_some(out);
  }
  base::Result<std::size_t> write_some(std::span<const link::ConstBuffer> parts) override {
    ++calls_.writes;
    return under_->write_some(parts);
  }
  base::Result<link::Readiness> wait(link::Interest interest, base::Deadline deadline) override {
    ++calls_.waits;
    return under_->wait(interest, deadline);
  }
  void wake() noexcept override { under_->wake(); }
  void close() noexcept override { under_->close(); }
  link::LinkInfo info() const override { return under_->info(); }

 private:
  const std::unique_ptr<link::Link> under_;
  Calls& calls_;
};

class CountsTest : public ::testing::Test {
 protected:
  CountsTest() {
    auto [ours, theirs] = link::make_inproc_pair();
    worker_ = std::make_unique<WorkerThread>(
        driver_.api(), std::make_unique<CountedLink>(std::move(theirs), calls_));
    client_ = std::make_unique<RawClient>(std::move(ours));
    msg::DescribePlatforms::Reply platforms;
    EXPECT_EQ(client_->call(msg::DescribePlatforms{}, &platforms), CL_SUCCESS);
    device_ = platforms.platforms.front().devices.front().handle;
    msg::CreateContext context;
    context.context = context_ = client_->handle(Kind::kContext);
    context.devices = wire::U64View(&device_, 1);
    client_->send(context);
    msg::CreateCommandQueue queue;
    queue.queue = queue_ = client_->handle(Kind::kQueue);
    queue.context = context_;
    queue.device = device_;
    client_->send(queue);
    make_kernel();
  }
  ~CountsTest() override {
    client_->goodbye();
    worker_->join();
  }

  void make_kernel() {
    constexpr std::string_view kSource = "kernel void nothing() {}";
    msg::CreateProgramWithSource program;
    program.program = client_->handle(Kind::kProgram);
    program.context = context_;
    program.source = wire::Blob::inlined(std::as_bytes(std::span(kSource)));
    client_->send(program);
    msg::BuildProgram build;
    build.program = program.program;
    msg::BuildProgram::Reply built;
    EXPECT_EQ(client_->call(build, &built), CL_SUCCESS);
    msg::CreateKernel kernel;
    kernel.kernel = kernel_ = client_->handle(Kind::kKernel);
    kernel.program = program.program;
    kernel.name = "nothing";
    client_->send(kernel);
  }
  Handle launch(Handle wait_for, bool wants_event) {
    const std::uint64_t size = 1;
    msg::EnqueueNDRangeKernel m;
    m.queue = queue_;
    m.kernel = kernel_;
    m.global_size = wire::U64View(&size, 1);
    m.wait_list = wire::U64View(&wait_for, wait_for != 0 ? 1 : 0);
    m.event = wants_event ? client_->handle(Kind::kEvent) : 0;
    client_->send(m);
    return m.event;
  }
  void finish() {
    msg::Finish m;
    m.queue = queue_;
    EXPECT_EQ(client_->call(m), CL_SUCCESS);
  }

  fake::FakeDriver driver_;
  Calls calls_;
  std::unique_ptr<WorkerThread> worker_;
  std::unique_ptr<RawClient> client_;
  Handle device_ = 0;
  Handle context_ = 0;
  Handle queue_ = 0;
  Handle kernel_ = 0;
};

TEST_F(CountsTest, SystemCallsOfSmallCommands) {
  finish();
  const int before = calls_.all();
  for (int i = 0; i < kCommands; ++i)
    launch(0, false);
  finish();
  EXPECT_LE(calls_.all() - before, kCommands / 20);
}

TEST_F(CountsTest, CompletionsOfAChainShareTheirSystemCalls) {
  finish();
  const int before = calls_.writes;
  Handle last = 0;
  for (int i = 0; i < kCommands; ++i)
    last = launch(last, true);
  EXPECT_TRUE(client_->await_event(last));
  EXPECT_EQ(client_->events.size(), std::size_t{kCommands});
  EXPECT_LE(calls_.writes - before, kCommands / 20);
}

}  // namespace
}  // namespace longwire::worker::opencl
