// Runtime: everything that a process has of OpenCL through Longwire: the nodes, the platform, the
// thread that runs the program's callbacks. One per process, made by the driver on first use;
// tests make their own. Never destroyed in a program.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "client/core/call_recorder.h"
#include "client/core/node_session.h"
#include "client/core/task_thread.h"
#include "client/opencl/hazards.h"
#include "client/opencl/object.h"

namespace longwire::client::opencl {

class Node;
class Platform;

inline constexpr base::Nanoseconds kDefaultConnectTimeout = 3 * base::kSecond;
// What connecting may take beyond its time-out before we go on without it.
inline constexpr base::Nanoseconds kConnectGrace = 500 * base::kMillisecond;
// How long a node that has answered may take to describe its devices: the first use of a vendor's
// driver can be slow.
inline constexpr base::Nanoseconds kDescribeTimeout = 30 * base::kSecond;

struct RuntimeOptions {
  std::vector<std::unique_ptr<core::Connector>> connectors;  // one per node
  base::Nanoseconds connect_timeout_ns = kDefaultConnectTimeout;
  const base::Clock* clock = &base::monotonic_clock();
};

class Runtime {
 public:
  explicit Runtime(RuntimeOptions options);
  ~Runtime();

  Platform& platform() noexcept { return *platform_; }
  const base::Clock& clock() const noexcept { return *options_.clock; }
  // Runs the program's callbacks (contexts, builds, events, destructors), one after the other.
  core::TaskThread& callbacks() noexcept { return callbacks_; }

  wire::Handle new_handle(Kind kind) noexcept {
    return (std::uint64_t{static_cast<std::uint8_t>(kind)} << 56) | next_handle_.fetch_add(1);
  }

  // Connects to all nodes at once, the first time; later calls give those that answered. What
  // failed is said in one line on stderr.
  const std::vector<std::unique_ptr<Node>>& nodes() noexcept;

  // Objects by handle, for what nodes push about them (kOpObjectFailed, kOpNotify). Events are not
  // here: they are in their node's own table. The table holds no use: constructors of final classes
  // add the finished object, their destructors remove it before anything else.
  void add_object(Object& object) noexcept;
  void remove_object(Object& object) noexcept;
  Ref<Object> find_object(wire::Handle handle) noexcept;

  // Tells the notification functions of the contexts on that node.
  void say_lost(Node& node, const base::Error& why) noexcept;

  // One line for the program's user, on stderr.
  static void say(const std::string& line) noexcept;

  // What the nodes have cost so far; empty before they are connected.
  std::vector<core::NodeFacts> node_facts() const;

  // At the end of the process: never waits, takes nothing apart.
  void say_goodbye() noexcept;

  // For pthread_atfork; see NodeSession.
  void before_fork() noexcept;
  void after_fork(bool in_child) noexcept;

  // Host memory that reads under way will fill, of all nodes: a write may come from anywhere.
  PendingReads& pending_reads() noexcept { return pending_reads_; }

 private:
  void connect_all() noexcept;

  RuntimeOptions options_;
  std::atomic<std::uint64_t> next_handle_{1};
  Ref<Platform> platform_;
  std::once_flag connect_once_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::mutex objects_lock_;
  std::unordered_map<wire::Handle, Object*> objects_;
  PendingReads pending_reads_;
  core::TaskThread callbacks_{"lw-callbacks"};
};

// The process's runtime, or nullptr when nothing is configured. Defined by src/driver/opencl_icd,
// and by tests.
Runtime* process_runtime() noexcept;

}  // namespace longwire::client::opencl
