#include "client/opencl/map.h"

#include <sys/mman.h>

#include <algorithm>
#include <functional>
#include <new>
#include <utility>

#include "base/huge_pages.h"
#include "client/opencl/memory.h"

namespace longwire::client::opencl {
namespace {

bool contains(std::span<const std::byte> outer, std::span<const std::byte> inner) {
  return std::less_equal<>{}(outer.data(), inner.data()) &&
         std::less_equal<>{}(inner.data() + inner.size(), outer.data() + outer.size());
}

bool overlap(std::span<const std::byte> a, std::span<const std::byte> b) {
  return std::less<>{}(a.data(), b.data() + b.size()) &&
         std::less<>{}(b.data(), a.data() + a.size());
}

// Rows of two mappings share bytes. Regions with pitches interleave; those of one image and pitch
// are compared as boxes.
bool share_bytes(const Mapping& a, const Mapping& b) {
  if (!overlap(a.rows.reach(), b.rows.reach())) return false;
  if (a.memory.get() != b.memory.get() || a.rows.tight() || b.rows.tight()) return true;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (a.origin[axis] + a.region[axis] <= b.origin[axis] ||
        b.origin[axis] + b.region[axis] <= a.origin[axis]) {
      return false;
    }
  }
  return true;
}

// `inner` shows nothing that `outer` does not.
bool covers(const Mapping& outer, const Mapping& inner) {
  if (outer.memory.get() != inner.memory.get()) {
    return outer.rows.tight() && contains(outer.rows.reach(), inner.rows.reach());
  }
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (inner.origin[axis] < outer.origin[axis] ||
        inner.origin[axis] + inner.region[axis] > outer.origin[axis] + outer.region[axis]) {
      return false;
    }
  }
  return true;
}

}  // namespace

void Shadow::drop() noexcept {
  if (data_ != nullptr) ::munmap(std::exchange(data_, nullptr), bytes_);
}

bool Shadow::make(std::size_t bytes) noexcept {
  if (data_ != nullptr) return true;
  void* const data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) return false;
  base::prefer_huge_pages(data, bytes);
  data_ = static_cast<std::byte*>(data);
  bytes_ = bytes;
  return true;
}

std::byte* MapTable::host_region(const Memory& owner) noexcept {
  if (owner.host_ptr() != nullptr) return static_cast<std::byte*>(owner.host_ptr());
  const std::lock_guard lock(mutex_);
  return shadow_.make(owner.size()) ? shadow_.data() : nullptr;
}

cl_int MapTable::add(Mapping mapping, Ticket* ticket, bool* is_current) noexcept {
  const std::lock_guard lock(mutex_);
  *is_current = false;
  for (const Mapping& other : mappings_) {
    if (!other.writes() || !share_bytes(other, mapping)) continue;
    if (covers(other, mapping)) {
      *is_current = true;
    } else if (mapping.writes() || mapping.reads()) {
      return CL_INVALID_OPERATION;
    }
  }
  try {
    *ticket = mappings_.insert(mappings_.end(), std::move(mapping));
    (*ticket)->memory->hold();
    return CL_SUCCESS;
  } catch (const std::bad_alloc&) {
    return CL_OUT_OF_HOST_MEMORY;
  }
}

void MapTable::remove(Ticket ticket) noexcept {
  Mapping gone;
  {
    const std::lock_guard lock(mutex_);
    gone = std::move(*ticket);
    mappings_.erase(ticket);
  }
  gone.memory->drop_hold();
}

std::optional<Mapping> MapTable::take(const Memory& memory, const void* pointer) noexcept {
  const std::lock_guard lock(mutex_);
  const auto is_it = [&](const Mapping& mapping) {
    return mapping.memory.get() == &memory && mapping.rows.first == pointer;
  };
  const auto found = std::find_if(mappings_.rbegin(), mappings_.rend(), is_it);
  if (found == mappings_.rend()) return std::nullopt;
  std::optional<Mapping> mapping(std::move(*found));
  mappings_.erase(std::next(found).base());
  return mapping;
}

void MapTable::drop_shadow() noexcept {
  const std::lock_guard lock(mutex_);
  shadow_.drop();
}

cl_uint MapTable::count_of(const Memory& memory) const noexcept {
  const std::lock_guard lock(mutex_);
  return static_cast<cl_uint>(
      std::count_if(mappings_.begin(), mappings_.end(),
                    [&](const Mapping& mapping) { return mapping.memory.get() == &memory; }));
}

}  // namespace longwire::client::opencl
