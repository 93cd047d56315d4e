#include "figures/figure.h"

#include <time.h>

namespace longwire::bench {
namespace {

constexpr std::size_t kMostRuns = 1'000'000;
constexpr int kMostWarmUps = 100;
constexpr double kWarmUpShare = 0.2;  // of the time of a figure
constexpr const char* kTime = "us";

double clock_us(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

}  // namespace

double now_us() { return clock_us(CLOCK_MONOTONIC); }
double thread_cpu_us() { return clock_us(CLOCK_THREAD_CPUTIME_ID); }
double process_cpu_us() { return clock_us(CLOCK_PROCESS_CPUTIME_ID); }

void Figures::add(const std::string& name, const std::string& unit, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t last = values.size() - 1;
  const bool rate = unit.ends_with("/s");
  const std::size_t tail = rate ? last / 100 : last * 99 / 100;
  all_.push_back({group_, name, unit, values[last / 2], values[tail], values.size()});
}

std::vector<double> Figures::times_us(const std::function<void()>& once) const {
  const double limit_us = effort_.seconds * 1e6;
  const double warm = now_us();
  once();
  for (int i = 1; i < kMostWarmUps && now_us() - warm < limit_us * kWarmUpShare; ++i)
    once();
  std::vector<double> times;
  times.reserve(kMostRuns);
  const auto least = static_cast<std::size_t>(effort_.least_runs);
  const double begin = now_us();
  while (times.size() < least || (times.size() < kMostRuns && now_us() - begin < limit_us)) {
    const double start = now_us();
    once();
    times.push_back(now_us() - start);
  }
  return times;
}

bool Figures::wants(const std::string& name) const {
  return name.find(effort_.only) != std::string::npos;
}

void Figures::time(const std::string& name, const std::function<void()>& once, int parts) {
  if (!wants(name)) return;
  std::vector<double> values = times_us(once);
  for (double& value : values)
    value /= parts;
  add(name, kTime, std::move(values));
}

void Figures::rate(const std::string& name, std::size_t bytes, const std::function<void()>& once) {
  if (!wants(name)) return;
  std::vector<double> values = times_us(once);
  for (double& value : values)
    value = static_cast<double>(bytes) / value;
  add(name, "MB/s", std::move(values));
}

void Figures::repeat(const std::function<void()>& once) const {
  const double begin = now_us();
  for (double runs = 0; runs < effort_.least_runs || now_us() - begin < effort_.seconds * 1e6;
       ++runs)
    once();
}

}  // namespace longwire::bench
