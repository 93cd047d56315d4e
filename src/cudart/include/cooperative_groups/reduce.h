/* reduce() and its operations: the Programming Guide, "Cooperative Groups", Reduce. */
#ifndef LONGWIRE_COOPERATIVE_GROUPS_REDUCE_H
#define LONGWIRE_COOPERATIVE_GROUPS_REDUCE_H

#include "cooperative_groups.h"
#if defined(__CUDA__) && defined(__clang__)

namespace cooperative_groups {

template <class T>
struct plus {
  LW_GROUP T operator()(T a, T b) const { return a + b; }
};
template <class T>
struct less {
  LW_GROUP T operator()(T a, T b) const { return b < a ? b : a; }
};
template <class T>
struct greater {
  LW_GROUP T operator()(T a, T b) const { return a < b ? b : a; }
};
template <class T>
struct bit_and {
  LW_GROUP T operator()(T a, T b) const { return a & b; }
};
template <class T>
struct bit_or {
  LW_GROUP T operator()(T a, T b) const { return a | b; }
};
template <class T>
struct bit_xor {
  LW_GROUP T operator()(T a, T b) const { return a ^ b; }
};

/* To every thread of a tile. */
template <unsigned int kSize, class Parent, class T, class Operation>
LW_GROUP T reduce(const thread_block_tile<kSize, Parent>& tile, T value, Operation operation) {
  for (unsigned int step = kSize / 2; step > 0; step /= 2)
    value = operation(value, tile.shfl_xor(value, step));
  return value;
}
template <class T, class Operation>
LW_GROUP T reduce(const coalesced_group& group, T value, Operation operation) {
  T all = group.shfl(value, 0);
  for (unsigned int rank = 1; rank < group.size(); ++rank)
    all = operation(all, group.shfl(value, rank));
  return all;
}

}  // namespace cooperative_groups

#endif
#endif
