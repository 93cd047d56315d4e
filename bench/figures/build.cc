// A program of ten kernels from source: one that nobody has built before, and the same again in
// another process.
#include <unistd.h>

#include <string>
#include <vector>

#include "figures/child.h"
#include "figures/device.h"

namespace longwire::bench {
namespace {

constexpr int kKernels = 10;

std::string kernel_name(int number) { return "kernel_" + std::to_string(number); }

std::string unique_source() {
  const std::string nonce = std::to_string(now_us()) + "f + " + std::to_string(::getpid()) + ".0f";
  std::string source;
  for (int i = 0; i < kKernels; ++i)
    source += "__kernel void " + kernel_name(i) +
              "(__global float* v, float x) {\n"
              "  size_t i = get_global_id(0);\n"
              "  v[i] = v[i] * x + " +
              std::to_string(i) + ".0f + " + nonce + ";\n}\n";
  return source;
}

// A node may take a while to store what it keeps of a session that has ended.
constexpr useconds_t kPauseUs = 3'000'000;

double build_us(const std::string& platform, const std::string& text) {
  Device device = find_device(platform);
  cl_int status = CL_SUCCESS;
  device.context = clCreateContext(nullptr, 1, &device.id, nullptr, nullptr, &status);
  require(status, "clCreateContext");
  const double start = now_us();
  const char* source = text.c_str();
  cl_program program = clCreateProgramWithSource(device.context, 1, &source, nullptr, &status);
  require(status, "clCreateProgramWithSource");
  require(clBuildProgram(program, 1, &device.id, "", nullptr, nullptr), "clBuildProgram");
  for (int i = 0; i < kKernels; ++i)
    kernel_of(program, kernel_name(i).c_str());
  return now_us() - start;
}

}  // namespace

void build_figures(const std::string& platform, Figures& out) {
  std::vector<double> cold_us, warm_us;
  std::vector<std::string> sources;
  const auto build = [&] {
    return in_child([&] { return std::vector<double>{build_us(platform, sources.back())}; })[0];
  };
  out.repeat([&] {
    sources.push_back(unique_source());
    cold_us.push_back(build());
  });
  if (!out.effort().smoke) ::usleep(kPauseUs);
  for (; !sources.empty(); sources.pop_back())
    warm_us.push_back(build());
  out.add("program of ten kernels, cold", "us", cold_us);
  out.add("program of ten kernels, in a second session", "us", warm_us);
}

}  // namespace longwire::bench
