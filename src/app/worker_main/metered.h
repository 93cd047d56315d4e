// What a session has used, counted where it passes: a link and a backend that count.
#pragma once

#include <atomic>
#include <memory>

#include "link/link.h"
#include "session/handover.h"
#include "worker/core/worker.h"

namespace longwire::app {

// Shared by reference; outlives the session's links and backend.
struct Meter {
  std::atomic<std::uint64_t> bytes_in{0};
  std::atomic<std::uint64_t> bytes_out{0};
  std::atomic<std::uint64_t> commands{0};

  session::Stats stats() const {
    return {bytes_in.load(std::memory_order_relaxed), bytes_out.load(std::memory_order_relaxed),
            commands.load(std::memory_order_relaxed), 0};
  }
};

std::unique_ptr<link::Link> metered(std::unique_ptr<link::Link> link, Meter& meter);
std::unique_ptr<worker::core::Backend> metered(std::unique_ptr<worker::core::Backend> backend,
                                               Meter& meter);

}  // namespace longwire::app
