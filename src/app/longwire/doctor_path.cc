#include "app/longwire/doctor_path.h"

#include <poll.h>

#include "app/longwire/bench_figures.h"
#include "app/longwire/node_question.h"
#include "app/longwire/table.h"
#include "opencl/messages.h"

namespace longwire::app {
namespace {

using base::Error;
using base::Nanoseconds;
using base::Status;
using client::core::NodeSession;
namespace msg = longwire::opencl::msg;

constexpr std::uint64_t kProgramHandles = std::uint64_t{7} << 56;  // Kind::kProgram
constexpr const char* kShrinkPackets =
    "a router on the way drops large packets without a word: lower the MTU of this interface (ip "
    "link set dev DEVICE mtu 1280), or sysctl net.ipv4.tcp_mtu_probing=1 on both sides";

Nanoseconds now() { return base::monotonic_clock().now_ns(); }
base::Deadline soon(Nanoseconds ns) { return base::Deadline::in(base::monotonic_clock(), ns); }

Finding lost(const char* check, const Error& why) {
  return problem(check, "the session ends: " + why.message(),
                 "the node's log says why: journalctl -u longwired");
}

// Programs of no context: the node drops them, but their bytes have made the way.
class Sender {
 public:
  explicit Sender(NodeSession& session) : session_(session) {}

  Status send(std::size_t bytes, int messages, base::Deadline deadline) {
    const std::vector<std::byte> data(bytes, std::byte{' '});
    for (int i = 0; i < messages; ++i) {
      msg::CreateProgramWithSource program;
      program.program = kProgramHandles | ++programs_;
      program.source = wire::Blob::inlined(data);
      LW_TRY(session_.send(program, NodeSession::Flush::kByCaller));
    }
    return ask_worker(session_, deadline);
  }

 private:
  NodeSession& session_;
  std::uint64_t programs_ = 0;
};

struct RoundTrips {
  Samples busy;
  Samples idle;
};

Status measure(NodeSession& session, Samples& samples, int count, int pause_ms, Nanoseconds stall) {
  for (int i = 0; i < count; ++i) {
    if (pause_ms > 0) ::poll(nullptr, 0, pause_ms);
    const Nanoseconds began = now();
    LW_TRY(ask_worker(session, soon(stall)));
    samples.add(now() - began);
  }
  return {};
}

Finding check_large(Sender& sender, Nanoseconds stall_ns) {
  const auto sent = sender.send(kLargeMessageBytes, 1, soon(stall_ns));
  if (sent) return fine("large-messages", show_bytes(kLargeMessageBytes) + " get through");
  if (sent.error().code() != base::ErrorCode::kTimeout) return lost("large-messages", sent.error());
  return problem("large-messages",
                 "small messages get through, " + show_bytes(kLargeMessageBytes) +
                     " do not arrive within " + show_time(stall_ns),
                 kShrinkPackets);
}

// Its answer is larger than a packet, too: so the way back is tried.
Finding check_devices(NodeSession& session) {
  std::size_t devices = 0;
  const auto asked = session.call(
      msg::DescribePlatforms{},
      [&](const client::core::ReplyView& reply) {
        if (reply.body == nullptr || reply.body->remaining() == 0) return;
        msg::DescribePlatforms::Reply answer;
        decode(*reply.body, answer);
        for (const auto& platform : answer.platforms)
          devices += platform.devices.size();
      },
      soon(kDescribeTimeoutNs));
  if (!asked && asked.error().code() == base::ErrorCode::kTimeout) {
    return problem("devices", "the list of devices does not arrive", kShrinkPackets);
  }
  if (!asked) return lost("devices", asked.error());
  if (devices == 0) {
    return problem("devices", "the node has no device to lend",
                   "on the node: install its devices' OpenCL driver; longwire doctor says more");
  }
  return fine("devices", std::to_string(devices) + (devices == 1 ? " device" : " devices"));
}

Finding check_rate(Sender& sender, const std::string& node) {
  const Nanoseconds began = now();
  const auto sent = sender.send(kRateMessageBytes, kRateMessages, soon(kDescribeTimeoutNs));
  if (!sent) return lost("rate", sent.error());
  const double seconds = static_cast<double>(now() - began) / static_cast<double>(base::kSecond);
  const double bytes = static_cast<double>(kRateMessageBytes) * kRateMessages;
  return fine("rate", show_bytes(static_cast<std::uint64_t>(bytes / seconds)) +
                          "/s to the node, at first; longwire bench " + node + " says more");
}

}  // namespace

Finding judge_power_saving(Nanoseconds busy_ns, Nanoseconds idle_ns) {
  const std::string seen =
      "a round trip takes " + show_time(busy_ns) + ", after a pause " + show_time(idle_ns);
  if (idle_ns - busy_ns <= kDozeRiseNs || idle_ns <= kDozeFactor * busy_ns) {
    return fine("power-saving", seen);
  }
  return warning("power-saving", seen + ": something falls asleep between, WiFi most likely",
                 "iw dev DEVICE set power_save off, on whichever side has the radio; or a cable");
}

Finding judge_congestion(Nanoseconds round_trip_ns, const std::string& control) {
  const std::string seen = control + " over " + show_time(round_trip_ns);
  if (round_trip_ns < kLongLinkNs || control != "cubic") return fine("congestion", seen);
  return warning("congestion",
                 seen + ": on long links large transfers reach half of what they could",
                 "on both sides: sysctl net.ipv4.tcp_congestion_control=bbr");
}

Findings check_path(const Reached& reached, Nanoseconds stall_ns) {
  NodeSession& session = *reached.session;
  const bool network = reached.round_trip_ns != 0;
  Findings findings;
  RoundTrips trips;
  if (const auto measured = measure(session, trips.busy, kRoundTripSamples, 0, stall_ns);
      !measured) {
    return {lost("round-trip", measured.error())};
  }
  findings.push_back(fine("round-trip", show_time(trips.busy.median())));
  if (network) {
    const auto measured = measure(session, trips.idle, kIdleSamples, kIdlePauseMs, stall_ns);
    if (!measured) return {lost("power-saving", measured.error())};
    findings.push_back(judge_power_saving(trips.busy.median(), trips.idle.median()));
  }
  Sender sender(session);
  findings.push_back(check_large(sender, stall_ns));
  if (findings.back().outcome == Outcome::kProblem) return findings;
  findings.push_back(check_devices(session));
  if (findings.back().outcome == Outcome::kProblem) return findings;
  findings.push_back(check_rate(sender, session.node_name()));
  if (network) {
    findings.push_back(judge_congestion(trips.busy.median(), reached.congestion_control));
  }
  return findings;
}

}  // namespace longwire::app
