// How a figure is taken and kept.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "figures/sizes.h"

namespace longwire::bench {

// One line of the table. Smaller is better for times; rates ("MB/s", "commands/s") grow.
struct Figure {
  std::string group, name, unit;
  double median = 0;
  double p99 = 0;  // 99th percentile of times, 1st of rates
  std::size_t runs = 0;
};

// What one group of figures adds to.
class Figures {
 public:
  Figures(std::string group, const Effort& effort, std::vector<Figure>& all)
      : group_(std::move(group)), effort_(effort), all_(all) {}

  const Effort& effort() const { return effort_; }
  void add(const std::string& name, const std::string& unit, std::vector<double> values);
  // Times `once`, after warming up, as often as the effort allows. Microseconds of one of the
  // `parts` that it does.
  void time(const std::string& name, const std::function<void()>& once, int parts = 1);
  // The same, as MB/s of `bytes` in each run.
  void rate(const std::string& name, std::size_t bytes, const std::function<void()>& once);
  // Calls `once`, which takes its own times, until the effort is spent.
  void repeat(const std::function<void()>& once) const;

 private:
  bool wants(const std::string& name) const;
  std::vector<double> times_us(const std::function<void()>& once) const;

  std::string group_;
  Effort effort_;
  std::vector<Figure>& all_;
};

double now_us();
double thread_cpu_us();
double process_cpu_us();

}  // namespace longwire::bench
