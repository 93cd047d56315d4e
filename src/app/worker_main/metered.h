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
  // While the backend lives. REQUIRES: stats() is over before the backend goes.
  std::atomic<worker::core::Backend*> backend{nullptr};

  session::Stats stats() const {
    worker::core::Backend* const alive = backend.load();
    return {bytes_in.load(std::memory_order_relaxed), bytes_out.load(std::memory_order_relaxed),
            commands.load(std::memory_order_relaxed),
            alive == nullptr ? 0 : static_cast<std::uint64_t>(alive->busy_ns())};
  }
};

std::unique_ptr<link::Link> metered(std::unique_ptr<link::Link> link, Meter& meter);
std::unique_ptr<worker::core::Backend> metered(std::unique_ptr<worker::core::Backend> backend,
                                               Meter& meter);

}  // namespace longwire::app
