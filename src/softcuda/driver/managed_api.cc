// Managed memory: advice, prefetches, and what has been said of a range.
#include <cstring>
#include <optional>

#include "softcuda/driver/capture.h"
#include "softcuda/driver/managed_hints.h"
#include "softcuda/driver/memory.h"
#include "softcuda/driver/stream.h"

using namespace longwire::softcuda::driver;
namespace machine = longwire::softcuda::machine;

namespace {

constexpr std::uint64_t kPage = 4096;
constexpr size_t kMaxBatchRanges = 1 << 20;

bool is_host(CUmemLocationType type) noexcept {
  return type == CU_MEM_LOCATION_TYPE_HOST || type == CU_MEM_LOCATION_TYPE_HOST_NUMA ||
         type == CU_MEM_LOCATION_TYPE_HOST_NUMA_CURRENT;
}

CUmemLocation location_of(CUdevice device) noexcept {
  if (device == CU_DEVICE_CPU) return {CU_MEM_LOCATION_TYPE_HOST, 0};
  return {CU_MEM_LOCATION_TYPE_DEVICE, device};
}

CUresult check_location(Driver& driver, const CUmemLocation& location) {
  if (is_host(location.type)) return CUDA_SUCCESS;
  if (location.type != CU_MEM_LOCATION_TYPE_DEVICE) return CUDA_ERROR_INVALID_VALUE;
  return driver.device(location.id) == nullptr ? CUDA_ERROR_INVALID_DEVICE : CUDA_SUCCESS;
}

// A module's variables have no hints that could be kept: they count as never spoken of.
bool is_of_module(Driver& driver, CUdeviceptr address, size_t bytes) {
  for (const auto& device : driver.devices)
    if (const auto found = device->machine->memory().find(address);
        found.has_value() && found->kind == machine::MemoryKind::kModule)
      return bytes <= found->bytes - (address - found->address);
  return false;
}

// Runs `body` with the hints of the range and its pages; nullptr: a module's memory.
template <class Body>
CUresult with_range(Driver& driver, CUdeviceptr address, size_t bytes, Body&& body) {
  const auto found = find_block(driver, address);
  if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  if (!found.has_value() && is_of_module(driver, address, bytes))
    return body(static_cast<ManagedHints*>(nullptr), 0, 0);
  if (!found.has_value() || found->block.kind != Block::Kind::kManaged ||
      bytes > found->block.bytes - (address - found->address))
    return CUDA_ERROR_INVALID_VALUE;
  const std::uint64_t first = (address - found->address) / kPage;
  const std::uint64_t end = (address - found->address + bytes - 1) / kPage + 1;
  std::lock_guard lock(found->device->mutex);
  auto block = found->device->blocks.find(found->address);
  if (block == found->device->blocks.end() || block->second.id != found->block.id)
    return CUDA_ERROR_INVALID_VALUE;  // freed meanwhile
  auto& hints = block->second.hints;
  if (hints == nullptr) hints = std::make_shared<ManagedHints>();
  return body(hints.get(), first, end);
}

void apply(PageHints& page, CUmem_advise advice, const CUmemLocation& location) {
  const bool set = advice == CU_MEM_ADVISE_SET_ACCESSED_BY;
  const std::uint32_t bit = is_host(location.type) ? 0 : std::uint32_t{1} << location.id;
  switch (advice) {
    case CU_MEM_ADVISE_SET_READ_MOSTLY:
    case CU_MEM_ADVISE_UNSET_READ_MOSTLY:
      page.read_mostly = advice == CU_MEM_ADVISE_SET_READ_MOSTLY;
      break;
    case CU_MEM_ADVISE_SET_PREFERRED_LOCATION:
      page.preferred = location;
      break;
    case CU_MEM_ADVISE_UNSET_PREFERRED_LOCATION:
      page.preferred = PageHints{}.preferred;
      break;
    case CU_MEM_ADVISE_SET_ACCESSED_BY:
    case CU_MEM_ADVISE_UNSET_ACCESSED_BY:
      if (is_host(location.type)) page.accessed_by_host = set;
      page.accessed_by = set ? page.accessed_by | bit : page.accessed_by & ~bit;
      break;
  }
}

// Whether this advice looks at its location.
bool has_location(CUmem_advise advice) noexcept {
  return advice == CU_MEM_ADVISE_SET_PREFERRED_LOCATION ||
         advice == CU_MEM_ADVISE_SET_ACCESSED_BY || advice == CU_MEM_ADVISE_UNSET_ACCESSED_BY;
}

CUresult advise(CUdeviceptr address, size_t bytes, CUmem_advise advice, CUmemLocation location) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>&) -> CUresult {
    if (advice < CU_MEM_ADVISE_SET_READ_MOSTLY || advice > CU_MEM_ADVISE_UNSET_ACCESSED_BY)
      return CUDA_ERROR_INVALID_VALUE;
    if (!has_location(advice)) location = {CU_MEM_LOCATION_TYPE_HOST, 0};
    if (CUresult status = check_location(driver, location); status != CUDA_SUCCESS) return status;
    const bool by =
        advice == CU_MEM_ADVISE_SET_ACCESSED_BY || advice == CU_MEM_ADVISE_UNSET_ACCESSED_BY;
    if (by && is_host(location.type) && location.type != CU_MEM_LOCATION_TYPE_HOST)
      return CUDA_ERROR_INVALID_VALUE;
    return with_range(
        driver, address, bytes, [&](ManagedHints* hints, std::uint64_t first, std::uint64_t end) {
          if (hints != nullptr)
            hints->change(first, end, [&](PageHints& page) { apply(page, advice, location); });
          return CUDA_SUCCESS;
        });
  });
}

// The memory is there; what was put into the stream before still comes before.
CUresult prefetch(CUdeviceptr address, size_t bytes, CUmemLocation location, unsigned int flags,
                  CUstream handle) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    auto stream = find_stream(context, handle);
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult status = check_location(driver, location); status != CUDA_SUCCESS) return status;
    if (CUresult status = refuse_capture(driver, *stream); status != CUDA_SUCCESS) return status;
    CUresult status = with_range(
        driver, address, bytes, [&](ManagedHints* hints, std::uint64_t first, std::uint64_t end) {
          if (hints != nullptr)
            hints->change(first, end, [&](PageHints& page) { page.prefetched = location; });
          return CUDA_SUCCESS;
        });
    return status == CUDA_SUCCESS ? stream->submit(EmptyOperation{}) : status;
  });
}

// Ranges that prefetches, discards or both are for. Each location is for those from its index on.
struct Batch {
  const CUdeviceptr* addresses = nullptr;
  const size_t* bytes = nullptr;
  size_t count = 0;
  const CUmemLocation* locations = nullptr;
  const size_t* indices = nullptr;
  size_t location_count = 0;
};

CUresult check_locations(Driver& driver, const Batch& batch) {
  if (batch.locations == nullptr || batch.indices == nullptr || batch.location_count == 0 ||
      batch.location_count > batch.count || batch.indices[0] != 0)
    return CUDA_ERROR_INVALID_VALUE;
  for (size_t i = 0; i < batch.location_count; ++i) {
    if (batch.indices[i] >= batch.count || (i > 0 && batch.indices[i] <= batch.indices[i - 1]))
      return CUDA_ERROR_INVALID_VALUE;
    if (CUresult status = check_location(driver, batch.locations[i]); status != CUDA_SUCCESS)
      return status;
  }
  return CUDA_SUCCESS;
}

// All of the ranges, or none. `location`: of the range with that index; nullptr: it stays.
template <class LocationOf>
CUresult note_ranges(Driver& driver, const Batch& batch, LocationOf&& location_of_range) {
  for (const bool check : {true, false})
    for (size_t i = 0; i < batch.count; ++i) {
      const CUmemLocation* location = check ? nullptr : location_of_range(i);
      CUresult status = with_range(
          driver, batch.addresses[i], batch.bytes[i],
          [&](ManagedHints* hints, std::uint64_t first, std::uint64_t end) {
            if (hints != nullptr && location != nullptr)
              hints->change(first, end, [&](PageHints& page) { page.prefetched = *location; });
            return CUDA_SUCCESS;
          });
      if (status != CUDA_SUCCESS) return status;
    }
  return CUDA_SUCCESS;
}

// What is discarded may be read as anything, so as what it was.
CUresult run_batch(const Batch& batch, bool prefetches, unsigned long long flags, CUstream handle) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>& context) -> CUresult {
    auto stream = find_stream(context, handle);
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (flags != 0 || batch.count == 0 || batch.count > kMaxBatchRanges ||
        batch.addresses == nullptr || batch.bytes == nullptr ||
        stream->kind() == Stream::Kind::kLegacy)
      return CUDA_ERROR_INVALID_VALUE;
    CUresult status = prefetches ? check_locations(driver, batch) : CUDA_SUCCESS;
    if (status == CUDA_SUCCESS) status = refuse_capture(driver, *stream);
    size_t next = 0;  // location
    if (status == CUDA_SUCCESS)
      status = note_ranges(driver, batch, [&](size_t i) -> const CUmemLocation* {
        if (!prefetches) return nullptr;
        while (next < batch.location_count && batch.indices[next] <= i)
          ++next;
        return &batch.locations[next - 1];
      });
    return status == CUDA_SUCCESS ? stream->submit(EmptyOperation{}) : status;
  });
}

// What all pages of a range have in common.
struct RangeHints {
  bool first = true;
  PageHints common;
  void add(const PageHints& page) {
    if (std::exchange(first, false)) {
      common = page;
      return;
    }
    common.read_mostly &= page.read_mostly;
    common.accessed_by &= page.accessed_by;
    common.accessed_by_host &= page.accessed_by_host;
    keep_common(common.preferred, page.preferred);
    keep_common(common.prefetched, page.prefetched);
  }
  static void keep_common(CUmemLocation& one, const CUmemLocation& other) {
    if (one.type != other.type || one.id != other.id) one = PageHints{}.preferred;
  }
};

int device_of(const CUmemLocation& location) noexcept {
  if (location.type == CU_MEM_LOCATION_TYPE_DEVICE) return location.id;
  return is_host(location.type) ? CU_DEVICE_CPU : CU_DEVICE_INVALID;
}

CUresult put_accessed_by(const PageHints& hints, void* out, size_t bytes) {
  if (bytes == 0 || bytes % sizeof(int) != 0) return CUDA_ERROR_INVALID_VALUE;
  std::vector<int> all;
  if (hints.accessed_by_host) all.push_back(CU_DEVICE_CPU);
  for (int device = 0; device < kMaxDevices; ++device)
    if ((hints.accessed_by >> device & 1) != 0) all.push_back(device);
  all.resize(bytes / sizeof(int), CU_DEVICE_INVALID);
  std::memcpy(out, all.data(), bytes);
  return CUDA_SUCCESS;
}

CUresult put(const PageHints& hints, CUmem_range_attribute which, void* out, size_t bytes) {
  if (which == CU_MEM_RANGE_ATTRIBUTE_ACCESSED_BY) return put_accessed_by(hints, out, bytes);
  static_assert(sizeof(CUmemLocationType) == sizeof(int));
  int value = 0;
  switch (which) {
    case CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY:
      value = hints.read_mostly ? 1 : 0;
      break;
    case CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION:
      value = device_of(hints.preferred);
      break;
    case CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION:
      value = device_of(hints.prefetched);
      break;
    case CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_TYPE:
      value = hints.preferred.type;
      break;
    case CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION_ID:
      value = hints.preferred.id;
      break;
    case CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION_TYPE:
      value = hints.prefetched.type;
      break;
    case CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION_ID:
      value = hints.prefetched.id;
      break;
    default:
      return CUDA_ERROR_INVALID_VALUE;
  }
  if (bytes != sizeof value) return CUDA_ERROR_INVALID_VALUE;
  std::memcpy(out, &value, sizeof value);
  return CUDA_SUCCESS;
}

}  // namespace

extern "C" {

CUresult cuMemAdvise(CUdeviceptr address, size_t bytes, CUmem_advise advice, CUdevice device) {
  return advise(address, bytes, advice, location_of(device));
}
CUresult cuMemAdvise_v2(CUdeviceptr address, size_t bytes, CUmem_advise advice,
                        CUmemLocation location) {
  return advise(address, bytes, advice, location);
}

CUresult cuMemPrefetchAsync(CUdeviceptr address, size_t bytes, CUdevice device, CUstream stream) {
  return prefetch(address, bytes, location_of(device), 0, stream);
}
CUresult cuMemPrefetchAsync_v2(CUdeviceptr address, size_t bytes, CUmemLocation location,
                               unsigned int flags, CUstream stream) {
  return prefetch(address, bytes, location, flags, stream);
}

CUresult cuMemRangeGetAttributes(void** values, size_t* value_bytes,
                                 CUmem_range_attribute* attributes, size_t count,
                                 CUdeviceptr address, size_t bytes) {
  return in_context([&](Driver& driver, const std::shared_ptr<Context>&) -> CUresult {
    if (values == nullptr || value_bytes == nullptr || attributes == nullptr || count == 0)
      return CUDA_ERROR_INVALID_VALUE;
    RangeHints range;
    CUresult status = with_range(
        driver, address, bytes, [&](ManagedHints* hints, std::uint64_t first, std::uint64_t end) {
          if (hints != nullptr)
            hints->visit(first, end, [&](const PageHints& page) { range.add(page); });
          return CUDA_SUCCESS;
        });
    for (size_t i = 0; i < count && status == CUDA_SUCCESS; ++i)
      status = values[i] == nullptr ? CUDA_ERROR_INVALID_VALUE
                                    : put(range.common, attributes[i], values[i], value_bytes[i]);
    return status;
  });
}

CUresult cuMemPrefetchBatchAsync(CUdeviceptr* addresses, size_t* bytes, size_t count,
                                 CUmemLocation* locations, size_t* indices, size_t location_count,
                                 unsigned long long flags, CUstream stream) {
  return run_batch({addresses, bytes, count, locations, indices, location_count}, true, flags,
                   stream);
}
CUresult cuMemDiscardBatchAsync(CUdeviceptr* addresses, size_t* bytes, size_t count,
                                unsigned long long flags, CUstream stream) {
  return run_batch({addresses, bytes, count, nullptr, nullptr, 0}, false, flags, stream);
}
CUresult cuMemDiscardAndPrefetchBatchAsync(CUdeviceptr* addresses, size_t* bytes, size_t count,
                                           CUmemLocation* locations, size_t* indices,
                                           size_t location_count, unsigned long long flags,
                                           CUstream stream) {
  return run_batch({addresses, bytes, count, locations, indices, location_count}, true, flags,
                   stream);
}

CUresult cuMemRangeGetAttribute(void* value, size_t value_bytes, CUmem_range_attribute attribute,
                                CUdeviceptr address, size_t bytes) {
  return cuMemRangeGetAttributes(&value, &value_bytes, &attribute, 1, address, bytes);
}

}  // extern "C"
