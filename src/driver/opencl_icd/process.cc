// The one process-global of the driver: the runtime, made on first use, kept until the process ends
// (the library is never unloaded, see CMakeLists.txt), and told of forks.
#include <pthread.h>

#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

#include "client/core/config.h"
#include "client/opencl/runtime.h"
#include "driver/connect.h"
#include "opencl/trace.h"

namespace longwire::client::opencl {
namespace {

Runtime* g_made = nullptr;  // written before the fork handlers are registered

void before_fork() { g_made->before_fork(); }
void after_fork_in_parent() { g_made->after_fork(false); }
void after_fork_in_child() { g_made->after_fork(true); }

void print_trace(std::string_view line) { Runtime::say(std::string(line)); }

Runtime* make_runtime() noexcept {
  auto config = core::load_config(core::system_config_source());
  if (!config.ok()) {
    Runtime::say(config.error().message());
    return nullptr;
  }
  if (config->nodes.empty()) return nullptr;
  RuntimeOptions options;
  options.connect_timeout_ns = config->connect_timeout_ms * base::kMillisecond;
  for (core::NodeAddress& address : config->nodes) {
    options.connectors.push_back(driver::make_connector(std::move(address), config->home));
  }
  g_made = std::make_unique<Runtime>(std::move(options)).release();
  ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  if (::secure_getenv("LONGWIRE_TRACE") != nullptr) start_trace(print_trace);
  return g_made;
}

}  // namespace

// The process ends in order: its nodes need not take that for a lost link.
__attribute__((destructor)) static void say_goodbye() {
  if (g_made != nullptr) g_made->say_goodbye();
}

Runtime* process_runtime() noexcept {
  static Runtime* const runtime = make_runtime();
  return runtime;
}

}  // namespace longwire::client::opencl
