#include "softcuda/driver/condition.h"

namespace longwire::softcuda::driver {

Condition::~Condition() {
  std::lock_guard lock(conditions.mutex_);
  conditions.known_.erase(handle);
}

ConditionPtr Conditions::make(CUcontext context, unsigned int default_value, bool assigns_default) {
  auto made = std::make_shared<Condition>(*this);
  made->context = context;
  made->default_value = default_value;
  made->assigns_default = assigns_default;
  std::lock_guard lock(mutex_);
  made->handle = next_++;
  known_.emplace(made->handle, made);
  return made;
}

bool Conditions::set(CUgraphConditionalHandle handle, unsigned int value) {
  ConditionPtr condition;  // its end takes the lock
  {
    std::lock_guard lock(mutex_);
    auto found = known_.find(handle);
    if (found != known_.end()) condition = found->second.lock();
  }
  if (condition != nullptr) condition->value.store(value);
  return condition != nullptr;
}

}  // namespace longwire::softcuda::driver
