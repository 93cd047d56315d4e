#include "session/auth/trust_store.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "session/private_file.h"

namespace longwire::session {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

constexpr std::string_view kHeader = "# name fingerprint tenant since\n";
constexpr std::size_t kFieldsPerLine = 4;
constexpr std::size_t kMostFieldsPerLine = 5;
constexpr std::string_view kUntil = "until=";
constexpr const char* kTimeFormat = "%Y-%m-%dT%H:%M:%SZ";
constexpr std::int64_t kYear9999 = 253'402'300'799;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

// The words of a line; one more than a line may have where it has too many.
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  constexpr std::string_view kBlank = " \t\r";
  while (words.size() <= kMostFieldsPerLine) {
    const std::size_t from = line.find_first_not_of(kBlank);
    if (from == std::string_view::npos) break;
    const std::size_t to = std::min(line.find_first_of(kBlank, from), line.size());
    words.push_back(line.substr(from, to - from));
    line.remove_prefix(to);
  }
  return words;
}

std::string time_text(std::int64_t time_s, const char* format) {
  const std::time_t then = std::clamp<std::int64_t>(time_s, 0, kYear9999);
  std::tm utc{};
  ::gmtime_r(&then, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), format, &utc);
  return text.data();
}

std::string today() { return time_text(std::time(nullptr), "%Y-%m-%d"); }

// "until=2026-11-28T10:00:00Z", exactly as written.
base::Result<std::int64_t> parse_until(std::string_view word) {
  const Error bad(ErrorCode::kInvalidArgument,
                  "the fifth word is that of a replaced key: until=2026-11-28T10:00:00Z");
  if (!word.starts_with(kUntil)) return bad;
  const std::string text(word.substr(kUntil.size()));
  std::tm utc{};
  const char* end = ::strptime(text.c_str(), kTimeFormat, &utc);
  if (end == nullptr || *end != '\0') return bad;
  const std::int64_t until_s = ::timegm(&utc);
  if (until_s <= 0 || until_s > kYear9999 || time_text(until_s, kTimeFormat) != text) return bad;
  return until_s;
}

base::Result<TrustedPeer> parse_line(const std::vector<std::string_view>& words) {
  if (words.size() != kFieldsPerLine && words.size() != kMostFieldsPerLine) {
    return Error(ErrorCode::kInvalidArgument, "a line is: name fingerprint tenant since");
  }
  if (!is_peer_name(words[0]) || !is_peer_name(words[2]) || !is_peer_name(words[3])) {
    return Error(ErrorCode::kInvalidArgument,
                 "names have 1 to 64 letters, digits, '.', '_' and '-'");
  }
  LW_ASSIGN(const Fingerprint fingerprint, fingerprint_from_hex(words[1]));
  TrustedPeer peer{std::string(words[0]), fingerprint, std::string(words[2]),
                   std::string(words[3])};
  if (words.size() == kMostFieldsPerLine) {
    LW_ASSIGN(peer.replaced_until_s, parse_until(words[4]));
  }
  return peer;
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
  return find(fingerprint, std::time(nullptr));
}

std::optional<TrustedPeer> TrustStore::find(const Fingerprint& fingerprint,
                                            std::int64_t now_s) const {
  const auto peer = find_with_replaced(fingerprint);
  return peer && peer->is_accepted(now_s) ? peer : std::nullopt;
}

std::optional<TrustedPeer> TrustStore::find_with_replaced(const Fingerprint& fingerprint) const {
  const auto found = std::ranges::find(peers_, fingerprint, &TrustedPeer::fingerprint);
  if (found == peers_.end()) return std::nullopt;
  // Whoever takes a key's line out of the file means its predecessors, too.
  if (found->is_replaced() && !find(found->name)) return std::nullopt;
  return *found;
}

std::optional<TrustedPeer> TrustStore::find(std::string_view name) const {
  const auto found = std::ranges::find_if(
      peers_, [&](const TrustedPeer& p) { return p.name == name && !p.is_replaced(); });
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
  std::erase_if(peers_, [&](const TrustedPeer& p) {
    // A name that begins anew has no predecessors.
    const bool is_left_over = !same_name && p.is_replaced() && p.name == peer.name;
    return p.fingerprint == peer.fingerprint || is_left_over;
  });
  if (peers_.size() >= kMaxTrustedPeers) return Error(ErrorCode::kLimit, "too many peers");
  peers_.push_back(std::move(peer));
  return write();
}

base::Result<TrustedPeer> TrustStore::follow(std::span<const Rotation> rotations,
                                             std::int64_t now_s, std::int64_t overlap_s) {
  if (rotations.empty()) return predecessor(rotations);
  LW_ASSIGN(const base::UniqueFd lock, lock_beside(path_));
  LW_TRY(reload());
  const Fingerprint& shown = rotations.back().to;
  if (const auto there = find_with_replaced(shown)) {  // somebody was quicker
    if (there->is_accepted(now_s)) return *there;
    return has_another_heir(*there);
  }
  LW_ASSIGN(const TrustedPeer old, predecessor(rotations));
  LW_TRY(replace(old, shown, now_s + overlap_s));
  return *find(old.name);
}

// The newest that is known decides.
base::Result<TrustedPeer> TrustStore::predecessor(std::span<const Rotation> rotations) const {
  for (auto its = rotations.rbegin(); its != rotations.rend(); ++its) {
    const auto old = find_with_replaced(its->from);
    if (!old) continue;
    if (old->is_replaced()) return has_another_heir(*old);
    return *old;
  }
  return Error(ErrorCode::kUnauthenticated, "no key that is trusted vouches for this one");
}

Error TrustStore::has_another_heir(const TrustedPeer& replaced) {
  return {ErrorCode::kPermissionDenied,
          "the key of '" + replaced.name +
              "' that vouches for this one has been replaced by another already: if nobody has "
              "used a copy of it, it was stolen; revoke '" +
              replaced.name + "' and pair again"};
}

// Name and tenant stay. REQUIRES: the list is locked.
Status TrustStore::replace(const TrustedPeer& old, const Fingerprint& heir, std::int64_t until_s) {
  if (peers_.size() >= kMaxTrustedPeers) return Error(ErrorCode::kLimit, "too many peers");
  const auto line = std::ranges::find(peers_, old.fingerprint, &TrustedPeer::fingerprint);
  line->replaced_until_s = std::clamp<std::int64_t>(until_s, 1, kYear9999);
  peers_.push_back({old.name, heir, old.tenant, today()});
  const auto is_predecessor = [&](const TrustedPeer& p) {
    return p.name == old.name && p.is_replaced();
  };
  while (static_cast<std::size_t>(std::ranges::count_if(peers_, is_predecessor)) >
         kMaxReplacedKeys) {
    peers_.erase(std::ranges::find_if(peers_, is_predecessor));
  }
  return write();
}

Status TrustStore::revoke(std::string_view name_or_fingerprint) {
  const Error none(ErrorCode::kNotFound,
                   "'" + std::string(name_or_fingerprint) + "' is not trusted");
  LW_TRY(reload());
  if (peers_.empty()) return none;  // there may be no folder to lock a file in
  LW_ASSIGN(const base::UniqueFd lock, lock_beside(path_));
  LW_TRY(reload());
  const auto meant = std::ranges::find_if(peers_, [&](const TrustedPeer& p) {
    return p.name == name_or_fingerprint || to_hex(p.fingerprint) == name_or_fingerprint ||
           to_base32(p.fingerprint) == name_or_fingerprint;
  });
  if (meant == peers_.end()) return none;
  const std::string name = meant->name;
  std::erase_if(peers_, [&](const TrustedPeer& p) { return p.name == name; });
  return write();
}

Status TrustStore::write() {
  std::string file(kHeader);
  for (const TrustedPeer& peer : peers_) {
    file += peer.name + " " + to_hex(peer.fingerprint) + " " + peer.tenant + " " + peer.since;
    if (peer.is_replaced()) {
      file += " " + std::string(kUntil) + time_text(peer.replaced_until_s, kTimeFormat);
    }
    file += "\n";
  }
  return write_private_file(path_, file, IfThere::kReplace);
}

}  // namespace longwire::session
