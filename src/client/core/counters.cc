#include "client/core/counters.h"

namespace longwire::client::core {

std::atomic<bool> g_count_thread_bytes{false};

ThreadCounters& thread_counters() noexcept {
  thread_local ThreadCounters counters;
  return counters;
}

}  // namespace longwire::client::core
