// What a node says of itself (src/app/status_desk.h), read and shown.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/longwire/device_list.h"
#include "base/result.h"

namespace longwire::app {

struct TopSession {
  std::string session, tenant, peer, program;
  bool encrypted = false;
  std::int64_t pid = 0;
  std::int64_t age_ms = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0, commands = 0, device_ms = 0;
  std::uint64_t bytes_in_per_s = 0, bytes_out_per_s = 0, commands_per_s = 0, device_ms_per_s = 0;
  std::uint64_t resident_bytes = 0;
};

struct TopNode {
  std::string node, software, unix_socket;
  std::int64_t uptime_ms = 0;
  std::uint64_t max_sessions = 0, spare_workers = 0;
  std::uint64_t ended_sessions = 0, ended_bytes_in = 0, ended_bytes_out = 0, ended_commands = 0,
                ended_device_ms = 0;
  std::vector<TopSession> sessions;
};

// kWireFault: that is no answer of a node.
base::Result<TopNode> parse_top(const std::string& text);

std::string top_text(const TopNode& node, const std::vector<DeviceFacts>& devices);
std::string top_json(const TopNode& node, const std::vector<DeviceFacts>& devices);

}  // namespace longwire::app
