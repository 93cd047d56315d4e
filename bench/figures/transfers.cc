// Reads and writes of growing size. A write counts as done when its bytes are on the device
// (clFinish), so that it compares with a socket's send and acknowledgement. The memory of the
// program and of the device is touched before it is measured, and stays the same in every run.
#include <string>
#include <vector>

#include "figures/device.h"

namespace longwire::bench {
namespace {

struct Transfer {
  const Device& device;
  cl_mem buffer;
  std::size_t bytes;
  std::vector<char> host;  // as many parts of `bytes` as are in flight

  void write(cl_bool blocking, std::size_t part) {
    require(clEnqueueWriteBuffer(device.in_order, buffer, blocking, 0, bytes,
                                 host.data() + part * bytes, 0, nullptr, nullptr),
            "clEnqueueWriteBuffer");
  }
  void read(cl_bool blocking, std::size_t part) {
    require(clEnqueueReadBuffer(device.in_order, buffer, blocking, 0, bytes,
                                host.data() + part * bytes, 0, nullptr, nullptr),
            "clEnqueueReadBuffer");
  }
  void finish() const { require(clFinish(device.in_order), "clFinish"); }
};

void measure(const Device& device, const Size& size, Figures& out) {
  const std::size_t parts = in_flight(size.bytes);
  Transfer transfer{device, make_buffer(device, size.bytes), size.bytes,
                    std::vector<char>(size.bytes * parts, 1)};
  const std::string name = size.name;
  out.rate("write, " + name, size.bytes, [&] {
    transfer.write(CL_TRUE, 0);
    transfer.finish();
  });
  out.rate("read, " + name, size.bytes, [&] { transfer.read(CL_TRUE, 0); });
  out.rate("write, pipelined, " + name, size.bytes * parts, [&] {
    for (std::size_t part = 0; part < parts; ++part)
      transfer.write(CL_FALSE, part);
    transfer.finish();
  });
  out.rate("read, pipelined, " + name, size.bytes * parts, [&] {
    for (std::size_t part = 0; part < parts; ++part)
      transfer.read(CL_FALSE, part);
    transfer.finish();
  });
  clReleaseMemObject(transfer.buffer);
}

}  // namespace

void transfer_figures(const Device& device, Figures& out) {
  for (const Size& size : kSizes) {
    if (size.bytes > out.effort().largest_bytes) break;
    measure(device, size, out);
  }
}

}  // namespace longwire::bench
