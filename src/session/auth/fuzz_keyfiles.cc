// Fuzzes the readers of files and of what people type: identity, trust list, fingerprint, code.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "fuzz/target.h"
#include "link/tls/identity.h"
#include "session/auth/fingerprint.h"
#include "session/auth/key_store.h"
#include "session/auth/pairing.h"
#include "session/auth/trust_store.h"

using namespace longwire::session;  // NOLINT(google-build-using-namespace): a fuzzer's main()
namespace fuzz = longwire::fuzz;

namespace {

enum Target : std::uint8_t { kTrust, kIdentity, kTyped, kTargets };

}  // namespace

std::vector<fuzz::Seed> fuzz::seeds() {
  const std::string hex(64, 'a');
  const auto identity = longwire::link::make_identity("node").value();  // another one each time
  const auto text = [](Target target, std::string_view its) {
    return selected(target, bytes_of(its));
  };
  return {{"trust", text(kTrust, "# name fingerprint tenant since\nanna-laptop " + hex +
                                     " lab 2026-11-20\nbob " + std::string(64, '0') +
                                     " default 2026-01-01\n")},
          {"trust_twice", text(kTrust, "a " + hex + " t 2026-01-01\na " + hex + " t 2026-01-01\n")},
          {"identity", text(kIdentity, identity.private_key_pem + identity.certificate_pem)},
          {"code", text(kTyped, "7q3k-M2XD")},
          {"fingerprint", text(kTyped, hex)},
          {"name", text(kTyped, "anna's laptop")}};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % kTargets) {
    case kTrust: {
      const auto peers = parse_trust_file(text);
      if (!peers.ok()) break;
      for (const TrustedPeer& peer : *peers) {
        if (!is_peer_name(peer.name) || !is_peer_name(peer.tenant)) std::abort();
      }
      break;
    }
    case kIdentity:
      (void)parse_identity(text);
      break;
    default: {
      const auto code = parse_pairing_code(text);
      if (code.ok() && code->size() != kPairingCodeDigits) std::abort();
      (void)fingerprint_from_hex(text);
      if (!is_peer_name(to_peer_name(text))) std::abort();
    }
  }
  return 0;
}
