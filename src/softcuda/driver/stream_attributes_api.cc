// Attributes of streams. They are hints, of which none has an effect here, kept for who asks.
#include "softcuda/driver/driver.h"
#include "softcuda/driver/stream.h"

using namespace longwire::softcuda::driver;

namespace {

bool is_stream_attribute(CUstreamAttrID which) noexcept {
  return which == CU_STREAM_ATTRIBUTE_ACCESS_POLICY_WINDOW ||
         which == CU_STREAM_ATTRIBUTE_SYNCHRONIZATION_POLICY ||
         which == CU_STREAM_ATTRIBUTE_PRIORITY ||
         which == CU_STREAM_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP ||
         which == CU_STREAM_ATTRIBUTE_MEM_SYNC_DOMAIN;
}

CUstreamAttrValue default_of(CUstreamAttrID which, const Stream& stream) noexcept {
  CUstreamAttrValue value{};
  if (which == CU_STREAM_ATTRIBUTE_SYNCHRONIZATION_POLICY) value.syncPolicy = CU_SYNC_POLICY_AUTO;
  if (which == CU_STREAM_ATTRIBUTE_PRIORITY) value.priority = stream.priority();
  return value;
}

CUresult check(CUstreamAttrID which, const CUstreamAttrValue& value) noexcept {
  bool good = true;
  if (which == CU_STREAM_ATTRIBUTE_SYNCHRONIZATION_POLICY)
    good =
        value.syncPolicy >= CU_SYNC_POLICY_AUTO && value.syncPolicy <= CU_SYNC_POLICY_BLOCKING_SYNC;
  else if (which == CU_STREAM_ATTRIBUTE_PRIORITY)
    good = value.priority >= kGreatestPriority && value.priority <= kLeastPriority;
  else if (which == CU_STREAM_ATTRIBUTE_MEM_SYNC_DOMAIN)
    good = value.memSyncDomain == CU_LAUNCH_MEM_SYNC_DOMAIN_DEFAULT ||
           value.memSyncDomain == CU_LAUNCH_MEM_SYNC_DOMAIN_REMOTE;
  else if (which == CU_STREAM_ATTRIBUTE_ACCESS_POLICY_WINDOW)
    good = value.accessPolicyWindow.hitRatio >= 0 && value.accessPolicyWindow.hitRatio <= 1;
  return good ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

template <class Body>
CUresult with_attribute(CUstream handle, CUstreamAttrID which, const void* value, Body&& body) {
  return in_context([&](Driver&, const std::shared_ptr<Context>& context) -> CUresult {
    auto stream = find_stream(context, handle);
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (value == nullptr || !is_stream_attribute(which)) return CUDA_ERROR_INVALID_VALUE;
    auto owner = stream->context();
    return owner == nullptr ? CUDA_ERROR_CONTEXT_IS_DESTROYED : body(*owner, *stream);
  });
}

}  // namespace

extern "C" {

CUresult cuStreamSetAttribute(CUstream handle, CUstreamAttrID which,
                              const CUstreamAttrValue* value) {
  return with_attribute(handle, which, value, [&](Context& context, Stream& stream) {
    CUresult status = check(which, *value);
    std::lock_guard lock(context.order);
    if (status == CUDA_SUCCESS) stream.attributes[which] = *value;
    return status;
  });
}

CUresult cuStreamGetAttribute(CUstream handle, CUstreamAttrID which, CUstreamAttrValue* value) {
  return with_attribute(handle, which, value, [&](Context& context, Stream& stream) {
    std::lock_guard lock(context.order);
    const auto set = stream.attributes.find(which);
    *value = set == stream.attributes.end() ? default_of(which, stream) : set->second;
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamCopyAttributes(CUstream to_handle, CUstream from_handle) {
  return in_context([&](Driver&, const std::shared_ptr<Context>& context) -> CUresult {
    auto to = find_stream(context, to_handle), from = find_stream(context, from_handle);
    const auto owner = to == nullptr ? nullptr : to->context();
    if (owner == nullptr || from == nullptr || owner != from->context())
      return CUDA_ERROR_INVALID_HANDLE;
    std::lock_guard lock(owner->order);
    if (to != from) to->attributes = from->attributes;
    return CUDA_SUCCESS;
  });
}

}  // extern "C"
