// kernels/first.cu
#include <cmath>
#include <cstring>

#include "kernels_fixture.h"

namespace longwire::softcuda::kernels {
namespace {

class FirstKernels : public KernelsTest {
 protected:
  FirstKernels() : KernelsTest("first") {}
};

TEST_F(FirstKernels, vector_add) {
  const auto a = random_floats(5000, -9, 9, 1), b = random_floats(5000, -9, 9, 2);
  DeviceArray<float> da(a), db(b), dc(5000);
  run("vector_add", {{20}, {256}}, da, db, dc, 4999);
  const auto c = dc.get();
  for (int i = 0; i < 5000; ++i)
    ASSERT_EQ(c[i], i < 4999 ? a[i] + b[i] : 0) << i;
}

TEST_F(FirstKernels, saxpy_with_a_grid_stride) {
  const auto x = random_floats(3001, -9, 9, 1), y = random_floats(3001, -9, 9, 2);
  DeviceArray<float> dx(x), dy(y);
  run("saxpy", {{3}, {128}}, 2.5F, dx, dy, 3001);
  const auto got = dy.get();
  for (int i = 0; i < 3001; ++i)
    ASSERT_EQ(got[i], std::fma(2.5F, x[i], y[i])) << i;
}

TEST_F(FirstKernels, triad_of_vectors) {
  const auto a = random_floats(1024, -9, 9, 1), b = random_floats(1024, -9, 9, 2);
  DeviceArray<float> da(a), db(b), dc(1024);
  run("triad", {{2}, {128}}, da, db, dc, 3.0F, 256);
  const auto got = dc.get();
  for (int i = 0; i < 1024; ++i)
    ASSERT_EQ(got[i], std::fma(3.0F, b[i], a[i])) << i;
}

TEST_F(FirstKernels, mandelbrot) {
  constexpr int kWidth = 61, kHeight = 47, kMost = 80;
  DeviceArray<int> out(kWidth * kHeight);
  run("mandelbrot", {{4, 6}, {16, 8}}, out, kWidth, kHeight, kMost);
  const auto got = out.get();
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const double cr = -2.0 + 3.0 * x / kWidth, ci = -1.5 + 3.0 * y / kHeight;
      double zr = 0, zi = 0;
      int i = 0;
      for (; i < kMost && zr * zr + zi * zi <= 4; ++i) {
        const double next = zr * zr - zi * zi + cr;
        zi = 2 * zr * zi + ci;
        zr = next;
      }
      ASSERT_EQ(got[y * kWidth + x], i) << x << ' ' << y;
    }
  }
}

TEST_F(FirstKernels, collatz) {
  std::vector<unsigned> from(300);
  for (unsigned i = 0; i < 300; ++i)
    from[i] = i * 37 + 1;
  DeviceArray<unsigned> da(from), steps(300);
  run("collatz", {{5}, {64}}, da, steps, 300);
  const auto got = steps.get();
  for (unsigned i = 0; i < 300; ++i) {
    unsigned count = 0;
    for (std::uint64_t value = from[i]; value != 1; ++count)
      value = (value & 1) == 0 ? value >> 1 : value * 3 + 1;
    ASSERT_EQ(got[i], count) << i;
  }
}

TEST_F(FirstKernels, recursion) {
  ASSERT_EQ(cuCtxSetLimit(CU_LIMIT_STACK_SIZE, 64 << 10), CUDA_SUCCESS);
  DeviceArray<int> out(32);
  run("recursion", {{1}, {32}}, out, 2);
  const auto got = out.get();
  for (int i = 0; i < 32; ++i)
    EXPECT_EQ(got[i], 2 * (i & 3) + 3) << i;  // Ackermann's A(2, n)
}

TEST_F(FirstKernels, calls_through_pointers) {
  const auto a = random_ints(256, 0, 1000, 1), b = random_ints(256, 1, 50, 2);
  DeviceArray<int> da(a), db(b), out(256);
  run("virtual_calls", {{2}, {128}}, da, db, out, 256);
  const auto got = out.get();
  for (int i = 0; i < 256; ++i) {
    const int wanted[] = {a[i] + b[i], a[i] - b[i], a[i] * b[i], a[i] % b[i]};
    ASSERT_EQ(got[i], wanted[a[i] & 3]) << i;
  }
}

TEST_F(FirstKernels, virtual_methods) {
  DeviceArray<float> out(64);
  run("virtual_methods", {{1}, {64}}, out);
  const auto got = out.get();
  for (int i = 0; i < 64; ++i)
    EXPECT_EQ(got[i], static_cast<float>(i % 3 == 0 ? i * i : i * (i + 1)));
}

TEST_F(FirstKernels, an_interpreter_of_bytes) {
  const std::vector<unsigned char> program = {0, 1, 2, 5, 3, 6, 7, 1, 4, 9, 0, 6, 2, 1, 6, 2, 2, 9};
  DeviceArray<unsigned char> code(program);
  DeviceArray<int> out(32);
  run("interpreter", {{1}, {32}}, code, static_cast<int>(program.size()), out);
  const auto got = out.get();
  for (int lane = 0; lane < 32; ++lane) {
    std::vector<int> stack;
    auto pop = [&] {
      const int value = stack.back();
      stack.pop_back();
      return value;
    };
    for (int at = 0; at < static_cast<int>(program.size()); ++at) {
      const int what = program[at];
      if (what <= 1) {
        stack.push_back(what == 0 ? lane : at);
      } else if (what <= 4) {
        const int right = pop(), left = pop();
        stack.push_back(what == 2 ? left + right : what == 3 ? left * right : left ^ right);
      } else if (what == 5) {
        stack.push_back(stack.back());
      } else if (what == 6) {
        at += stack.back() & 1;
      } else {
        stack.back() = -stack.back();
      }
    }
    EXPECT_EQ(got[lane], stack.back()) << lane;
  }
}

struct Particle {
  double mass;
  float position[3];
  short charge;
  char tag;
};

TEST_F(FirstKernels, structs_as_parameters_and_in_memory) {
  const Particle whole{2.5, {1, 2, 3}, -2, 0x15};
  std::vector<Particle> each(8);
  for (int i = 0; i < 8; ++i)
    each[i] = {i + 0.5, {float(i), float(2 * i), float(3 * i)}, short(i), char(i)};
  DeviceArray<Particle> device(each);
  run("structs", {{1}, {8}}, whole, device);
  const auto got = device.get();
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(got[i].mass, each[i].mass * 2.5);
    EXPECT_EQ(got[i].charge, -2 * i);
    EXPECT_EQ(got[i].tag, i ^ 0x15);
    for (int k = 0; k < 3; ++k)
      EXPECT_EQ(got[i].position[k], each[i].position[k] + float((k + i) % 3 + 1));
  }
}

TEST_F(FirstKernels, black_scholes) {
  constexpr int kCount = 500;
  const auto price = random_floats(kCount, 5, 30, 1), strike = random_floats(kCount, 1, 100, 2);
  const auto years = random_floats(kCount, 0.25, 10, 3);
  DeviceArray<float> dp(price), ds(strike), dy(years), call(kCount), put(kCount);
  run("black_scholes", {{4}, {128}}, dp, ds, dy, call, put, 0.02F, 0.3F, kCount);
  std::vector<double> calls(kCount), puts(kCount);
  for (int i = 0; i < kCount; ++i) {
    auto normal = [](double d) { return 0.5 * std::erfc(-d / std::sqrt(2.0)); };
    const double p = price[i], s = strike[i], t = years[i], deviation = 0.3 * std::sqrt(t);
    const double d1 = (std::log(p / s) + (0.02 + 0.045) * t) / deviation, d2 = d1 - deviation;
    const double discounted = s * std::exp(-0.02 * t);
    calls[i] = p * normal(d1) - discounted * normal(d2);
    puts[i] = discounted * normal(-d2) - p * normal(-d1);
  }
  expect_near(call.get(), calls, 1e-5, 2e-5);
  expect_near(put.get(), puts, 1e-5, 2e-5);
}

TEST_F(FirstKernels, n_body) {
  constexpr int kCount = 256;
  const auto bodies = random_floats(kCount * 4, -1, 1);
  DeviceArray<float> device(bodies), out(kCount * 4);
  run("n_body", {{kCount / 64}, {64}}, device, out, kCount, 0.01F);
  std::vector<double> wanted(kCount * 4);
  for (int i = 0; i < kCount; ++i) {
    for (int j = 0; j < kCount; ++j) {
      double d[3], square = 0.01;
      for (int k = 0; k < 3; ++k) {
        d[k] = double(bodies[j * 4 + k]) - double(bodies[i * 4 + k]);
        square += d[k] * d[k];
      }
      for (int k = 0; k < 3; ++k)
        wanted[i * 4 + k] += d[k] * bodies[j * 4 + 3] / (square * std::sqrt(square));
    }
  }
  expect_near(out.get(), wanted, 1e-4, 1e-2);
}

// FIPS 180-4's function, from its text; constants are the fractions of cube roots of primes.
std::vector<std::uint32_t> sha_constants() {
  std::vector<std::uint32_t> constants;
  for (int prime = 2; constants.size() < 64; ++prime) {
    bool composite = false;
    for (int d = 2; d * d <= prime; ++d)
      composite = composite || prime % d == 0;
    const long double root = std::cbrt(static_cast<long double>(prime));
    if (!composite)
      constants.push_back(static_cast<std::uint32_t>(std::ldexp(root - std::floor(root), 32)));
  }
  return constants;
}

TEST_F(FirstKernels, sha256) {
  const auto constants = sha_constants();
  ASSERT_EQ(cuMemcpyHtoD(global("sha_constants", 256), constants.data(), 256), CUDA_SUCCESS);
  // "abc", padded: the standard's own example.
  std::vector<unsigned char> message(64 * 32);
  for (int i = 0; i < 32; ++i) {
    std::memcpy(&message[i * 64], "abc\x80", 4);
    message[i * 64 + 63] = 24;
  }
  message[64] = 'x';
  DeviceArray<unsigned char> device(message);
  DeviceArray<std::uint32_t> digests(8 * 32);
  run("sha256", {{1}, {32}}, device, digests);
  const auto got = digests.get();
  const std::uint32_t wanted[] = {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
                                  0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad};
  for (int i = 0; i < 32; ++i)
    for (int k = 0; k < 8; ++k)
      EXPECT_EQ(got[i * 8 + k] == wanted[k], i != 1) << i << ' ' << k;
}

}  // namespace
}  // namespace longwire::softcuda::kernels
