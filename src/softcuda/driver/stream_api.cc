// Streams.
#include "softcuda/driver/capture.h"
#include "softcuda/driver/memory.h"
#include "softcuda/driver/shared_event.h"
#include "softcuda/driver/stream.h"

using namespace longwire::softcuda::driver;

namespace {

template <class Body>
CUresult with_stream(CUstream handle, const void* out, Body&& body) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    auto stream = find_stream(context, handle);
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (out == nullptr) return CUDA_ERROR_INVALID_VALUE;
    return body(driver, *stream);
  });
}

CUresult destroy(CUstream handle) {
  return guarded([&](Driver& driver) -> CUresult {
    auto stream = driver.streams.remove(handle);
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    leave_capture(driver, *stream);
    stream->close();
    return CUDA_SUCCESS;
  });
}

CUresult wait_for(Stream& stream, const std::shared_ptr<SharedEvent>& event) {
  const std::uint64_t number = event->last();
  if (event->has_ended(number)) return CUDA_SUCCESS;
  return stream.submit(SharedWaitOperation{event, number});
}

}  // namespace

extern "C" {

CUresult cuStreamCreateWithPriority(CUstream* handle, unsigned int flags, int priority) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    if (handle == nullptr || (flags & ~static_cast<unsigned int>(CU_STREAM_NON_BLOCKING)) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    const int inside = std::max(kGreatestPriority, std::min(kLeastPriority, priority));
    return context->add_object([&] {
      auto stream = make_stream(context, Stream::Kind::kPlain, flags, inside);
      *handle = stream->handle = driver.streams.add(stream);
    });
  });
}

CUresult cuStreamCreate(CUstream* handle, unsigned int flags) {
  return cuStreamCreateWithPriority(handle, flags, kLeastPriority);
}

CUresult cuStreamDestroy(CUstream stream) { return destroy(stream); }
CUresult cuStreamDestroy_v2(CUstream stream) { return destroy(stream); }

CUresult cuStreamGetPriority(CUstream handle, int* priority) {
  return with_stream(handle, priority, [&](Driver&, Stream& stream) {
    *priority = stream.priority();
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamGetFlags(CUstream handle, unsigned int* flags) {
  return with_stream(handle, flags, [&](Driver&, Stream& stream) {
    *flags = stream.flags();
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamGetId(CUstream handle, unsigned long long* id) {
  return with_stream(handle, id, [&](Driver&, Stream& stream) {
    *id = stream.id;
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamGetCtx(CUstream handle, CUcontext* context) {
  return with_stream(handle, context, [&](Driver&, Stream& stream) -> CUresult {
    auto owner = stream.context();
    if (owner == nullptr) return CUDA_ERROR_CONTEXT_IS_DESTROYED;
    *context = owner->handle;
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamGetCtx_v2(CUstream handle, CUcontext* context, CUgreenCtx* green) {
  if (green != nullptr) *green = nullptr;
  return cuStreamGetCtx(handle, context);
}

CUresult cuStreamGetDevice(CUstream handle, CUdevice* device) {
  return with_stream(handle, device, [&](Driver&, Stream& stream) -> CUresult {
    auto owner = stream.context();
    if (owner == nullptr) return CUDA_ERROR_CONTEXT_IS_DESTROYED;
    *device = owner->device.ordinal;
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamQuery(CUstream handle) {
  return with_stream(handle, &handle, [](Driver&, Stream& stream) { return stream.query(); });
}

CUresult cuStreamSynchronize(CUstream handle) {
  return with_stream(handle, &handle, [](Driver&, Stream& stream) { return stream.synchronize(); });
}

CUresult cuStreamWaitEvent(CUstream handle, CUevent event_handle, unsigned int flags) {
  return with_stream(handle, &handle, [&](Driver& driver, Stream& stream) -> CUresult {
    auto event = driver.events.find(event_handle);
    if (event == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if ((flags & ~static_cast<unsigned int>(CU_EVENT_WAIT_EXTERNAL)) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    if (stream.context() == nullptr) return CUDA_ERROR_CONTEXT_IS_DESTROYED;
    CompletionPtr completion;
    bool captured = false;
    {
      std::lock_guard own(event->mutex);
      captured = event->capture_id != 0;
      completion = event->recorded;
    }
    if (captured || stream.capturing.load() || flags != 0)
      if (auto status = capture_wait(driver, stream, event, event_handle, flags != 0);
          status.has_value())
        return *status;
    if (event->shared != nullptr) return wait_for(stream, event->shared);
    if (completion == nullptr || completion->done()) return CUDA_SUCCESS;
    return stream.submit(EmptyOperation{}, {completion});
  });
}

CUresult cuStreamAddCallback(CUstream handle, CUstreamCallback callback, void* data,
                             unsigned int flags) {
  return with_stream(handle, &handle, [&](Driver& driver, Stream& stream) -> CUresult {
    if (callback == nullptr || flags != 0) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult status = refuse_capture(driver, stream); status != CUDA_SUCCESS) return status;
    return stream.submit(HostOperation{nullptr, callback, handle, data});
  });
}

CUresult cuStreamAttachMemAsync(CUstream handle, CUdeviceptr address, size_t bytes,
                                unsigned int flags) {
  return with_stream(handle, &handle, [&](Driver& driver, Stream& stream) -> CUresult {
    if (CUresult status = refuse_capture(driver, stream); status != CUDA_SUCCESS) return status;
    if (flags != CU_MEM_ATTACH_GLOBAL && flags != CU_MEM_ATTACH_HOST &&
        flags != CU_MEM_ATTACH_SINGLE)
      return CUDA_ERROR_INVALID_VALUE;
    auto found = find_block(driver, address);
    if (!found.has_value() || found->block.kind != Block::Kind::kManaged ||
        (bytes != 0 && bytes != found->block.bytes))
      return CUDA_ERROR_INVALID_VALUE;
    return CUDA_SUCCESS;  // program and kernels may use managed memory at any time here
  });
}

}  // extern "C"
