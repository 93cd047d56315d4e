#include "client/core/task_thread.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>

namespace longwire::client::core {
namespace {

// The last reference to an event may be a task's; what the event's end tells may be posted here.
TEST(TaskThread, WhatATaskHeldMayPost) {
  TaskThread thread("lw-test");
  std::promise<void> posted_by_the_end;
  struct Held {
    Held(TaskThread& thread_, std::promise<void>& done_) : thread(thread_), done(done_) {}
    TaskThread& thread;
    std::promise<void>& done;
    ~Held() {
      thread.post([&done = done] { done.set_value(); });
    }
  };
  thread.post([held = std::make_shared<Held>(thread, posted_by_the_end)] {});
  posted_by_the_end.get_future().wait();
  thread.stop();
}

}  // namespace
}  // namespace longwire::client::core
