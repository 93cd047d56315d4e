#include "client/core/task_thread.h"

#include <chrono>
#include <utility>

#include "base/thread.h"

namespace longwire::client::core {

void TaskThread::stop() noexcept {
  {
    const std::lock_guard lock(lock_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void TaskThread::post(std::function<void()> task) noexcept {
  const std::lock_guard lock(lock_);
  if (stopping_) return;
  tasks_.push_back(std::move(task));
  if (!thread_.joinable()) thread_ = base::try_start_thread(name_, [this] { run(); });
  wake_.notify_one();
}

void TaskThread::run() {
  std::unique_lock lock(lock_);
  for (;;) {
    wait(lock);
    if (tasks_.empty() && stopping_) return;
    std::function<void()> task = idle_;
    if (!tasks_.empty()) {
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    lock.unlock();
    if (task) task();
    task = nullptr;  // what it holds is released without the lock, and may post
    lock.lock();
  }
}

void TaskThread::wait(std::unique_lock<std::mutex>& lock) {
  const auto ready = [this] { return stopping_ || !tasks_.empty(); };
  if (interval_ns_ == 0) {
    wake_.wait(lock, ready);
  } else {
    wake_.wait_for(lock, std::chrono::nanoseconds(interval_ns_), ready);
  }
}

}  // namespace longwire::client::core
