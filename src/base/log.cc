#include "base/log.h"

#include <sys/uio.h>
#include <unistd.h>

#include <array>

namespace longwire::base {
namespace {
constexpr std::array<std::string_view, 6> kNames = {"trace",   "debug", "info",
                                                    "warning", "error", "off"};
}

std::string_view name_of(LogLevel level) noexcept {
  return kNames[static_cast<std::size_t>(level)];
}

LogLevel log_level_from(std::string_view name, LogLevel otherwise) noexcept {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<LogLevel>(i);
  }
  return otherwise;
}

void StderrLogger::write(LogLevel level, std::string_view line) noexcept {
  const auto part = [](std::string_view s) {
    return iovec{const_cast<char*>(s.data()), s.size()};  // writev only reads
  };
  const std::array<iovec, 5> parts = {part("longwire: "), part(name_of(level)), part(": "),
                                      part(line), part("\n")};
  // Nothing useful can be done where stderr is gone.
  [[maybe_unused]] const auto written = ::writev(STDERR_FILENO, parts.data(), parts.size());
}

}  // namespace longwire::base
