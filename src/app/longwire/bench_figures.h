// What `longwire bench` measures of a pair of machines, and what it makes of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace longwire::app {

// Times of one thing done again and again, in nanoseconds.
class Samples {
 public:
  void add(std::int64_t ns) { all_.push_back(ns); }
  std::size_t size() const { return all_.size(); }
  std::int64_t median() const { return quantile(0.5); }
  std::int64_t p99() const { return quantile(0.99); }

 private:
  std::int64_t quantile(double q) const {
    if (all_.empty()) return 0;
    std::vector<std::int64_t> sorted = all_;
    std::sort(sorted.begin(), sorted.end());
    return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
  }
  std::vector<std::int64_t> all_;
};

struct Transfer {
  std::uint64_t bytes = 0;
  std::int64_t took_ns = 0;
  std::int64_t cpu_ns = 0;  // of this process meanwhile
  double bytes_per_s() const {
    return took_ns == 0 ? 0 : static_cast<double>(bytes) * 1e9 / static_cast<double>(took_ns);
  }
  double cores() const {
    return took_ns == 0 ? 0 : static_cast<double>(cpu_ns) / static_cast<double>(took_ns);
  }
};

struct Figures {
  std::string node;
  std::string device;
  bool tls = false;
  Samples set_up;  // connect, authenticate, start: until frames may flow
  std::uint64_t set_up_round_trips = 0;
  Samples round_trip;  // of a request that needs no device
  Samples read_4;      // blocking read of 4 bytes
  Samples finish;      // an empty kernel and clFinish
  std::uint64_t launches = 0;
  std::int64_t launches_took_ns = 0;  // all of them and one clFinish
  std::int64_t launches_cpu_ns = 0;   // of this process
  Transfer to_device;
  Transfer from_device;

  double launches_per_s() const {
    return launches_took_ns == 0
               ? 0
               : static_cast<double>(launches) * 1e9 / static_cast<double>(launches_took_ns);
  }
};

// What limits the pair, figure by figure, in words.
struct Verdicts {
  std::string set_up, round_trip, read_4, finish, launches, to_device, from_device;
  std::string pair;  // and in one sentence
};
Verdicts judge(const Figures& figures);

std::string bench_text(const Figures& figures);
std::string bench_json(const Figures& figures);

}  // namespace longwire::app
