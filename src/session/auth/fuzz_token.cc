// Fuzzes what reads tokens: as bytes in a Hello, as text in a file, and the node's ledger.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "fuzz/target.h"
#include "link/tls/identity.h"
#include "session/auth/token.h"
#include "session/auth/token_ledger.h"

using namespace longwire::session;  // NOLINT(google-build-using-namespace): a fuzzer's main()
namespace fuzz = longwire::fuzz;

namespace {

enum Target : std::uint8_t { kBytes, kText, kLedger, kTargets };

Token token() {
  Token its;
  its.id.fill(3);
  its.issued_at_s = 1'795'000'000;
  its.expires_at_s = its.issued_at_s + 600;
  its.epoch = 7;
  its.tenant = "lab";
  its.devices = {"0", "gpu-1"};
  return its;
}

}  // namespace

std::vector<fuzz::Seed> fuzz::seeds() {
  const auto key = longwire::link::make_identity("issuer").value();  // another one each time
  const auto bytes = sign_token(token(), key.private_key_pem).value();
  const std::string ledger =
      "used " + std::string(32, 'a') + " 1795000600\nepoch " + std::string(64, 'b') + " lab * 7\n";
  return {{"token", selected(kBytes, bytes)},
          {"text", selected(kText, bytes_of(token_to_text(bytes)))},
          {"ledger", selected(kLedger, bytes_of(ledger))}};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % kTargets) {
    case kBytes: {
      const auto its = read_token(bytes);
      if (its.ok() && its->devices.size() > kMaxTokenDevices) std::abort();
      // Nobody here has signed it.
      const IssuerKey nobody{};
      if (verify_token(bytes, {{&nobody, 1}, {}, {}, 1'795'000'001}).ok()) std::abort();
      break;
    }
    case kText: {
      const auto its = token_from_text(text);
      if (its.ok() && its->size() > kMaxTokenBytes) std::abort();
      break;
    }
    default:
      (void)parse_ledger(text);
  }
  return 0;
}
