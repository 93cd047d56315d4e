// NodeConfig: everything that an operator can say about a node. /etc/longwire/longwired.toml,
// strict: an unknown key, a wrong type or a number out of range is an error that names the line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"

namespace longwire::node {

inline constexpr std::uint16_t kDefaultPort = 9477;
inline constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxListeners = 16;

// "host:port", "[v6]:port", ":port" or "host" (with the default port); port 0 picks a free one.
struct Address {
  std::string host;
  std::uint16_t port = kDefaultPort;
  friend bool operator==(const Address&, const Address&) = default;
};
base::Result<Address> parse_address(std::string_view text);
std::string to_string(const Address& address);

// /run/longwire for root, else $XDG_RUNTIME_DIR/longwire or /tmp/longwire-UID.
std::filesystem::path default_unix_socket();
// For root the system's places, else the user's ($XDG_STATE_HOME, $XDG_CACHE_HOME).
std::filesystem::path default_state_directory();
std::filesystem::path default_cache_directory();

struct ListenConfig {
  std::vector<Address> tls = {{"::", kDefaultPort}, {"0.0.0.0", kDefaultPort}};
  std::vector<Address> plain;  // no encryption, no authentication: only by name
  std::filesystem::path unix_socket = default_unix_socket();  // empty: none
  std::string unix_group;  // members may connect besides the node's own user
};

struct LimitsConfig {
  std::uint32_t sessions = 64;
  std::uint32_t sessions_per_tenant = 32;
  std::uint32_t handshakes = 64;               // in flight
  std::uint32_t handshakes_per_address = 16;   // in flight
  std::uint32_t connections_per_minute = 600;  // of one address
  std::uint32_t handshake_timeout_ms = 10'000;
  std::uint32_t worker_start_timeout_ms = 30'000;
  std::uint32_t drain_ms = 30'000;
  std::uint32_t lanes = 4;  // of a session
  std::uint64_t eager_credit_bytes = std::uint64_t{64} << 20;
  std::uint64_t session_memory_bytes = 0;  // of devices; 0: what the device has
  std::uint64_t session_handles = 0;       // objects at once; 0: the worker's own limit
  // That a session survives without a link (0: not at all), and that it does where the client's
  // machine has closed the link: because the program is gone, or a device between has reset it.
  std::uint32_t grace_ms = 60'000;
  std::uint32_t grace_after_close_ms = 1'200;
};

// How strictly a worker is confined: kOff for debugging only; kLog lets through what kEnforce would
// refuse, and tells.
enum class SandboxMode : std::uint8_t { kOff, kLog, kEnforce };
std::string_view name_of(SandboxMode mode) noexcept;

// Whether new device memory is cleared before a program can read it: kAuto where a device's memory
// is not the worker's own, that is unless it is a CPU.
enum class ScrubMode : std::uint8_t { kAuto, kAlways, kNever };
std::string_view name_of(ScrubMode mode) noexcept;

// The first of 4096 user numbers, from a range that systemd leaves unused.
inline constexpr std::uint32_t kFirstTenantUser = 0x7001'0000;
inline constexpr std::size_t kMaxExtraDevices = 64;

struct WorkerConfig {
  std::filesystem::path program;  // empty: longwire-worker beside this binary
  SandboxMode sandbox = SandboxMode::kEnforce;
  std::uint32_t spares = 1;  // started ahead, so that a session starts fast
  std::uint64_t open_files = 4096;
  std::uint64_t file_size_bytes = std::uint64_t{4} << 30;  // of a file that it writes; 0: no limit
  std::uint64_t processes = 0;            // threads and processes of the worker's user; 0: as it is
  std::uint64_t memory_bytes = 0;         // of its own, not the devices'; 0: no limit
  std::uint64_t address_space_bytes = 0;  // 0: no limit
  // Of the tenants; 0: workers are the node's user. Only a node of root can.
  std::uint32_t first_user = kFirstTenantUser;
  std::vector<std::filesystem::path> devices;  // that workers may use beside the known ones
  ScrubMode scrub = ScrubMode::kAuto;
  bool dies_with_agent = false;
};

struct StateConfig {
  std::filesystem::path directory = default_state_directory();  // keys, trusted clients
  std::filesystem::path cache = default_cache_directory();      // kernels that vendor drivers keep
};

struct LogConfig {
  base::LogLevel level = base::LogLevel::kInfo;
  bool json = false;
};

// Who used the node: node/audit.h.
struct AuditConfig {
  bool enabled = true;
  bool required = false;                                   // no session that cannot be written down
  std::uint64_t max_size_bytes = std::uint64_t{16} << 20;  // of a file
  std::uint32_t files = 8;                                 // the newest and older ones
};

// Whose tokens are good here: Ed25519 public keys, 64 hex digits each (session/auth/token.h).
inline constexpr std::size_t kMaxTokenIssuers = 16;
struct TokensConfig {
  std::vector<std::string> issuers;
};

// Clients whose key another one, for which it vouches, has replaced (session/auth/rotation.h).
struct KeysConfig {
  bool accept_rotation = true;          // else they pair again
  std::uint32_t overlap_s = 24 * 3600;  // how long the old key goes on to be accepted
};

struct NodeConfig {
  std::string name;  // empty: the host's
  ListenConfig listen;
  LimitsConfig limits;
  WorkerConfig worker;
  StateConfig state;
  LogConfig log;
  AuditConfig audit;
  TokensConfig tokens;
  KeysConfig keys;
};

// `source` names the text in errors: "longwired.toml:7:1: unknown key 'lisen'".
base::Result<NodeConfig> parse_config(std::string_view text, std::string_view source);
base::Result<NodeConfig> load_config(const std::filesystem::path& path);

// "64MiB", "2 GiB", "4096"; kInvalidArgument for anything else.
base::Result<std::uint64_t> parse_bytes(std::string_view text);

}  // namespace longwire::node
