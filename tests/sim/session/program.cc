#include "program.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <list>
#include <thread>
#include <utility>

#include <CL/cl.h>

#include "base/random.h"
#include "opencl/client_api.h"

namespace longwire::sim {
namespace {

namespace api = client::opencl::api;

constexpr std::array<std::size_t, 8> kSizes = {64,       64,       4 << 10,   4 << 10,
                                               20 << 10, 64 << 10, 100 << 10, 300 << 10};
constexpr std::size_t kBuffers = 3;
constexpr const char* kSource =
    "kernel void journal(global uint* log, uint session, uint number) {}\n"
    "kernel void fill(global uint* to, uint value) {}\n";

using Bytes = std::vector<std::byte>;

struct Buffer {
  cl_mem mem = nullptr;
  Bytes model;
};

// A read that was not waited for.
struct PendingRead {
  cl_event event = nullptr;
  Bytes expected;
  Bytes found;
};

class Program {
 public:
  Program(const Plan& plan, std::uint32_t session)
      : plan_(plan), session_(session), random_(plan.program_seed) {}
  ProgramReport run();

 private:
  // What a call returned. A failure is a problem unless the plan ends the session.
  bool ok(cl_int status, const char* call);
  void problem(std::string what) { report_.problems.push_back(std::move(what)); }
  Bytes random_bytes(std::size_t n);
  Buffer& any_buffer() { return buffers_[random_.below(buffers_.size())]; }

  bool set_up();
  bool build();
  bool make_buffer(std::size_t bytes, bool from_host);
  bool step();
  bool launch(bool with_callback);
  bool write(bool blocking, const cl_event* wait);
  bool read_and_check(const Buffer& from);
  bool read_later();
  bool fill();
  bool copy();
  bool gated_write();
  bool unlucky_buffer();
  bool finish();
  void settle(PendingRead& read);
  void after_the_loss();
  void await_callbacks();
  void take_down();

  const Plan& plan_;
  const std::uint32_t session_;
  base::SeededRandom random_;
  ProgramReport report_;
  cl_context context_ = nullptr;
  cl_command_queue queue_ = nullptr;
  cl_program program_ = nullptr;
  cl_kernel journal_ = nullptr;
  cl_kernel fill_ = nullptr;
  std::vector<Buffer> buffers_;  // the first is the journal's
  std::list<PendingRead> reads_;
  std::list<Bytes> sources_;  // of writes that were not waited for
};

bool Program::ok(cl_int status, const char* call) {
  if (status == CL_SUCCESS) return true;
  report_.lost = true;
  if (plan_.fatal == Fatal::kNone) {
    problem(std::string(call) + " failed with " + std::to_string(status) +
            ", though nothing ended the session");
  }
  return false;
}

Bytes Program::random_bytes(std::size_t n) {
  Bytes bytes(n);
  random_.fill(bytes);
  return bytes;
}

// --- before and after ---

bool Program::set_up() {
  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
  if (!ok(api::GetPlatformIDs(1, &platform, nullptr), "clGetPlatformIDs")) return false;
  if (!ok(api::GetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr), "clGetDeviceIDs")) {
    return false;
  }
  cl_int status = CL_SUCCESS;
  context_ = api::CreateContext(nullptr, 1, &device, nullptr, nullptr, &status);
  if (!ok(status, "clCreateContext")) return false;
  queue_ = api::CreateCommandQueueWithProperties(context_, device, nullptr, &status);
  if (!ok(status, "clCreateCommandQueueWithProperties")) return false;
  if (!build() || !make_buffer(4 * (kMaxLaunches + 1), true)) return false;
  for (std::size_t i = 0; i < kBuffers; ++i) {
    if (!make_buffer(kSizes[random_.below(kSizes.size())], random_.one_in(2))) return false;
  }
  return true;
}

bool Program::build() {
  cl_int status = CL_SUCCESS;
  const char* source = kSource;
  program_ = api::CreateProgramWithSource(context_, 1, &source, nullptr, &status);
  if (!ok(status, "clCreateProgramWithSource")) return false;
  if (!ok(api::BuildProgram(program_, 0, nullptr, "", nullptr, nullptr), "clBuildProgram")) {
    return false;
  }
  journal_ = api::CreateKernel(program_, "journal", &status);
  if (!ok(status, "clCreateKernel")) return false;
  fill_ = api::CreateKernel(program_, "fill", &status);
  return ok(status, "clCreateKernel");
}

// The first one's bytes are zero: it counts.
bool Program::make_buffer(std::size_t bytes, bool from_host) {
  Buffer buffer;
  buffer.model = buffers_.empty() ? Bytes(bytes) : random_bytes(bytes);
  cl_int status = CL_SUCCESS;
  buffer.mem = api::CreateBuffer(context_, from_host ? CL_MEM_COPY_HOST_PTR : 0, bytes,
                                 from_host ? buffer.model.data() : nullptr, &status);
  if (!ok(status, "clCreateBuffer")) return false;
  buffers_.push_back(std::move(buffer));
  if (from_host) return true;
  const Buffer& made = buffers_.back();
  return ok(api::EnqueueWriteBuffer(queue_, made.mem, CL_TRUE, 0, bytes, made.model.data(), 0,
                                    nullptr, nullptr),
            "clEnqueueWriteBuffer");
}

void Program::take_down() {
  for (const Buffer& buffer : buffers_)
    api::ReleaseMemObject(buffer.mem);
  if (journal_ != nullptr) api::ReleaseKernel(journal_);
  if (fill_ != nullptr) api::ReleaseKernel(fill_);
  if (program_ != nullptr) api::ReleaseProgram(program_);
  if (queue_ != nullptr) api::ReleaseCommandQueue(queue_);
  if (context_ != nullptr) api::ReleaseContext(context_);
}

// --- steps ---

bool Program::step() {
  switch (random_.below(12)) {
    case 0:
    case 1:
    case 2:
      return launch(random_.one_in(4));
    case 3:
      return write(true, nullptr);
    case 4:
      return write(false, nullptr);
    case 5:
      return read_and_check(any_buffer());
    case 6:
      return read_later();
    case 7:
      return fill();
    case 8:
      return copy();
    case 9:
      return gated_write();
    case 10:
      return random_.one_in(3) ? unlucky_buffer() : launch(false);
    default:
      return random_.one_in(2) ? finish() : ok(api::Flush(queue_), "clFlush");
  }
}

void CL_CALLBACK count_call(cl_event, cl_int, void* user) {
  ++*static_cast<std::atomic<std::uint32_t>*>(user);
}

bool Program::launch(bool with_callback) {
  const std::uint32_t number = report_.launched + 1;
  if (!ok(api::SetKernelArg(journal_, 0, sizeof(cl_mem), &buffers_[0].mem), "clSetKernelArg") ||
      !ok(api::SetKernelArg(journal_, 1, 4, &session_), "clSetKernelArg") ||
      !ok(api::SetKernelArg(journal_, 2, 4, &number), "clSetKernelArg")) {
    return false;
  }
  const std::size_t one = 1;
  cl_event event = nullptr;
  report_.launched = number;  // also if it fails: then nobody knows
  if (!ok(api::EnqueueNDRangeKernel(queue_, journal_, 1, nullptr, &one, nullptr, 0, nullptr,
                                    with_callback ? &event : nullptr),
          "clEnqueueNDRangeKernel")) {
    return false;
  }
  std::memcpy(buffers_[0].model.data(), &number, 4);
  std::memcpy(buffers_[0].model.data() + 4 * std::size_t{number}, &number, 4);
  if (!with_callback) return true;
  const cl_int status = api::SetEventCallback(event, CL_COMPLETE, count_call,
                                              &(*report_.callbacks)[report_.callbacks_wanted]);
  api::ReleaseEvent(event);
  if (!ok(status, "clSetEventCallback")) return false;
  ++report_.callbacks_wanted;
  return true;
}

bool Program::write(bool blocking, const cl_event* wait) {
  Buffer& to = buffers_[1 + random_.below(buffers_.size() - 1)];
  const std::size_t bytes = 1 + random_.below(to.model.size());
  const std::size_t offset = random_.below(to.model.size() - bytes + 1);
  sources_.push_back(random_bytes(bytes));
  Bytes& source = sources_.back();
  if (!ok(api::EnqueueWriteBuffer(queue_, to.mem, blocking ? CL_TRUE : CL_FALSE, offset, bytes,
                                  source.data(), wait != nullptr ? 1 : 0, wait, nullptr),
          "clEnqueueWriteBuffer")) {
    return false;
  }
  std::copy(source.begin(), source.end(), to.model.begin() + static_cast<std::ptrdiff_t>(offset));
  if (blocking) std::ranges::fill(source, std::byte{0xee});  // ours again, as the call promises
  return true;
}

bool Program::read_and_check(const Buffer& from) {
  Bytes found(from.model.size());
  if (!ok(api::EnqueueReadBuffer(queue_, from.mem, CL_TRUE, 0, found.size(), found.data(), 0,
                                 nullptr, nullptr),
          "clEnqueueReadBuffer")) {
    return false;
  }
  if (found != from.model) problem("a blocking read gave wrong bytes");
  report_.confirmed = report_.launched;
  return true;
}

bool Program::read_later() {
  const Buffer& from = any_buffer();
  PendingRead& read = reads_.emplace_back();
  read.expected = from.model;
  read.found.resize(from.model.size());
  return ok(api::EnqueueReadBuffer(queue_, from.mem, CL_FALSE, 0, read.found.size(),
                                   read.found.data(), 0, nullptr, &read.event),
            "clEnqueueReadBuffer");
}

bool Program::fill() {
  Buffer& to = buffers_[1 + random_.below(buffers_.size() - 1)];
  const auto value = static_cast<std::uint32_t>(random_.u64());
  const std::size_t items = to.model.size() / 4;
  if (!ok(api::SetKernelArg(fill_, 0, sizeof(cl_mem), &to.mem), "clSetKernelArg") ||
      !ok(api::SetKernelArg(fill_, 1, 4, &value), "clSetKernelArg") ||
      !ok(api::EnqueueNDRangeKernel(queue_, fill_, 1, nullptr, &items, nullptr, 0, nullptr,
                                    nullptr),
          "clEnqueueNDRangeKernel")) {
    return false;
  }
  for (std::size_t i = 0; i < items; ++i)
    std::memcpy(to.model.data() + 4 * i, &value, 4);
  return true;
}

bool Program::copy() {
  const Buffer& from = buffers_[1];
  Buffer& to = buffers_[2];
  const std::size_t bytes = std::min(from.model.size(), to.model.size());
  if (!ok(api::EnqueueCopyBuffer(queue_, from.mem, to.mem, 0, 0, bytes, 0, nullptr, nullptr),
          "clEnqueueCopyBuffer")) {
    return false;
  }
  std::copy_n(from.model.begin(), bytes, to.model.begin());
  return true;
}

// A write that waits for the program, and a launch behind it.
bool Program::gated_write() {
  cl_int status = CL_SUCCESS;
  cl_event gate = api::CreateUserEvent(context_, &status);
  if (!ok(status, "clCreateUserEvent")) return false;
  const bool went = write(false, &gate) && launch(false) && ok(api::Flush(queue_), "clFlush");
  const bool opened = ok(api::SetUserEventStatus(gate, CL_COMPLETE), "clSetUserEventStatus");
  api::ReleaseEvent(gate);
  return went && opened;
}

// It cannot be had on the node, and whoever uses it is told; the session goes on.
bool Program::unlucky_buffer() {
  cl_int status = CL_SUCCESS;
  cl_mem mem = api::CreateBuffer(context_, 0, kUnluckyBytes, nullptr, &status);
  if (mem == nullptr) return ok(status, "clCreateBuffer");
  Bytes found(kUnluckyBytes);
  status = api::EnqueueReadBuffer(queue_, mem, CL_TRUE, 0, found.size(), found.data(), 0, nullptr,
                                  nullptr);
  api::ReleaseMemObject(mem);
  if (status == CL_SUCCESS) problem("a buffer that could not be allocated was read");
  if (status != CL_MEM_OBJECT_ALLOCATION_FAILURE) return ok(status, "clEnqueueReadBuffer");
  return true;
}

bool Program::finish() {
  if (!ok(api::Finish(queue_), "clFinish")) return false;
  report_.confirmed = report_.launched;
  return true;
}

// --- the end ---

void Program::settle(PendingRead& read) {
  if (read.event == nullptr) return;
  api::WaitForEvents(1, &read.event);
  cl_int status = CL_QUEUED;
  api::GetEventInfo(read.event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, nullptr);
  if (status > 0) problem("clWaitForEvents returned before its event was over");
  if (status == CL_COMPLETE && read.found != read.expected) {
    problem("a read that is complete gave wrong bytes");
  }
  if (status < 0 && plan_.fatal == Fatal::kNone) {
    problem("a read failed with " + std::to_string(status) + ", though nothing ended the session");
  }
  api::ReleaseEvent(read.event);
}

// A lost session stays lost: no call may say that it worked.
void Program::after_the_loss() {
  if (queue_ == nullptr) return;
  if (api::Finish(queue_) == CL_SUCCESS) problem("clFinish succeeded after the session was lost");
  if (buffers_.empty()) return;
  Bytes found(4);
  if (api::EnqueueReadBuffer(queue_, buffers_[0].mem, CL_TRUE, 0, 4, found.data(), 0, nullptr,
                             nullptr) == CL_SUCCESS) {
    problem("a blocking read succeeded after the session was lost");
  }
}

// Also those of events that a lost session has ended. The watchdog says if they never come.
void Program::await_callbacks() {
  for (std::uint32_t i = 0; i < report_.callbacks_wanted; ++i) {
    while ((*report_.callbacks)[i] == 0)
      std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

ProgramReport Program::run() {
  bool going = set_up();
  for (unsigned i = 0; going && i < plan_.steps; ++i)
    going = step();
  going = going && finish();
  for (std::size_t i = 0; going && i < buffers_.size(); ++i)
    going = read_and_check(buffers_[i]);
  if (!going) after_the_loss();
  for (PendingRead& read : reads_)
    settle(read);
  await_callbacks();
  take_down();
  return std::move(report_);
}

}  // namespace

ProgramReport run_program(const Plan& plan, std::uint32_t session) {
  return Program(plan, session).run();
}

}  // namespace longwire::sim
