// The device under measurement, and how a figure is taken. Every OpenCL error ends the program:
// a benchmark of a failing device means nothing.
#pragma once

#include <CL/cl.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace longwire::bench {

// One line of the table. `median` and `p99` in `unit`; smaller is better for "us", else larger.
struct Figure {
  std::string name;
  std::string unit;
  double median = 0;
  double p99 = 0;
};

struct Device {
  cl_device_id id = nullptr;
  cl_context context = nullptr;
  cl_command_queue in_order = nullptr;
  cl_command_queue out_of_order = nullptr;
  cl_kernel empty = nullptr;      // __kernel void empty() {}
  cl_kernel increment = nullptr;  // adds 1 to each int of its one buffer
  std::string name;
};

// The first device of the loader's first platform.
Device open_device();

// Ends the program with `what` when status is not CL_SUCCESS.
void require(cl_int status, const char* what);

double now_us();
double process_cpu_us();

// Runs `once` (after `warm_up` unmeasured runs) `runs` times; each call's time in microseconds.
Figure measure_us(const std::string& name, int warm_up, int runs,
                  const std::function<void()>& once);
// Median of `values` (and 99th percentile, or 1st when larger is better).
Figure summary(const std::string& name, const std::string& unit, std::vector<double> values);

void latency_figures(const Device& device, std::vector<Figure>& out);
void throughput_figures(const Device& device, std::vector<Figure>& out);
void transfer_figures(const Device& device, std::size_t largest_bytes, std::vector<Figure>& out);

}  // namespace longwire::bench
