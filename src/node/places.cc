#include <unistd.h>

#include <cstdlib>

#include "node/config.h"

namespace longwire::node {
namespace {

std::filesystem::path from_environment(const char* name) {
  const char* value = std::getenv(name);
  // The XDG specification: a relative path is to be ignored.
  return value != nullptr && value[0] == '/' ? std::filesystem::path(value)
                                             : std::filesystem::path();
}

std::filesystem::path user_place(const char* variable, std::string_view below_home) {
  std::filesystem::path base = from_environment(variable);
  if (base.empty()) {
    const std::filesystem::path home = from_environment("HOME");
    base = (home.empty() ? std::filesystem::path("/tmp") : home) / below_home;
  }
  return base / "longwire";
}

// systemd names the folders of a service, colon-separated where there are several.
std::filesystem::path service_place(const char* variable) {
  const std::string places = from_environment(variable).string();
  return places.substr(0, places.find(':'));
}

}  // namespace

std::filesystem::path default_unix_socket() {
  const std::filesystem::path service = service_place("RUNTIME_DIRECTORY");
  if (!service.empty()) return service / "node.sock";
  if (::geteuid() == 0) return "/run/longwire/node.sock";
  const std::filesystem::path runtime = from_environment("XDG_RUNTIME_DIR");
  if (!runtime.empty()) return runtime / "longwire" / "node.sock";
  return "/tmp/longwire-" + std::to_string(::geteuid()) + "/node.sock";
}

std::filesystem::path default_state_directory() {
  const std::filesystem::path service = service_place("STATE_DIRECTORY");
  if (!service.empty()) return service;
  if (::geteuid() == 0) return "/var/lib/longwire";
  return user_place("XDG_STATE_HOME", ".local/state");
}

std::filesystem::path default_cache_directory() {
  const std::filesystem::path service = service_place("CACHE_DIRECTORY");
  if (!service.empty()) return service;
  if (::geteuid() == 0) return "/var/cache/longwire";
  return user_place("XDG_CACHE_HOME", ".cache");
}

}  // namespace longwire::node
