// Runtime: everything that a process has of OpenCL through Longwire: the nodes, the platform, the
// thread that runs the program's callbacks. One per process, made by the driver on first use;
// tests make their own. Never destroyed in a program.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "client/core/node_session.h"
#include "client/opencl/object.h"

namespace longwire::client::opencl {

class Node;
class Platform;

// Runs the program's callbacks (contexts, builds, events, destructors) one after the other on one
// thread of ours, started on first use, all signals blocked. post() never blocks and may be called
// from frame handlers.
class CallbackThread {
 public:
  CallbackThread() = default;
  ~CallbackThread();
  void post(std::function<void()> callback) noexcept;

 private:
  void run();
  std::mutex lock_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

struct RuntimeOptions {
  std::vector<std::unique_ptr<core::Connector>> connectors;  // one per node
  base::Nanoseconds connect_timeout_ns = 3 * base::kSecond;
  const base::Clock* clock = &base::monotonic_clock();
};

class Runtime {
 public:
  explicit Runtime(RuntimeOptions options);
  ~Runtime();

  Platform& platform() noexcept { return *platform_; }
  const base::Clock& clock() const noexcept { return *options_.clock; }
  CallbackThread& callbacks() noexcept { return callbacks_; }

  wire::Handle new_handle(Kind kind) noexcept {
    return (std::uint64_t{static_cast<std::uint8_t>(kind)} << 56) | next_handle_.fetch_add(1);
  }

  // Connects to all nodes at once, the first time; later calls give what that found.
  const std::vector<std::unique_ptr<Node>>& nodes() noexcept;
  // Nodes as far as they are connected already; empty before.
  bool connected() const noexcept { return connected_.load(); }

  // Objects by handle, for what nodes push about them (kOpObjectFailed, kOpNotify). Events are not
  // here: they are in their node's own table. The table holds no use.
  void add_object(Object& object) noexcept;
  void remove_object(Object& object) noexcept;
  Ref<Object> find_object(wire::Handle handle) noexcept;

 private:
  void connect_all() noexcept;

  RuntimeOptions options_;
  std::atomic<std::uint64_t> next_handle_{1};
  std::unique_ptr<Platform> platform_;
  std::once_flag connect_once_;
  std::atomic<bool> connected_{false};
  std::vector<std::unique_ptr<Node>> nodes_;
  std::mutex objects_lock_;
  std::unordered_map<wire::Handle, Object*> objects_;
  CallbackThread callbacks_;
};

// The process's runtime, or nullptr when nothing is configured. Defined by src/driver/opencl_icd,
// and by tests.
Runtime* process_runtime() noexcept;

}  // namespace longwire::client::opencl
