#include "base/clock.h"

#include <ctime>

namespace longwire::base {
namespace {

class MonotonicClock final : public Clock {
 public:
  Nanoseconds now_ns() const noexcept override {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return Nanoseconds{t.tv_sec} * kSecond + t.tv_nsec;
  }
};

constinit const MonotonicClock the_clock;

}  // namespace

const Clock& monotonic_clock() noexcept { return the_clock; }

}  // namespace longwire::base
