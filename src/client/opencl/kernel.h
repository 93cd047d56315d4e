// Kernel: behind cl_kernel. OpenCL 3.0, section 5.9. Everything that queries and checks need comes
// from the KernelShape that the build brought.
//
// Threads: as the specification says, one kernel's arguments are set by one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "client/opencl/context.h"
#include "client/opencl/device.h"
#include "client/opencl/info.h"
#include "client/opencl/memory.h"
#include "client/opencl/object.h"
#include "client/opencl/program.h"

namespace longwire::client::opencl {

// An argument as it was last set. Keeps the client's object of a memory argument, not the node's.
struct BoundArg {
  enum class State : std::uint8_t { kUnset, kValue, kMemory, kSampler, kLocal };
  static constexpr std::size_t kKeptBytes =
      16;  // values up to this size are compared when set again

  State state = State::kUnset;
  bool may_write = true;    // memory: the kernel may write it
  wire::Handle object = 0;  // memory object (0: NULL) or sampler
  std::size_t size = 0;     // of a value or of local memory
  Ref<Memory> memory;
  std::array<std::byte, kKeptBytes> value{};

  // Setting it again changes nothing.
  bool same_as(const BoundArg& other) const noexcept;
};

class Kernel final : public Object {
 public:
  static constexpr Kind kKind = Kind::kKernel;

  Kernel(Program& program, std::shared_ptr<const KernelShape> shape);
  struct CloneOf {
    const Kernel& source;
  };
  explicit Kernel(CloneOf of);  // clCloneKernel
  ~Kernel() override;

  Program& program() const noexcept { return *program_; }
  Context& context() const noexcept { return program_->context(); }
  const KernelShape& shape() const noexcept { return *shape_; }
  // Tells the nodes that have the program built.
  template <class M>
  cl_int send_to_nodes(const M& message) noexcept {
    cl_int result = CL_SUCCESS;
    for (Node* node : nodes_) {
      if (const cl_int status = node->send(message); status != CL_SUCCESS) result = status;
    }
    return result;
  }

  // --- for enqueueing
  // -----------------------------------------------------------------------------
  bool all_args_set() const noexcept { return unset_args_ == 0; }
  // f(Memory&, bool may_write) for every memory object that is bound.
  template <class F>
  void for_each_memory(F&& f) const {
    for (const BoundArg& arg : args_) {
      if (arg.memory) f(*arg.memory, arg.may_write);
    }
  }
  // CL_INVALID_KERNEL_ARGS (unset, or released since), CL_MISALIGNED_SUB_BUFFER_OFFSET for this
  // device, an argument's own failure, or CL_SUCCESS.
  cl_int check_args(const Device& device) const noexcept;
  // What launches check; zeros where unknown.
  struct WorkGroupFacts {
    std::size_t max_size = 0;               // CL_KERNEL_WORK_GROUP_SIZE
    std::array<std::size_t, 3> required{};  // CL_KERNEL_COMPILE_WORK_GROUP_SIZE
    cl_ulong local_bytes = 0;               // CL_KERNEL_LOCAL_MEM_SIZE, with the arguments
  };
  WorkGroupFacts work_group(const Device& device) const noexcept;
  bool has_executable_for(const Device& device) const noexcept {
    return shape_->by_device.count(&device) != 0 || program_->has_executable_for(device);
  }

  // --- arguments (kernel_args.cc)
  // -----------------------------------------------------------------
  cl_int set_arg(cl_uint index, std::size_t size, const void* value) noexcept;

  // --- queries (kernel_info.cc)
  // -------------------------------------------------------------------
  cl_int get_info(cl_kernel_info param, const InfoOut& out) noexcept;
  cl_int get_arg_info(cl_uint index, cl_kernel_arg_info param, const InfoOut& out) const noexcept;
  cl_int get_work_group_info(const Device& device, cl_kernel_work_group_info param,
                             const InfoOut& out) noexcept;
  cl_int get_sub_group_info(const Device& device, cl_kernel_sub_group_info param,
                            std::span<const std::byte> input, const InfoOut& out) noexcept;

 private:
  // Checks the program's value for one argument and notes it; `raw`: what to send of a value.
  cl_int read_arg(const ArgShape& shape, std::size_t size, const void* value, BoundArg* arg,
                  std::span<const std::byte>* raw) noexcept;
  cl_int read_memory(const ArgShape& shape, std::size_t size, const void* value,
                     BoundArg* arg) noexcept;
  cl_int read_sampler(std::size_t size, const void* value, BoundArg* arg) noexcept;
  cl_int read_unknown(std::size_t size, const void* value, BoundArg* arg,
                      std::span<const std::byte>* raw) noexcept;
  cl_ulong local_arg_bytes() const noexcept;

  const Ref<Program> program_;
  const std::shared_ptr<const KernelShape> shape_;  // shared with the program and other kernels
  const std::vector<Node*> nodes_;
  const bool shows_arg_info_;
  std::vector<BoundArg> args_;
  std::size_t unset_args_ = 0;
};

}  // namespace longwire::client::opencl
