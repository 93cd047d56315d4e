// Whole sessions under a seeded network: two production Streams exchange random frames through
// cuts, and resume by the production handshake. What must hold: every frame arrives exactly once,
// in order, whole. A failure prints its seed; LONGWIRE_SIM_SEED=n repeats that run alone.
#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "link/sim/sim_network.h"
#include "session/bulk.h"
#include "session/handshake.h"
#include "session/stream.h"
#include "session/testing.h"

namespace longwire::session {
namespace {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::kMillisecond;
using base::kSecond;
using base::Status;
using link::SimNetwork;
using link::SimProfile;

constexpr std::uint64_t kDefaultRuns = 300;
constexpr wire::Opcode kAnnounceOpcode = testing::kTestOpcode + 1;  // u64 transfer, u64 bytes
constexpr std::uint64_t kTransferOneIn = 16;                        // frames
constexpr std::size_t kMaxTransferBytes = 10'000;
constexpr std::size_t kMaxCuts = 20;  // then links hold, so that every run ends

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

// The troubles of one run.
struct Plan {
  explicit Plan(base::Random& random) {
    const auto some = [&](std::uint64_t most) { return random.below(most + 1); };
    profile.latency_ns = static_cast<base::Nanoseconds>(some(20 * kMillisecond));
    profile.jitter_ns = random.one_in(2) ? 0 : 5 * kMillisecond;
    profile.bytes_per_second = random.one_in(2) ? 0 : 100'000 + some(10'000'000);
    profile.buffer_bytes = 64 + some(20'000);
    profile.max_step_bytes = random.one_in(3) ? 0 : 1 + some(700);
    profile.stall_one_in = random.one_in(2) ? 0 : 20;
    profile.stall_ns = 200 * kMillisecond;
    if (!random.one_in(5))
      profile.cut_after_max_ns = kMillisecond * (1 + static_cast<int>(some(500)));
    frames = 20 + some(200);
    max_frame_bytes = std::size_t{8} << some(7);  // up to 1 KiB
    limits.send_ring_bytes = std::size_t{4096} << some(2);
    limits.receive_ring_bytes = 2 * limits.send_ring_bytes;
    limits.ack_every_bytes = 256 + some(1000);
    limits.flush_threshold_bytes = 1 + some(4000);
    limits.max_payload_bytes = 1024;
    answer_one_in = 1 + some(3);
  }
  SimProfile profile;
  StreamLimits limits;
  std::uint64_t frames = 0;
  std::size_t max_frame_bytes = 0;
  std::uint64_t answer_one_in = 1;
};

// Links on their way from the client to the node.
struct Network {
  Network(std::uint64_t seed, const Plan& plan_) : sim(seed), plan(plan_) {}
  std::unique_ptr<link::Link> dial() {
    SimProfile profile = plan.profile;
    if (++dialled > kMaxCuts) profile.cut_after_max_ns = 0;
    auto [mine, theirs] = sim.connect(profile);
    waiting.push_back(std::move(theirs));
    return std::move(mine);
  }
  // Nothing once `over` holds.
  std::unique_ptr<link::Link> accept(const std::function<bool()>& over) {
    (void)sim.block_until([&] { return !waiting.empty() || over(); }, Deadline::never());
    if (waiting.empty()) return nullptr;
    auto link = std::move(waiting.back());  // a client that dials anew has dropped the older ones
    waiting.clear();
    return link;
  }
  SimNetwork sim;
  const Plan& plan;
  std::size_t dialled = 0;
  std::deque<std::unique_ptr<link::Link>> waiting;
};

// Counts what arrives, and checks it.
class CheckingSink final : public BulkSink {
 public:
  CheckingSink(TransferId id, std::size_t bytes, std::uint64_t& completed)
      : id_(id), memory_(bytes), completed_(completed) {}
  std::span<std::byte> buffer(std::uint64_t offset, std::size_t bytes) override {
    return std::span(memory_).subspan(offset, bytes);
  }
  void received(std::uint64_t, std::size_t, bool complete) override {
    if (!complete) return;
    std::vector<std::byte> expected(memory_.size());
    testing::fill_pattern(expected, id_);
    EXPECT_EQ(memory_, expected);
    ++completed_;
  }
  void aborted(const Error& why) override { ADD_FAILURE() << why.to_string(); }

 private:
  const TransferId id_;
  std::vector<std::byte> memory_;
  std::uint64_t& completed_;
};

// One side of the session: sends numbered frames of random sizes, some of them from inside the
// handler, and checks what it receives.
class Side {
 public:
  Side(Network& network, std::uint64_t seed, bool answers)
      : network_(network),
        random_(seed),
        answers_(answers),
        sink_([this](const Frame& frame) { return on_frame(frame); }),
        stream_(network.sim, network.plan.limits, sink_),
        port_(network.sim, stream_) {
    stream_.set_link_lost_handler([this](const Stream::LinkLoss&) -> base::Result<Deadline> {
      LW_TRY(reconnect());
      return Deadline::never();
    });
  }
  virtual ~Side() = default;

  void run() {
    while (!over()) {
      const Status status = step();
      if (status.ok() || over()) continue;
      ADD_FAILURE() << status.error().to_string();
      return;
    }
  }
  std::string state() const {
    return "sent " + std::to_string(sent_) + " (committed " + std::to_string(stream_.sent()) +
           ", acknowledged " + std::to_string(stream_.acknowledged()) + "), delivered " +
           std::to_string(delivered_) + (stream_.needs_flush() ? ", needs a flush" : "");
  }
  void meet(Side& other) { other_ = &other; }
  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t sent() const { return sent_; }

 protected:
  virtual Status reconnect() = 0;
  // Everybody has what the other has sent.
  bool over() const {
    const std::uint64_t wanted = network_.plan.frames;
    return network_.sim.given_up() ||
           (sent_ >= wanted && other_->sent_ >= wanted && delivered_ == other_->sent_ &&
            other_->delivered_ == sent_ && completed_ == other_->transfers_ &&
            other_->completed_ == transfers_);
  }
  Network& network_;
  base::SeededRandom random_;

 private:
  const bool answers_;
  Status step() {
    if (sent_ < network_.plan.frames && random_.one_in(kTransferOneIn)) return send_transfer();
    if (sent_ < network_.plan.frames && random_.one_in(2)) return send_one();
    if (random_.one_in(4)) return stream_.flush();
    const auto pumped = stream_.pump(Deadline::in(
        network_.sim, static_cast<base::Nanoseconds>(random_.below(50 * kMillisecond))));
    if (!pumped.ok()) return pumped.error();
    return {};
  }
  Status send_transfer() {
    const TransferId id = ++transfers_;
    std::vector<std::byte> data(1 + random_.below(kMaxTransferBytes));
    testing::fill_pattern(data, id);
    const bool early = random_.one_in(2);  // the bytes before their announcement
    Status status = early ? send_bytes(id, data) : announce(id, data.size());
    if (!status.ok()) return status;
    return early ? announce(id, data.size()) : send_bytes(id, data);
  }
  Status announce(TransferId id, std::size_t bytes) {
    auto draft = stream_.begin(kAnnounceOpcode, 16);
    if (!draft.ok()) return draft.error();
    draft->writer().u64(id);
    draft->writer().u64(bytes);
    draft->commit();
    return {};
  }
  Status send_bytes(TransferId id, std::span<const std::byte> data) {
    Status result;
    port_.send(id, 0, data, [&](Status status) { result = std::move(status); });
    return result;
  }
  Status send_one() {
    const std::size_t bytes = 8 * random_.below(network_.plan.max_frame_bytes / 8 + 1);
    auto draft = stream_.begin(testing::kTestOpcode, bytes);
    if (!draft.ok()) return draft.error();
    // Counted only now: begin() may have handled frames, and their answers have gone before.
    testing::fill_pattern(draft->writer().reserve(bytes), sent_++);
    draft->commit();
    return {};
  }
  Status on_frame(const Frame& frame) {
    EXPECT_EQ(frame.sequence, ++last_sequence_);
    if (frame.opcode == wire::kOpBulkData) return port_.on_stream_chunk(frame.payload);
    if (frame.opcode == kAnnounceOpcode) {
      wire::Reader r(frame.payload);
      const TransferId id = r.u64();
      const std::size_t bytes = r.u64();
      port_.expect(id, bytes, std::make_shared<CheckingSink>(id, bytes, completed_));
      return r.finish();
    }
    EXPECT_TRUE(testing::is_patterned(frame, delivered_, frame.payload.size()));
    ++delivered_;
    // The node answers from inside the handler, even if the ring is full.
    if (answers_ && sent_ < network_.plan.frames && random_.one_in(network_.plan.answer_one_in)) {
      return send_one();
    }
    return {};
  }

  testing::FunctionSink sink_;

 protected:
  Stream stream_;
  BulkPort port_;

 private:
  Side* other_ = nullptr;
  wire::Sequence last_sequence_ = 0;
  std::uint64_t transfers_ = 0;  // sent
  std::uint64_t completed_ = 0;  // received
  std::uint64_t sent_ = 0;
  std::uint64_t delivered_ = 0;
};

class Client final : public Side {
 public:
  using Side::Side;
  Status reconnect() override {
    for (;;) {
      auto link = network_.dial();
      Hello hello;
      hello.purpose = Purpose::kResume;
      hello.received = stream_.received();
      const auto welcome =
          hello_and_welcome(*link, hello, Deadline::in(network_.sim, 10 * kSecond));
      if (welcome.ok()) return stream_.attach(std::move(link), welcome->received);
      if (over()) return welcome.error();
    }
  }
};

class Node final : public Side {
 public:
  using Side::Side;
  Status reconnect() override {
    for (;;) {
      auto link = network_.accept([this] { return over(); });
      if (!link) return Error(ErrorCode::kClosed, "the run is over");
      const Deadline deadline = Deadline::in(network_.sim, 10 * kSecond);
      const auto hello = receive_hello(*link, deadline);
      if (!hello.ok()) continue;
      Welcome welcome;
      welcome.received = stream_.received();
      if (!send_all(*link, encode(welcome), deadline).ok()) continue;
      return stream_.attach(std::move(link), hello->received);
    }
  }
};

// The number of links that the session needed.
std::size_t run_session(std::uint64_t seed) {
  base::SeededRandom random(seed);
  const Plan plan(random);
  Network network(random.u64(), plan);
  Client client(network, random.u64(), false);
  Node node(network, random.u64(), true);
  client.meet(node);
  node.meet(client);
  network.sim.spawn([&] { client.run(); });
  network.sim.spawn([&] { node.run(); });
  const Status status = network.sim.run();
  EXPECT_TRUE(status.ok()) << status.error().to_string() << "\nclient: " << client.state()
                           << "\nnode: " << node.state();
  EXPECT_EQ(client.delivered(), node.sent());
  EXPECT_EQ(node.delivered(), client.sent());
  return network.dialled;
}

TEST(StreamSim, EveryFrameArrivesOnceAndInOrderThroughCuts) {
  const std::uint64_t only = number_from_environment("LONGWIRE_SIM_SEED", 0);
  const std::uint64_t runs = number_from_environment("LONGWIRE_SIM_RUNS", kDefaultRuns);
  const std::uint64_t first = only != 0 ? only : 1;
  const std::uint64_t last = only != 0 ? only : runs;
  std::size_t links = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("LONGWIRE_SIM_SEED=" + std::to_string(seed));
    links += run_session(seed);
    if (HasFailure()) {
      GTEST_FAIL() << "repeat with LONGWIRE_SIM_SEED=" << seed;
    }
  }
  RecordProperty("links", static_cast<int>(links));
  if (only != 0) return;
  EXPECT_GT(links, 2 * runs) << "hardly anything was cut";
}

TEST(StreamSim, ARunIsRepeatedByItsSeed) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed)
    EXPECT_EQ(run_session(seed), run_session(seed));
}

}  // namespace
}  // namespace longwire::session
