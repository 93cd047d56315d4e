#include "node/journal.h"

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

namespace longwire::node {
namespace {

using base::LogLevel;

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

bool is_plain(std::string_view value) {
  if (value.empty()) return false;
  for (const char c : value) {
    const bool ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    std::string_view("-_./:[]@+,%").find(c) != std::string_view::npos;
    if (!ok) return false;
  }
  return true;
}

// Everything but printable ASCII becomes \xNN: a log file has no place for a client's UTF-8 either.
void append_quoted(std::string& out, std::string_view value) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  out += '"';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      ((out += "\\x") += kDigits[byte >> 4]) += kDigits[byte & 15];
    }
  }
  out += '"';
}

std::string_view cut(const std::string& value) {
  return std::string_view(value).substr(0, kMaxLogValueBytes);
}

std::string format_json(std::string_view name, std::initializer_list<Field> fields) {
  nlohmann::ordered_json line;
  line["event"] = name;
  for (const Field& field : fields) {
    const std::string key(field.key);
    if (field.is_number) {
      line[key] = std::strtoll(field.value.c_str(), nullptr, 10);
    } else {
      line[key] = cut(field.value);
    }
  }
  return line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

class SpdlogJournal final : public Journal {
 public:
  explicit SpdlogJournal(const JournalOptions& options)
      : json_(options.json),
        log_("longwired", std::make_shared<spdlog::sinks::stderr_color_sink_mt>()) {
    log_.set_level(spdlog_level(options.level));
    const bool timeless = std::getenv("JOURNAL_STREAM") != nullptr;
    if (json_) {
      log_.set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v)",
                       spdlog::pattern_time_type::utc);
    } else {
      log_.set_pattern(timeless ? "%l %v" : "%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v",
                       spdlog::pattern_time_type::utc);
    }
  }

  bool enabled(LogLevel level) const noexcept override {
    return log_.should_log(spdlog_level(level));
  }
  void write(LogLevel level, std::string_view line) noexcept override {
    event(level, "message", {{"text", line}});
  }
  void event(LogLevel level, std::string_view name,
             std::initializer_list<Field> fields) noexcept override {
    if (!enabled(level)) return;
    try {
      const std::string line = format_event(name, fields, json_);
      // The pattern opened the object: go on after our own brace.
      log_.log(spdlog_level(level), "{}", json_ ? std::string_view(line).substr(1) : line);
    } catch (...) {  // a log line is worth no more than itself
    }
  }

 private:
  bool json_;
  spdlog::logger log_;
};

}  // namespace

std::string format_event(std::string_view name, std::initializer_list<Field> fields, bool json) {
  if (json) return format_json(name, fields);
  std::string line(name);
  for (const Field& field : fields) {
    ((line += ' ') += field.key) += '=';
    const std::string_view value = cut(field.value);
    if (is_plain(value)) {
      line += value;
    } else {
      append_quoted(line, value);
    }
  }
  return line;
}

std::unique_ptr<Journal> make_journal(const JournalOptions& options) {
  return std::make_unique<SpdlogJournal>(options);
}

}  // namespace longwire::node
