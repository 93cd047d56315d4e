// Many commands and few waits: what one command costs when it is pipelined.
#include <vector>

#include "device.h"

namespace longwire::bench {
namespace {

constexpr int kCommands = 20'000;
constexpr int kChain = 1'000;
constexpr int kRuns = 7;

void enqueue_empty(const Device& device, cl_command_queue queue, cl_uint waits,
                   const cl_event* wait_list, cl_event* event) {
  const std::size_t one = 1;
  require(clEnqueueNDRangeKernel(queue, device.empty, 1, nullptr, &one, nullptr, waits, wait_list,
                                 event),
          "clEnqueueNDRangeKernel");
}

void many_commands(const Device& device, std::vector<Figure>& out) {
  std::vector<double> rates, enqueue_costs, cpu_costs;
  for (int run = 0; run < kRuns; ++run) {
    const double cpu = process_cpu_us();
    const double start = now_us();
    for (int i = 0; i < kCommands; ++i)
      enqueue_empty(device, device.in_order, 0, nullptr, nullptr);
    const double enqueued = now_us();
    require(clFinish(device.in_order), "clFinish");
    rates.push_back(kCommands / (now_us() - start) * 1e6);
    enqueue_costs.push_back((enqueued - start) / kCommands);
    cpu_costs.push_back((process_cpu_us() - cpu) / kCommands);
  }
  out.push_back(summary("20,000 empty kernels + finish", "commands/s", rates));
  out.push_back(summary("  time of one enqueue", "us", enqueue_costs));
  out.push_back(summary("  CPU of the program per command", "us", cpu_costs));
}

// Each command waits for the one before it; `queues` are taken in turn.
Figure chain(const std::string& name, const Device& device,
             const std::vector<cl_command_queue>& queues) {
  std::vector<double> costs;
  for (int run = 0; run < kRuns; ++run) {
    const double start = now_us();
    cl_event before = nullptr;
    for (int i = 0; i < kChain; ++i) {
      cl_event event = nullptr;
      cl_command_queue queue = queues[static_cast<std::size_t>(i) % queues.size()];
      enqueue_empty(device, queue, before != nullptr, before != nullptr ? &before : nullptr,
                    &event);
      if (before != nullptr) clReleaseEvent(before);
      before = event;
    }
    for (cl_command_queue queue : queues)
      require(clFlush(queue), "clFlush");
    require(clWaitForEvents(1, &before), "clWaitForEvents");
    clReleaseEvent(before);
    costs.push_back((now_us() - start) / kChain);
  }
  return summary(name, "us", costs);
}

}  // namespace

void throughput_figures(const Device& device, std::vector<Figure>& out) {
  many_commands(device, out);
  out.push_back(
      chain("chain of 1,000, per link: out-of-order queue", device, {device.out_of_order}));
  cl_int status = CL_SUCCESS;
  cl_command_queue second = clCreateCommandQueue(device.context, device.id, 0, &status);
  require(status, "clCreateCommandQueue");
  out.push_back(chain("chain of 1,000, per link: two queues", device, {device.in_order, second}));
  clReleaseCommandQueue(second);
}

}  // namespace longwire::bench
