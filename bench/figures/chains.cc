// Each command waits for the one before it.
#include <vector>

#include "figures/device.h"

namespace longwire::bench {
namespace {

constexpr int kLinks = 1'000;
constexpr int kSmokeLinks = 20;

// `queues` are taken in turn.
void chain(const Device& device, const std::vector<cl_command_queue>& queues, int links) {
  const std::size_t one = 1;
  cl_event before = nullptr;
  for (int i = 0; i < links; ++i) {
    cl_event event = nullptr;
    cl_command_queue queue = queues[static_cast<std::size_t>(i) % queues.size()];
    require(
        clEnqueueNDRangeKernel(queue, device.empty, 1, nullptr, &one, nullptr, before != nullptr,
                               before != nullptr ? &before : nullptr, &event),
        "clEnqueueNDRangeKernel");
    if (before != nullptr) clReleaseEvent(before);
    before = event;
  }
  for (cl_command_queue queue : queues)
    require(clFlush(queue), "clFlush");
  require(clWaitForEvents(1, &before), "clWaitForEvents");
  clReleaseEvent(before);
}

void measure(const std::string& name, const Device& device,
             const std::vector<cl_command_queue>& queues, Figures& out) {
  const int links = out.effort().smoke ? kSmokeLinks : kLinks;
  std::vector<double> costs;
  chain(device, queues, links);
  out.repeat([&] {
    const double start = now_us();
    chain(device, queues, links);
    costs.push_back((now_us() - start) / links);
  });
  out.add(name, "us", costs);
}

}  // namespace

void chain_figures(const Device& device, Figures& out) {
  cl_int status = CL_SUCCESS;
  cl_command_queue second = clCreateCommandQueue(device.context, device.id, 0, &status);
  require(status, "clCreateCommandQueue");
  measure("chain of 1,000, per link: out-of-order queue", device, {device.out_of_order}, out);
  measure("chain of 1,000, per link: two queues", device, {device.in_order, second}, out);
  require(clFinish(second), "clFinish");
  clReleaseCommandQueue(second);
}

}  // namespace longwire::bench
