// Logger: where log lines go. Libraries take a Logger&; the daemon plugs in its own (src/app), a
// worker logs to its stderr, which the daemon collects. A driver has none.
#pragma once

#include <cstdint>
#include <string_view>

namespace longwire::base {

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarning, kError, kOff };

std::string_view name_of(LogLevel level) noexcept;
// "trace", "debug", "info", "warning", "error", "off"; anything else is `otherwise`.
LogLevel log_level_from(std::string_view name, LogLevel otherwise) noexcept;

class Logger {
 public:
  virtual ~Logger() = default;
  // Cheap, so that callers format nothing that nobody reads.
  virtual bool enabled(LogLevel level) const noexcept = 0;
  // One line, without its end. Thread-safe.
  virtual void write(LogLevel level, std::string_view line) noexcept = 0;

  void debug(std::string_view line) noexcept {
    if (enabled(LogLevel::kDebug)) write(LogLevel::kDebug, line);
  }
  void info(std::string_view line) noexcept {
    if (enabled(LogLevel::kInfo)) write(LogLevel::kInfo, line);
  }
  void warning(std::string_view line) noexcept {
    if (enabled(LogLevel::kWarning)) write(LogLevel::kWarning, line);
  }
  void error(std::string_view line) noexcept {
    if (enabled(LogLevel::kError)) write(LogLevel::kError, line);
  }
};

// "longwire: warning: line" on stderr, in one write each.
class StderrLogger final : public Logger {
 public:
  explicit StderrLogger(LogLevel least) noexcept : least_(least) {}
  bool enabled(LogLevel level) const noexcept override {
    return level >= least_ && least_ != LogLevel::kOff;
  }
  void write(LogLevel level, std::string_view line) noexcept override;

 private:
  LogLevel least_;
};

}  // namespace longwire::base
