// clSetKernelArg from what the build said of the argument. OpenCL 3.0, section 5.9.2.
#include <cstring>
#include <memory>

#include "client/opencl/enqueue.h"
#include "client/opencl/image.h"
#include "client/opencl/kernel.h"
#include "client/opencl/sampler.h"
#include "opencl/messages.h"

namespace longwire::client::opencl {
namespace {

namespace msg = ::longwire::opencl::msg;

// The object that a pointer argument's value names; null for NULL.
void* object_in(const void* value) noexcept {
  void* object = nullptr;
  if (value != nullptr) std::memcpy(&object, value, sizeof object);
  return object;
}

// Three-component vectors are as large as four-component ones; some drivers take them packed.
bool size_fits(std::size_t given, std::size_t wanted) noexcept {
  return wanted == 0 || given == wanted || (given % 3 == 0 && given / 3 * 4 == wanted);
}

bool is_image_arg(const ArgShape& shape) noexcept {
  return shape.has_info && shape.access != CL_KERNEL_ARG_ACCESS_NONE;
}

bool may_write(const ArgShape& shape) noexcept {
  if (!shape.has_info) return true;
  if (shape.access == CL_KERNEL_ARG_ACCESS_READ_ONLY) return false;
  return shape.address != CL_KERNEL_ARG_ADDRESS_CONSTANT &&
         (shape.type_qualifier & CL_KERNEL_ARG_TYPE_CONST) == 0;
}

// An image argument takes an image whose flags allow the access.
cl_int check_image_arg(const ArgShape& shape, Memory& memory) noexcept {
  const cl_mem_flags flags = memory.flags();
  if (memory.as_image() == nullptr) return CL_INVALID_MEM_OBJECT;
  const bool refused =
      (shape.access == CL_KERNEL_ARG_ACCESS_READ_ONLY && (flags & CL_MEM_WRITE_ONLY) != 0) ||
      (shape.access == CL_KERNEL_ARG_ACCESS_WRITE_ONLY && (flags & CL_MEM_READ_ONLY) != 0);
  return refused ? CL_INVALID_ARG_VALUE : CL_SUCCESS;
}

std::uint32_t wire_kind(BoundArg::State state) noexcept {
  switch (state) {
    case BoundArg::State::kMemory:
      return 2;
    case BoundArg::State::kSampler:
      return 3;
    case BoundArg::State::kLocal:
      return 4;
    default:
      return 1;
  }
}

}  // namespace

bool BoundArg::same_as(const BoundArg& other) const noexcept {
  return state == other.state && object == other.object && size == other.size &&
         (state != State::kValue || (size <= kKeptBytes && value == other.value));
}

cl_int Kernel::set_arg(cl_uint index, std::size_t size, const void* value) noexcept {
  if (index >= args_.size()) return CL_INVALID_ARG_INDEX;
  BoundArg arg;
  std::span<const std::byte> raw;
  LW_CL_TRY(read_arg(shape_->args[index], size, value, &arg, &raw));
  if (raw.size() <= arg.value.size()) std::copy(raw.begin(), raw.end(), arg.value.begin());
  BoundArg& bound = args_[index];
  if (arg.same_as(bound)) return CL_SUCCESS;

  msg::SetKernelArg message;
  message.kernel = handle();
  message.index = index;
  message.kind = wire_kind(arg.state);
  message.size = arg.size;
  message.object = arg.object;
  message.value = raw;
  LW_CL_TRY(send_to_nodes(message));
  if (bound.state == BoundArg::State::kUnset) --unset_args_;
  bound = std::move(arg);
  return CL_SUCCESS;
}

cl_int Kernel::read_arg(const ArgShape& shape, std::size_t size, const void* value, BoundArg* arg,
                        std::span<const std::byte>* raw) noexcept {
  arg->size = size;
  switch (shape.kind) {
    case ArgKind::kMemory:
      return read_memory(shape, size, value, arg);
    case ArgKind::kSampler:
      return read_sampler(size, value, arg);
    case ArgKind::kLocal:
      if (value != nullptr) return CL_INVALID_ARG_VALUE;
      if (size == 0) return CL_INVALID_ARG_SIZE;
      arg->state = BoundArg::State::kLocal;
      return CL_SUCCESS;
    case ArgKind::kValue:
      if (value == nullptr) return CL_INVALID_ARG_VALUE;
      if (size == 0 || !size_fits(size, shape.value_bytes)) return CL_INVALID_ARG_SIZE;
      arg->state = BoundArg::State::kValue;
      *raw = {static_cast<const std::byte*>(value), size};
      return CL_SUCCESS;
    case ArgKind::kOther:
      return CL_INVALID_ARG_VALUE;  // queues, pipes: not offered
    case ArgKind::kUnknown:
      break;
  }
  return read_unknown(size, value, arg, raw);
}

cl_int Kernel::read_memory(const ArgShape& shape, std::size_t size, const void* value,
                           BoundArg* arg) noexcept {
  if (size != sizeof(cl_mem)) return CL_INVALID_ARG_SIZE;
  if (value == nullptr && is_image_arg(shape)) return CL_INVALID_ARG_VALUE;
  arg->state = BoundArg::State::kMemory;
  arg->may_write = may_write(shape);
  void* const object = object_in(value);
  if (object == nullptr) return CL_SUCCESS;
  Memory* const memory = from_cl<Memory>(object);
  if (memory == nullptr || &memory->context() != &context()) return CL_INVALID_MEM_OBJECT;
  if (is_image_arg(shape)) LW_CL_TRY(check_image_arg(shape, *memory));
  arg->object = memory->handle();
  arg->memory = Ref<Memory>(memory);
  return CL_SUCCESS;
}

cl_int Kernel::read_sampler(std::size_t size, const void* value, BoundArg* arg) noexcept {
  if (size != sizeof(cl_sampler)) return CL_INVALID_ARG_SIZE;
  Sampler* const sampler = from_cl<Sampler>(object_in(value));
  if (sampler == nullptr || &sampler->context() != &context()) return CL_INVALID_SAMPLER;
  arg->state = BoundArg::State::kSampler;
  arg->object = sampler->handle();
  return CL_SUCCESS;
}

// The vendor's driver did not say what the argument is. Without a value it is local memory (or a
// null pointer: natively the same call); eight bytes that name a live object are that object.
cl_int Kernel::read_unknown(std::size_t size, const void* value, BoundArg* arg,
                            std::span<const std::byte>* raw) noexcept {
  if (value == nullptr) {
    if (size == 0) return CL_INVALID_ARG_SIZE;
    arg->state = BoundArg::State::kLocal;
    return CL_SUCCESS;
  }
  if (size == sizeof(void*)) {
    const Object* const object = Object::from_cl_pointer(object_in(value));
    if (object != nullptr && object->kind() == Kind::kMem) return read_memory({}, size, value, arg);
    if (object != nullptr && object->kind() == Kind::kSampler)
      return read_sampler(size, value, arg);
  }
  if (size == 0) return CL_INVALID_ARG_SIZE;
  arg->state = BoundArg::State::kValue;
  *raw = {static_cast<const std::byte*>(value), size};
  return CL_SUCCESS;
}

cl_ulong Kernel::local_arg_bytes() const noexcept {
  cl_ulong bytes = 0;
  for (const BoundArg& arg : args_) {
    if (arg.state == BoundArg::State::kLocal) bytes += arg.size;
  }
  return bytes;
}

}  // namespace longwire::client::opencl
