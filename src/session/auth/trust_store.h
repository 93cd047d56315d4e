// TrustStore: whom this machine trusts. A node's list of clients, a client's list of nodes; one
// text file that a person can read and edit, a line per peer:
//
//   # name fingerprint tenant since
//   anna-laptop 3f0c…(64 hex digits) lab 2026-11-20
//
// A key that another has replaced (rotation.h) keeps a line, with the end of its overlap as a fifth
// word: "until=2026-11-28T10:00:00Z". It is accepted until then, and never followed again. Without
// the line of the key in use, which has the same name, it is nothing.
//
// Names and tenants are 1 to 64 of letters, digits, '.', '_' and '-'. Changes lock the file against
// other processes and replace it whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "session/auth/fingerprint.h"
#include "session/auth/rotation.h"

namespace longwire::session {

inline constexpr std::size_t kMaxTrustFileBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxTrustedPeers = 10'000;
inline constexpr std::size_t kMaxPeerNameBytes = 64;
inline constexpr std::size_t kMaxReplacedKeys = 8;  // remembered of one name
inline constexpr std::string_view kDefaultTenant = "default";

struct TrustedPeer {
  std::string name;
  Fingerprint fingerprint{};
  std::string tenant{kDefaultTenant};
  std::string since = {};             // "2026-11-20"; today where empty when added
  std::int64_t replaced_until_s = 0;  // since 1970: by a newer key, accepted until then; 0: in use

  bool is_replaced() const noexcept { return replaced_until_s != 0; }
  bool is_accepted(std::int64_t now_s) const noexcept {
    return !is_replaced() || now_s < replaced_until_s;
  }
};

bool is_peer_name(std::string_view name);
// The nearest name that is one: other characters become '-'.
std::string to_peer_name(std::string_view text);

// Errors: kInvalidArgument with the line, kLimit.
base::Result<std::vector<TrustedPeer>> parse_trust_file(std::string_view file);

class TrustStore {
 public:
  // A missing file is an empty list. The file's directory must be private
  // (ensure_private_directory).
  static base::Result<TrustStore> open(std::string path);

  const std::string& path() const noexcept { return path_; }
  // With the keys that have been replaced.
  const std::vector<TrustedPeer>& peers() const noexcept { return peers_; }
  // Whose key is accepted now.
  std::optional<TrustedPeer> find(const Fingerprint& fingerprint) const;
  std::optional<TrustedPeer> find(const Fingerprint& fingerprint, std::int64_t now_s) const;
  // Also one whose overlap is over: not revoked, but good for nothing new.
  std::optional<TrustedPeer> find_with_replaced(const Fingerprint& fingerprint) const;
  // The key that is in use.
  std::optional<TrustedPeer> find(std::string_view name) const;

  // Reads the file again: another process may have changed it. On an error the list stays as it is.
  base::Status reload();
  // Adds, in place of an entry with the same fingerprint. A name that another fingerprint has is
  // refused with kInvalidArgument.
  base::Status add(TrustedPeer peer);
  // Whether follow() would, without a look at the disk.
  bool can_follow(std::span<const Rotation> rotations) const { return predecessor(rotations).ok(); }
  // Puts the key to which `rotations` lead, which its owner must have proved, in the place of the
  // trusted one where they begin, which is accepted for `overlap_s` more. Name and tenant stay. On
  // disk when this returns. Errors: kUnauthenticated (nobody trusted vouches for it),
  // kPermissionDenied (who does has been replaced by another key).
  base::Result<TrustedPeer> follow(std::span<const Rotation> rotations, std::int64_t now_s,
                                   std::int64_t overlap_s);
  // By name, or by fingerprint as to_base32() or hex write it, also of a key that it has replaced;
  // with all keys of that name. kNotFound if there is none.
  base::Status revoke(std::string_view name_or_fingerprint);

 private:
  explicit TrustStore(std::string path) : path_(std::move(path)) {}
  base::Result<TrustedPeer> predecessor(std::span<const Rotation> rotations) const;
  static base::Error has_another_heir(const TrustedPeer& replaced);
  base::Status replace(const TrustedPeer& old, const Fingerprint& heir, std::int64_t until_s);
  base::Status write();
  std::string path_;
  std::vector<TrustedPeer> peers_;
};

}  // namespace longwire::session
