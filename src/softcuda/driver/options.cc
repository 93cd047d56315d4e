#include "softcuda/driver/options.h"

#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>

namespace longwire::softcuda::driver {
namespace {

std::optional<std::uint64_t> number(const char* name, std::uint64_t least, std::uint64_t most) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text < '0' || *text > '9') return std::nullopt;
  char* end = nullptr;
  const unsigned long long value = std::strtoull(text, &end, 10);
  if (*end != '\0' || value < least || value > most) return std::nullopt;
  return value;
}

BackendChoice backend_of(const char* name) {
  if (std::strcmp(name, "interp") == 0) return BackendChoice::kInterpreter;
  if (std::strcmp(name, "check") == 0) return BackendChoice::kCheck;
  return std::strcmp(name, "llvm") == 0 ? BackendChoice::kLlvm : BackendChoice::kUnknown;
}

}  // namespace

Options read_options() {
  constexpr std::uint64_t kMaxMemoryMb = 1 << 20;
  constexpr std::uint64_t kMaxWatchdogMs = 86'400'000;
  constexpr std::uint64_t kNsOfMs = 1'000'000;
  constexpr std::uint64_t kMaxThreads = 1024;
  Options options;
  if (auto n = number("LONGWIRE_SOFT_DEVICES", 1, kMaxDevices)) options.devices = int(*n);
  if (const char* text = std::getenv("LONGWIRE_SOFT_CAPABILITY");
      text != nullptr && std::strlen(text) >= 3 && text[1] == '.' && text[0] >= '5' &&
      text[0] <= '9' && text[2] >= '0' && text[2] <= '9') {
    options.capability_major = text[0] - '0';
    options.capability_minor = text[2] - '0';
  }
  if (auto n = number("LONGWIRE_SOFT_MEMORY_MB", 1, kMaxMemoryMb))
    options.machine.memory_bytes = *n << 20;
  if (auto n = number("LONGWIRE_SOFT_THREADS", 1, kMaxThreads))
    options.machine.threads = std::uint32_t(*n);
  if (auto n = number("LONGWIRE_SOFT_WATCHDOG_MS", 0, kMaxWatchdogMs))
    options.machine.watchdog_ns = *n * kNsOfMs;
  if (const char* text = std::getenv("LONGWIRE_SOFT_BACKEND"); text != nullptr)
    options.backend = backend_of(text);
  if (const char* text = std::getenv("LONGWIRE_SOFT_MEMCHECK"); text != nullptr) {
    options.machine.check_races = std::strcmp(text, "race") == 0;
    options.machine.check_memory = options.machine.check_races || std::strcmp(text, "1") == 0;
  }
  return options;
}

}  // namespace longwire::softcuda::driver
