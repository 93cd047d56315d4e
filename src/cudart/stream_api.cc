// Streams and events.
#include <memory>

#include "cudart/context.h"

using namespace longwire::cudart;

namespace {

// A stream's callback learns its status as the runtime's error.
struct Callback {
  cudaStreamCallback_t function;
  void* data;
};

void call_back(CUstream stream, CUresult status, void* data) {
  const std::unique_ptr<Callback> callback(static_cast<Callback*>(data));
  callback->function(stream, to_runtime(status), callback->data);
}

}  // namespace

extern "C" {

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithPriority(stream, cudaStreamDefault, 0);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int flags) {
  return cudaStreamCreateWithPriority(stream, flags, 0);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned int flags, int priority) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuStreamCreateWithPriority(stream, flags, priority);
  });
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) { return cu.cuStreamDestroy_v2(stream); });
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  return in_context([&](const DriverTable& cu) { return cu.cuStreamQuery(to_driver(stream)); });
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuStreamSynchronize(to_driver(stream)); });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int flags) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuStreamWaitEvent(to_driver(stream), event, flags); });
}

cudaError_t cudaStreamGetPriority(cudaStream_t stream, int* priority) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuStreamGetPriority(to_driver(stream), priority); });
}

cudaError_t cudaStreamGetFlags(cudaStream_t stream, unsigned int* flags) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuStreamGetFlags(to_driver(stream), flags); });
}

cudaError_t cudaStreamGetId(cudaStream_t stream, unsigned long long* id) {
  return in_context([&](const DriverTable& cu) { return cu.cuStreamGetId(to_driver(stream), id); });
}

cudaError_t cudaStreamGetDevice(cudaStream_t stream, int* device) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuStreamGetDevice(to_driver(stream), device); });
}

cudaError_t cudaStreamAddCallback(cudaStream_t stream, cudaStreamCallback_t callback, void* data,
                                  unsigned int flags) {
  return in_context([&](const DriverTable& cu) -> CUresult {
    if (callback == nullptr) return CUDA_ERROR_INVALID_VALUE;
    auto given = std::make_unique<Callback>(Callback{callback, data});
    const CUresult result =
        cu.cuStreamAddCallback(to_driver(stream), &call_back, given.get(), flags);
    if (result == CUDA_SUCCESS) (void)given.release();  // call_back takes it
    return result;
  });
}

cudaError_t cudaStreamAttachMemAsync(cudaStream_t stream, void* pointer, std::size_t length,
                                     unsigned int flags) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuStreamAttachMemAsync(to_driver(stream), address_of(pointer), length, flags);
  });
}

cudaError_t cudaStreamCopyAttributes(cudaStream_t to, cudaStream_t from) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuStreamCopyAttributes(to_driver(to), to_driver(from));
  });
}

cudaError_t cudaStreamGetAttribute(cudaStream_t stream, cudaLaunchAttributeID attribute,
                                   cudaLaunchAttributeValue* value) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuStreamGetAttribute(to_driver(stream), static_cast<CUstreamAttrID>(attribute),
                                   reinterpret_cast<CUstreamAttrValue*>(value));
  });
}

cudaError_t cudaStreamSetAttribute(cudaStream_t stream, cudaLaunchAttributeID attribute,
                                   const cudaLaunchAttributeValue* value) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuStreamSetAttribute(to_driver(stream), static_cast<CUstreamAttrID>(attribute),
                                   reinterpret_cast<const CUstreamAttrValue*>(value));
  });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int flags) {
  return in_context([&](const DriverTable& cu) { return cu.cuEventCreate(event, flags); });
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return in_context([&](const DriverTable& cu) { return cu.cuEventDestroy_v2(event); });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuEventRecord(event, to_driver(stream)); });
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned int flags) {
  return in_context([&](const DriverTable& cu) {
    return cu.cuEventRecordWithFlags(event, to_driver(stream), flags);
  });
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  return in_context([&](const DriverTable& cu) { return cu.cuEventQuery(event); });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return in_context([&](const DriverTable& cu) { return cu.cuEventSynchronize(event); });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return in_context(
      [&](const DriverTable& cu) { return cu.cuEventElapsedTime(milliseconds, start, end); });
}

}  // extern "C"
