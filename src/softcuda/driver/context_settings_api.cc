// Limits and preferences of a context.
#include "softcuda/driver/context.h"
#include "softcuda/driver/device_attributes.h"
#include "softcuda/machine/machine.h"

using namespace longwire::softcuda::driver;

namespace {

constexpr std::size_t kMaxL2Granularity = 128;

// nullptr: the limit is none of ours.
std::size_t* find_limit(Limits& limits, CUlimit limit) {
  switch (limit) {
    case CU_LIMIT_STACK_SIZE:
      return &limits.stack_bytes;
    case CU_LIMIT_PRINTF_FIFO_SIZE:
      return &limits.printf_bytes;
    case CU_LIMIT_MALLOC_HEAP_SIZE:
      return &limits.heap_bytes;
    case CU_LIMIT_DEV_RUNTIME_SYNC_DEPTH:
      return &limits.sync_depth;
    case CU_LIMIT_DEV_RUNTIME_PENDING_LAUNCH_COUNT:
      return &limits.pending_launches;
    case CU_LIMIT_MAX_L2_FETCH_GRANULARITY:
      return &limits.l2_granularity;
    default:
      return nullptr;
  }
}

}  // namespace

extern "C" {

CUresult cuCtxSetLimit(CUlimit limit, size_t value) {
  return in_context([&](Driver&, const std::shared_ptr<Context>& context) -> CUresult {
    if (limit < 0 || limit >= CU_LIMIT_MAX) return CUDA_ERROR_INVALID_VALUE;
    std::lock_guard lock(context->settings);
    std::size_t* place = find_limit(context->limits, limit);
    if (place == nullptr) return CUDA_ERROR_UNSUPPORTED_LIMIT;
    if (limit == CU_LIMIT_MAX_L2_FETCH_GRANULARITY && value > kMaxL2Granularity)
      return CUDA_ERROR_INVALID_VALUE;
    if (limit == CU_LIMIT_STACK_SIZE) {
      if (value > longwire::softcuda::machine::kMaxLocalBytes) return CUDA_ERROR_INVALID_VALUE;
      context->device.machine->set_stack_bytes(static_cast<std::uint32_t>(value));
    }
    *place = value;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxGetLimit(size_t* value, CUlimit limit) {
  return in_context([&](Driver&, const std::shared_ptr<Context>& context) -> CUresult {
    if (value == nullptr || limit < 0 || limit >= CU_LIMIT_MAX) return CUDA_ERROR_INVALID_VALUE;
    std::lock_guard lock(context->settings);
    const std::size_t* place = find_limit(context->limits, limit);
    if (place == nullptr) return CUDA_ERROR_UNSUPPORTED_LIMIT;
    *value = *place;
    return CUDA_SUCCESS;
  });
}

// Preferences for caches that this device does not divide: kept, and without effect, which is
// allowed ("this is only a preference").
CUresult cuCtxSetCacheConfig(CUfunc_cache config) {
  return in_context([&](Driver&, const std::shared_ptr<Context>& context) -> CUresult {
    if (config < CU_FUNC_CACHE_PREFER_NONE || config > CU_FUNC_CACHE_PREFER_EQUAL)
      return CUDA_ERROR_INVALID_VALUE;
    std::lock_guard lock(context->settings);
    context->cache = config;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxGetCacheConfig(CUfunc_cache* config) {
  return in_context([&](Driver&, const std::shared_ptr<Context>& context) -> CUresult {
    if (config == nullptr) return CUDA_ERROR_INVALID_VALUE;
    std::lock_guard lock(context->settings);
    *config = context->cache;
    return CUDA_SUCCESS;
  });
}

// All multiprocessors are every context's.
CUresult cuCtxGetExecAffinity(CUexecAffinityParam* affinity, CUexecAffinityType type) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    if (affinity == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (type != CU_EXEC_AFFINITY_TYPE_SM_COUNT) return CUDA_ERROR_UNSUPPORTED_EXEC_AFFINITY;
    const auto count =
        device_attribute(driver, context->device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    affinity->type = type;
    affinity->param.smCount.val = static_cast<unsigned int>(count.value_or(1));
    return CUDA_SUCCESS;
  });
}

// No tool listens: there is nothing to switch.
CUresult cuProfilerStart() {
  return in_context([](Driver&, const std::shared_ptr<Context>&) { return CUDA_SUCCESS; });
}
CUresult cuProfilerStop() { return cuProfilerStart(); }

CUresult cuCtxSetSharedMemConfig(CUsharedconfig config) {
  return in_context([&](Driver&, const std::shared_ptr<Context>&) -> CUresult {
    return config < CU_SHARED_MEM_CONFIG_DEFAULT_BANK_SIZE ||
                   config > CU_SHARED_MEM_CONFIG_EIGHT_BYTE_BANK_SIZE
               ? CUDA_ERROR_INVALID_VALUE
               : CUDA_SUCCESS;
  });
}

CUresult cuCtxGetSharedMemConfig(CUsharedconfig* config) {
  return in_context([&](Driver&, const std::shared_ptr<Context>& context) -> CUresult {
    if (config == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *config = context->shared_config;
    return CUDA_SUCCESS;
  });
}

}  // extern "C"
