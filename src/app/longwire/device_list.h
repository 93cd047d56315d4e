// The devices of one node, asked through the driver itself in a child process: what a program would
// see, and no node can hold up another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/longwire/child_answer.h"
#include "base/result.h"

namespace longwire::app {

struct DeviceFacts {
  std::string name;
  std::string type;  // "CPU", "GPU", "accelerator", "custom"
  std::string vendor;
  std::string version;  // "OpenCL 3.0 ..."
  std::string driver;
  std::uint64_t memory_bytes = 0;
  std::uint32_t units = 0;
};

// What the child process says. kUnavailable: no list.
base::Result<std::vector<DeviceFacts>> parse_device_list(const std::string& answer);

// Under way in its child process.
class DeviceQuery {
 public:
  // `node` as LONGWIRE_NODES has it. REQUIRES: one thread.
  static base::Result<DeviceQuery> start(const std::string& node, const std::string& driver);
  // Waits. kUnavailable: the node did not answer (the driver has said why on stderr).
  base::Result<std::vector<DeviceFacts>> finish();

 private:
  explicit DeviceQuery(ChildAnswer answer) : answer_(std::move(answer)) {}
  ChildAnswer answer_;
};

}  // namespace longwire::app
