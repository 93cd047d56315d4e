// PrivateNode: a node on this machine for one run of one program: own process, own keys, reachable
// on loopback or a unix socket only, gone with the run.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "base/result.h"

namespace longwire::app {

inline constexpr int kPrivateNodeStartMs = 20'000;
inline constexpr int kPrivateNodeStopMs = 5'000;

enum class LocalMode { kUnix, kTcp, kTls };

class PrivateNode {
 public:
  // Returns once it listens. `scratch` gets its socket, keys and, for TLS, the client's
  // (LONGWIRE_CONFIG_HOME); `log` its log lines (empty: none). REQUIRES: one thread.
  static base::Result<PrivateNode> start(LocalMode mode, const std::filesystem::path& scratch,
                                         const std::filesystem::path& log);
  PrivateNode(PrivateNode&& other) noexcept
      : process_(std::exchange(other.process_, -1)),
        address_(std::move(other.address_)),
        client_home_(std::move(other.client_home_)) {}
  PrivateNode& operator=(PrivateNode&&) = delete;
  ~PrivateNode();  // stops it: a request first, then by force

  // For LONGWIRE_NODES: "unix:/path", "tcp:127.0.0.1:1234", "127.0.0.1:1234".
  const std::string& address() const noexcept { return address_; }
  const std::filesystem::path& client_home() const noexcept { return client_home_; }
  pid_t process() const noexcept { return process_; }

 private:
  PrivateNode(pid_t process, std::string address, std::filesystem::path client_home)
      : process_(process), address_(std::move(address)), client_home_(std::move(client_home)) {}

  pid_t process_;
  std::string address_;
  std::filesystem::path client_home_;
};

}  // namespace longwire::app
