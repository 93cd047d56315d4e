// Contexts that programs make, and the stack of current ones.
#include "softcuda/driver/capture.h"
#include "softcuda/driver/context.h"
#include "softcuda/driver/stream.h"

using namespace longwire::softcuda::driver;

namespace {

constexpr unsigned int kApiVersion3020 = 3020, kOldApiVersion = 3010;

CUresult create(CUcontext* handle, unsigned int flags, CUdevice ordinal, unsigned int api_version) {
  return guarded([&](Driver& driver) -> CUresult {
    if (handle == nullptr || !are_context_flags(flags)) return CUDA_ERROR_INVALID_VALUE;
    Device* device = driver.device(ordinal);
    if (device == nullptr) return CUDA_ERROR_INVALID_DEVICE;
    auto context = make_context(driver, *device, flags, api_version, false);
    context_stack().push_back(context->handle);
    *handle = context->handle;
    return CUDA_SUCCESS;
  });
}

CUresult destroy(CUcontext handle) {
  return guarded([&](Driver& driver) -> CUresult {
    auto context = driver.contexts.find(handle);
    if (context == nullptr || context->primary) return CUDA_ERROR_INVALID_CONTEXT;
    auto& stack = context_stack();
    if (!stack.empty() && stack.back() == handle) stack.pop_back();
    return destroy_context(driver, handle);
  });
}

CUresult push(CUcontext handle) {
  return guarded([&](Driver& driver) -> CUresult {
    if (handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (driver.contexts.find(handle) == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
    context_stack().push_back(handle);
    return CUDA_SUCCESS;
  });
}

CUresult pop(CUcontext* handle) {
  return guarded([&](Driver&) -> CUresult {
    auto& stack = context_stack();
    if (stack.empty() || stack.back() == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
    if (handle != nullptr) *handle = stack.back();
    stack.pop_back();
    return CUDA_SUCCESS;
  });
}

// A context by its handle; NULL is the current one.
template <class Body>
CUresult with_context(CUcontext handle, Body&& body) {
  return guarded([&](Driver& driver) -> CUresult {
    std::shared_ptr<Context> context;
    if (handle == nullptr) {
      if (CUresult status = current_context(driver, context); status != CUDA_SUCCESS) return status;
    } else if ((context = driver.contexts.find(handle)) == nullptr) {
      return CUDA_ERROR_CONTEXT_IS_DESTROYED;
    }
    return body(driver, context);
  });
}

}  // namespace

extern "C" {

CUresult cuCtxCreate(CUcontext* context, unsigned int flags, CUdevice device) {
  return create(context, flags, device, kOldApiVersion);
}
CUresult cuCtxCreate_v2(CUcontext* context, unsigned int flags, CUdevice device) {
  return create(context, flags, device, kApiVersion3020);
}
CUresult cuCtxCreate_v3(CUcontext* context, CUexecAffinityParam* affinities, int count,
                        unsigned int flags, CUdevice device) {
  if (count < 0 || (count > 0 && affinities == nullptr)) return CUDA_ERROR_INVALID_VALUE;
  if (count > 0) return CUDA_ERROR_UNSUPPORTED_EXEC_AFFINITY;
  return create(context, flags, device, kApiVersion3020);
}
CUresult cuCtxCreate_v4(CUcontext* context, CUctxCreateParams* parameters, unsigned int flags,
                        CUdevice device) {
  if (parameters != nullptr && parameters->cigParams != nullptr) return CUDA_ERROR_NOT_SUPPORTED;
  return cuCtxCreate_v3(context, parameters == nullptr ? nullptr : parameters->execAffinityParams,
                        parameters == nullptr ? 0 : parameters->numExecAffinityParams, flags,
                        device);
}

CUresult cuCtxDestroy(CUcontext context) { return destroy(context); }
CUresult cuCtxDestroy_v2(CUcontext context) { return destroy(context); }
CUresult cuCtxPushCurrent(CUcontext context) { return push(context); }
CUresult cuCtxPushCurrent_v2(CUcontext context) { return push(context); }
CUresult cuCtxPopCurrent(CUcontext* context) { return pop(context); }
CUresult cuCtxPopCurrent_v2(CUcontext* context) { return pop(context); }

CUresult cuCtxSetCurrent(CUcontext handle) {
  return guarded([&](Driver& driver) -> CUresult {
    auto& stack = context_stack();
    if (handle != nullptr && driver.contexts.find(handle) == nullptr)
      return CUDA_ERROR_INVALID_CONTEXT;
    if (!stack.empty()) stack.pop_back();
    if (handle != nullptr) stack.push_back(handle);
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxGetCurrent(CUcontext* handle) {
  return guarded([&](Driver&) -> CUresult {
    if (handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *handle = context_stack().empty() ? nullptr : context_stack().back();
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxGetDevice(CUdevice* device) { return cuCtxGetDevice_v2(device, nullptr); }
CUresult cuCtxGetDevice_v2(CUdevice* device, CUcontext handle) {
  return with_context(handle, [&](Driver&, const std::shared_ptr<Context>& context) {
    if (device == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *device = context->device.ordinal;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxGetFlags(unsigned int* flags) {
  return with_context(nullptr, [&](Driver&, const std::shared_ptr<Context>& context) {
    if (flags == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *flags = context->flags;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxSetFlags(unsigned int flags) {
  return with_context(nullptr, [&](Driver&, const std::shared_ptr<Context>& context) {
    if (!are_context_flags(flags)) return CUDA_ERROR_INVALID_VALUE;
    context->flags = flags;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxGetId(CUcontext handle, unsigned long long* id) {
  return with_context(handle, [&](Driver&, const std::shared_ptr<Context>& context) {
    if (id == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *id = context->id;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxGetApiVersion(CUcontext handle, unsigned int* version) {
  return with_context(handle, [&](Driver&, const std::shared_ptr<Context>& context) {
    if (version == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *version = context->api_version;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxSynchronize() { return cuCtxSynchronize_v2(nullptr); }
CUresult cuCtxSynchronize_v2(CUcontext handle) {
  return with_context(handle, [&](Driver& driver, const std::shared_ptr<Context>& context) {
    CUresult status = refuse_capture(driver, *context);
    if (status == CUDA_SUCCESS) status = check_unsafe(driver);
    return status != CUDA_SUCCESS ? status : synchronize_context(*context);
  });
}

CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  return in_context([&](Driver&, const std::shared_ptr<Context>&) {
    if (least != nullptr) *least = kLeastPriority;
    if (greatest != nullptr) *greatest = kGreatestPriority;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxEnablePeerAccess(CUcontext peer, unsigned int flags) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
    if (peer == context->handle || driver.contexts.find(peer) == nullptr)
      return CUDA_ERROR_INVALID_CONTEXT;
    return CUDA_ERROR_PEER_ACCESS_UNSUPPORTED;
  });
}

CUresult cuCtxDisablePeerAccess(CUcontext peer) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>&) -> CUresult {
    return driver.contexts.find(peer) == nullptr ? CUDA_ERROR_INVALID_CONTEXT
                                                 : CUDA_ERROR_PEER_ACCESS_NOT_ENABLED;
  });
}

CUresult cuCtxResetPersistingL2Cache() {
  return in_context([](Driver&, const std::shared_ptr<Context>&) { return CUDA_SUCCESS; });
}

}  // extern "C"
