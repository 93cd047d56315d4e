// What a back end has prepared, by module and kernel.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "softcuda/machine/backend.h"

namespace longwire::softcuda::machine {

// Any thread. The code is shared with the grids that run it, and outlives forget() there.
class PreparedCodes {
 public:
  // make() is called at most once for a kernel, under the lock.
  template <class Make>
  std::shared_ptr<const Code> get(const LoadedModule& module, ir::FunctionId kernel, Make make) {
    std::lock_guard lock(mutex_);
    auto& code = codes_[{&module, kernel}];
    if (code == nullptr) code = make();
    return code;
  }

  void forget(const LoadedModule& module) noexcept {
    std::lock_guard lock(mutex_);
    auto first = codes_.lower_bound({&module, 0});
    auto last = first;
    while (last != codes_.end() && last->first.first == &module)
      ++last;
    codes_.erase(first, last);
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<const LoadedModule*, ir::FunctionId>, std::shared_ptr<const Code>> codes_;
};

}  // namespace longwire::softcuda::machine
