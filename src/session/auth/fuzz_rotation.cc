// Fuzzes what reads the statements in a certificate, and the certificate that carries them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "fuzz/target.h"
#include "link/tls/identity.h"
#include "session/auth/rotation.h"

using namespace longwire::session;  // NOLINT(google-build-using-namespace): a fuzzer's main()
namespace fuzz = longwire::fuzz;
namespace link_layer = longwire::link;

namespace {

enum Target : std::uint8_t { kNote, kCertificate, kTargets };

constexpr std::int64_t kNow = 1'795'000'000;
constexpr std::int64_t kValid = 3600;

// After two rotations.
link_layer::TlsIdentity third() {
  const auto first = link_layer::make_identity("first").value();  // another one each time
  const auto second = make_successor(first, "second", KeyRole::kClient, kNow, kValid).value();
  return make_successor(second, "third", KeyRole::kClient, kNow, kValid).value();
}

void read(std::span<const std::byte> note, const Fingerprint& shown) {
  for (const KeyRole role : {KeyRole::kClient, KeyRole::kNode}) {
    const auto rotations = read_rotations(note, role, shown, kNow);
    if (!rotations.ok() || rotations->empty()) continue;
    if (rotations->size() > kMaxRotations || rotations->back().to != shown) std::abort();
  }
}

}  // namespace

std::vector<fuzz::Seed> fuzz::seeds() {
  const auto identity = third();
  const auto note = link_layer::note_of_certificate(identity.certificate_pem).value();
  const auto shown = link_layer::fingerprint_of_certificate(identity.certificate_pem).value();
  auto with_shown =
      Bytes(std::as_bytes(std::span(shown)).begin(), std::as_bytes(std::span(shown)).end());
  append(with_shown, note);
  return {{"note", selected(kNote, with_shown)},
          {"certificate", selected(kCertificate, bytes_of(identity.certificate_pem))}};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
  if (data[0] % kTargets == kNote) {
    Fingerprint shown{};
    if (bytes.size() < shown.size()) return 0;
    for (std::size_t i = 0; i < shown.size(); ++i)
      shown[i] = std::to_integer<std::uint8_t>(bytes[i]);
    read(bytes.subspan(shown.size()), shown);
    return 0;
  }
  const std::string_view pem(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto note = link_layer::note_of_certificate(pem);
  const auto shown = link_layer::fingerprint_of_certificate(pem);
  if (note.ok() && shown.ok()) read(*note, *shown);
  return 0;
}
