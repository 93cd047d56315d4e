// Signatures of kept keys (Ed25519, RFC 8032), each bound to one purpose.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "session/auth/fingerprint.h"

namespace longwire::session {

using SigningKey = std::array<std::uint8_t, 32>;  // the public one
inline constexpr std::size_t kSignatureBytes = 64;
using Signature = std::array<std::byte, kSignatureBytes>;

// Of a private key in PEM form, as KeyStore keeps it. Errors: kInvalidArgument (not such a key).
base::Result<SigningKey> signing_key_of(std::string_view private_key_pem);
// As TLS makes it of a certificate with that key.
base::Result<Fingerprint> fingerprint_of(const SigningKey& key);

// Over `purpose` and `body`, so that no signature for another purpose is one for this.
base::Result<Signature> sign(std::string_view private_key_pem, std::string_view purpose,
                             std::span<const std::byte> body);
bool is_signed(const SigningKey& key, std::string_view purpose, std::span<const std::byte> body,
               std::span<const std::byte> signature);

}  // namespace longwire::session
