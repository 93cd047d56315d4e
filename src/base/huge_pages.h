// Large memory that will be touched whole costs a page fault per 4 KiB, which is slower than the
// copy itself on a virtual machine (docs/PERFORMANCE.md). Where the system lets a process ask for
// huge pages, this asks: madvise(2), MADV_HUGEPAGE.
#pragma once

#include <sys/mman.h>

#include <cstddef>

namespace longwire::base {

inline constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

// A hint: nothing happens to small memory, or where there are no huge pages. `memory` is aligned to
// pages; whole huge pages inside it count.
inline void prefer_huge_pages(void* memory, std::size_t bytes) noexcept {
  if (bytes >= kHugePageBytes) (void)::madvise(memory, bytes, MADV_HUGEPAGE);
}

}  // namespace longwire::base
