// Threads that run branches of graphs beside their streams' threads. One that has nothing to do
// waits for the next branch for a while, then ends.
//
// Threads: every member may be called from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

namespace longwire::softcuda::driver {

// Of the process. Branches beyond that wait for a thread, or for their stream's.
inline constexpr std::size_t kMaxBranchThreads = 256;
inline constexpr std::chrono::seconds kIdleBranchThread{10};

class BranchThreads {
 public:
  // false: there is no thread for it now, and it will not be called.
  bool try_run(std::function<void()> body) noexcept;

 private:
  void serve(std::function<void()> body);
  bool wait_for_next(std::function<void()>& body);  // false: none came

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<std::function<void()>> waiting_;  // each for a thread that is idle
  std::size_t threads_ = 0, idle_ = 0;
};

}  // namespace longwire::softcuda::driver
