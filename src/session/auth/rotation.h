// Rotation: an old key vouches for the new one that takes its place, so that whoever trusts the old
// one can follow without pairing again. docs/PROTOCOL.md, "Rotation".
//
// The statements travel in the new key's own certificate (link/tls/identity.h, with_note()), so key
// and statement are one file, replaced whole, and TLS proves that the new key's owner is there.
// What is believed of them is the business of trust_store.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "session/auth/ed25519.h"
#include "session/auth/fingerprint.h"

namespace longwire::session {

// One certificate carries the newest of its key's predecessors; who was away for longer pairs
// again.
inline constexpr std::size_t kMaxRotations = 8;
inline constexpr std::int64_t kMaxRotationValidityS = std::int64_t{400} * 24 * 3600;
inline constexpr std::int64_t kRotationSkewS = 3600;  // that the two clocks differ

// A client's statement is no good for a node's key, nor the other way round.
enum class KeyRole : std::uint8_t { kClient = 1, kNode = 2 };

struct Rotation {
  Fingerprint from{};
  Fingerprint to{};
  std::int64_t issued_at_s = 0;  // since 1970, UTC
  std::int64_t expires_at_s = 0;
};

// A new identity for which `old` vouches until `now_s` + `validity_s`; what others have said for
// `old` comes along. `name` is for people. Errors: kInvalidArgument.
base::Result<link::TlsIdentity> make_successor(const link::TlsIdentity& old, std::string_view name,
                                               KeyRole role, std::int64_t now_s,
                                               std::int64_t validity_s);

// The statements that lead to `shown`, the key that TLS has proved, oldest first: the last ones
// that hold now, without a gap; maybe none. Errors: kWireFault, kUnsupported (a form or a role that
// is not known), kUnauthenticated (one that is not signed, or leads elsewhere).
base::Result<std::vector<Rotation>> read_rotations(std::span<const std::byte> note, KeyRole role,
                                                   const Fingerprint& shown, std::int64_t now_s);

}  // namespace longwire::session
