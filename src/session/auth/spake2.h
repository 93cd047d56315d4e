// SPAKE2 over P-256 with SHA-256, HKDF and HMAC (RFC 9382): two sides that know the same short code
// find that out, and nothing else: a listener learns nothing at all, an impostor can test one code
// per run. Pairing (pairing.h) is its only user.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"

namespace longwire::session {

inline constexpr std::size_t kSpake2ShareBytes = 65;  // an uncompressed point

using Spake2Scalar = std::array<std::uint8_t, 32>;  // big-endian
using Spake2Share = std::array<std::uint8_t, kSpake2ShareBytes>;
using Spake2Confirmation = std::array<std::uint8_t, 32>;

enum class Spake2Role { kA, kB };

struct Spake2Identities {
  std::string a;
  std::string b;
  std::string additional_data;  // AAD of the key confirmation
};

class Spake2 {
 public:
  // `password_scalar` is w: smaller than the group's order.
  static base::Result<Spake2> start(Spake2Role role, const Spake2Scalar& password_scalar,
                                    Spake2Identities identities, base::Random& random);
  // With a given secret, for the RFC's test vectors.
  static base::Result<Spake2> start_with(Spake2Role role, const Spake2Scalar& password_scalar,
                                         Spake2Identities identities, const Spake2Scalar& secret);
  Spake2(Spake2&&) noexcept;
  Spake2& operator=(Spake2&&) noexcept;
  ~Spake2();

  // To be sent to the other side.
  const Spake2Share& share() const noexcept;
  // The other side's. kWireFault if it is no point of the curve.
  base::Status receive_share(std::span<const std::byte> peer_share);

  // After receive_share(): what proves that this side knows the code, and whether the other did.
  const Spake2Confirmation& confirmation() const noexcept;
  bool peer_confirms(std::span<const std::byte> confirmation) const noexcept;

 private:
  struct State;
  explicit Spake2(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// w of a code: scrypt, reduced into the group's order (RFC 9382, 3.2).
base::Result<Spake2Scalar> password_scalar(std::string_view code, std::string_view salt);

}  // namespace longwire::session
