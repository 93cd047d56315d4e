#include "app/longwire/bench_measure.h"

#include <poll.h>
#include <time.h>

#include <functional>
#include <vector>

#include "app/longwire/driver_library.h"
#include "app/longwire/node_question.h"
#include "client/core/node_session.h"
#include "driver/connect.h"

namespace longwire::app {
namespace {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::Nanoseconds;
using base::Status;
using client::core::NodeSession;

constexpr Nanoseconds kConnectTimeout = 10 * base::kSecond;
constexpr Nanoseconds kAnswerTimeout = 30 * base::kSecond;
constexpr int kLaunchesAtOnce = 1000;
constexpr const char* kSource = "kernel void empty(global int* a) {}";

Nanoseconds now() { return base::monotonic_clock().now_ns(); }

Nanoseconds processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return Nanoseconds{time.tv_sec} * base::kSecond + time.tv_nsec;
}

// Again and again for kFigureNs.
Status repeat(Samples& samples, const std::function<Status()>& once) {
  const Nanoseconds until = now() + kFigureNs;
  for (int i = 0; i < kMaxSamples && (i < kMinSamples || now() < until); ++i) {
    const Nanoseconds began = now();
    LW_TRY(once());
    samples.add(now() - began);
  }
  return {};
}

Deadline soon(Nanoseconds ns) { return Deadline::in(base::monotonic_clock(), ns); }

// --- the device ----------------------------------------------------------------------------------

// Everything of one device; OpenCL's objects go with the process.
struct Bench {
  const cl_icd_dispatch* cl = nullptr;
  cl_device_id device = nullptr;
  cl_context context = nullptr;
  cl_command_queue queue = nullptr;
  cl_kernel kernel = nullptr;
  cl_mem buffer = nullptr;

  cl_int launch() const {
    const std::size_t one = 1;
    return cl->clEnqueueNDRangeKernel(queue, kernel, 1, nullptr, &one, nullptr, 0, nullptr,
                                      nullptr);
  }
};

Status require(cl_int status, const char* what) {
  if (status == CL_SUCCESS) return {};
  return Error(ErrorCode::kUnavailable,
               std::string(what) + " fails with " + std::to_string(status));
}

Status make_kernel(Bench& b) {
  cl_int status = CL_SUCCESS;
  const char* source = kSource;
  const cl_program program =
      b.cl->clCreateProgramWithSource(b.context, 1, &source, nullptr, &status);
  LW_TRY(require(status, "clCreateProgramWithSource"));
  LW_TRY(
      require(b.cl->clBuildProgram(program, 0, nullptr, "", nullptr, nullptr), "clBuildProgram"));
  b.kernel = b.cl->clCreateKernel(program, "empty", &status);
  LW_TRY(require(status, "clCreateKernel"));
  return require(b.cl->clSetKernelArg(b.kernel, 0, sizeof b.buffer, &b.buffer), "clSetKernelArg");
}

base::Result<Bench> open(const DriverLibrary& driver) {
  Bench b;
  b.cl = driver.cl;
  LW_TRY(require(b.cl->clGetDeviceIDs(driver.platform, CL_DEVICE_TYPE_ALL, 1, &b.device, nullptr),
                 "finding a device"));
  cl_int status = CL_SUCCESS;
  b.context = b.cl->clCreateContext(nullptr, 1, &b.device, nullptr, nullptr, &status);
  LW_TRY(require(status, "clCreateContext"));
  b.queue = b.cl->clCreateCommandQueue(b.context, b.device, 0, &status);
  LW_TRY(require(status, "clCreateCommandQueue"));
  b.buffer = b.cl->clCreateBuffer(b.context, CL_MEM_READ_WRITE, sizeof(cl_int), nullptr, &status);
  LW_TRY(require(status, "clCreateBuffer"));
  LW_TRY(make_kernel(b));
  return b;
}

Status measure_waits(const Bench& b, Figures& figures) {
  cl_int value = 0;
  LW_TRY(repeat(figures.read_4, [&] {
    return require(b.cl->clEnqueueReadBuffer(b.queue, b.buffer, CL_TRUE, 0, sizeof value, &value, 0,
                                             nullptr, nullptr),
                   "clEnqueueReadBuffer");
  }));
  return repeat(figures.finish, [&]() -> Status {
    LW_TRY(require(b.launch(), "clEnqueueNDRangeKernel"));
    return require(b.cl->clFinish(b.queue), "clFinish");
  });
}

Status measure_launches(const Bench& b, Figures& figures) {
  const Nanoseconds began = now();
  const Nanoseconds cpu_began = processor_time();
  while (now() - began < kFigureNs) {
    for (int i = 0; i < kLaunchesAtOnce; ++i)
      LW_TRY(require(b.launch(), "clEnqueueNDRangeKernel"));
    figures.launches += kLaunchesAtOnce;
  }
  LW_TRY(require(b.cl->clFinish(b.queue), "clFinish"));
  figures.launches_took_ns = now() - began;
  figures.launches_cpu_ns = processor_time() - cpu_began;
  return {};
}

// Larger and larger, until one takes a good part of the time for a figure; then a few of that.
Status measure_transfer(const std::function<Status(std::size_t)>& move, std::size_t at_most,
                        Transfer& transfer) {
  std::size_t bytes = std::min(kFirstTransferBytes, at_most);
  LW_TRY(move(bytes));  // opens the lanes
  for (;;) {
    const Nanoseconds began = now();
    LW_TRY(move(bytes));
    if (now() - began >= kFigureNs / 4 || bytes >= at_most) break;
    bytes = std::min(2 * bytes, at_most);
  }
  const Nanoseconds began = now();
  const Nanoseconds cpu_began = processor_time();
  for (int i = 0; i < kTransferTimes; ++i)
    LW_TRY(move(bytes));
  transfer = {bytes * kTransferTimes, now() - began, processor_time() - cpu_began};
  return {};
}

Status measure_transfers(const Bench& b, Figures& figures) {
  cl_ulong largest = 0;
  b.cl->clGetDeviceInfo(b.device, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof largest, &largest, nullptr);
  const auto bytes = static_cast<std::size_t>(
      std::min<cl_ulong>(kMaxTransferBytes, std::max<cl_ulong>(4, largest / 2)));
  cl_int status = CL_SUCCESS;
  const cl_mem buffer = b.cl->clCreateBuffer(b.context, CL_MEM_READ_WRITE, bytes, nullptr, &status);
  LW_TRY(require(status, "clCreateBuffer"));
  std::vector<std::byte> data(bytes, std::byte{1});
  const auto write = [&](std::size_t size) -> Status {
    LW_TRY(require(b.cl->clEnqueueWriteBuffer(b.queue, buffer, CL_TRUE, 0, size, data.data(), 0,
                                              nullptr, nullptr),
                   "clEnqueueWriteBuffer"));
    return require(b.cl->clFinish(b.queue), "clFinish");
  };
  const auto read = [&](std::size_t size) {
    return require(b.cl->clEnqueueReadBuffer(b.queue, buffer, CL_TRUE, 0, size, data.data(), 0,
                                             nullptr, nullptr),
                   "clEnqueueReadBuffer");
  };
  LW_TRY(measure_transfer(write, bytes, figures.to_device));
  LW_TRY(measure_transfer(read, bytes, figures.from_device));
  return require(b.cl->clReleaseMemObject(buffer), "clReleaseMemObject");
}

}  // namespace

Status measure_session(const client::core::NodeAddress& node, const std::string& home,
                       Figures& figures) {
  figures.node = node.to_string();
  figures.tls = node.transport == client::core::NodeAddress::Transport::kTls;
  for (int i = 0; i < kSetUps; ++i) {
    ::poll(nullptr, 0, kSetUpPauseMs);
    NodeSession session(base::monotonic_clock(), driver::make_connector(node, home, ""));
    const Nanoseconds began = now();
    LW_TRY(session.connect(soon(kConnectTimeout)));
    figures.set_up.add(now() - began);
    figures.set_up_round_trips = session.counters().setup_round_trips;
    if (i + 1 == kSetUps)
      LW_TRY(repeat(figures.round_trip, [&] { return ask_worker(session, soon(kAnswerTimeout)); }));
  }
  return {};
}

Status measure_device(const std::string& path, Figures& figures) {
  LW_ASSIGN(const DriverLibrary driver, load_driver(path));
  LW_ASSIGN(const Bench bench, open(driver));
  figures.device = device_text(*bench.cl, bench.device, CL_DEVICE_NAME);
  LW_TRY(measure_waits(bench, figures));
  LW_TRY(measure_launches(bench, figures));
  return measure_transfers(bench, figures);
}

}  // namespace longwire::app
