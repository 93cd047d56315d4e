// User objects: what programs want destroyed when no graph needs it any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "softcuda/driver/driver.h"

namespace longwire::softcuda::driver {

struct UserObject {
  CUuserObject handle = nullptr;
  void* pointer = nullptr;
  CUhostFn destroy = nullptr;
  std::atomic<std::uint64_t> references{0};
};

// false: fewer are held, and nothing has happened. With the last, its function has been called and
// the handle is gone. REQUIRES: no lock of the driver is held.
bool release_user_object(Driver& driver, UserObject& object, std::uint64_t count);

// References of a graph, or of what is run of it; its end releases them.
class UserHold {
 public:
  // Takes over references that are counted already.
  UserHold(std::shared_ptr<UserObject> object, std::uint64_t count)
      : object_(std::move(object)), count_(count) {}
  UserHold(UserHold&& other) noexcept
      : object_(std::move(other.object_)), count_(std::exchange(other.count_, 0)) {}
  UserHold& operator=(UserHold&& other) noexcept {
    std::swap(object_, other.object_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~UserHold();

  UserObject& object() const noexcept { return *object_; }
  std::uint64_t count() const noexcept { return count_; }
  void add(std::uint64_t count) noexcept { count_ += count; }
  // Gives `count` of them up: the caller releases them.
  void give_up(std::uint64_t count) noexcept { count_ -= count; }
  // One reference more, for another graph.
  UserHold again() const {
    object_->references.fetch_add(1);
    return {object_, 1};
  }

 private:
  std::shared_ptr<UserObject> object_;  // shared with the table and with other holds
  std::uint64_t count_ = 0;
};

}  // namespace longwire::softcuda::driver
