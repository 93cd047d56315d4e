/* memcpy_async() and wait(): the Programming Guide, "Cooperative Groups", Data Transfer. The copy
   is done when the call returns. */
#ifndef LONGWIRE_COOPERATIVE_GROUPS_MEMCPY_ASYNC_H
#define LONGWIRE_COOPERATIVE_GROUPS_MEMCPY_ASYNC_H

#include "cooperative_groups.h"
#if defined(__CUDA__) && defined(__clang__)

namespace cooperative_groups {

/* `count` bytes, a part by each thread of the group. */
template <class Group, class T, class U>
LW_GROUP void memcpy_async(const Group& group, T* to, const U* from, size_t count) {
  const auto target = reinterpret_cast<char*>(to);
  const auto source = reinterpret_cast<const char*>(from);
  for (size_t at = group.thread_rank(); at < count; at += group.size())
    target[at] = source[at];
}
/* Of two arrays of so many elements what both have. */
template <class Group, class T>
LW_GROUP void memcpy_async(const Group& group, T* to, size_t room, const T* from, size_t count) {
  for (size_t at = group.thread_rank(); at < count && at < room; at += group.size())
    to[at] = from[at];
}
template <class Group>
LW_GROUP void wait(const Group& group) {
  group.sync();
}
/* All but the newest so many. */
template <unsigned int kNewest, class Group>
LW_GROUP void wait_prior(const Group& group) {
  group.sync();
}

}  // namespace cooperative_groups

#endif
#endif
