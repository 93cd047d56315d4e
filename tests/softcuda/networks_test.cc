// kernels/networks.cu
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels_fixture.h"

namespace longwire::softcuda::kernels {
namespace {

class NetworkKernels : public KernelsTest {
 protected:
  NetworkKernels() : KernelsTest("networks") {}
};

constexpr int kRows = 5, kColumns = 300;

TEST_F(NetworkKernels, softmax) {
  const auto in = random_floats(kRows * kColumns, -10, 10);
  DeviceArray<float> device(in), out(in.size());
  run("softmax", {{kRows}, {128}}, device, out, kColumns);
  std::vector<double> wanted(in.size());
  for (int row = 0; row < kRows; ++row) {
    double sum = 0;
    for (int i = 0; i < kColumns; ++i)
      sum += std::exp(double(in[row * kColumns + i]));
    for (int i = 0; i < kColumns; ++i)
      wanted[row * kColumns + i] = std::exp(double(in[row * kColumns + i])) / sum;
  }
  expect_near(out.get(), wanted, 2e-6);
}

TEST_F(NetworkKernels, layer_norm) {
  const auto in = random_floats(kRows * kColumns, -3, 7, 1);
  const auto gain = random_floats(kColumns, 0, 2, 2), bias = random_floats(kColumns, -1, 1, 3);
  DeviceArray<float> device(in), dg(gain), db(bias), out(in.size());
  run("layer_norm", {{kRows}, {96}}, device, dg, db, out, kColumns);
  std::vector<double> wanted(in.size());
  for (int row = 0; row < kRows; ++row) {
    const float* x = &in[row * kColumns];
    double mean = 0, variance = 0;
    for (int i = 0; i < kColumns; ++i)
      mean += double(x[i]) / kColumns;
    for (int i = 0; i < kColumns; ++i)
      variance += (x[i] - mean) * (x[i] - mean) / kColumns;
    for (int i = 0; i < kColumns; ++i)
      wanted[row * kColumns + i] = (x[i] - mean) / std::sqrt(variance + 1e-5) * gain[i] + bias[i];
  }
  expect_near(out.get(), wanted, 1e-5, 1e-5);
}

// What IEEE 754 says of 11 and 8 bits, by rounding to even: the host's own way.
float rounded_to(double value, int bits, int least_exponent) {
  if (value == 0 || !std::isfinite(value)) return static_cast<float>(value);
  int exponent;
  std::frexp(value, &exponent);
  const int step = std::max(exponent - bits, least_exponent - bits + 1);
  return static_cast<float>(std::ldexp(std::nearbyint(std::ldexp(value, -step)), step));
}
float to_half(double value) { return rounded_to(value, 11, -14 + 1); }
float to_bfloat(double value) { return rounded_to(value, 8, -126 + 1); }
std::uint16_t half_bits(float value) {  // of a normal half
  int exponent;
  const float part = std::frexp(std::abs(value), &exponent);
  const auto bits =
      static_cast<unsigned>(exponent + 14) << 10 | static_cast<unsigned>((part * 2 - 1) * 1024);
  return static_cast<std::uint16_t>(bits | (value < 0 ? 0x8000U : 0U));
}
float half_value(std::uint16_t bits) {
  const float part = static_cast<float>(bits & 0x3ff) / 1024;
  const int exponent = bits >> 10 & 31;
  const float size = exponent == 0 ? std::ldexp(part, -14) : std::ldexp(1 + part, exponent - 15);
  return (bits & 0x8000) != 0 ? -size : size;
}

TEST_F(NetworkKernels, rms_norm_of_halves) {
  auto in = random_floats(kRows * kColumns, 1, 4);
  std::vector<std::uint16_t> bits;
  for (float& each : in)
    bits.push_back(half_bits(each = to_half(each)));
  DeviceArray<std::uint16_t> device(bits), out(in.size());
  run("rms_norm_half", {{kRows}, {64}}, device, out, kColumns / 2);
  const auto got = out.get();
  for (int row = 0; row < kRows; ++row) {
    double squares = 0;
    for (int i = 0; i < kColumns; ++i)
      squares += double(in[row * kColumns + i]) * in[row * kColumns + i];
    const double scale = to_half(1 / std::sqrt(squares / kColumns + 1e-5));
    for (int i = row * kColumns; i < (row + 1) * kColumns; ++i)
      ASSERT_NEAR(half_value(got[i]), in[i] * scale, 1e-3 * in[i]) << i;
  }
}

TEST_F(NetworkKernels, attention) {
  constexpr int kLength = 96, kWidth = 16;
  const auto q = random_floats(kLength * kWidth, -2, 2, 1);
  const auto k = random_floats(kLength * kWidth, -2, 2, 2);
  const auto v = random_floats(kLength * kWidth, -2, 2, 3);
  DeviceArray<float> dq(q), dk(k), dv(v), out(q.size());
  for (const bool causal : {false, true}) {
    run("attention", {{kLength / 32}, {32}}, dq, dk, dv, out, kLength, causal);
    std::vector<double> wanted(q.size());
    for (int row = 0; row < kLength; ++row) {
      std::vector<double> weights(causal ? row + 1 : kLength);
      double sum = 0;
      for (std::size_t j = 0; j < weights.size(); ++j) {
        for (int d = 0; d < kWidth; ++d)
          weights[j] += double(q[row * kWidth + d]) * k[j * kWidth + d];
        sum += weights[j] = std::exp(weights[j] / 4);
      }
      for (std::size_t j = 0; j < weights.size(); ++j)
        for (int d = 0; d < kWidth; ++d)
          wanted[row * kWidth + d] += weights[j] / sum * v[j * kWidth + d];
    }
    expect_near(out.get(), wanted, 1e-5, 1e-5);
  }
}

TEST_F(NetworkKernels, activations) {
  constexpr int kCount = 400;
  const auto in = random_floats(kCount, -6, 6);
  DeviceArray<float> device(in), out(4 * kCount);
  run("activations", {{4}, {128}}, device, out, kCount);
  std::vector<double> wanted(4 * kCount);
  for (int i = 0; i < kCount; ++i) {
    const double x = in[i];
    wanted[i] = x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
    wanted[kCount + i] = x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    wanted[2 * kCount + i] = x / (1 + std::exp(-x));
    wanted[3 * kCount + i] = std::log(1 + std::exp(x));
  }
  expect_near(out.get(), wanted, 1e-6, 1e-6);
}

TEST_F(NetworkKernels, rotary_embedding) {
  constexpr int kPairs = 32, kPositions = 20;
  const auto in = random_floats(kPositions * kPairs * 2, -1, 1);
  DeviceArray<float> device(in);
  run("rotary", {{kPositions}, {kPairs}}, device, kPairs);
  std::vector<double> wanted(in.size());
  for (int p = 0; p < kPositions; ++p) {
    for (int i = 0; i < kPairs; ++i) {
      const double angle = p * std::pow(10000.0, -double(i) / kPairs);
      const double x = in[(p * kPairs + i) * 2], y = in[(p * kPairs + i) * 2 + 1];
      wanted[(p * kPairs + i) * 2] = x * std::cos(angle) - y * std::sin(angle);
      wanted[(p * kPairs + i) * 2 + 1] = x * std::sin(angle) + y * std::cos(angle);
    }
  }
  expect_near(device.get(), wanted, 1e-5, 3e-6);
}

TEST_F(NetworkKernels, convolution_with_a_filter_in_constant_memory) {
  constexpr int kWidth = 21, kHeight = 13;
  const auto in = random_floats(2 * kWidth * kHeight, -1, 1, 1);
  const auto filter = random_floats(72, -1, 1, 2);
  ASSERT_EQ(cuMemcpyHtoD(global("filter", 288), filter.data(), 288), CUDA_SUCCESS);
  DeviceArray<float> device(in), out(4 * kWidth * kHeight);
  run("convolution", {{2, 4, 4}, {16, 4}}, device, out, kWidth, kHeight);
  std::vector<double> wanted(4 * kWidth * kHeight);
  for (int to = 0; to < 4; ++to)
    for (int from = 0; from < 2; ++from)
      for (int y = 0; y < kHeight; ++y)
        for (int x = 0; x < kWidth; ++x)
          for (int k = 0; k < 9; ++k) {
            const int sx = x + k % 3 - 1, sy = y + k / 3 - 1;
            if (sx >= 0 && sx < kWidth && sy >= 0 && sy < kHeight)
              wanted[(to * kHeight + y) * kWidth + x] +=
                  double(in[(from * kHeight + sy) * kWidth + sx]) * filter[(to * 2 + from) * 9 + k];
          }
  expect_near(out.get(), wanted, 1e-5, 1e-5);
}

struct QuantizedBlock {
  std::uint16_t scale;
  unsigned char nibbles[16];
};

TEST_F(NetworkKernels, weights_of_4_bits) {
  constexpr int kOut = 6, kBlocks = 40;
  std::vector<QuantizedBlock> weights(kOut * kBlocks);
  const auto numbers = random_ints(weights.size() * 16, 0, 255, 1);
  const auto scales = random_floats(weights.size(), 0.5, 2, 2);
  for (std::size_t b = 0; b < weights.size(); ++b) {
    weights[b].scale = half_bits(to_half(scales[b]));
    for (int i = 0; i < 16; ++i)
      weights[b].nibbles[i] = static_cast<unsigned char>(numbers[b * 16 + i]);
  }
  const auto ix = random_ints(kBlocks * 32, -127, 127, 3);
  const std::vector<signed char> x(ix.begin(), ix.end());
  DeviceArray<QuantizedBlock> dw(weights);
  DeviceArray<signed char> dx(x);
  DeviceArray<float> y(kOut);
  run("quantized_times_vector", {{kOut}, {32}}, dw, dx, y, kBlocks);
  std::vector<double> wanted(kOut);
  for (int row = 0; row < kOut; ++row)
    for (int b = 0; b < kBlocks; ++b)
      for (int i = 0; i < 16; ++i) {
        const QuantizedBlock& block = weights[row * kBlocks + b];
        const int low = (block.nibbles[i] & 15) - 8, high = (block.nibbles[i] >> 4) - 8;
        wanted[row] +=
            double(half_value(block.scale)) * (low * x[b * 32 + i] + high * x[b * 32 + 16 + i]);
      }
  expect_near(y.get(), wanted, 1e-5, 1e-2);
}

TEST_F(NetworkKernels, arithmetic_of_halves_and_bfloats) {
  auto in = random_floats(3 * 32, -4, 4);
  DeviceArray<float> device(in), out(16 * 32);
  run("arithmetic_of_16_bits", {{1}, {32}}, device, out);
  const auto got = out.get();
  for (int i = 0; i < 64; ++i) {
    const auto round = i % 2 == 0 ? to_half : to_bfloat;
    const double a = round(in[i / 2 * 3]), b = round(in[i / 2 * 3 + 1]),
                 c = round(in[i / 2 * 3 + 2]);
    const double wanted[] = {a + b,     a - b,          a * b,        a / b,
                             a * b + c, std::max(a, b), -std::abs(a), a < b ? 1.0 : 0.0};
    for (int k = 0; k < 8; ++k)
      EXPECT_EQ(got[i * 8 + k], round(wanted[k])) << i << ' ' << k;
  }
}

TEST_F(NetworkKernels, atomics_of_pairs_of_halves) {
  DeviceArray<std::uint16_t> sums(8);
  run("atomics_of_halves", {{4}, {64}}, sums);
  const auto got = sums.get();
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(half_value(got[i]), i % 2 == 0 ? 64 : 32);
}

}  // namespace
}  // namespace longwire::softcuda::kernels
