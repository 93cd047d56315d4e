// Fuzzes a lane: the input is what a peer sends on it, chunk after chunk, in pieces as large as its
// first byte says. Both sides of a session receive with the same code.
//
// A few transfers are expected; the sinks check what they are told.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "fuzz/target.h"
#include "session/bulk.h"
#include "session/stream.h"

namespace longwire::session {
namespace {

// Sixty seconds pass at a look at the clock: a chunk that nobody announces is given up at once.
class HurriedClock final : public base::Clock {
 public:
  base::Nanoseconds now_ns() const noexcept override {
    return now_ns_.fetch_add(kUnannouncedTimeoutNs);
  }

 private:
  mutable std::atomic<base::Nanoseconds> now_ns_{0};
};

class LaneInput final : public link::Link {
 public:
  LaneInput(std::span<const std::byte> input, std::size_t step) : input_(input), step_(step) {}
  base::Result<std::size_t> read_some(std::span<std::byte> out) override {
    const std::size_t n = std::min({out.size(), input_.size(), step_});
    std::copy_n(input_.begin(), n, out.begin());
    input_ = input_.subspan(n);
    if (n == 0 && !out.empty()) return base::Error(base::ErrorCode::kClosed, "end of the input");
    return n;
  }
  base::Result<std::size_t> write_some(std::span<const link::ConstBuffer>) override { return 0; }
  base::Result<link::Readiness> wait(link::Interest interest, base::Deadline) override {
    return link::Readiness{interest.readable, interest.writable, false};
  }
  void wake() noexcept override {}
  void close() noexcept override {}
  link::LinkInfo info() const override { return {}; }

 private:
  std::span<const std::byte> input_;
  const std::size_t step_;
};

class CheckingSink final : public BulkSink {
 public:
  explicit CheckingSink(std::size_t bytes) : memory_(bytes) {}
  std::span<std::byte> buffer(std::uint64_t offset, std::size_t bytes) override {
    if (offset > memory_.size() || bytes > memory_.size() - offset) std::abort();
    return std::span(memory_).subspan(offset, bytes);
  }
  void received(std::uint64_t, std::size_t bytes, bool complete) override {
    arrived_ += bytes;
    if (over_ || arrived_ > memory_.size() || complete != (arrived_ == memory_.size()))
      std::abort();
    over_ = complete;
  }
  void aborted(const base::Error&) override {
    if (over_) std::abort();
    over_ = true;
  }

 private:
  std::vector<std::byte> memory_;
  std::size_t arrived_ = 0;
  bool over_ = false;
};

class NoFrames final : public FrameSink {
 public:
  base::Status on_frame(const Frame&) override { return {}; }
};

constexpr StreamLimits kLimits{.send_ring_bytes = 4096,
                               .receive_ring_bytes = 8192,
                               .flush_threshold_bytes = 256,
                               .ack_every_bytes = 512,
                               .max_payload_bytes = 1024};
constexpr std::size_t kSizes[] = {1000, 5000, 0};  // of transfers 1, 2 and 3

void run(std::span<const std::byte> input) {
  if (input.empty()) return;
  const std::size_t step = 1 + std::to_integer<std::size_t>(input[0]) * 16;
  const HurriedClock clock;
  NoFrames frames;
  Stream stream(clock, kLimits, frames);
  BulkPort port(clock, stream);
  for (TransferId id = 1; id <= std::size(kSizes); ++id) {
    port.expect(id, kSizes[id - 1], std::make_shared<CheckingSink>(kSizes[id - 1]));
  }
  auto lane = std::make_unique<LaneInput>(input.subspan(1), step);
  if (!port.add_lane(std::move(lane), 0).ok()) std::abort();
  while (port.lanes() > 0 && !stream.ended())
    std::this_thread::yield();
}

// --- seeds ---

fuzz::Bytes chunk(TransferId transfer, std::uint64_t offset, std::uint32_t bytes) {
  fuzz::Bytes all = fuzz::written([&](auto& out) {
    out.u64(transfer);
    out.u64(offset);
    out.u32(bytes);
    out.u32(0);
  });
  return fuzz::append(all, fuzz::Bytes(bytes));
}

fuzz::Bytes chunks(std::initializer_list<fuzz::Bytes> all) {
  fuzz::Bytes bytes;
  for (const auto& one : all)
    fuzz::append(bytes, one);
  return bytes;
}

}  // namespace
}  // namespace longwire::session

std::vector<longwire::fuzz::Seed> longwire::fuzz::seeds() {
  using namespace longwire::session;
  return {{"whole", selected(255, chunks({chunk(1, 0, 1000), chunk(2, 0, 5000)}))},
          {"in_pieces", selected(0, chunks({chunk(1, 0, 1000)}))},
          {"out_of_order",
           selected(99, chunks({chunk(2, 4000, 1000), chunk(1, 0, 1000), chunk(2, 0, 4000)}))},
          {"unfinished", selected(9, chunks({chunk(2, 0, 100)}))},
          {"twice", selected(9, chunks({chunk(1, 0, 1000), chunk(1, 0, 8)}))},
          {"unannounced", selected(9, chunks({chunk(77, 0, 8)}))}};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  longwire::session::run(std::as_bytes(std::span(data, size)));
  return 0;
}
