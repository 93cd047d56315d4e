// Fuzzes what agent and worker say to each other: a worker runs a vendor driver on a client's
// commands, so it may be in anybody's hands.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "fuzz/target.h"
#include "session/handover.h"

using namespace longwire::session;  // NOLINT(google-build-using-namespace): a fuzzer's main()

namespace {

Adopt adopt(Purpose purpose) {
  Adopt one;
  one.purpose = purpose;
  one.encrypted = true;
  one.session.fill(3);
  one.secret.fill(5);
  one.lanes = 4;
  one.max_payload_bytes = 1 << 20;
  one.tenant = "lab";
  one.node = "box";
  one.peer = "192.168.1.7:4711 anna-laptop pid=12";
  one.program = "blender";
  one.outlives_agent = true;
  one.reclaim.fill(7);
  return one;
}

ReclaimSecret one_secret() {
  ReclaimSecret secret;
  secret.fill(9);
  return secret;
}

}  // namespace

std::vector<longwire::fuzz::Seed> longwire::fuzz::seeds() {
  const Stats stats{.bytes_in = 1, .bytes_out = 2, .commands = 3, .device_ns = 4};
  return {{"adopt", encode_handover(adopt(Purpose::kNewSession))},
          {"adopt_lane", encode_handover(adopt(Purpose::kLane))},
          {"drain", encode_handover(Drain{30'000})},
          {"reclaim", encode_handover(Reclaim{one_secret()})},
          {"ready", encode_handover(Ready{"pocl 3.1, sandbox=enforce"})},
          {"stats", encode_handover(stats)},
          {"ended", encode_handover(Ended{base::ErrorCode::kWireFault, "bad field", stats})}};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto message = decode_handover(std::as_bytes(std::span(data, size)));
  if (!message.ok()) return 0;
  // What was understood is encoded so that the same is understood again.
  const auto bytes = encode_handover(*message);
  const auto again = decode_handover(bytes);
  if (!again.ok() || encode_handover(*again) != bytes) std::abort();
  return 0;
}
