// The one process-global of the driver: the runtime, made on first use, kept until the process ends
// (the library is never unloaded, see CMakeLists.txt), and told of forks.
#include <pthread.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "client/core/call_recorder.h"
#include "client/core/config.h"
#include "client/opencl/runtime.h"
#include "driver/connect.h"
#include "opencl/trace.h"

namespace longwire::client::opencl {
namespace {

Runtime* g_made = nullptr;  // written before the fork handlers are registered

void before_fork() { g_made->before_fork(); }
void after_fork_in_parent() { g_made->after_fork(false); }
void after_fork_in_child() {
  g_made->after_fork(true);
  refuse_calls();
  core::g_recorder = nullptr;  // the record is the parent's
}

// --- traces ---

void print_trace(std::string_view line) { Runtime::say(std::string(line)); }

// LONGWIRE_TRACE_CALLS: how many calls to keep one by one.
std::size_t calls_to_keep() {
  const char* const text = ::secure_getenv("LONGWIRE_TRACE_CALLS");
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

// When the library is loaded, so that the first call counts.
__attribute__((constructor)) void start_traces() {
  if (::secure_getenv("LONGWIRE_TRACE") != nullptr) start_trace(print_trace);
  if (::secure_getenv("LONGWIRE_TRACE_FILE") == nullptr) return;
  core::g_recorder =
      std::make_unique<core::CallRecorder>(kFunctionNames, calls_to_keep()).release();
  core::g_count_thread_bytes = true;
  start_recording();
}

// Into LONGWIRE_TRACE_FILE.PID, so that each process of a program has its own.
void write_record() {
  core::CallRecorder* const recorder = core::g_recorder;
  const char* const prefix = ::secure_getenv("LONGWIRE_TRACE_FILE");
  if (recorder == nullptr || prefix == nullptr) return;
  try {
    const std::string path = std::string(prefix) + "." + std::to_string(::getpid());
    const base::Status written = recorder->write(path, g_made->node_facts());
    if (!written.ok()) Runtime::say("no trace: " + written.error().message());
  } catch (const std::exception&) {
    // Out of memory: the program ends without its trace.
  }
}

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
    options.connectors.push_back(
        driver::make_connector(std::move(address), config->home, config->token_file));
  }
  g_made = std::make_unique<Runtime>(std::move(options)).release();
  ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  return g_made;
}

}  // namespace

// The process ends in order: its nodes need not take that for a lost link.
__attribute__((destructor)) static void say_goodbye() {
  if (g_made == nullptr) return;
  write_record();
  g_made->say_goodbye();
}

Runtime* process_runtime() noexcept {
  static Runtime* const runtime = make_runtime();
  return runtime;
}

}  // namespace longwire::client::opencl
