#include "base/clock.h"

#include <ctime>

namespace longwire::base {
namespace {

class SystemClock final : public Clock {
 public:
  constexpr explicit SystemClock(clockid_t id) : id_(id) {}
  Nanoseconds now_ns() const noexcept override {
    timespec t{};
    ::clock_gettime(id_, &t);
    return Nanoseconds{t.tv_sec} * kSecond + t.tv_nsec;
  }

 private:
  clockid_t id_;
};

constinit const SystemClock g_monotonic(CLOCK_MONOTONIC);
constinit const SystemClock g_wall(CLOCK_REALTIME);

}  // namespace

const Clock& monotonic_clock() noexcept { return g_monotonic; }
const Clock& wall_clock() noexcept { return g_wall; }

}  // namespace longwire::base
