// Checks of `longwire doctor` on a machine that lends its devices: what a node needs here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "app/longwire/doctor_finding.h"
#include "base/result.h"
#include "node/config.h"

namespace longwire::app {

inline constexpr std::uint64_t kFullDiskBytes = std::uint64_t{16} << 20;  // less is none
inline constexpr std::uint64_t kLowDiskBytes = std::uint64_t{512} << 20;
inline constexpr std::uint64_t kFullDiskFiles = 16;
inline constexpr std::uint64_t kLowDiskFiles = 1000;

// "state": the folder of keys is private and this user's (root may look at everybody's).
Finding check_state(const std::filesystem::path& state);
// "disk" or "cache-disk": room for bytes and files where the folder is, or is to be.
Finding check_disk(const char* check, const std::filesystem::path& folder);
// "agent": a node runs with that state; else "ports": whether it could listen.
Finding check_agent(const std::filesystem::path& state, bool& runs);
Finding check_ports(const node::ListenConfig& listen);
// "platforms": what the node has to lend.
Finding check_platforms(const base::Result<std::vector<std::string>>& platforms);
// "device-files": this user may use what is there. Folders of devices below `dev`.
Finding check_device_files(const std::filesystem::path& dev);
// "seccomp", "landlock", "tenant-users": the walls of the sandbox that this machine has.
Findings check_sandbox(const node::NodeConfig& config);
// "cgroup": the workers of the node that runs there have one each.
Finding check_cgroup(const node::NodeConfig& config);
// "open-files": the hard limit lets workers have what the configuration promises.
Finding check_open_files(std::uint64_t wanted);

Findings check_machine(const node::NodeConfig& config, const std::string& loader);

}  // namespace longwire::app
