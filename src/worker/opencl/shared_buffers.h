// Buffers in memory that host and device share: where every device of a context has fine-grained
// shared virtual memory (OpenCL 3.0, 3.3.3), a buffer is made over such an allocation, which is
// then its storage (clSVMAlloc). So the worker may touch its bytes itself wherever nothing is under
// way that could: a transfer of an idle queue is one copy, where the native call costs two hops
// between threads of the driver's.
#pragma once

#include <cstddef>
#include <span>

#include <CL/cl.h>

#include "opencl/native_api.h"
#include "worker/opencl/objects.h"

namespace longwire::worker::opencl {

struct SharedBuffer {
  cl_mem native = nullptr;  // null: it cannot be had, and an ordinary one is to be tried
  std::byte* bytes = nullptr;
};

// With the contents of `data`, where there are any. The allocation goes with the native buffer.
SharedBuffer create_shared_buffer(const NativeApi& api, const Context& context, cl_mem_flags flags,
                                  std::size_t size_bytes, std::span<const std::byte> data);

}  // namespace longwire::worker::opencl
