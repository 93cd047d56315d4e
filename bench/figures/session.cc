// What a program waits for before it has a device. Each run is a process of its own.
#include <unistd.h>

#include <vector>

#include "figures/child.h"
#include "figures/device.h"

namespace longwire::bench {
namespace {

constexpr useconds_t kPauseUs = 500'000;  // a node starts its next spare worker meanwhile

std::vector<double> set_up(const std::string& platform) {
  const double start = now_us();
  Device device = find_device(platform);
  const double found = now_us();
  cl_int status = CL_SUCCESS;
  device.context = clCreateContext(nullptr, 1, &device.id, nullptr, nullptr, &status);
  require(status, "clCreateContext");
  device.in_order = clCreateCommandQueue(device.context, device.id, 0, &status);
  require(status, "clCreateCommandQueue");
  require(clFinish(device.in_order), "clFinish");
  return {found - start, now_us() - found};
}

}  // namespace

void session_figures(const std::string& platform, Figures& out) {
  std::vector<double> found_us, context_us;
  const auto once = [&](bool counts) {
    if (!out.effort().smoke) ::usleep(kPauseUs);
    const std::vector<double> times = in_child([&] { return set_up(platform); });
    if (!counts) return;
    found_us.push_back(times[0]);
    context_us.push_back(times[1]);
  };
  once(false);
  out.repeat([&] { once(true); });
  out.add("session set-up: platforms and devices", "us", found_us);
  out.add("first context, queue and finish", "us", context_us);
}

}  // namespace longwire::bench
