// Many commands and one wait: what a command costs when it is pipelined.
#include <vector>

#include "figures/device.h"
#include "figures/process_cpu.h"

namespace longwire::bench {
namespace {

constexpr int kCommands = 20'000;
constexpr int kSmokeCommands = 200;

struct Costs {
  std::vector<double> rates, enqueue_cpu_us, command_cpu_us;
};

void one_run(const Device& device, int server, int commands, Costs& costs) {
  const std::size_t one = 1;
  const double cpu = process_cpu_us() + tree_cpu_us(server);
  const double start = now_us();
  const double thread_cpu = thread_cpu_us();
  for (int i = 0; i < commands; ++i)
    require(clEnqueueNDRangeKernel(device.in_order, device.empty, 1, nullptr, &one, nullptr, 0,
                                   nullptr, nullptr),
            "clEnqueueNDRangeKernel");
  const double enqueued_cpu = thread_cpu_us();
  require(clFinish(device.in_order), "clFinish");
  const double end = now_us();
  const double cpu_end = process_cpu_us() + tree_cpu_us(server);
  costs.rates.push_back(commands / (end - start) * 1e6);
  costs.enqueue_cpu_us.push_back((enqueued_cpu - thread_cpu) / commands);
  costs.command_cpu_us.push_back((cpu_end - cpu) / commands);
}

}  // namespace

void throughput_figures(const Device& device, int server, Figures& out) {
  const int commands = out.effort().smoke ? kSmokeCommands : kCommands;
  Costs warm_up, costs;
  one_run(device, server, commands, warm_up);
  out.repeat([&] { one_run(device, server, commands, costs); });
  out.add("20,000 kernels + finish", "commands/s", costs.rates);
  out.add("  thread CPU of one enqueue", "us", costs.enqueue_cpu_us);
  out.add("  CPU of one command, both sides", "us", costs.command_cpu_us);
}

}  // namespace longwire::bench
