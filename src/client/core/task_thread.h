// TaskThread: runs tasks one after the other on one thread of ours, started by the first of them,
// all signals blocked. post() never waits for a task, so frame handlers may call it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"

namespace longwire::client::core {

class TaskThread {
 public:
  // `name` shows in ps and gdb. With an interval, `idle` runs that often, also while no task comes
  // (from the first task on).
  explicit TaskThread(const char* name) : name_(name) {}
  TaskThread(const char* name, base::Nanoseconds interval_ns, std::function<void()> idle)
      : name_(name), interval_ns_(interval_ns), idle_(std::move(idle)) {}
  ~TaskThread() { stop(); }
  // Runs what is queued, then joins; what is posted later is dropped. REQUIRES: another thread.
  void stop() noexcept;

  void post(std::function<void()> task) noexcept;
  void start() noexcept { post({}); }
  std::mutex& mutex() noexcept { return lock_; }  // for fork

 private:
  void run();
  void wait(std::unique_lock<std::mutex>& lock);

  const char* const name_;
  const base::Nanoseconds interval_ns_ = 0;
  const std::function<void()> idle_;
  std::mutex lock_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace longwire::client::core
