// Stream memory operations: waits for and writes of a number in memory, in stream order.
#include "softcuda/driver/stream_values.h"

#include <sched.h>

#include <atomic>

#include "softcuda/driver/memory.h"
#include "softcuda/driver/stream.h"

namespace longwire::softcuda::driver {
namespace {

constexpr unsigned int kMaxBatch = 256;

template <class T>
bool holds(T now, T value, unsigned int flags) {
  using Signed = std::make_signed_t<T>;
  switch (flags & 3U) {
    case CU_STREAM_WAIT_VALUE_GEQ:
      return static_cast<Signed>(now - value) >= 0;
    case CU_STREAM_WAIT_VALUE_EQ:
      return now == value;
    case CU_STREAM_WAIT_VALUE_AND:
      return (now & value) != 0;
    default:
      return static_cast<T>(~(now | value)) != 0;
  }
}

template <class T>
CUresult wait_for(Context& context, CUdeviceptr address, T value, unsigned int flags) {
  std::atomic_ref<T> place(*reinterpret_cast<T*>(address));
  while (!holds(place.load(std::memory_order_acquire), value, flags)) {
    if (CUresult fault = context.fault.load(); fault != CUDA_SUCCESS) return fault;
    ::sched_yield();
  }
  return CUDA_SUCCESS;
}

template <class T>
CUresult write(CUdeviceptr address, T value) {
  std::atomic_ref<T>(*reinterpret_cast<T*>(address)).store(value, std::memory_order_release);
  return CUDA_SUCCESS;
}

CUresult check(Driver& driver, const CUstreamBatchMemOpParams& part) {
  const bool wide = part.operation == CU_STREAM_MEM_OP_WAIT_VALUE_64 ||
                    part.operation == CU_STREAM_MEM_OP_WRITE_VALUE_64;
  const std::uint64_t bytes = wide ? 8 : 4;
  switch (part.operation) {
    case CU_STREAM_MEM_OP_WAIT_VALUE_32:
    case CU_STREAM_MEM_OP_WAIT_VALUE_64:
      if ((part.waitValue.flags & ~3U) != 0)
        return (part.waitValue.flags & ~3U) == CU_STREAM_WAIT_VALUE_FLUSH
                   ? CUDA_ERROR_NOT_SUPPORTED
                   : CUDA_ERROR_INVALID_VALUE;
      break;
    case CU_STREAM_MEM_OP_WRITE_VALUE_32:
    case CU_STREAM_MEM_OP_WRITE_VALUE_64:
      if (part.writeValue.flags > CU_STREAM_WRITE_VALUE_NO_MEMORY_BARRIER)
        return CUDA_ERROR_INVALID_VALUE;
      break;
    case CU_STREAM_MEM_OP_BARRIER:
      return CUDA_SUCCESS;
    case CU_STREAM_MEM_OP_FLUSH_REMOTE_WRITES:
      return CUDA_ERROR_NOT_SUPPORTED;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
  // Both kinds of parameters have the address at the same place.
  const CUdeviceptr address = part.waitValue.address;
  return address % bytes == 0 && is_device_range(driver, address, bytes) ? CUDA_SUCCESS
                                                                         : CUDA_ERROR_INVALID_VALUE;
}

}  // namespace

CUresult check_stream_values(Driver& driver, unsigned int count,
                             const CUstreamBatchMemOpParams* parts, unsigned int flags) {
  if (flags != 0 || count > kMaxBatch || (count > 0 && parts == nullptr))
    return CUDA_ERROR_INVALID_VALUE;
  for (unsigned int i = 0; i < count; ++i)
    if (CUresult status = check(driver, parts[i]); status != CUDA_SUCCESS) return status;
  return CUDA_SUCCESS;
}

CUresult run_stream_value(Context& context, const CUstreamBatchMemOpParams& part) {
  switch (part.operation) {
    case CU_STREAM_MEM_OP_WAIT_VALUE_32:
      return wait_for<std::uint32_t>(context, part.waitValue.address, part.waitValue.value,
                                     part.waitValue.flags);
    case CU_STREAM_MEM_OP_WAIT_VALUE_64:
      return wait_for<std::uint64_t>(context, part.waitValue.address, part.waitValue.value64,
                                     part.waitValue.flags);
    case CU_STREAM_MEM_OP_WRITE_VALUE_32:
      return write<std::uint32_t>(part.writeValue.address, part.writeValue.value);
    case CU_STREAM_MEM_OP_WRITE_VALUE_64:
      return write<std::uint64_t>(part.writeValue.address, part.writeValue.value64);
    default:
      std::atomic_thread_fence(std::memory_order_seq_cst);
      return CUDA_SUCCESS;
  }
}

}  // namespace longwire::softcuda::driver

using namespace longwire::softcuda::driver;

namespace {

CUresult batch(CUstream handle, unsigned int count, const CUstreamBatchMemOpParams* parts,
               unsigned int flags) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    auto stream = find_stream(context, handle);
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    CUresult status = check_stream_values(driver, count, parts, flags);
    return status != CUDA_SUCCESS
               ? status
               : stream->submit(MemoryOperation{{parts, parts + count}, context->handle});
  });
}

CUresult one_wait(CUstream stream, CUstreamBatchMemOpType type, CUdeviceptr address,
                  cuuint64_t value, unsigned int flags) {
  CUstreamBatchMemOpParams part{};
  part.waitValue.operation = type;
  part.waitValue.address = address;
  part.waitValue.value64 = value;  // little-endian: also the 32-bit value
  part.waitValue.flags = flags;
  return batch(stream, 1, &part, 0);
}

CUresult one_write(CUstream stream, CUstreamBatchMemOpType type, CUdeviceptr address,
                   cuuint64_t value, unsigned int flags) {
  CUstreamBatchMemOpParams part{};
  part.writeValue.operation = type;
  part.writeValue.address = address;
  part.writeValue.value64 = value;
  part.writeValue.flags = flags;
  return batch(stream, 1, &part, 0);
}

}  // namespace

extern "C" {

// Versions 1 and 2 are the same.
#define LW_STREAM_VALUES(name, bits, one, operation)                               \
  CUresult name(CUstream stream, CUdeviceptr address, cuuint##bits##_t value,      \
                unsigned int flags) {                                              \
    return one(stream, operation##_##bits, address, value, flags);                 \
  }                                                                                \
  CUresult name##_v2(CUstream stream, CUdeviceptr address, cuuint##bits##_t value, \
                     unsigned int flags) {                                         \
    return one(stream, operation##_##bits, address, value, flags);                 \
  }
LW_STREAM_VALUES(cuStreamWaitValue32, 32, one_wait, CU_STREAM_MEM_OP_WAIT_VALUE)
LW_STREAM_VALUES(cuStreamWaitValue64, 64, one_wait, CU_STREAM_MEM_OP_WAIT_VALUE)
LW_STREAM_VALUES(cuStreamWriteValue32, 32, one_write, CU_STREAM_MEM_OP_WRITE_VALUE)
LW_STREAM_VALUES(cuStreamWriteValue64, 64, one_write, CU_STREAM_MEM_OP_WRITE_VALUE)
#undef LW_STREAM_VALUES

CUresult cuStreamBatchMemOp(CUstream stream, unsigned int count, CUstreamBatchMemOpParams* parts,
                            unsigned int flags) {
  return batch(stream, count, parts, flags);
}
CUresult cuStreamBatchMemOp_v2(CUstream stream, unsigned int count, CUstreamBatchMemOpParams* parts,
                               unsigned int flags) {
  return batch(stream, count, parts, flags);
}

}  // extern "C"
