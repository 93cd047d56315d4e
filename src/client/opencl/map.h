// Mapping: memory objects as the program sees them in its own memory. docs/ARCHITECTURE.md,
// decision 5. OpenCL 3.0, sections 5.2.4, 5.3.6 and 5.5.2.
//
// A memory object that owns bytes has one host region: the program's own memory with
// CL_MEM_USE_HOST_PTR, else a shadow that is made at the first map. Maps of it, of its sub-buffers
// and of images made from it give pointers into that region, so pointers to the same bytes agree.
// Mapping reads the bytes into the region, unmapping writes them back where they were mapped for
// writing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <span>

#include <CL/cl.h>

#include "client/opencl/object.h"
#include "client/opencl/transfer_rows.h"

namespace longwire::client::opencl {

class Memory;

// Anonymous memory of whole pages, taken when first touched.
class Shadow {
 public:
  Shadow() = default;
  Shadow(const Shadow&) = delete;
  ~Shadow() { drop(); }
  bool make(std::size_t bytes) noexcept;  // false: out of memory
  void drop() noexcept;
  std::byte* data() const noexcept { return data_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

// One clEnqueueMap* that has not been unmapped.
struct Mapping {
  Ref<Memory> memory;  // what was mapped
  cl_map_flags flags = 0;
  Extent3 origin{};  // of the region within `memory`: bytes for buffers, elements for images
  Extent3 region{};
  Rows rows;  // where it is; rows.first is the pointer that the program got

  bool writes() const noexcept {
    return (flags & (CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION)) != 0;
  }
  // The latest bytes must be read; without flags as well: some programs give none.
  bool reads() const noexcept { return (flags & CL_MAP_WRITE_INVALIDATE_REGION) == 0; }
};

// The mappings of a memory object that owns bytes, and of everything made from it. Any thread.
class MapTable {
 public:
  using Ticket = std::list<Mapping>::iterator;

  // The host's address of `owner`'s first byte; null when out of memory. REQUIRES: the table is
  // `owner`'s.
  std::byte* host_region(const Memory& owner) noexcept;

  // Notes a mapping. CL_INVALID_OPERATION where the region partly overlaps another that is mapped
  // for writing and one of them would lose what it shows. *is_current: the region shows the latest
  // bytes already (it lies within one mapped for writing), so reading it would undo writes.
  cl_int add(Mapping mapping, Ticket* ticket, bool* is_current) noexcept;
  void remove(Ticket ticket) noexcept;

  // The latest mapping of that object at that pointer, which it ends; nothing where there is none.
  std::optional<Mapping> take(const Memory& memory, const void* pointer) noexcept;

  // The object is gone on its nodes; nothing is mapped. Uploads that still read the shadow keep
  // the object held.
  void drop_shadow() noexcept;

  cl_uint count_of(const Memory& memory) const noexcept;

 private:
  mutable std::mutex mutex_;
  std::list<Mapping> mappings_;
  Shadow shadow_;
};

}  // namespace longwire::client::opencl
