// kernels/groups.cu
#include <algorithm>
#include <array>
#include <numeric>

#include "kernels_fixture.h"

namespace longwire::softcuda::kernels {
namespace {

class GroupKernels : public KernelsTest {
 protected:
  GroupKernels() : KernelsTest("groups") {}
};

TEST_F(GroupKernels, grid_barrier_of_a_cooperative_launch) {
  constexpr int kCount = 1000, kRounds = 9;
  auto from = random_floats(kCount, 0, 1);
  DeviceArray<float> a(from), b(kCount);
  LaunchShape shape{{4}, {64}};
  shape.cooperative = true;
  run("jacobi_grid", shape, a, b, kCount, kRounds);
  for (int round = 0; round < kRounds; ++round) {
    auto to = from;
    for (int i = 1; i + 1 < kCount; ++i)
      to[i] = 0.5F * (from[i - 1] + from[i + 1]);
    from = to;
  }
  EXPECT_EQ(b.get(), from);
}

TEST_F(GroupKernels, tiles_and_coalesced_threads) {
  const auto in = random_ints(64, -50, 50);
  DeviceArray<int> device(in), out(64 * 6);
  run("tiles", {{1}, {64}}, device, out);
  const auto got = out.get();
  for (int i = 0; i < 64; ++i) {
    const int* tile = &in[i / 8 * 8];
    const int* warp = &in[i / 32 * 32];
    int positive = 0, active = 0, rank = 0;
    for (int k = 0; k < 8; ++k)
      positive |= (tile[k] > 0 ? 1 : 0) << k;
    for (int k = 0; k < 32; ++k) {
      active += warp[k] > 0 ? 1 : 0;
      rank += k < i % 32 && warp[k] > 0 ? 1 : 0;
    }
    const std::array wanted = {std::accumulate(tile, tile + 8, 0),
                               *std::max_element(tile, tile + 8),
                               tile[3],
                               positive,
                               i / 8 * 100 + i % 8,
                               in[i] > 0 ? active * 100 + rank : 0};
    for (int k = 0; k < 6; ++k)
      EXPECT_EQ(got[i * 6 + k], wanted[k]) << i << ' ' << k;
  }
}

TEST_F(GroupKernels, votes_matches_and_shuffles) {
  const auto numbers = random_ints(64, 0, 9);
  std::vector<std::int64_t> in(numbers.begin(), numbers.end());
  std::fill(in.begin() + 32, in.end(), 5);  // the second warp agrees
  DeviceArray<std::int64_t> device(in), out(640);
  run("warp_talk", {{1}, {64}}, device, out);
  const auto got = out.get();
  for (int i = 0; i < 64; ++i) {
    const std::int64_t* warp = &in[i / 32 * 32];
    const int lane = i % 32;
    std::int64_t odd = 0, same = 0;
    for (int k = 0; k < 32; ++k) {
      odd |= (warp[k] & 1) << k;
      same |= std::int64_t{warp[k] % 4 == warp[lane] % 4} << k;
    }
    const bool fives = std::count(warp, warp + 32, 5) > 0;
    const bool agree = std::count(warp, warp + 32, warp[0]) == 32;
    const std::array<std::int64_t, 10> wanted = {warp[lane * 7 % 32],
                                                 lane % 16 >= 3 ? warp[lane - 3] : warp[lane],
                                                 lane % 8 + 5 < 8 ? warp[lane + 5] : warp[lane],
                                                 warp[lane ^ 13],
                                                 odd,
                                                 (fives ? 2 : 0) + 1,
                                                 same,
                                                 agree ? 0xffffffffLL + (1LL << 40) : 0,
                                                 lane < 16 ? warp[lane ^ 1] : warp[lane ^ 2] * 3,
                                                 0xffffffffLL};
    for (int k = 0; k < 10; ++k)
      EXPECT_EQ(got[i * 10 + k], wanted[k]) << i << ' ' << k;
  }
}

TEST_F(GroupKernels, double_buffering_by_cp_async) {
  constexpr int kBlocks = 3, kTiles = 5;
  const auto in = random_floats(kBlocks * kTiles * 64 * 4, -1, 1);
  DeviceArray<float> device(in), out(kBlocks * 64);
  run("double_buffered", {{kBlocks}, {64}}, device, out, kTiles);
  std::vector<double> wanted(kBlocks * 64);
  for (int b = 0; b < kBlocks; ++b)
    for (int t = 0; t < 64; ++t)
      for (int tile = 0; tile < kTiles; ++tile)
        for (int k = 0; k < 4; ++k)
          wanted[b * 64 + t] +=
              double(k + 1) * in[((b * kTiles + tile) * 64 + (t + 17) % 64) * 4 + k];
  expect_near(out.get(), wanted, 1e-5, 1e-5);
}

TEST_F(GroupKernels, a_pipeline_of_three_stages) {
  constexpr int kTiles = 6;
  const auto in = random_ints(kTiles * 64, -9, 9);
  DeviceArray<int> device(in), out(32);
  run("pipelined", {{1}, {32}}, device, out, kTiles);
  const auto got = out.get();
  for (int i = 0; i < 32; ++i) {
    int sum = 0;
    for (int tile = 0; tile < kTiles; ++tile) {
      const int from = 31 - i;
      if (tile == kTiles - 1 && from >= 16) continue;  // zeros
      sum += in[(tile * 32 + from) * 2] * 3 + in[(tile * 32 + from) * 2 + 1];
    }
    EXPECT_EQ(got[i], sum) << i;
  }
}

TEST_F(GroupKernels, a_warp_that_brings_and_warps_that_work) {
  constexpr int kRounds = 7;
  const auto in = random_ints(kRounds * 96, -9, 9);
  DeviceArray<int> device(in), out(96);
  run("producer_and_consumers", {{1}, {128}}, device, out, kRounds);
  const auto got = out.get();
  for (int i = 0; i < 96; ++i) {
    int sum = 0;
    for (int round = 0; round < kRounds; ++round)
      sum += in[round * 96 + 95 - i] * (round + 1);
    EXPECT_EQ(got[i], sum) << i;
  }
}

TEST_F(GroupKernels, a_lock_that_lanes_spin_on) {
  DeviceArray<int> counter(1);
  run("spin_lock", {{4}, {64}}, counter);
  EXPECT_EQ(counter.get()[0], 256);
}

// The last block has the first turn: a device that ran blocks one by one would never end.
TEST_F(GroupKernels, blocks_that_wait_for_later_ones) {
  DeviceArray<int> turn(1), order(12);
  run("baton", {{12}, {32}}, turn, order);
  const auto got = order.get();
  for (int i = 0; i < 12; ++i)
    EXPECT_EQ(got[i], 11 - i);
}

TEST_F(GroupKernels, barriers_in_memory) {
  const auto in = random_ints(64, -9, 9);
  DeviceArray<int> device(in), out(192);
  run("async_barrier", {{1}, {64}}, device, out);
  const auto got = out.get();
  for (int i = 0; i < 192; ++i)
    EXPECT_EQ(got[i], in[63 - i % 64] + i / 64);
}

}  // namespace
}  // namespace longwire::softcuda::kernels
