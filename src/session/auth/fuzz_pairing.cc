// Fuzzes what a stranger can say while pairing: to the node, to the client, and the points of the
// curve themselves. Whoever does not know the code must never be believed.
//
// Input: which of them, then messages one after the other, each with its own length (a point: raw).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "base/random.h"
#include "fuzz/target.h"
#include "session/auth/pairing.h"
#include "session/handshake.h"

using namespace longwire::session;  // NOLINT(google-build-using-namespace): a fuzzer's main()
using longwire::base::SeededRandom;
namespace fuzz = longwire::fuzz;

namespace {

enum Target : std::uint8_t { kNode, kClient, kPoint };

// The messages that the input begins with, one by one.
template <class Side>
void talk(Side& side, std::span<const std::byte> input) {
  while (!input.empty()) {
    const auto length = handshake_message_bytes(input);
    const std::size_t size = length.ok() ? std::min(*length, input.size()) : input.size();
    const auto step = side.on_message(input.first(std::max<std::size_t>(size, 1)));
    if (step.ok() && step->done) std::abort();
    if (!step.ok()) return;
    input = input.subspan(std::max<std::size_t>(size, 1));
  }
}

void stranger_at_the_node(std::span<const std::byte> input) {
  SeededRandom random(1);
  PairingOffer offer(longwire::base::monotonic_clock(), random);
  PairingServer server(offer, {}, "node", random);
  talk(server, input);
}

void stranger_in_place_of_the_node(std::span<const std::byte> input) {
  SeededRandom random(1);
  PairingClient client("00000000", {}, "client", random);
  if (client.start().ok()) talk(client, input);
}

Spake2 spake2(Spake2Role role, std::uint8_t password) {
  return Spake2::start_with(role, Spake2Scalar{0, password}, {"a", "b", "c"}, Spake2Scalar{0, 7})
      .value();
}

void point(std::span<const std::byte> share) {
  Spake2 node = spake2(Spake2Role::kB, 1);
  if (!node.receive_share(share).ok()) return;
  if (share.size() != kSpake2ShareBytes || node.peer_confirms(share)) std::abort();
}

// What a client sends that guesses wrong.
fuzz::Bytes wrong_guess() {
  SeededRandom random(2);
  PairingOffer offer(longwire::base::monotonic_clock(), random);
  PairingServer server(offer, {}, "node", random);
  PairingClient client("00000000", {}, "client", random);
  fuzz::Bytes said = client.start().value();
  const auto share = server.on_message(said).value().reply;
  const auto confirm = client.on_message(share).value().reply;
  return fuzz::append(said, confirm);
}

fuzz::Bytes answer_of_a_node() {
  SeededRandom random(3);
  PairingOffer offer(longwire::base::monotonic_clock(), random);
  PairingServer server(offer, {}, "node", random);
  PairingClient client("00000001", {}, "client", random);
  return server.on_message(client.start().value()).value().reply;
}

}  // namespace

std::vector<fuzz::Seed> fuzz::seeds() {
  const Spake2 other = spake2(Spake2Role::kA, 2);
  const auto share = std::as_bytes(std::span(other.share()));
  return {{"wrong_guess", selected(kNode, wrong_guess())},
          {"other_node", selected(kClient, answer_of_a_node())},
          {"point", selected(kPoint, share)},
          {"no_point", selected(kPoint, Bytes(kSpake2ShareBytes))}};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span(data, size));
  if (input.empty()) return 0;
  // A code costs a scrypt, once somebody has sent a point that is one; so most inputs are points.
  switch (data[0] % 16) {
    case kNode:
      stranger_at_the_node(input.subspan(1));
      break;
    case kClient:
      stranger_in_place_of_the_node(input.subspan(1));
      break;
    default:
      point(input.subspan(1));
  }
  return 0;
}
