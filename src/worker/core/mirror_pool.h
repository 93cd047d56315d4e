// Mirror threads: where calls run that may block in the vendor driver (builds, binaries), so that a
// client thread that waits for one never stops the others. DESIGN.md decision 4.
//
// The client thread waits for its reply, so the jobs of one client thread never overlap; jobs of
// different client threads may run at once and in any order.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace longwire::worker::core {

inline constexpr std::size_t kMaxMirrorThreads = 8;
inline constexpr std::size_t kMaxMirrorJobs = 4096;

class MirrorPool {
 public:
  MirrorPool() = default;
  ~MirrorPool();  // finishes the jobs under way, drops the others

  // False: kMaxMirrorJobs are waiting, or the pool has stopped; the job will not run.
  bool run(std::function<void()> job);

  // Drops what has not begun and waits for what has; false when that took longer than the time-out.
  bool stop(int timeout_ms);

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
  std::size_t resting_ = 0;
  std::size_t working_ = 0;
  bool stopped_ = false;
};

}  // namespace longwire::worker::core
