// kernels/grids.cu
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <string>

#include "kernels_fixture.h"

namespace longwire::softcuda::kernels {
namespace {

class GridKernels : public KernelsTest {
 protected:
  GridKernels() : KernelsTest("grids") {}
};

TEST_F(GridKernels, stencil_2d) {
  constexpr int kWidth = 37, kHeight = 21;
  const auto in = random_floats(kWidth * kHeight, -1, 1);
  DeviceArray<float> device(in), out(in.size());
  run("stencil_2d", {{3, 3}, {16, 8}}, device, out, kWidth, kHeight);
  std::vector<double> wanted(in.size());
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      double sum = in[y * kWidth + x];
      if (x > 0) sum += in[y * kWidth + x - 1];
      if (x < kWidth - 1) sum += in[y * kWidth + x + 1];
      if (y > 0) sum += in[(y - 1) * kWidth + x];
      if (y < kHeight - 1) sum += in[(y + 1) * kWidth + x];
      wanted[y * kWidth + x] = sum / 5;
    }
  }
  expect_near(out.get(), wanted, 1e-6, 1e-6);
}

TEST_F(GridKernels, stencil_3d) {
  constexpr int kSize = 18;
  const auto floats = random_floats(kSize * kSize * kSize, -1, 1);
  const std::vector<double> in(floats.begin(), floats.end());
  DeviceArray<double> device(in), out(in.size());
  run("stencil_3d", {{3, 5}, {8, 4}}, device, out, kSize);
  std::vector<double> wanted(in.size());
  auto at = [&](int x, int y, int z) { return in[(z * kSize + y) * kSize + x]; };
  for (int z = 1; z < kSize - 1; ++z)
    for (int y = 1; y < kSize - 1; ++y)
      for (int x = 1; x < kSize - 1; ++x)
        wanted[(z * kSize + y) * kSize + x] = at(x - 1, y, z) + at(x + 1, y, z) + at(x, y - 1, z) +
                                              at(x, y + 1, z) + at(x, y, z - 1) + at(x, y, z + 1) -
                                              6 * at(x, y, z);
  expect_near(out.get(), wanted, 1e-14, 1e-14);
}

// A glider comes back to its own shape, one further, after four generations.
TEST_F(GridKernels, game_of_life) {
  constexpr int kSize = 20;
  std::vector<unsigned char> world(kSize * kSize), moved(kSize * kSize);
  for (const auto& [x, y] : {std::pair{1, 0}, {2, 1}, {0, 2}, {1, 2}, {2, 2}}) {
    world[y * kSize + x] = 1;
    moved[(y + 5) * kSize + x + 5] = 1;
  }
  DeviceArray<unsigned char> a(world), b(world.size());
  for (int generation = 0; generation < 20; generation += 2) {
    run("game_of_life", {{2, 3}, {16, 8}}, a, b, kSize);
    run("game_of_life", {{2, 3}, {16, 8}}, b, a, kSize);
  }
  EXPECT_EQ(a.get(), moved);
}

TEST_F(GridKernels, breadth_first_search) {
  constexpr int kNodes = 300;
  std::vector<int> begins = {0}, edges, wanted(kNodes, -1), queue = {0};
  for (int node = 0; node < kNodes; ++node) {
    for (const int to : {node * 7 % 290 + 1, node * 3 % 250, (node + 40) % 280})
      edges.push_back(to);
    begins.push_back(static_cast<int>(edges.size()));
  }
  wanted[0] = 0;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    for (int e = begins[queue[i]]; e < begins[queue[i] + 1]; ++e) {
      if (wanted[edges[e]] >= 0) continue;
      wanted[edges[e]] = wanted[queue[i]] + 1;
      queue.push_back(edges[e]);
    }
  }
  std::vector<int> start(kNodes, -1);
  start[0] = 0;
  DeviceArray<int> db(begins), de(edges), distances(start), changed(1);
  for (int level = 0; level < kNodes; ++level) {
    changed.set({0});
    run("search_level", {{3}, {128}}, db, de, distances, level, changed, kNodes);
    if (changed.get()[0] == 0) break;
  }
  EXPECT_EQ(distances.get(), wanted);
}

TEST_F(GridKernels, shortest_paths_of_all_pairs) {
  constexpr int kNodes = 24;
  auto wanted = random_ints(kNodes * kNodes, 1, 1000);
  DeviceArray<int> device(wanted);
  for (int k = 0; k < kNodes; ++k)
    run("shortest_paths", {{1, kNodes}, {32}}, device, kNodes, k);
  // Bellman and Ford's way: better until nothing betters.
  for (bool changed = true; changed;) {
    changed = false;
    for (int i = 0; i < kNodes; ++i)
      for (int j = 0; j < kNodes; ++j)
        for (int k = 0; k < kNodes; ++k) {
          const int through = wanted[i * kNodes + k] + wanted[k * kNodes + j];
          if (through >= wanted[i * kNodes + j]) continue;
          wanted[i * kNodes + j] = through;
          changed = true;
        }
  }
  EXPECT_EQ(device.get(), wanted);
}

TEST_F(GridKernels, fourier_transform) {
  constexpr int kCount = 256, kBlocks = 2;
  const auto in = random_floats(kBlocks * kCount * 2, -1, 1);
  DeviceArray<float> device(in);
  run("fourier", {{kBlocks}, {128}}, device);
  std::vector<double> wanted(in.size());
  for (int b = 0; b < kBlocks; ++b) {
    for (int k = 0; k < kCount; ++k) {
      std::complex<double> sum;
      for (int i = 0; i < kCount; ++i) {
        const std::complex<double> x(in[(b * kCount + i) * 2], in[(b * kCount + i) * 2 + 1]);
        sum += x * std::polar(1.0, -2 * M_PI * (i * k % kCount) / kCount);
      }
      wanted[(b * kCount + k) * 2] = sum.real();
      wanted[(b * kCount + k) * 2 + 1] = sum.imag();
    }
  }
  expect_near(device.get(), wanted, 0, 2e-5);
}

TEST_F(GridKernels, edit_distance) {
  const std::string a = "the quick brown fox jumps over", b = "a quack grown ox jumped under it";
  const std::vector<char> va(a.begin(), a.end()), vb(b.begin(), b.end());
  DeviceArray<char> da(va), db(vb);
  DeviceArray<int> out(1);
  constexpr unsigned kThreads = 64;
  run("edit_distance", {{1}, {kThreads}, 3 * (kThreads + 1) * 4}, da, db,
      static_cast<int>(a.size()), static_cast<int>(b.size()), out);
  std::vector<std::vector<int>> d(a.size() + 1, std::vector<int>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i)
    for (std::size_t j = 0; j <= b.size(); ++j)
      d[i][j] = i == 0 || j == 0 ? static_cast<int>(i + j)
                                 : std::min({d[i - 1][j] + 1, d[i][j - 1] + 1,
                                             d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
  EXPECT_EQ(out.get()[0], d[a.size()][b.size()]);
}

// The known answers of Random123's own tests for Philox4x32-10.
TEST_F(GridKernels, philox) {
  std::vector<std::uint32_t> states(12, 0);
  std::fill(states.begin() + 6, states.end(), ~0U);
  DeviceArray<std::uint32_t> device(states), out(8);
  run("philox_numbers", {{1}, {2}}, device, out);
  EXPECT_THAT(out.get(), ::testing::ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8,
                                                0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
}

TEST_F(GridKernels, normal_numbers_and_pi) {
  constexpr int kCount = 4096;
  DeviceArray<float> out(kCount);
  run("normal_numbers", {{8}, {128}}, out, 7U);
  double mean = 0, square = 0;
  for (const float x : out.get()) {
    mean += double(x) / kCount;
    square += double(x) * x / kCount;
  }
  EXPECT_NEAR(mean, 0, 0.05);
  EXPECT_NEAR(square, 1, 0.1);
  DeviceArray<std::uint64_t> inside(1);
  run("monte_carlo_pi", {{4}, {128}}, inside, 40, 3U);
  EXPECT_NEAR(4.0 * static_cast<double>(inside.get()[0]) / (4 * 128 * 40 * 2), M_PI, 0.05);
}

TEST_F(GridKernels, k_means) {
  constexpr int kPoints = 500, kCentres = 5;
  const auto points = random_floats(kPoints * 2, 0, 1, 1), centres = random_floats(10, 0, 1, 2);
  DeviceArray<float> dp(points), dc(centres), sums(kCentres * 3);
  DeviceArray<int> nearest(kPoints);
  run("k_means", {{4}, {128}}, dp, dc, nearest, sums, kPoints, kCentres);
  const auto got = nearest.get();
  std::vector<double> wanted(kCentres * 3);
  for (int i = 0; i < kPoints; ++i) {
    auto distance = [&](int c) {
      return std::hypot(double(points[i * 2]) - centres[c * 2],
                        double(points[i * 2 + 1]) - centres[c * 2 + 1]);
    };
    for (int c = 0; c < kCentres; ++c)
      ASSERT_LE(distance(got[i]), distance(c) + 1e-6);
    wanted[got[i] * 3] += points[i * 2];
    wanted[got[i] * 3 + 1] += points[i * 2 + 1];
    wanted[got[i] * 3 + 2] += 1;
  }
  expect_near(sums.get(), wanted, 1e-5);
}

}  // namespace
}  // namespace longwire::softcuda::kernels
