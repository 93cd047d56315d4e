#include "session/auth/token_ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/unique_fd.h"
#include "session/auth/trust_store.h"
#include "session/device_list.h"
#include "session/private_file.h"

namespace longwire::session {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

constexpr std::size_t kMaxWords = 5;

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty() && words.size() <= kMaxWords) {
    const std::size_t end = std::min(line.find(' '), line.size());
    words.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

template <class T>
bool parse_number(const std::string& text, T& value) {
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stopped == end && !text.empty();
}

bool is_hex(const std::string& text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool take_line(const std::vector<std::string>& words, LedgerEntries& entries) {
  if (words.size() == 3 && words[0] == "used") {
    std::int64_t expires_s = 0;
    if (!is_hex(words[1], 32) || !parse_number(words[2], expires_s)) return false;
    entries.used[words[1]] = expires_s;
    return true;
  }
  if (words.size() != 5 || words[0] != "epoch") return false;
  std::uint64_t epoch = 0;
  const bool device = words[3] == kAllDevices || is_peer_name(words[3]);
  if (!is_hex(words[1], 64) || !is_peer_name(words[2]) || !device ||
      !parse_number(words[4], epoch)) {
    return false;
  }
  std::uint64_t& highest = entries.epochs[words[1] + " " + words[2]][words[3]];
  highest = std::max(highest, epoch);
  return true;
}

std::string line_of_used(const std::string& id, std::int64_t expires_s) {
  return "used " + id + " " + std::to_string(expires_s) + "\n";
}

std::string line_of_epoch(const std::string& who, std::string_view device, std::uint64_t epoch) {
  return "epoch " + who + " " + std::string(device) + " " + std::to_string(epoch) + "\n";
}

std::string holder_of(const Token& token) { return to_hex(token.issuer) + " " + token.tenant; }

std::vector<std::string> devices_of(const Token& token) {
  return token.devices.empty() ? std::vector<std::string>{std::string(kAllDevices)} : token.devices;
}

std::size_t count_epochs(const LedgerEntries& entries) {
  std::size_t count = 0;
  for (const auto& [who, devices] : entries.epochs)
    count += devices.size();
  return count;
}

}  // namespace

base::Result<LedgerEntries> parse_ledger(std::string_view file) {
  LedgerEntries entries;
  for (std::size_t number = 1;; ++number) {
    const std::size_t end = file.find('\n');
    if (end == std::string_view::npos) return entries;
    if (!take_line(words_of(file.substr(0, end)), entries)) {
      return Error(ErrorCode::kInvalidArgument,
                   "line " + std::to_string(number) + " is no line of a token ledger");
    }
    file.remove_prefix(end + 1);
  }
}

base::Result<TokenLedger> TokenLedger::open(std::string path, std::int64_t now_s) {
  TokenLedger ledger(std::move(path));
  const auto file = read_private_file(ledger.path_, kMaxLedgerBytes);
  if (!file && file.error().code() != ErrorCode::kNotFound) return file.error();
  if (file) {
    auto entries = parse_ledger(*file);
    if (!entries) return std::move(entries).error().during(ledger.path_);
    ledger.entries_ = *std::move(entries);
  }
  LW_TRY(ledger.rewrite(now_s));  // without what a crash has torn
  return ledger;
}

Status TokenLedger::check(const Token& token) const {
  if (entries_.used.contains(to_hex(token.id))) {
    return Error(ErrorCode::kPermissionDenied, "the token has been used already");
  }
  const auto held = entries_.epochs.find(holder_of(token));
  if (held == entries_.epochs.end()) return {};
  for (const auto& [device, epoch] : held->second) {
    const bool all = device == kAllDevices;
    if (devices_overlap(token.devices, all ? std::vector<std::string>{} : std::vector{device}) &&
        token.epoch < epoch) {
      return Error(ErrorCode::kPermissionDenied,
                   "the token is of an epoch that is over: a newer one has been used");
    }
  }
  return {};
}

Status TokenLedger::redeem(const Token& token, std::int64_t now_s) {
  LW_TRY(check(token));
  const std::string who = holder_of(token);
  const auto devices = devices_of(token);
  if (bytes_ > kMaxLedgerBytes / 2 || entries_.used.size() >= kMaxUsedTokens)
    LW_TRY(rewrite(now_s));
  if (entries_.used.size() >= kMaxUsedTokens ||
      count_epochs(entries_) + devices.size() > kMaxEpochs) {
    return Error(ErrorCode::kLimit, "this node cannot remember more tokens");
  }
  const std::string id = to_hex(token.id);
  std::string lines = line_of_used(id, token.expires_at_s);
  for (const std::string& device : devices)
    lines += line_of_epoch(who, device, token.epoch);
  LW_TRY(append(lines));
  entries_.used[id] = token.expires_at_s;
  for (const std::string& device : devices) {
    std::uint64_t& highest = entries_.epochs[who][device];
    highest = std::max(highest, token.epoch);
  }
  return {};
}

Status TokenLedger::append(std::string_view lines) {
  const base::UniqueFd file(
      ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  const auto failed = [this] {
    return Error::from_errno(ErrorCode::kUnavailable, "this node cannot remember a token: " + path_,
                             errno);
  };
  if (!file.valid()) return failed();
  const ssize_t written = ::write(file.get(), lines.data(), lines.size());
  if (written == static_cast<ssize_t>(lines.size()) && ::fsync(file.get()) == 0) {
    bytes_ += lines.size();
    return {};
  }
  const Error why = failed();
  // Half a line must not become the beginning of another. If not even that can be done, the file
  // is gone for this process, and with it every token.
  if (::ftruncate(file.get(), static_cast<off_t>(bytes_)) != 0) path_ += "/broken";
  return why;
}

Status TokenLedger::rewrite(std::int64_t now_s) {
  std::erase_if(entries_.used, [now_s](const auto& item) {
    return item.second <= now_s - kTokenSkewS;  // verify_token() refuses it anyway
  });
  std::string file;
  for (const auto& [id, expires_s] : entries_.used)
    file += line_of_used(id, expires_s);
  for (const auto& [who, devices] : entries_.epochs) {
    for (const auto& [device, epoch] : devices)
      file += line_of_epoch(who, device, epoch);
  }
  LW_TRY(write_private_file(path_, file, IfThere::kReplace));
  bytes_ = file.size();
  return {};
}

}  // namespace longwire::session
