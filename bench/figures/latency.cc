// Short synchronous exchanges: what one wait costs.
#include <vector>

#include "figures/device.h"

namespace longwire::bench {
namespace {

constexpr std::size_t kSmallBytes = 4096;
constexpr int kTogether = 200;

void write(const Device& device, cl_mem buffer, cl_bool blocking, const std::vector<int>& host) {
  require(clEnqueueWriteBuffer(device.in_order, buffer, blocking, 0, kSmallBytes, host.data(), 0,
                               nullptr, nullptr),
          "clEnqueueWriteBuffer");
}

void read(const Device& device, cl_mem buffer, std::size_t bytes, std::vector<int>& host) {
  require(clEnqueueReadBuffer(device.in_order, buffer, CL_TRUE, 0, bytes, host.data(), 0, nullptr,
                              nullptr),
          "clEnqueueReadBuffer");
}

void launch(const Device& device, cl_kernel kernel, std::size_t items) {
  require(clEnqueueNDRangeKernel(device.in_order, kernel, 1, nullptr, &items, nullptr, 0, nullptr,
                                 nullptr),
          "clEnqueueNDRangeKernel");
}

void create_write_release(const Device& device, const std::vector<int>& host) {
  cl_mem fresh = make_buffer(device, kSmallBytes);
  write(device, fresh, CL_TRUE, host);
  clReleaseMemObject(fresh);
}

}  // namespace

void latency_figures(const Device& device, Figures& out) {
  cl_mem buffer = make_buffer(device, kSmallBytes);
  std::vector<int> host(kSmallBytes / sizeof(int), 1);
  require(clSetKernelArg(device.increment, 0, sizeof buffer, &buffer), "clSetKernelArg");
  write(device, buffer, CL_TRUE, host);
  out.time("blocking read of 4 bytes", [&] { read(device, buffer, 4, host); });
  out.time("empty kernel + finish", [&] {
    launch(device, device.empty, 1);
    require(clFinish(device.in_order), "clFinish");
  });
  out.time("write 4 KiB + kernel + blocking read", [&] {
    write(device, buffer, CL_FALSE, host);
    launch(device, device.increment, host.size());
    read(device, buffer, kSmallBytes, host);
  });
  out.time("create + write + release of 4 KiB", [&] { create_write_release(device, host); });
  require(clFinish(device.in_order), "clFinish");
  const auto together = [&] {
    for (int i = 0; i < kTogether; ++i)
      create_write_release(device, host);
    require(clFinish(device.in_order), "clFinish");
  };
  out.time("  the same, 200 and a finish, each", together, kTogether);
  clReleaseMemObject(buffer);
}

}  // namespace longwire::bench
