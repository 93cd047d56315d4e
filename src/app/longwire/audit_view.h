// What of an audit log is shown, and how.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <string>
#include <string_view>

#include "base/result.h"

namespace longwire::app {

// A dozen values, each cut at node::kMaxLogValueBytes and escaped.
inline constexpr std::size_t kMaxAuditLineBytes = std::size_t{256} << 10;

struct AuditQuery {
  std::string since;   // a time as the log has it, or its beginning; "" for all
  std::string tenant;  // "" for all
  bool json = false;   // the lines as they are
};

// "90s", "30m", "12h", "7d" in seconds. Errors: kInvalidArgument.
base::Result<std::int64_t> parse_age(std::string_view text);

// "2026-11-20", "2026-11-20T20:03" or an age such as "90s", "30m", "12h", "7d" before `now_s`
// (seconds since 1970), as the log writes times. Errors: kInvalidArgument.
base::Result<std::string> parse_since(std::string_view text, std::int64_t now_s);

// The lines of one file that the query wants. `unreadable` counts those that are no lines of an
// audit log (torn by a full disk).
std::string show_audit(std::istream& log, const AuditQuery& query, std::uint64_t& unreadable);

}  // namespace longwire::app
