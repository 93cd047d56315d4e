// The device under measurement. Every OpenCL error ends the program: a benchmark of a failing
// device means nothing.
#pragma once

#include <CL/cl.h>

#include <cstddef>
#include <string>

#include "figures/figure.h"

namespace longwire::bench {

struct Device {
  cl_device_id id = nullptr;
  cl_context context = nullptr;
  cl_command_queue in_order = nullptr;
  cl_command_queue out_of_order = nullptr;
  cl_kernel empty = nullptr;      // __kernel void empty() {}
  cl_kernel increment = nullptr;  // adds 1 to each int of its one buffer
  std::string platform, name;
};

// The first device of the first platform whose name has `platform` in it. Only id and names.
Device find_device(const std::string& platform);
// Context, queues and kernels for it.
void open(Device& device);

cl_mem make_buffer(const Device& device, std::size_t bytes);
cl_kernel kernel_of(cl_program program, const char* name);

// Ends the program with `what` when status is not CL_SUCCESS.
void require(cl_int status, const char* what);

// Each adds the figures of its group.
void latency_figures(const Device& device, Figures& out);
// `server` is the process whose CPU counts as well as this one's, with its children; 0 for none.
void throughput_figures(const Device& device, int server, Figures& out);
void chain_figures(const Device& device, Figures& out);
void transfer_figures(const Device& device, Figures& out);
// These two start processes of their own, and must run before this one has used OpenCL.
void session_figures(const std::string& platform, Figures& out);
void build_figures(const std::string& platform, Figures& out);

}  // namespace longwire::bench
