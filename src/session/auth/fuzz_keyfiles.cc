// Fuzzes the readers of files and of what people type: identity, trust list, fingerprint, code; and
// the pairing messages of a stranger.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "base/random.h"
#include "session/auth/key_store.h"
#include "session/auth/pairing.h"
#include "session/auth/trust_store.h"

using namespace longwire::session;  // NOLINT(google-build-using-namespace): a fuzzer's main()

namespace {

void stranger_pairs(std::span<const std::byte> message) {
  longwire::base::SeededRandom random(1);
  PairingOffer offer(longwire::base::monotonic_clock(), random);
  PairingServer server(offer, {}, "node", random);
  const auto step = server.on_message(message);
  if (step.ok() && step->done) std::abort();  // without having known the code
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 4) {
    case 0: {
      const auto peers = parse_trust_file(text);
      if (!peers.ok()) break;
      for (const TrustedPeer& peer : *peers) {
        if (!is_peer_name(peer.name) || !is_peer_name(peer.tenant)) std::abort();
      }
      break;
    }
    case 1:
      (void)parse_identity(text);
      break;
    case 2: {
      const auto code = parse_pairing_code(text);
      if (code.ok() && code->size() != kPairingCodeDigits) std::abort();
      (void)fingerprint_from_hex(text);
      if (!is_peer_name(to_peer_name(text))) std::abort();
      break;
    }
    default:
      stranger_pairs(std::as_bytes(std::span(data + 1, size - 1)));
  }
  return 0;
}
