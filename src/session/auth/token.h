// Tokens: an issuer whom a node trusts lets one client use some of that node for a short time, with
// no pairing. docs/PROTOCOL.md, "Tokens".
//
// A token names the node, the client's key (so that it is of no use to a thief alone), the tenant,
// and what the session gets; it is good once. Reading one and judging it are apart from
// remembering which have been used: token_ledger.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "session/auth/ed25519.h"
#include "session/auth/fingerprint.h"

namespace longwire::session {

using IssuerKey = SigningKey;
using TokenId = std::array<std::uint8_t, 16>;

inline constexpr std::size_t kMaxTokenBytes = 1024;
inline constexpr std::size_t kMaxTokenDevices = 8;
inline constexpr std::int64_t kMaxTokenLifetimeS = 24 * 3600;
inline constexpr std::int64_t kTokenSkewS = 60;  // that the issuer's and the node's clocks differ
inline constexpr std::uint32_t kWholeShare = 1000;

struct Token {
  IssuerKey issuer{};
  Fingerprint node{};    // whom it is for
  Fingerprint client{};  // who may show it
  TokenId id{};
  std::int64_t issued_at_s = 0;    // since 1970, UTC
  std::int64_t expires_at_s = 0;   // to begin a session; one that runs goes on
  std::uint64_t epoch = 0;         // a higher one takes the devices from sessions of a lower one
  std::uint64_t memory_bytes = 0;  // of devices; 0: what the node allows
  std::uint32_t share_permille = kWholeShare;  // of the devices' time
  std::string tenant;                          // is_peer_name()
  std::vector<std::string> devices;            // is_peer_name(); empty: all
};

// Ed25519. `private_key_pem` as KeyStore keeps it; `token.issuer` becomes its public key. Errors:
// kInvalidArgument (not such a key, or a token that no node would take).
base::Result<std::vector<std::byte>> sign_token(Token token, std::string_view private_key_pem);
base::Result<IssuerKey> issuer_key_of(std::string_view private_key_pem);

// What a token says, believed or not. Errors: kWireFault, kUnsupported (it has claims that must be
// understood and are not).
base::Result<Token> read_token(std::span<const std::byte> bytes);

// What a node holds against it.
struct TokenRules {
  std::span<const IssuerKey> issuers;
  Fingerprint node{};
  Fingerprint client{};  // the key that the other side has shown
  std::int64_t now_s = 0;
};
// Errors as read_token(), and kUnauthenticated (unknown issuer, wrong signature, another's token),
// kPermissionDenied (not now).
base::Result<Token> verify_token(std::span<const std::byte> bytes, const TokenRules& rules);

std::string to_hex(const TokenId& id);

// As files have it: "lwt1_" and hex digits, with blanks around.
std::string token_to_text(std::span<const std::byte> token);
base::Result<std::vector<std::byte>> token_from_text(std::string_view text);

}  // namespace longwire::session
