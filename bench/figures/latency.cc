// Short synchronous exchanges: what one wait costs.
#include <array>
#include <vector>

#include "device.h"

namespace longwire::bench {
namespace {

constexpr std::size_t kSmallBytes = 4096;
constexpr int kRuns = 2000;

cl_mem buffer_of(const Device& device, std::size_t bytes) {
  cl_int status = CL_SUCCESS;
  cl_mem buffer = clCreateBuffer(device.context, CL_MEM_READ_WRITE, bytes, nullptr, &status);
  require(status, "clCreateBuffer");
  return buffer;
}

void write_kernel_read(const Device& device, cl_mem buffer, std::vector<int>& host) {
  const std::size_t count = host.size();
  require(clEnqueueWriteBuffer(device.in_order, buffer, CL_FALSE, 0, kSmallBytes, host.data(), 0,
                               nullptr, nullptr),
          "clEnqueueWriteBuffer");
  require(clEnqueueNDRangeKernel(device.in_order, device.increment, 1, nullptr, &count, nullptr, 0,
                                 nullptr, nullptr),
          "clEnqueueNDRangeKernel");
  require(clEnqueueReadBuffer(device.in_order, buffer, CL_TRUE, 0, kSmallBytes, host.data(), 0,
                              nullptr, nullptr),
          "clEnqueueReadBuffer");
}

void create_write_release(const Device& device, const std::vector<int>& host) {
  cl_mem buffer = buffer_of(device, kSmallBytes);
  require(clEnqueueWriteBuffer(device.in_order, buffer, CL_TRUE, 0, kSmallBytes, host.data(), 0,
                               nullptr, nullptr),
          "clEnqueueWriteBuffer");
  clReleaseMemObject(buffer);
}

void empty_and_finish(const Device& device) {
  const std::size_t one = 1;
  require(clEnqueueNDRangeKernel(device.in_order, device.empty, 1, nullptr, &one, nullptr, 0,
                                 nullptr, nullptr),
          "clEnqueueNDRangeKernel");
  require(clFinish(device.in_order), "clFinish");
}

}  // namespace

void latency_figures(const Device& device, std::vector<Figure>& out) {
  cl_mem buffer = buffer_of(device, kSmallBytes);
  std::vector<int> host(kSmallBytes / sizeof(int), 1);
  require(clSetKernelArg(device.increment, 0, sizeof buffer, &buffer), "clSetKernelArg");
  require(clEnqueueWriteBuffer(device.in_order, buffer, CL_TRUE, 0, kSmallBytes, host.data(), 0,
                               nullptr, nullptr),
          "clEnqueueWriteBuffer");
  out.push_back(measure_us("blocking read of 4 bytes", 200, kRuns, [&] {
    require(clEnqueueReadBuffer(device.in_order, buffer, CL_TRUE, 0, 4, host.data(), 0, nullptr,
                                nullptr),
            "clEnqueueReadBuffer");
  }));
  out.push_back(measure_us("empty kernel + finish", 200, kRuns, [&] { empty_and_finish(device); }));
  out.push_back(measure_us("write 4 KiB + kernel + blocking read", 200, kRuns,
                           [&] { write_kernel_read(device, buffer, host); }));
  out.push_back(measure_us("create + write + release of 4 KiB", 200, kRuns,
                           [&] { create_write_release(device, host); }));
  require(clFinish(device.in_order), "clFinish");
  clReleaseMemObject(buffer);
}

}  // namespace longwire::bench
