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

CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count) {
  return memset(nullptr, true, {to, 0, value, 1, count, 1});
}
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream stream) {
  return memset(stream, false, {to, 0, value, 1, count, 1});
}
CUresult cuMemsetD2D8_v2(CUdeviceptr to, size_t pitch, unsigned char value, size_t width,
                         size_t height) {
  return memset(nullptr, true, {to, pitch, value, 1, width, height});
}
CUresult cuMemsetD2D8Async(CUdeviceptr to, size_t pitch, unsigned char value, size_t width,
                           size_t height, CUstream stream) {
  return memset(stream, false, {to, pitch, value, 1, width, height});
}
CUresult cuMemsetD16_v2(CUdeviceptr to, unsigned short value, size_t count) {
  return memset(nullptr, true, {to, 0, value, 2, count, 1});
}
CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t count, CUstream stream) {
  return memset(stream, false, {to, 0, value, 2, count, 1});
}
CUresult cuMemsetD2D16_v2(CUdeviceptr to, size_t pitch, unsigned short value, size_t width,
                          size_t height) {
  return memset(nullptr, true, {to, pitch, value, 2, width, height});
}
CUresult cuMemsetD2D16Async(CUdeviceptr to, size_t pitch, unsigned short value, size_t width,
                            size_t height, CUstream stream) {
  return memset(stream, false, {to, pitch, value, 2, width, height});
}
CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned int value, size_t count) {
  return memset(nullptr, true, {to, 0, value, 4, count, 1});
}
CUresult cuMemsetD32Async(CUdeviceptr to, unsigned int value, size_t count, CUstream stream) {
  return memset(stream, false, {to, 0, value, 4, count, 1});
}
CUresult cuMemsetD2D32_v2(CUdeviceptr to, size_t pitch, unsigned int value, size_t width,
                          size_t height) {
  return memset(nullptr, true, {to, pitch, value, 4, width, height});
}
CUresult cuMemsetD2D32Async(CUdeviceptr to, size_t pitch, unsigned int value, size_t width,
                            size_t height, CUstream stream) {
  return memset(stream, false, {to, pitch, value, 4, width, height});
}

}  // extern "C"
