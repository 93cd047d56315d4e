// kernels/matrices.cu
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels_fixture.h"

namespace longwire::softcuda::kernels {
namespace {

class MatrixKernels : public KernelsTest {
 protected:
  MatrixKernels() : KernelsTest("matrices") {}
};

// c = a b in double, all n by n. `b` is read transposed where that is how it lies.
template <class T>
std::vector<double> product(const std::vector<T>& a, const std::vector<T>& b, int n,
                            bool transposed) {
  std::vector<double> c(n * n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j)
      for (int k = 0; k < n; ++k)
        c[i * n + j] += double(a[i * n + k]) * double(transposed ? b[j * n + k] : b[k * n + j]);
  return c;
}

// Whole numbers that every format of 16 bits holds, so that sums are exact.
std::vector<float> small_numbers(std::size_t count, unsigned seed) {
  const auto values = random_ints(count, -8, 8, seed);
  return {values.begin(), values.end()};
}

std::uint16_t as_bf16(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return static_cast<std::uint16_t>(bits >> 16);
}
// Of whole numbers up to 8.
std::uint16_t as_f16(float value) {
  if (value == 0) return 0;
  int exponent;
  const float part = std::frexp(std::abs(value), &exponent);
  const auto mantissa = static_cast<std::uint16_t>((part * 2 - 1) * 1024);
  const auto bits = static_cast<std::uint16_t>((exponent + 14) << 10 | mantissa);
  return value < 0 ? static_cast<std::uint16_t>(bits | 0x8000) : bits;
}
std::vector<std::uint16_t> converted(const std::vector<float>& from, std::uint16_t (*to)(float)) {
  std::vector<std::uint16_t> values(from.size());
  std::transform(from.begin(), from.end(), values.begin(), to);
  return values;
}

TEST_F(MatrixKernels, tiled_and_blocked) {
  constexpr int kSize = 64;
  const auto a = random_floats(kSize * kSize, -1, 1, 1), b = random_floats(kSize * kSize, -1, 1, 2);
  DeviceArray<float> da(a), db(b), tiled(kSize * kSize), blocked(kSize * kSize);
  run("matmul_tiled", {{4, 4}, {16, 16}}, da, db, tiled, kSize);
  run("matmul_blocked", {{1, 1}, {256}}, da, db, blocked, kSize);
  const auto wanted = product(a, b, kSize, false);
  expect_near(tiled.get(), wanted, 1e-5, 1e-5);
  expect_near(blocked.get(), wanted, 1e-5, 1e-5);
}

TEST_F(MatrixKernels, of_doubles) {
  constexpr int kSize = 24;
  const auto a = random_floats(kSize * kSize, -1, 1, 1), b = random_floats(kSize * kSize, -1, 1, 2);
  const std::vector<double> wide_a(a.begin(), a.end()), wide_b(b.begin(), b.end());
  DeviceArray<double> da(wide_a), db(wide_b), c(kSize * kSize);
  run("matmul_double", {{3, 2}, {8, 16}}, da, db, c, kSize);
  expect_near(c.get(), product(a, b, kSize, false), 1e-13, 1e-14);
}

TEST_F(MatrixKernels, of_bytes_by_dp4a_and_mma) {
  constexpr int kSize = 64;
  std::vector<signed char> a(kSize * kSize), b(kSize * kSize);
  const auto ia = random_ints(a.size(), -128, 127, 1), ib = random_ints(b.size(), -128, 127, 2);
  std::copy(ia.begin(), ia.end(), a.begin());
  std::copy(ib.begin(), ib.end(), b.begin());
  DeviceArray<signed char> da(a), db(b);
  DeviceArray<int> by_dp4a(a.size()), by_mma(a.size());
  run("matmul_dp4a", {{8, 8}, {8, 8}}, da, db, by_dp4a, kSize);
  run("matmul_mma_s8", {{8, 4}, {32}}, da, db, by_mma, kSize);
  const auto wanted = product(a, b, kSize, true);
  expect_near(by_dp4a.get(), wanted, 0);
  expect_near(by_mma.get(), wanted, 0);
}

TEST_F(MatrixKernels, of_halves_by_mma) {
  constexpr int kSize = 48;
  const auto a = small_numbers(kSize * kSize, 1), b = small_numbers(kSize * kSize, 2);
  const auto wanted = product(a, b, kSize, true);
  DeviceArray<std::uint16_t> fa(converted(a, as_f16)), fb(converted(b, as_f16));
  DeviceArray<std::uint16_t> ba(converted(a, as_bf16)), bb(converted(b, as_bf16));
  DeviceArray<float> f(kSize * kSize), bf(kSize * kSize);
  run("matmul_mma_f16", {{kSize / 8, kSize / 16}, {32}}, fa, fb, f, kSize);
  run("matmul_mma_bf16", {{kSize / 8, kSize / 16}, {32}}, ba, bb, bf, kSize);
  expect_near(f.get(), wanted, 0);
  expect_near(bf.get(), wanted, 0);
}

TEST_F(MatrixKernels, of_halves_through_ldmatrix_and_wmma) {
  constexpr int kSize = 32;
  const auto a = small_numbers(kSize * kSize, 1), b = small_numbers(kSize * kSize, 2);
  const auto wanted = product(a, b, kSize, false);
  DeviceArray<std::uint16_t> fa(converted(a, as_f16)), fb(converted(b, as_f16));
  DeviceArray<float> by_ldmatrix(kSize * kSize), by_wmma(kSize * kSize);
  run("matmul_ldmatrix", {{kSize / 8, kSize / 16}, {32}}, fa, fb, by_ldmatrix, kSize);
  run("matmul_wmma", {{kSize / 16, kSize / 16}, {32}}, fa, fb, by_wmma, kSize);
  expect_near(by_ldmatrix.get(), wanted, 0);
  expect_near(by_wmma.get(), wanted, 0);
}

TEST_F(MatrixKernels, through_fragments_of_every_shape) {
  constexpr int kSize = 32;
  const auto a = small_numbers(kSize * kSize, 1), b = small_numbers(kSize * kSize, 2);
  auto wanted = product(a, b, kSize, true);
  for (double& each : wanted)
    each += 1;  // what the sums began with
  DeviceArray<std::uint16_t> ha(converted(a, as_f16)), hb(converted(b, as_f16));
  DeviceArray<std::uint16_t> ba(converted(a, as_bf16)), bb(converted(b, as_bf16));
  DeviceArray<signed char> ca(std::vector<signed char>(a.begin(), a.end())),
      cb(std::vector<signed char>(b.begin(), b.end()));
  DeviceArray<float> halves(kSize * kSize), bfloats(kSize * kSize);
  DeviceArray<int> bytes(kSize * kSize);
  run("fragments_of_halves", {{2, 2}, {32}}, ha, hb, halves, kSize);
  run("fragments_of_bfloats", {{4, 1}, {32}}, ba, bb, bfloats, kSize);
  run("fragments_of_bytes", {{1, 4}, {32}}, ca, cb, bytes, kSize);
  expect_near(halves.get(), wanted, 0);
  expect_near(bfloats.get(), wanted, 0);
  expect_near(bytes.get(), wanted, 0);
}

TEST_F(MatrixKernels, transposes) {
  constexpr int kWidth = 70, kHeight = 45;
  const auto in = random_floats(kWidth * kHeight, -1, 1);
  DeviceArray<float> from(in), to(kWidth * kHeight);
  run("transpose_padded", {{3, 2}, {32, 8}}, from, to, kWidth, kHeight);
  const auto got = to.get();
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x)
      ASSERT_EQ(got[x * kHeight + y], in[y * kWidth + x]) << x << ' ' << y;
  std::vector<std::uint16_t> halves(64);
  for (int i = 0; i < 64; ++i)
    halves[i] = static_cast<std::uint16_t>(i * 3);
  DeviceArray<std::uint16_t> before(halves), after(64);
  run("transpose_movmatrix", {{1}, {32}}, before, after);
  const auto turned = after.get();
  for (int i = 0; i < 64; ++i)
    EXPECT_EQ(turned[i], halves[i % 8 * 8 + i / 8]) << i;
}

TEST_F(MatrixKernels, sparse_times_vector) {
  constexpr int kRows = 37, kColumns = 90;
  const auto lengths = random_ints(kRows, 0, 70);
  const auto x = random_floats(kColumns, -1, 1, 3);
  std::vector<int> begins = {0}, columns;
  for (const int length : lengths) {
    for (int i = 0; i < length; ++i)
      columns.push_back((i * 7 + length) % kColumns);
    begins.push_back(static_cast<int>(columns.size()));
  }
  const auto values = random_floats(columns.size(), -1, 1, 4);
  std::vector<double> wanted(kRows);
  for (int row = 0; row < kRows; ++row)
    for (int i = begins[row]; i < begins[row + 1]; ++i)
      wanted[row] += double(values[i]) * x[columns[i]];
  DeviceArray<int> db(begins), dc(columns);
  DeviceArray<float> dv(values), dx(x), y(kRows);
  run("sparse_times_vector", {{10}, {128}}, db, dc, dv, dx, y, kRows);
  expect_near(y.get(), wanted, 1e-5, 1e-5);
}

}  // namespace
}  // namespace longwire::softcuda::kernels
