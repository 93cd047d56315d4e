// Blocking reads and writes of growing size. A write counts as done when its bytes are on the
// device (clFinish), so that it compares with a socket's send plus acknowledgement.
#include <cstdlib>
#include <vector>

#include "device.h"

namespace longwire::bench {
namespace {

struct Size {
  std::size_t bytes;
  const char* name;
  int runs;
};
constexpr Size kSizes[] = {
    {std::size_t{4} << 10, "4 KiB", 500},   {std::size_t{64} << 10, "64 KiB", 300},
    {std::size_t{1} << 20, "1 MiB", 100},   {std::size_t{16} << 20, "16 MiB", 15},
    {std::size_t{256} << 20, "256 MiB", 5},
};

Figure rate(const std::string& name, std::size_t bytes, int runs,
            const std::function<void()>& once) {
  once();
  std::vector<double> rates;
  for (int i = 0; i < runs; ++i) {
    const double start = now_us();
    once();
    rates.push_back(static_cast<double>(bytes) / (now_us() - start));
  }
  return summary(name, "MB/s", rates);
}

}  // namespace

void transfer_figures(const Device& device, std::size_t largest_bytes, std::vector<Figure>& out) {
  for (const Size& size : kSizes) {
    if (size.bytes > largest_bytes) break;
    cl_int status = CL_SUCCESS;
    cl_mem buffer = clCreateBuffer(device.context, CL_MEM_READ_WRITE, size.bytes, nullptr, &status);
    require(status, "clCreateBuffer");
    std::vector<char> host(size.bytes, 1);
    out.push_back(rate(std::string("write ") + size.name, size.bytes, size.runs, [&] {
      require(clEnqueueWriteBuffer(device.in_order, buffer, CL_TRUE, 0, size.bytes, host.data(), 0,
                                   nullptr, nullptr),
              "clEnqueueWriteBuffer");
      require(clFinish(device.in_order), "clFinish");
    }));
    out.push_back(rate(std::string("read ") + size.name, size.bytes, size.runs, [&] {
      require(clEnqueueReadBuffer(device.in_order, buffer, CL_TRUE, 0, size.bytes, host.data(), 0,
                                  nullptr, nullptr),
              "clEnqueueReadBuffer");
    }));
    clReleaseMemObject(buffer);
  }
}

}  // namespace longwire::bench
