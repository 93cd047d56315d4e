/* inclusive_scan() and exclusive_scan(): the Programming Guide, "Cooperative Groups", Scan. */
#ifndef LONGWIRE_COOPERATIVE_GROUPS_SCAN_H
#define LONGWIRE_COOPERATIVE_GROUPS_SCAN_H

#include "reduce.h"
#if defined(__CUDA__) && defined(__clang__)

namespace cooperative_groups {

/* Of the values of all threads up to this one. Every thread of the group calls it. */
template <class Group, class T, class Operation>
LW_GROUP T inclusive_scan(const Group& group, T value, Operation operation) {
  for (unsigned int step = 1; step < group.size(); step *= 2) {
    const T before = group.shfl_up(value, step);
    if (group.thread_rank() >= step) value = operation(before, value);
  }
  return value;
}
template <class Group, class T>
LW_GROUP T inclusive_scan(const Group& group, T value) {
  return inclusive_scan(group, value, plus<T>());
}
/* Of those before this one; for the first thread what T{} is. */
template <class Group, class T, class Operation>
LW_GROUP T exclusive_scan(const Group& group, T value, Operation operation) {
  const T before = group.shfl_up(inclusive_scan(group, value, operation), 1);
  return group.thread_rank() == 0 ? T{} : before;
}
template <class Group, class T>
LW_GROUP T exclusive_scan(const Group& group, T value) {
  return exclusive_scan(group, value, plus<T>());
}

}  // namespace cooperative_groups

#endif
#endif
