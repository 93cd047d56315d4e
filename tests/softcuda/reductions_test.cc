// kernels/reductions.cu
#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "kernels_fixture.h"

namespace longwire::softcuda::kernels {
namespace {

class ReductionKernels : public KernelsTest {
 protected:
  ReductionKernels() : KernelsTest("reductions") {}
};

TEST_F(ReductionKernels, sum_by_shuffle) {
  const auto in = random_floats(10000, 0, 1);
  DeviceArray<float> device(in), out(4);
  run("sum_by_shuffle", {{4}, {256}}, device, out, 10000);
  const auto got = out.get();
  EXPECT_NEAR(std::accumulate(got.begin(), got.end(), 0.0),
              std::accumulate(in.begin(), in.end(), 0.0), 1e-2);
}

TEST_F(ReductionKernels, sums_by_atomics) {
  constexpr int kCount = 1500;
  const auto in = random_ints(kCount, -300, 300);
  DeviceArray<int> device(in), s32(1), extremes(std::vector<int>{1 << 30, -(1 << 30)});
  DeviceArray<std::uint64_t> u64(1);
  DeviceArray<float> f32(1);
  DeviceArray<double> f64(1);
  DeviceArray<unsigned> bits(std::vector<unsigned>{~0U, 0, 0, 0, 0});
  run("sums_by_atomics", {{6}, {256}}, device, kCount, s32, u64, f32, f64, extremes, bits);
  const int sum = std::accumulate(in.begin(), in.end(), 0);
  EXPECT_EQ(s32.get()[0], sum);
  EXPECT_EQ(u64.get()[0], static_cast<std::uint64_t>(sum + 1000 * kCount) << 20);
  EXPECT_EQ(f32.get()[0], static_cast<float>(sum));
  EXPECT_EQ(f64.get()[0], sum * 0.5);
  EXPECT_THAT(extremes.get(), ::testing::ElementsAre(*std::min_element(in.begin(), in.end()),
                                                     *std::max_element(in.begin(), in.end())));
  unsigned mask = 0, mixed = 0;
  for (const int each : in) {
    mask |= 1U << (each & 31);
    mixed ^= static_cast<unsigned>(each);
  }
  // dec from 0: 50, then down to 0 and again
  const unsigned down = (51U - kCount % 51U) % 51U;
  EXPECT_THAT(bits.get(), ::testing::ElementsAre(~mask, mask, mixed, kCount % 100U, down));
}

TEST_F(ReductionKernels, sum_by_tree) {
  const auto in = random_ints(4 * 128, -100, 100);
  DeviceArray<int> device(in), out(4);
  run("sum_by_tree", {{4}, {128}, 128 * 4}, device, out);
  const auto got = out.get();
  for (int b = 0; b < 4; ++b)
    EXPECT_EQ(got[b], std::accumulate(&in[b * 128], &in[b * 128] + 128, 0));
}

TEST_F(ReductionKernels, reductions_of_warps_and_blocks) {
  const auto in = random_ints(96, -50, 50);
  DeviceArray<int> device(in), out(96 * 8);
  run("warp_reductions", {{1}, {96}}, device, out);
  const auto got = out.get();
  const auto positive =
      static_cast<int>(std::count_if(in.begin(), in.end(), [](int value) { return value > 0; }));
  const int has_seven = std::count(in.begin(), in.end(), 7) > 0 ? 1 : 0;
  for (int i = 0; i < 96; ++i) {
    const int* warp = &in[i / 32 * 32];
    int mixed = 0;
    for (int lane = 0; lane < 32; ++lane)
      mixed ^= warp[lane];
    const std::array wanted = {std::accumulate(warp, warp + 32, 0),
                               *std::min_element(warp, warp + 32),
                               *std::max_element(warp, warp + 32),
                               mixed,
                               positive,
                               has_seven,
                               1 - has_seven,
                               i % 32 < 10 ? *std::max_element(warp, warp + 10) : 0};
    for (int k = 0; k < 8; ++k)
      EXPECT_EQ(got[i * 8 + k], wanted[k]) << i << ' ' << k;
  }
}

TEST_F(ReductionKernels, maximum_by_compare_and_swap) {
  const auto floats = random_floats(1000, 0, 5);
  const std::vector<double> in(floats.begin(), floats.end());
  DeviceArray<double> device(in), out(1);
  run("maximum_of_doubles", {{8}, {128}}, device, out, 1000);
  EXPECT_EQ(out.get()[0], *std::max_element(in.begin(), in.end()));
}

TEST_F(ReductionKernels, the_last_block_adds_up) {
  const auto in = random_ints(5000, -9, 9);
  DeviceArray<int> device(in), parts(8), out(1);
  for (int round = 0; round < 3; ++round) {
    run("sum_in_one_launch", {{8}, {64}}, device, parts, out, 5000);
    EXPECT_EQ(out.get()[0], std::accumulate(in.begin(), in.end(), 0));
  }
}

TEST_F(ReductionKernels, arg_max) {
  const auto in = random_floats(777, -1, 1);
  DeviceArray<float> device(in);
  DeviceArray<int> out(1);
  run("arg_max", {{1}, {32}}, device, out, 777);
  EXPECT_EQ(out.get()[0], std::max_element(in.begin(), in.end()) - in.begin());
}

TEST_F(ReductionKernels, scan_of_warps) {
  const auto in = random_ints(128, -9, 9);
  DeviceArray<int> device(in), out(128);
  run("scan_warp", {{2}, {64}}, device, out);
  const auto got = out.get();
  for (int i = 0; i < 128; ++i)
    EXPECT_EQ(got[i], std::accumulate(&in[i / 32 * 32], &in[i] + 1, 0));
}

TEST_F(ReductionKernels, scan_of_blocks_in_three_launches) {
  constexpr int kBlocks = 8, kThreads = 64, kCount = kBlocks * kThreads * 2;
  const auto in = random_ints(kCount, -9, 9);
  DeviceArray<int> device(in), out(kCount), totals(kBlocks), offsets(kBlocks), rest(1);
  run("scan_blocks", {{kBlocks}, {kThreads}, kThreads * 8}, device, out, totals);
  run("scan_blocks", {{1}, {kBlocks / 2}, kBlocks * 4}, totals, offsets, rest);
  run("add_totals", {{kBlocks}, {kThreads * 2}}, out, offsets);
  std::vector<int> wanted(kCount);
  std::exclusive_scan(in.begin(), in.end(), wanted.begin(), 0);
  EXPECT_EQ(out.get(), wanted);
  EXPECT_EQ(rest.get()[0], std::accumulate(in.begin(), in.end(), 0));
}

// Blocks wait for each other: they all have to get on.
TEST_F(ReductionKernels, scan_that_looks_back) {
  constexpr int kCount = 64 * 128;
  const auto in = random_ints(kCount, -9, 9);
  DeviceArray<int> device(in), out(kCount);
  run("scan_looking_back", {{64}, {128}}, device, out);
  std::vector<int> wanted(kCount);
  std::inclusive_scan(in.begin(), in.end(), wanted.begin());
  EXPECT_EQ(out.get(), wanted);
}

TEST_F(ReductionKernels, histograms) {
  constexpr int kCount = 6000;
  const auto numbers = random_ints(kCount, 0, 255);
  std::vector<unsigned char> in(kCount);
  std::vector<unsigned> wanted(256);
  for (int i = 0; i < kCount; ++i)
    ++wanted[in[i] = static_cast<unsigned char>(numbers[i] & (i % 3 == 0 ? 7 : 255))];
  DeviceArray<unsigned char> device(in);
  DeviceArray<unsigned> global_bins(256), shared_bins(256), matched_bins(256);
  run("histogram_global", {{4}, {256}}, device, global_bins, kCount);
  run("histogram_shared", {{4}, {256}}, device, shared_bins, kCount / 4);
  run("histogram_matched", {{kCount / 240}, {240}}, device, matched_bins, kCount);
  EXPECT_EQ(global_bins.get(), wanted);
  EXPECT_EQ(shared_bins.get(), wanted);
  EXPECT_EQ(matched_bins.get(), wanted);
}

TEST_F(ReductionKernels, compaction) {
  const auto in = random_ints(1000, 0, 1000);
  DeviceArray<int> device(in), out(1000), count(1);
  run("compact", {{8}, {128}}, device, out, count, 1000);
  std::vector<int> wanted;
  std::copy_if(in.begin(), in.end(), std::back_inserter(wanted), [](int v) { return v % 3 == 0; });
  auto got = out.get();
  got.resize(count.get()[0]);
  std::sort(got.begin(), got.end());
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(got, wanted);
}

TEST_F(ReductionKernels, radix_sort) {
  constexpr int kCount = 3000;
  const auto numbers = random_ints(kCount, -(1 << 29), 1 << 29);
  std::vector<unsigned> in(numbers.begin(), numbers.end());
  DeviceArray<unsigned> a(in), b(kCount);
  for (int shift = 0; shift < 32; shift += 8) {
    run("radix_sort_step", {{1}, {128}}, a, b, kCount, shift);
    run("radix_sort_step", {{1}, {128}}, b, a, kCount, shift + 4);
  }
  std::sort(in.begin(), in.end());
  EXPECT_EQ(a.get(), in);
}

TEST_F(ReductionKernels, bitonic_sort) {
  auto in = random_floats(256, -1, 1);
  DeviceArray<float> device(in);
  run("bitonic_sort", {{1}, {256}, 256 * 4}, device);
  std::sort(in.begin(), in.end());
  EXPECT_EQ(device.get(), in);
}

}  // namespace
}  // namespace longwire::softcuda::kernels
