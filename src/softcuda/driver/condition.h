// Conditions: the values that choose the bodies of conditional nodes. Kernels set them by their
// handle (cudaGraphSetConditional), which may be any number.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "cudaapi/entry_points.h"

namespace longwire::softcuda::driver {

class Conditions;
struct Graph;

struct Condition {
  explicit Condition(Conditions& of) : conditions(of) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;
  ~Condition();
  void begin_launch() noexcept {
    if (assigns_default) value.store(default_value);
  }

  Conditions& conditions;
  CUgraphConditionalHandle handle = 0;
  CUcontext context = nullptr;
  unsigned int default_value = 0;
  bool assigns_default = false;  // when a launch begins; else the value stays
  bool used = false;             // a node has it; under the GraphLock
  std::atomic<unsigned int> value{0};
};
using ConditionPtr = std::shared_ptr<Condition>;  // of its graph, of nodes and of launches

// All of them, by their handles.
class Conditions {
 public:
  ConditionPtr make(CUcontext context, unsigned int default_value, bool assigns_default);
  // false: there is none (any more).
  bool set(CUgraphConditionalHandle handle, unsigned int value);

 private:
  friend struct Condition;
  std::mutex mutex_;
  CUgraphConditionalHandle next_ = 1;
  std::unordered_map<CUgraphConditionalHandle, std::weak_ptr<Condition>> known_;
};

}  // namespace longwire::softcuda::driver
