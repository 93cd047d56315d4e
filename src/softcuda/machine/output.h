// Output: where kernels' printf goes, a whole block at a time.
#pragma once

#include <cstdio>
#include <functional>
#include <mutex>
#include <string_view>
#include <utility>

namespace longwire::softcuda::machine {

class Output {
 public:
  void set_sink(std::function<void(std::string_view)> sink) {
    std::lock_guard lock(mutex_);
    sink_ = std::move(sink);
  }
  void write(std::string_view text) {
    if (text.empty()) return;
    std::lock_guard lock(mutex_);
    if (sink_) return sink_(text);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

 private:
  std::mutex mutex_;
  std::function<void(std::string_view)> sink_;
};

}  // namespace longwire::softcuda::machine
