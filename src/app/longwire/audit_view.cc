#include "app/longwire/audit_view.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <nlohmann/json.hpp>

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using nlohmann::ordered_json;

constexpr std::int64_t kMostSeconds = std::int64_t{100} * 365 * 86'400;
constexpr std::string_view kTimeForm = "0000-00-00T00:00:00";

std::int64_t seconds_of(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86'400;
    default:
      return 0;
  }
}

bool is_time(std::string_view text) {
  if (text.size() < 4 || text.size() > kTimeForm.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kTimeForm[i] == '0' ? !digit : text[i] != kTimeForm[i]) return false;
  }
  return true;
}

std::string text_of(const ordered_json& value) { return value.dump(-1, ' ', true); }

// A string without its quotes, escaped all the same: this goes to a terminal.
std::string bare(const ordered_json& text) {
  const std::string quoted = text_of(text);
  return quoted.substr(1, quoted.size() - 2);
}

std::string line_for_people(const ordered_json& line) {
  std::string text = bare(line["time"]) + " " + bare(line["event"]);
  for (const auto& [key, value] : line.items()) {
    if (key != "time" && key != "event") text += " " + bare(key) + "=" + text_of(value);
  }
  return text;
}

bool is_text(const ordered_json& line, const char* key) {
  return line.contains(key) && line[key].is_string();
}

// As node::Audit writes them: named values, none within another. A deep one could not be shown
// without a deep stack.
bool is_event(const ordered_json& line) {
  return line.is_object() && is_text(line, "time") && is_text(line, "event") &&
         std::ranges::none_of(line, &ordered_json::is_structured);
}

// False at the end of the log. What is longer than any line of a log is cut, and so no event.
bool next_line(std::istream& log, std::string& line) {
  line.clear();
  bool any = false;
  for (char c = 0; log.get(c); any = true) {
    if (c == '\n') return true;
    if (line.size() < kMaxAuditLineBytes) line += c;
  }
  return any;
}

}  // namespace

base::Result<std::int64_t> parse_age(std::string_view text) {
  std::int64_t count = 0;
  const std::int64_t unit = text.empty() ? 0 : seconds_of(text.back());
  const char* const end = text.data() + text.size() - (text.empty() ? 0 : 1);
  const auto [stopped, error] = std::from_chars(text.data(), end, count);
  if (unit == 0 || error != std::errc() || stopped != end || count < 0 ||
      count > kMostSeconds / unit) {
    return Error(ErrorCode::kInvalidArgument,
                 "'" + std::string(text) + "' is no time: say 90s, 30m, 12h or 7d");
  }
  return count * unit;
}

base::Result<std::string> parse_since(std::string_view text, std::int64_t now_s) {
  if (is_time(text)) return std::string(text);
  LW_ASSIGN(const std::int64_t age_s, parse_age(text));
  const std::time_t then = now_s - age_s;
  std::tm utc{};
  ::gmtime_r(&then, &utc);
  std::array<char, 32> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  return std::string(date.data());
}

std::string show_audit(std::istream& log, const AuditQuery& query, std::uint64_t& unreadable) {
  std::string shown;
  for (std::string text; next_line(log, text);) {
    const ordered_json line = ordered_json::parse(text, nullptr, false);
    if (!is_event(line)) {
      ++unreadable;
      continue;
    }
    if (line["time"].get<std::string>() < query.since) continue;
    if (!query.tenant.empty() &&
        !(is_text(line, "tenant") && line["tenant"].get<std::string>() == query.tenant)) {
      continue;
    }
    shown += (query.json ? text_of(line) : line_for_people(line)) + "\n";
  }
  return shown;
}

}  // namespace longwire::app
