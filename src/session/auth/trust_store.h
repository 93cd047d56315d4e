// TrustStore: whom this machine trusts. A node's list of clients, a client's list of nodes; one
// text file that a person can read and edit, a line per peer:
//
//   # name fingerprint tenant since
//   anna-laptop 3f0c…(64 hex digits) lab 2026-11-20
//
// Names and tenants are 1 to 64 of letters, digits, '.', '_' and '-'. Changes lock the file against
// other processes and replace it whole.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "session/auth/fingerprint.h"

namespace longwire::session {

inline constexpr std::size_t kMaxTrustFileBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxTrustedPeers = 10'000;
inline constexpr std::size_t kMaxPeerNameBytes = 64;
inline constexpr std::string_view kDefaultTenant = "default";

struct TrustedPeer {
  std::string name;
  Fingerprint fingerprint{};
  std::string tenant{kDefaultTenant};
  std::string since = {};  // "2026-11-20"; today where empty when added
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
  const std::vector<TrustedPeer>& peers() const noexcept { return peers_; }
  std::optional<TrustedPeer> find(const Fingerprint& fingerprint) const;
  std::optional<TrustedPeer> find(std::string_view name) const;

  // Reads the file again: another process may have changed it. On an error the list stays as it is.
  base::Status reload();
  // Adds, in place of an entry with the same fingerprint. A name that another fingerprint has is
  // refused with kInvalidArgument.
  base::Status add(TrustedPeer peer);
  // By name, or by fingerprint as to_base32() or hex write it. kNotFound if there is none.
  base::Status revoke(std::string_view name_or_fingerprint);

 private:
  explicit TrustStore(std::string path) : path_(std::move(path)) {}
  base::Status write();
  std::string path_;
  std::vector<TrustedPeer> peers_;
};

}  // namespace longwire::session
