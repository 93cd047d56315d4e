// BusyTime: for how long something has been under way. The caller guards it.
#pragma once

#include "base/clock.h"

namespace longwire::worker::core {

class BusyTime {
 public:
  void begin(base::Nanoseconds now_ns) noexcept {
    if (!busy_) since_ns_ = now_ns;
    busy_ = true;
  }
  void end(base::Nanoseconds now_ns) noexcept {
    total_ns_ = at(now_ns);
    busy_ = false;
  }
  // All of it until now.
  base::Nanoseconds at(base::Nanoseconds now_ns) const noexcept {
    return total_ns_ + (busy_ ? now_ns - since_ns_ : 0);
  }

 private:
  base::Nanoseconds total_ns_ = 0;
  base::Nanoseconds since_ns_ = 0;
  bool busy_ = false;
};

}  // namespace longwire::worker::core
