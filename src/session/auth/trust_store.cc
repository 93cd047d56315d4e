#include "session/auth/trust_store.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <utility>

#include "base/unique_fd.h"
#include "session/private_file.h"

namespace longwire::session {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

constexpr std::string_view kHeader = "# name fingerprint tenant since\n";
constexpr std::size_t kFieldsPerLine = 4;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

// The words of a line; one more than a line may have where it has too many.
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  constexpr std::string_view kBlank = " \t\r";
  while (words.size() <= kFieldsPerLine) {
    const std::size_t from = line.find_first_not_of(kBlank);
    if (from == std::string_view::npos) break;
    const std::size_t to = std::min(line.find_first_of(kBlank, from), line.size());
    words.push_back(line.substr(from, to - from));
    line.remove_prefix(to);
  }
  return words;
}

base::Result<TrustedPeer> parse_line(const std::vector<std::string_view>& words) {
  if (words.size() != kFieldsPerLine) {
    return Error(ErrorCode::kInvalidArgument, "a line is: name fingerprint tenant since");
  }
  if (!is_peer_name(words[0]) || !is_peer_name(words[2]) || !is_peer_name(words[3])) {
    return Error(ErrorCode::kInvalidArgument,
                 "names have 1 to 64 letters, digits, '.', '_' and '-'");
  }
  LW_ASSIGN(const Fingerprint fingerprint, fingerprint_from_hex(words[1]));
  return TrustedPeer{std::string(words[0]), fingerprint, std::string(words[2]),
                     std::string(words[3])};
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d", &utc);
  return text.data();
}

// Held while a list is read, changed and written. The lock has a file of its own, since the list is
// replaced.
base::Result<base::UniqueFd> lock_beside(const std::string& path) {
  const std::string lock_path = path + ".lock";
  base::UniqueFd fd(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid() || ::flock(fd.get(), LOCK_EX) != 0) {
    return Error::from_errno(ErrorCode::kPermissionDenied, "lock " + lock_path, errno);
  }
  return fd;
}

}  // namespace

bool is_peer_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxPeerNameBytes &&
         std::ranges::all_of(name, is_name_character);
}

std::string to_peer_name(std::string_view text) {
  std::string name(text.substr(0, kMaxPeerNameBytes));
  std::ranges::replace_if(
      name, [](char c) { return !is_name_character(c); }, '-');
  return name.empty() ? "unnamed" : name;
}

base::Result<std::vector<TrustedPeer>> parse_trust_file(std::string_view file) {
  std::vector<TrustedPeer> peers;
  for (std::size_t line_number = 1; !file.empty(); ++line_number) {
    const std::size_t end = std::min(file.find('\n'), file.size());
    const auto words = words_of(file.substr(0, end));
    file.remove_prefix(std::min(end + 1, file.size()));
    if (words.empty() || words[0].starts_with('#')) continue;
    if (peers.size() >= kMaxTrustedPeers) return Error(ErrorCode::kLimit, "too many peers");
    auto peer = parse_line(words);
    if (!peer.ok()) {
      return std::move(peer).error().during("line " + std::to_string(line_number));
    }
    peers.push_back(std::move(peer).value());
  }
  return peers;
}

base::Result<TrustStore> TrustStore::open(std::string path) {
  TrustStore store(std::move(path));
  LW_TRY(store.reload());
  return store;
}

std::optional<TrustedPeer> TrustStore::find(const Fingerprint& fingerprint) const {
  const auto found = std::ranges::find(peers_, fingerprint, &TrustedPeer::fingerprint);
  return found == peers_.end() ? std::nullopt : std::optional(*found);
}

std::optional<TrustedPeer> TrustStore::find(std::string_view name) const {
  const auto found = std::ranges::find(peers_, name, &TrustedPeer::name);
  return found == peers_.end() ? std::nullopt : std::optional(*found);
}

Status TrustStore::reload() {
  const auto file = read_private_file(path_, kMaxTrustFileBytes);
  if (!file.ok() && file.error().code() == ErrorCode::kNotFound) {
    peers_.clear();
    return {};
  }
  LW_TRY(file);
  auto peers = parse_trust_file(*file);
  if (!peers.ok()) return std::move(peers).error().during(path_);
  peers_ = std::move(peers).value();
  return {};
}

Status TrustStore::add(TrustedPeer peer) {
  if (!is_peer_name(peer.name) || !is_peer_name(peer.tenant)) {
    return Error(ErrorCode::kInvalidArgument,
                 "'" + peer.name + "' or its tenant '" + peer.tenant + "' is no name");
  }
  if (peer.since.empty()) peer.since = today();
  LW_ASSIGN(const base::UniqueFd lock, lock_beside(path_));
  LW_TRY(reload());
  const auto same_name = find(peer.name);
  if (same_name && same_name->fingerprint != peer.fingerprint) {
    return Error(ErrorCode::kInvalidArgument,
                 "'" + peer.name + "' is trusted already, with another key: revoke it first");
  }
  std::erase_if(peers_, [&](const TrustedPeer& p) { return p.fingerprint == peer.fingerprint; });
  if (peers_.size() >= kMaxTrustedPeers) return Error(ErrorCode::kLimit, "too many peers");
  peers_.push_back(std::move(peer));
  return write();
}

Status TrustStore::revoke(std::string_view name_or_fingerprint) {
  const Error none(ErrorCode::kNotFound,
                   "'" + std::string(name_or_fingerprint) + "' is not trusted");
  LW_TRY(reload());
  if (peers_.empty()) return none;  // there may be no folder to lock a file in
  LW_ASSIGN(const base::UniqueFd lock, lock_beside(path_));
  LW_TRY(reload());
  const auto revoked = std::erase_if(peers_, [&](const TrustedPeer& p) {
    return p.name == name_or_fingerprint || to_hex(p.fingerprint) == name_or_fingerprint ||
           to_base32(p.fingerprint) == name_or_fingerprint;
  });
  return revoked == 0 ? Status(none) : write();
}

Status TrustStore::write() {
  std::string file(kHeader);
  for (const TrustedPeer& peer : peers_) {
    file +=
        peer.name + " " + to_hex(peer.fingerprint) + " " + peer.tenant + " " + peer.since + "\n";
  }
  return write_private_file(path_, file, IfThere::kReplace);
}

}  // namespace longwire::session
