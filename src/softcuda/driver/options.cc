#include "softcuda/driver/options.h"

#include <sys/auxv.h>

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

// Empty: no cache. A program that runs with another user's rights has none, as its environment is
// not that user's.
std::string cache_folder() {
  if (::getauxval(AT_SECURE) != 0) return {};
  constexpr const char* kFolder = "/longwire/softcuda";
  if (const char* text = std::getenv("LONGWIRE_SOFT_CACHE"); text != nullptr)
    return std::strcmp(text, "0") == 0 ? "" : text;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && cache[0] == '/')
    return std::string(cache) + kFolder;
  const char* home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? std::string(home) + "/.cache" + kFolder : "";
}

}  // namespace

Options read_options() {
  constexpr std::uint64_t kMaxMemoryMb = 1 << 20;
  constexpr std::uint64_t kMaxWatchdogMs = 86'400'000;
  constexpr std::uint64_t kNsOfMs = 1'000'000;
  constexpr std::uint64_t kMaxThreads = 1024;
  constexpr std::uint64_t kMaxCacheMb = 1 << 20;
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
  options.cache.folder = cache_folder();
  if (auto n = number("LONGWIRE_SOFT_CACHE_MB", 1, kMaxCacheMb))
    options.cache.most_bytes = *n << 20;
  if (const char* text = std::getenv("LONGWIRE_SOFT_BACKEND"); text != nullptr)
    options.backend = backend_of(text);
  if (const char* text = std::getenv("LONGWIRE_SOFT_MEMCHECK"); text != nullptr) {
    options.machine.check_races = std::strcmp(text, "race") == 0;
    options.machine.check_memory = options.machine.check_races || std::strcmp(text, "1") == 0;
  }
  return options;
}

}  // namespace longwire::softcuda::driver
