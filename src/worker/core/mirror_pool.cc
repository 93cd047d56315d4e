#include "worker/core/mirror_pool.h"

#include <chrono>
#include <utility>

#include "base/thread.h"

namespace longwire::worker::core {

MirrorPool::~MirrorPool() {
  stop(-1);
  for (std::thread& thread : threads_)
    thread.join();
}

bool MirrorPool::run(std::function<void()> job) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || jobs_.size() >= kMaxMirrorJobs) return false;
  jobs_.push_back(std::move(job));
  if (resting_ < jobs_.size() && threads_.size() < kMaxMirrorThreads)
    threads_.push_back(base::start_thread("lw-mirror", [this] { work(); }));
  wake_.notify_one();
  return true;
}

bool MirrorPool::stop(int timeout_ms) {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  jobs_.clear();
  wake_.notify_all();
  const auto none = [this] { return working_ == 0; };
  if (timeout_ms >= 0) return idle_.wait_for(lock, std::chrono::milliseconds(timeout_ms), none);
  idle_.wait(lock, none);
  return true;
}

void MirrorPool::work() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    if (jobs_.empty()) {
      ++resting_;
      wake_.wait(lock);
      --resting_;
      continue;
    }
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    ++working_;
    lock.unlock();
    job();
    job = nullptr;  // what it holds is released outside the lock
    lock.lock();
    --working_;
    idle_.notify_all();
  }
}

}  // namespace longwire::worker::core
