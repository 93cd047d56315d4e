// A thin owner of OpenCL's objects. Every call is checked; a failure throws std::runtime_error with
// the call's name and OpenCL's code. This is an ordinary program: nothing here knows of Longwire.
#pragma once

#undef CL_TARGET_OPENCL_VERSION  // the oldest that has all we use
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace microscopy {

void check(cl_int status, const char* call);

struct Release {
  void operator()(cl_context p) const { clReleaseContext(p); }
  void operator()(cl_command_queue p) const { clReleaseCommandQueue(p); }
  void operator()(cl_program p) const { clReleaseProgram(p); }
  void operator()(cl_kernel p) const { clReleaseKernel(p); }
  void operator()(cl_mem p) const { clReleaseMemObject(p); }
};
template <class Handle>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Release>;
using Buffer = Owned<cl_mem>;
using Kernel = Owned<cl_kernel>;

// Space in local memory, as a kernel argument.
struct Local {
  std::size_t size_bytes;
};

class Device {
 public:
  // The `index`-th device of the first platform whose name contains `platform` (any, when empty).
  Device(const std::string& platform, unsigned index);

  const std::string& name() const { return name_; }
  const std::string& platform() const { return platform_; }

  void build(const char* source);
  Kernel kernel(const char* name) const;
  Buffer buffer(std::size_t floats) const;
  Buffer constants(const std::vector<float>& values) const;

  void write(const Buffer& to, const std::vector<float>& from) const;
  void fill(const Buffer& buffer, float value, std::size_t floats) const;
  void read(const Buffer& from, std::vector<float>& to) const;  // waits
  void copy(const Buffer& from, const Buffer& to, std::size_t floats) const;
  void finish() const { check(clFinish(queue_.get()), "clFinish"); }

  // Sets all arguments and enqueues the kernel over `global` work-items (`local` may be empty).
  template <class... Arguments>
  void launch(const Kernel& kernel, const std::vector<std::size_t>& global,
              const std::vector<std::size_t>& local, const Arguments&... arguments) const {
    cl_uint position = 0;
    (set_argument(kernel, position++, arguments), ...);
    check(clEnqueueNDRangeKernel(queue_.get(), kernel.get(), static_cast<cl_uint>(global.size()),
                                 nullptr, global.data(), local.empty() ? nullptr : local.data(), 0,
                                 nullptr, nullptr),
          "clEnqueueNDRangeKernel");
  }

 private:
  static void set_argument(const Kernel& kernel, cl_uint position, const Buffer& buffer) {
    cl_mem handle = buffer.get();
    check(clSetKernelArg(kernel.get(), position, sizeof handle, &handle), "clSetKernelArg");
  }
  static void set_argument(const Kernel& kernel, cl_uint position, Local local) {
    check(clSetKernelArg(kernel.get(), position, local.size_bytes, nullptr), "clSetKernelArg");
  }
  template <class Scalar>
  requires std::is_arithmetic_v<Scalar>
  static void set_argument(const Kernel& kernel, cl_uint position, Scalar value) {
    check(clSetKernelArg(kernel.get(), position, sizeof value, &value), "clSetKernelArg");
  }

  cl_device_id device_ = nullptr;
  std::string name_, platform_;
  Owned<cl_context> context_;
  Owned<cl_command_queue> queue_;
  Owned<cl_program> program_;
};

}  // namespace microscopy
