// Kernel: behind cl_kernel. OpenCL 3.0, section 5.9. Everything that queries and checks need comes
// from the KernelShape that the build brought.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "client/opencl/context.h"
#include "client/opencl/device.h"
#include "client/opencl/memory.h"
#include "client/opencl/object.h"
#include "client/opencl/program.h"

namespace longwire::client::opencl {

// An argument as it was last set.
struct BoundArg {
  enum class State : std::uint8_t { kUnset, kValue, kMemory, kSampler, kLocal };
  State state = State::kUnset;
  bool writes = true;       // memory: the kernel may write it
  wire::Handle object = 0;  // memory object (0: NULL) or sampler
  std::size_t size = 0;     // value or local memory
};

class Kernel final : public Object {
 public:
  static constexpr Kind kKind = Kind::kKernel;

  Kernel(Program& program, std::shared_ptr<const KernelShape> shape);
  Kernel(Kernel& source);  // clCloneKernel
  ~Kernel() override;

  Program& program() const noexcept { return *program_; }
  Context& context() const noexcept { return program_->context(); }
  const KernelShape& shape() const noexcept { return *shape_; }

  // --- for enqueueing
  // ---------------------------------------------------------------------------------
  bool all_args_set() const noexcept { return unset_args_ == 0; }
  // f(Memory&, bool may_write) for every memory object that is bound and alive. Costs a look-up
  // each, so only contexts that span nodes should ask.
  template <class F>
  void for_each_memory(F&& f) const;
  // CL_INVALID_KERNEL_ARGS, CL_MISALIGNED_SUB_BUFFER_OFFSET for this device, or CL_SUCCESS.
  cl_int check_args(const Device& device) const noexcept;
  // CL_KERNEL_* work-group facts on `device`: {0,0,0} and 0 where unknown.
  struct WorkGroupFacts {
    std::size_t max_size = 0;             // CL_KERNEL_WORK_GROUP_SIZE
    std::size_t required[3] = {0, 0, 0};  // CL_KERNEL_COMPILE_WORK_GROUP_SIZE
    cl_ulong local_bytes = 0;             // CL_KERNEL_LOCAL_MEM_SIZE
  };
  WorkGroupFacts work_group(const Device& device) const noexcept;
  bool has_executable_for(const Device& device) const noexcept;

  // --- arguments (kernel_args.cc)
  // ----------------------------------------------------------------------
  cl_int set_arg(cl_uint index, std::size_t size, const void* value) noexcept;
  const std::vector<BoundArg>& args() const noexcept { return args_; }

 private:
  void bind(cl_uint index, BoundArg arg) noexcept;

  const Ref<Program> program_;
  const std::shared_ptr<const KernelShape> shape_;  // shared with the program and other kernels
  std::vector<BoundArg> args_;
  std::size_t unset_args_ = 0;
  std::size_t aligned_args_ = 0;  // bound sub-buffers, whose alignment a launch must check
};

template <class F>
void Kernel::for_each_memory(F&& f) const {
  for (const BoundArg& arg : args_) {
    if (arg.state != BoundArg::State::kMemory || arg.object == 0) continue;
    if (const Ref<Memory> memory = find_memory(context().runtime(), arg.object))
      f(*memory, arg.writes);
  }
}

}  // namespace longwire::client::opencl
