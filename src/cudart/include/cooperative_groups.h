/* Cooperative groups: the Programming Guide's thread_block, grid_group, tiles of a warp, coalesced
   threads; sync(), shuffles and votes. Beside it are cooperative_groups/reduce.h, scan.h and
   memcpy_async.h. */
#ifndef LONGWIRE_COOPERATIVE_GROUPS_H
#define LONGWIRE_COOPERATIVE_GROUPS_H

#include <type_traits>

#include "device_builtins.h"
#if defined(__CUDA__) && defined(__clang__)

namespace cooperative_groups {

#define LW_GROUP inline __attribute__((device, always_inline))

namespace details {

LW_GROUP unsigned int thread_in_block() {
  return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
}
LW_GROUP unsigned int block_threads() { return blockDim.x * blockDim.y * blockDim.z; }
LW_GROUP unsigned int lane() { return __nvvm_read_ptx_sreg_laneid(); }

/* The driver's workspace of a cooperative launch: 0 for others. The word at 4 counts. */
LW_GROUP unsigned int* grid_barrier() {
  unsigned int low, high;
  __asm__ __volatile__("mov.u32 %0, %%envreg1;" : "=r"(low));
  __asm__ __volatile__("mov.u32 %0, %%envreg2;" : "=r"(high));
  const unsigned long long address = static_cast<unsigned long long>(high) << 32 | low;
  return address == 0 ? nullptr : reinterpret_cast<unsigned int*>(address) + 1;
}

/* Every block adds 1, the first what lacks to 2^31: the top bit turns when all are here. */
LW_GROUP void grid_sync() {
  unsigned int* const barrier = grid_barrier();
  if (barrier == nullptr) __trap();
  __syncthreads();
  if (thread_in_block() == 0) {
    const unsigned int blocks = gridDim.x * gridDim.y * gridDim.z;
    const bool first = blockIdx.x + blockIdx.y + blockIdx.z == 0;
    __threadfence();
    const unsigned int before = atomicAdd(barrier, first ? 0x80000000u - (blocks - 1) : 1u);
    while (((*static_cast<volatile unsigned int*>(barrier) ^ before) & 0x80000000u) == 0) {
    }
    __threadfence();
  }
  __syncthreads();
}

}  // namespace details

class thread_block {
 public:
  LW_GROUP static void sync() { __syncthreads(); }
  LW_GROUP static unsigned int thread_rank() { return details::thread_in_block(); }
  LW_GROUP static unsigned int size() { return details::block_threads(); }
  LW_GROUP static unsigned int num_threads() { return size(); }
  LW_GROUP static dim3 group_index() { return dim3(blockIdx.x, blockIdx.y, blockIdx.z); }
  LW_GROUP static dim3 thread_index() { return dim3(threadIdx.x, threadIdx.y, threadIdx.z); }
  LW_GROUP static dim3 group_dim() { return dim3(blockDim.x, blockDim.y, blockDim.z); }
  LW_GROUP static dim3 dim_threads() { return group_dim(); }
};
LW_GROUP thread_block this_thread_block() { return {}; }

class grid_group {
 public:
  LW_GROUP static bool is_valid() { return details::grid_barrier() != nullptr; }
  LW_GROUP static void sync() { details::grid_sync(); }
  LW_GROUP static unsigned long long block_rank() {
    return blockIdx.x +
           static_cast<unsigned long long>(gridDim.x) * (blockIdx.y + gridDim.y * blockIdx.z);
  }
  LW_GROUP static unsigned long long num_blocks() {
    return static_cast<unsigned long long>(gridDim.x) * gridDim.y * gridDim.z;
  }
  LW_GROUP static unsigned long long thread_rank() {
    return block_rank() * details::block_threads() + details::thread_in_block();
  }
  LW_GROUP static unsigned long long size() { return num_blocks() * details::block_threads(); }
  LW_GROUP static unsigned long long num_threads() { return size(); }
  LW_GROUP static dim3 group_dim() { return dim3(gridDim.x, gridDim.y, gridDim.z); }
  LW_GROUP static dim3 dim_blocks() { return group_dim(); }
  LW_GROUP static dim3 block_index() { return dim3(blockIdx.x, blockIdx.y, blockIdx.z); }
};
LW_GROUP grid_group this_grid() { return {}; }

/* What tiles and coalesced groups have: some lanes of a warp. */
class lane_group {
 public:
  LW_GROUP void sync() const { __syncwarp(mask_); }
  LW_GROUP unsigned int thread_rank() const {
    return static_cast<unsigned int>(__popc(mask_ & __nvvm_read_ptx_sreg_lanemask_lt()));
  }
  LW_GROUP unsigned int size() const { return static_cast<unsigned int>(__popc(mask_)); }
  LW_GROUP unsigned int num_threads() const { return size(); }
  LW_GROUP int any(int value) const { return __any_sync(mask_, value); }
  LW_GROUP int all(int value) const { return __all_sync(mask_, value); }
  LW_GROUP unsigned int ballot(int value) const { return packed(__ballot_sync(mask_, value)); }
  template <class T>
  LW_GROUP unsigned int match_any(T value) const {
    return packed(__match_any_sync(mask_, value));
  }
  template <class T>
  LW_GROUP T shfl(T value, unsigned int rank) const {
    return __shfl_sync(mask_, value, static_cast<int>(lane_of(rank % size())));
  }
  template <class T>
  LW_GROUP T shfl_up(T value, unsigned int by) const {
    const unsigned int rank = thread_rank();
    return shfl(value, rank >= by ? rank - by : rank);
  }
  template <class T>
  LW_GROUP T shfl_down(T value, unsigned int by) const {
    const unsigned int rank = thread_rank();
    return shfl(value, rank + by < size() ? rank + by : rank);
  }
  template <class T>
  LW_GROUP T shfl_xor(T value, unsigned int with) const {
    const unsigned int other = thread_rank() ^ with;
    return shfl(value, other < size() ? other : thread_rank());
  }
  LW_GROUP unsigned int mask() const { return mask_; }

 protected:
  LW_GROUP explicit lane_group(unsigned int mask) : mask_(mask) {}

 private:
  /* The rank'th of the lanes. */
  LW_GROUP unsigned int lane_of(unsigned int rank) const {
    unsigned int rest = mask_;
    for (; rank > 0; --rank)
      rest &= rest - 1;
    return static_cast<unsigned int>(__ffs(static_cast<int>(rest)) - 1);
  }
  /* A bit for each rank instead of each lane. */
  LW_GROUP unsigned int packed(unsigned int lanes) const {
    unsigned int made = 0, bit = 1;
    for (unsigned int rest = mask_; rest != 0; rest &= rest - 1, bit <<= 1)
      if ((lanes & rest & (0u - rest)) != 0) made |= bit;
    return made;
  }
  unsigned int mask_;
};

class coalesced_group : public lane_group {
 public:
  LW_GROUP explicit coalesced_group(unsigned int mask) : lane_group(mask) {}
  LW_GROUP unsigned int meta_group_rank() const { return 0; }
  LW_GROUP unsigned int meta_group_size() const { return 1; }
};
LW_GROUP coalesced_group coalesced_threads() { return coalesced_group(__activemask()); }

namespace details {
/* Shuffles take numbers; anything else goes word by word. */
template <class T, class Shuffle>
LW_GROUP T in_words(T value, Shuffle shuffle) {
  if constexpr (std::is_arithmetic_v<T>) {
    return shuffle(value);
  } else {
    unsigned int words[(sizeof(T) + 3) / 4] = {};
    memcpy(words, &value, sizeof(T));
    for (unsigned int& word : words)
      word = shuffle(word);
    memcpy(&value, words, sizeof(T));
    return value;
  }
}
}  // namespace details

template <unsigned int kSize, class Parent = void>
class thread_block_tile : public lane_group {
  static_assert(kSize != 0 && kSize <= 32 && (kSize & (kSize - 1)) == 0, "a power of two up to 32");

 public:
  LW_GROUP thread_block_tile() : lane_group(tile_mask()) {}
  /* Whose parts they are does not matter to what tiles do. */
  template <class Other>
  LW_GROUP thread_block_tile(const thread_block_tile<kSize, Other>&) : lane_group(tile_mask()) {}
  LW_GROUP static constexpr unsigned int size() { return kSize; }
  LW_GROUP static constexpr unsigned int num_threads() { return kSize; }
  LW_GROUP unsigned int thread_rank() const { return details::thread_in_block() & (kSize - 1); }
  LW_GROUP unsigned int meta_group_rank() const { return details::thread_in_block() / kSize; }
  LW_GROUP unsigned int meta_group_size() const {
    return (details::block_threads() + kSize - 1) / kSize;
  }
  template <class T>
  LW_GROUP T shfl(T value, int rank) const {
    return details::in_words(value,
                             [=](auto part) { return __shfl_sync(mask(), part, rank, kSize); });
  }
  template <class T>
  LW_GROUP T shfl_up(T value, unsigned int by) const {
    return details::in_words(value,
                             [=](auto part) { return __shfl_up_sync(mask(), part, by, kSize); });
  }
  template <class T>
  LW_GROUP T shfl_down(T value, unsigned int by) const {
    return details::in_words(value,
                             [=](auto part) { return __shfl_down_sync(mask(), part, by, kSize); });
  }
  template <class T>
  LW_GROUP T shfl_xor(T value, unsigned int with) const {
    return details::in_words(value, [=](auto part) {
      return __shfl_xor_sync(mask(), part, static_cast<int>(with), kSize);
    });
  }
  LW_GROUP unsigned int ballot(int value) const {
    return (__ballot_sync(mask(), value) & mask()) >> first_lane();
  }

 private:
  LW_GROUP static unsigned int first_lane() { return details::lane() & ~(kSize - 1); }
  LW_GROUP static unsigned int tile_mask() {
    return (kSize == 32 ? ~0u : (1u << (kSize & 31)) - 1) << first_lane();
  }
};
template <unsigned int kSize, class Parent>
LW_GROUP thread_block_tile<kSize, Parent> tiled_partition(const Parent&) {
  return {};
}

template <class Group>
LW_GROUP void sync(const Group& group) {
  group.sync();
}

}  // namespace cooperative_groups

#endif
#endif
