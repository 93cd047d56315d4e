// FakeDriver: a small deterministic OpenCL driver in this process, for tests, fuzzing and the
// simulator, where no OpenCL is installed. Buffers and images hold real bytes; queues, wait lists,
// user events and callbacks behave as the specification says.
//
// Nothing runs by itself: a command runs inside the call that makes it able to (clFlush, clFinish,
// clWaitForEvents, clSetUserEventStatus, clRelease*), on that thread, so a run is the same every
// time. A command that was never flushed stays queued, as with real drivers.
//
// Kernels are known by name, whatever their source says:
//   fill(global uint*, uint)         every element of the global size = the value
//   add(global uint*, global uint*, global uint*)    c = a + b
//   fail(…)                          completes with CL_OUT_OF_RESOURCES
//   journal(global uint*, uint s, uint n)            notes n as run, in the order of session s;
//   also
//                                    in the buffer: element 0 counts, element 1 + count = n
//   hello(…)                         prints "hello from a kernel\n" to descriptor 1
//   anything else                    does nothing
// Sources with "#error" do not build. Buffers beyond `memory_bytes` cannot be had.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "opencl/native_api.h"

namespace longwire::worker::fake {

struct FakeOptions {
  std::size_t memory_bytes = std::size_t{256} << 20;
  unsigned devices = 2;
  std::size_t unlucky_bytes = 0;  // buffers of just that size cannot be had
  bool recycle = false;           // new memory has the bytes of what was freed before
  cl_device_type type = CL_DEVICE_TYPE_ACCELERATOR;
  bool shares_memory = false;  // fine-grained SVM, in the host's memory
};

// One at a time per process: OpenCL's functions have no place for a pointer to their driver.
class FakeDriver {
 public:
  explicit FakeDriver(const FakeOptions& options = {});
  ~FakeDriver();

  const longwire::opencl::NativeApi& api() const { return api_; }
  // Native objects that nobody has released yet.
  std::size_t live_objects() const;
  std::size_t commands_run() const;
  std::size_t memory_bytes() const;  // of all memory objects
  // What journal() has noted for that session, which is forgotten with that.
  std::vector<std::uint32_t> take_journal(std::uint32_t session);

 private:
  longwire::opencl::NativeApi api_;
};

}  // namespace longwire::worker::fake
