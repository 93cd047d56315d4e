// TokenLedger: which tokens a node has seen, so that none is good twice and no older epoch comes
// after a newer one, also over restarts and crashes: what is remembered is on the disk before a
// token counts. One text file, appended to, and written anew now and then:
//
//   used ID EXPIRES              32 hex digits; seconds since 1970
//   epoch ISSUER TENANT DEVICE N 64 hex digits; DEVICE is * for a token without devices
//
// Threads: one. Processes: one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "session/auth/token.h"

namespace longwire::session {

inline constexpr std::size_t kMaxUsedTokens = 50'000;  // at once; they go when they have expired
inline constexpr std::size_t kMaxEpochs = 10'000;
inline constexpr std::size_t kMaxLedgerBytes = std::size_t{16} << 20;
inline constexpr std::string_view kAllDevices = "*";

struct LedgerEntries {
  std::map<std::string, std::int64_t> used;  // id in hex, when it expires
  // Of issuer and tenant ("HEX NAME"), by device.
  std::map<std::string, std::map<std::string, std::uint64_t>> epochs;
};
// A last line without its end was torn by a crash, and did not count. Errors: kInvalidArgument with
// the line.
base::Result<LedgerEntries> parse_ledger(std::string_view file);

class TokenLedger {
 public:
  // A missing file is an empty ledger. The file's directory is private.
  static base::Result<TokenLedger> open(std::string path, std::int64_t now_s);

  // Uses a token that verify_token() has let pass. Errors: kPermissionDenied (used before, or of an
  // epoch that is over), kLimit, kUnavailable (cannot be remembered).
  base::Status redeem(const Token& token, std::int64_t now_s);

 private:
  explicit TokenLedger(std::string path) : path_(std::move(path)) {}
  base::Status check(const Token& token) const;
  base::Status rewrite(std::int64_t now_s);
  base::Status append(std::string_view lines);

  std::string path_;
  LedgerEntries entries_;
  std::size_t bytes_ = 0;  // of the file
};

}  // namespace longwire::session
