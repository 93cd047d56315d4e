// KeyStore: this machine's (node) or user's (client) own key, made at first start. One file,
// DIRECTORY/identity.pem, mode 0600 in a directory of mode 0700: the Ed25519 private key and the
// self-signed certificate whose public key's fingerprint is the identity.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "session/auth/fingerprint.h"
#include "session/auth/rotation.h"

namespace longwire::session {

inline constexpr const char* kIdentityFile = "identity.pem";
inline constexpr std::size_t kMaxIdentityBytes = std::size_t{16} << 10;

class KeyStore {
 public:
  // Opens the store, or makes it with a new key. Two processes that do so at once get the same key.
  // `name` goes into a new certificate, for people. Errors: kPermissionDenied (wider permissions
  // than ours alone), kInvalidArgument (not a key).
  static base::Result<KeyStore> open_or_create(const std::string& directory, std::string_view name);

  // Replaces the key by a new one for which it vouches for `validity_s` (rotation.h); whole, on
  // disk when this returns, and one caller at a time. Errors: kNotFound (there is no key yet),
  // kInvalidArgument, and as above.
  static base::Result<KeyStore> rotate(const std::string& directory, std::string_view name,
                                       KeyRole role, std::int64_t now_s, std::int64_t validity_s);

  const link::TlsIdentity& identity() const noexcept { return identity_; }
  const Fingerprint& fingerprint() const noexcept { return fingerprint_; }
  // What its certificate carries of its predecessors.
  std::vector<std::byte> note() const;

 private:
  static base::Result<KeyStore> of(link::TlsIdentity identity);
  KeyStore(link::TlsIdentity identity, const Fingerprint& fingerprint)
      : identity_(std::move(identity)), fingerprint_(fingerprint) {}
  link::TlsIdentity identity_;
  Fingerprint fingerprint_;
};

// The two parts of an identity file. Errors: kInvalidArgument.
base::Result<link::TlsIdentity> parse_identity(std::string_view file);

}  // namespace longwire::session
