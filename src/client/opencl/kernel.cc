#include "client/opencl/kernel.h"

#include <new>

#include "client/opencl/enqueue.h"
#include "opencl/client_api.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace {

namespace msg = ::longwire::opencl::msg;

cl_int create_kernel(Program& program, std::string_view name, Kernel** created) {
  std::shared_ptr<const KernelShape> shape;
  LW_CL_TRY(program.find_kernel(name, &shape));
  Kernel* const kernel = new Kernel(program, std::move(shape));
  msg::CreateKernel message;
  message.kernel = kernel->handle();
  message.program = program.node_handle();
  message.name = kernel->shape().name;
  if (const cl_int status = kernel->send_to_nodes(message); status != CL_SUCCESS) {
    kernel->release_api();
    return status;
  }
  *created = kernel;
  return CL_SUCCESS;
}

cl_int create_all(Program& program, std::span<cl_kernel> kernels,
                  const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    Kernel* kernel = nullptr;
    const cl_int status = create_kernel(program, names[i], &kernel);
    if (status != CL_SUCCESS) {
      for (std::size_t made = 0; made < i; ++made)
        from_cl<Kernel>(kernels[made])->release_api();
      return status;
    }
    kernels[i] = to_cl<cl_kernel>(kernel);
  }
  return CL_SUCCESS;
}

cl_kernel give_kernel(cl_int* errcode_ret, cl_int status, Kernel* kernel) noexcept {
  if (errcode_ret != nullptr) *errcode_ret = status;
  return status == CL_SUCCESS ? to_cl<cl_kernel>(kernel) : nullptr;
}

}  // namespace

Kernel::Kernel(Program& program, std::shared_ptr<const KernelShape> shape)
    : Object(kKind, program.context().new_handle(kKind)),
      program_(&program),
      shape_(std::move(shape)),
      nodes_(program.executable_nodes()),
      shows_arg_info_(program.shows_arg_info()),
      args_(shape_->args.size()),
      unset_args_(args_.size()) {
  program.kernel_made();
  context().runtime().add_object(*this);
}

Kernel::Kernel(CloneOf of)
    : Object(kKind, of.source.context().new_handle(kKind)),
      program_(of.source.program_),
      shape_(of.source.shape_),
      nodes_(of.source.nodes_),
      shows_arg_info_(of.source.shows_arg_info_),
      args_(of.source.args_),
      unset_args_(of.source.unset_args_) {
  program_->kernel_made();
  context().runtime().add_object(*this);
}

Kernel::~Kernel() {
  context().runtime().remove_object(*this);
  program_->kernel_gone();
  for (Node* node : nodes_)
    node->release(handle());
}

cl_int Kernel::check_args(const Device& device) const noexcept {
  if (!all_args_set()) return CL_INVALID_KERNEL_ARGS;
  for (const BoundArg& arg : args_) {
    if (!arg.memory) continue;
    if (!arg.memory->alive()) return CL_INVALID_KERNEL_ARGS;
    LW_CL_TRY(arg.memory->failure());
    LW_CL_TRY(arg.memory->check_alignment(device));
  }
  return CL_SUCCESS;
}

Kernel::WorkGroupFacts Kernel::work_group(const Device& device) const noexcept {
  WorkGroupFacts facts;
  const auto found = shape_->by_device.find(&device);
  if (found == shape_->by_device.end()) return facts;
  const InfoShadow& infos = found->second;
  facts.max_size = infos.value_or<std::size_t>(CL_KERNEL_WORK_GROUP_SIZE, 0);
  facts.required = infos.value_or(CL_KERNEL_COMPILE_WORK_GROUP_SIZE, facts.required);
  facts.local_bytes = infos.value_or<cl_ulong>(CL_KERNEL_LOCAL_MEM_SIZE, 0) + local_arg_bytes();
  return facts;
}

namespace api {

cl_kernel CreateKernel(cl_program handle, const char* kernel_name, cl_int* errcode_ret) noexcept {
  Kernel* kernel = nullptr;
  const cl_int status = [&]() -> cl_int {
    Program* const program = from_cl<Program>(handle);
    if (program == nullptr) return CL_INVALID_PROGRAM;
    if (kernel_name == nullptr) return CL_INVALID_VALUE;
    return create_kernel(*program, kernel_name, &kernel);
  }();
  return give_kernel(errcode_ret, status, kernel);
}

cl_int CreateKernelsInProgram(cl_program handle, cl_uint num_kernels, cl_kernel* kernels,
                              cl_uint* num_kernels_ret) noexcept {
  Program* const program = from_cl<Program>(handle);
  if (program == nullptr) return CL_INVALID_PROGRAM;
  if (!program->has_executable()) return CL_INVALID_PROGRAM_EXECUTABLE;
  const std::vector<std::string> names = program->kernel_names();
  if (kernels != nullptr) {
    if (num_kernels < names.size()) return CL_INVALID_VALUE;
    LW_CL_TRY(create_all(*program, {kernels, num_kernels}, names));
  }
  if (num_kernels_ret != nullptr) *num_kernels_ret = static_cast<cl_uint>(names.size());
  return CL_SUCCESS;
}

cl_kernel CloneKernel(cl_kernel source_kernel, cl_int* errcode_ret) noexcept {
  const Kernel* const source = from_cl<Kernel>(source_kernel);
  if (source == nullptr) return give_kernel(errcode_ret, CL_INVALID_KERNEL, nullptr);
  auto* const kernel = new (std::nothrow) Kernel(Kernel::CloneOf{*source});
  if (kernel == nullptr) return give_kernel(errcode_ret, CL_OUT_OF_HOST_MEMORY, nullptr);
  msg::CloneKernel message;
  message.kernel = kernel->handle();
  message.source = source->handle();
  const cl_int status = kernel->send_to_nodes(message);
  if (status != CL_SUCCESS) kernel->release_api();
  return give_kernel(errcode_ret, status, kernel);
}

cl_int RetainKernel(cl_kernel handle) noexcept {
  Kernel* const kernel = from_cl<Kernel>(handle);
  if (kernel == nullptr) return CL_INVALID_KERNEL;
  kernel->retain_api();
  return CL_SUCCESS;
}

cl_int ReleaseKernel(cl_kernel handle) noexcept {
  Kernel* const kernel = from_cl<Kernel>(handle);
  if (kernel == nullptr) return CL_INVALID_KERNEL;
  return kernel->release_api() ? CL_SUCCESS : CL_INVALID_KERNEL;
}

cl_int SetKernelArg(cl_kernel handle, cl_uint arg_index, size_t arg_size,
                    const void* arg_value) noexcept {
  Kernel* const kernel = from_cl<Kernel>(handle);
  if (kernel == nullptr) return CL_INVALID_KERNEL;
  return kernel->set_arg(arg_index, arg_size, arg_value);
}

}  // namespace api
}  // namespace longwire::client::opencl
