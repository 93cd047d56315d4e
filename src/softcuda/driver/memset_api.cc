// Memsets. Those without Async in their name are ordered, and waited for, as copies are.
#include "softcuda/driver/copy.h"
#include "softcuda/driver/driver.h"
#include "softcuda/driver/stream.h"

using namespace longwire::softcuda::driver;

namespace {

CUresult memset(CUstream handle, bool wait, const CUDA_MEMSET_NODE_PARAMS& parameters) {
  return in_context([&](Driver&, const std::shared_ptr<Context>& context) -> CUresult {
    auto stream = find_stream(context, handle);
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    CUresult status = make_memset(parameters);
    if (status != CUDA_SUCCESS) return status;
    return wait ? stream->submit_and_wait(MemsetOperation{parameters})
                : stream->submit(MemsetOperation{parameters});
  });
}

}  // namespace

extern "C" {

// For elements of so many bits: in a row and in several, waited for and not.
#define LW_MEMSETS(bits, Value)                                                                 \
  CUresult cuMemsetD##bits##_v2(CUdeviceptr to, Value value, size_t count) {                    \
    return memset(nullptr, true, {to, 0, value, sizeof(Value), count, 1});                      \
  }                                                                                             \
  CUresult cuMemsetD##bits##Async(CUdeviceptr to, Value value, size_t count, CUstream stream) { \
    return memset(stream, false, {to, 0, value, sizeof(Value), count, 1});                      \
  }                                                                                             \
  CUresult cuMemsetD2D##bits##_v2(CUdeviceptr to, size_t pitch, Value value, size_t width,      \
                                  size_t height) {                                              \
    return memset(nullptr, true, {to, pitch, value, sizeof(Value), width, height});             \
  }                                                                                             \
  CUresult cuMemsetD2D##bits##Async(CUdeviceptr to, size_t pitch, Value value, size_t width,    \
                                    size_t height, CUstream stream) {                           \
    return memset(stream, false, {to, pitch, value, sizeof(Value), width, height});             \
  }
LW_MEMSETS(8, unsigned char)
LW_MEMSETS(16, unsigned short)
LW_MEMSETS(32, unsigned int)
#undef LW_MEMSETS

}  // extern "C"
