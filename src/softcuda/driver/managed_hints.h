// What a program has said of the pages of its managed memory. Nothing follows from it here: all of
// the memory is in one place, which program and kernels use alike. It is kept for who asks.
#pragma once

#include <cstdint>
#include <map>

#include "cudaapi/entry_points.h"

namespace longwire::softcuda::driver {

struct PageHints {
  bool read_mostly = false;
  CUmemLocation preferred{CU_MEM_LOCATION_TYPE_INVALID, CU_DEVICE_INVALID};
  CUmemLocation prefetched{CU_MEM_LOCATION_TYPE_INVALID, CU_DEVICE_INVALID};
  std::uint32_t accessed_by = 0;  // bit n: device n
  bool accessed_by_host = false;
};

// Of one allocation, by page. Threads: under the lock of who has it.
class ManagedHints {
 public:
  template <class Change>
  void change(std::uint64_t first, std::uint64_t end, Change&& apply) {
    split(first);
    split(end);
    for (auto each = runs_.lower_bound(first); each != runs_.end() && each->first < end; ++each)
      apply(each->second);
  }
  template <class Visit>
  void visit(std::uint64_t first, std::uint64_t end, Visit&& visit) const {
    for (auto each = std::prev(runs_.upper_bound(first)); each != runs_.end() && each->first < end;
         ++each)
      visit(each->second);
  }

 private:
  // A run begins there.
  void split(std::uint64_t page) {
    runs_.emplace(page, std::prev(runs_.upper_bound(page))->second);
  }

  std::map<std::uint64_t, PageHints> runs_{{0, {}}};  // by its first page; to that of the next
};

}  // namespace longwire::softcuda::driver
