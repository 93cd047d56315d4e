// Completion: that a piece of work in a stream has ended, and how. Events, legacy-stream ordering
// and synchronisation are all waits for one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "cudaapi/entry_points.h"

namespace longwire::softcuda::driver {

class Completion {
 public:
  bool done() const noexcept { return state_.load(std::memory_order_acquire) != kPending; }
  void wait() const noexcept {
    while (!done())
      state_.wait(kPending, std::memory_order_acquire);
  }
  // REQUIRES: done().
  CUresult result() const noexcept { return result_; }
  std::uint64_t time_ns() const noexcept { return time_ns_; }

  void finish(CUresult result, std::uint64_t time_ns) noexcept {
    result_ = result;
    time_ns_ = time_ns;
    state_.store(kDone, std::memory_order_release);
    state_.notify_all();
  }

 private:
  static constexpr int kPending = 0, kDone = 1;
  std::atomic<int> state_{kPending};
  CUresult result_ = CUDA_SUCCESS;
  std::uint64_t time_ns_ = 0;
};

// Shared by the command, by its stream, by events and by the commands that wait for it.
using CompletionPtr = std::shared_ptr<Completion>;

}  // namespace longwire::softcuda::driver
