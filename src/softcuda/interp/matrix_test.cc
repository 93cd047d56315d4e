// mma by the lane layouts that the ISA draws, and matrices in memory.
#include <random>

#include "softcuda/interp/half.h"
#include "softcuda/interp/rounding.h"
#include "softcuda/interp/step_test.h"

namespace longwire::softcuda::testing {
namespace {

using std::int32_t, std::uint16_t, std::uint32_t;

ir::Instruction mma(Type d, Type a, Type b, Type c, std::uint8_t m, std::uint8_t k) {
  ir::Instruction i = op(Op::kMma, d, a);
  i.type3 = b;
  i.type4 = c;
  i.modifiers.shape = {m, 8, k, 1, false, false};
  return i;
}

// mma.m16n8k16, written out from the figures for f16: a0..a7, b0..b3, c0..c3 of a lane.
TEST(MmaTest, M16N8K16OfF16) {
  std::mt19937 random(4);
  float a[16][16], b[16][8], c[16][8];
  auto small = [&] { return static_cast<float>(static_cast<int>(random() % 17) - 8); };
  for (auto& row : a)
    for (float& v : row)
      v = small();
  for (auto& row : b)
    for (float& v : row)
      v = small();
  for (auto& row : c)
    for (float& v : row)
      v = small();
  OneStep step(mma(Type::kF32, Type::kF16, Type::kF16, Type::kF32, 16, 16));
  const int d = step.add_vector<float>(4), ra = step.add_vector<uint32_t>(4),
            rb = step.add_vector<uint32_t>(2), rc = step.add_vector<float>(4);
  auto pair = [](float low, float high) {
    return interp::f16_of(low) | uint32_t{interp::f16_of(high)} << 16;
  };
  for (int lane = 0; lane < 32; ++lane) {
    const int group = lane / 4, k = lane % 4 * 2;
    step.at<uint32_t>(ra)[lane] = pair(a[group][k], a[group][k + 1]);
    step.at<uint32_t>(ra + 1)[lane] = pair(a[group + 8][k], a[group + 8][k + 1]);
    step.at<uint32_t>(ra + 2)[lane] = pair(a[group][k + 8], a[group][k + 9]);
    step.at<uint32_t>(ra + 3)[lane] = pair(a[group + 8][k + 8], a[group + 8][k + 9]);
    step.at<uint32_t>(rb)[lane] = pair(b[k][group], b[k + 1][group]);
    step.at<uint32_t>(rb + 1)[lane] = pair(b[k + 8][group], b[k + 9][group]);
    for (int n = 0; n < 4; ++n)
      step.at<float>(rc + n)[lane] = c[group + n / 2 * 8][k + n % 2];
  }
  step.run();
  for (int lane = 0; lane < 32; ++lane)
    for (int n = 0; n < 4; ++n) {
      const int row = lane / 4 + n / 2 * 8, column = lane % 4 * 2 + n % 2;
      float sum = c[row][column];
      for (int k = 0; k < 16; ++k)
        sum += a[row][k] * b[k][column];
      EXPECT_EQ(step.at<float>(d + n)[lane], sum) << lane << " " << n;
    }
}

TEST(MmaTest, M16N8K32OfS8) {
  OneStep step(mma(Type::kS32, Type::kS8, Type::kU8, Type::kS32, 16, 32));
  const int d = step.add_vector<int32_t>(4), ra = step.add_vector<uint32_t>(4),
            rb = step.add_vector<uint32_t>(2), rc = step.add_vector<int32_t>(4);
  int a[16][32], b[32][8];
  for (int row = 0; row < 16; ++row)
    for (int k = 0; k < 32; ++k)
      a[row][k] = (row * 7 + k * 3) % 256 - 128;
  for (int k = 0; k < 32; ++k)
    for (int column = 0; column < 8; ++column)
      b[k][column] = (k * 5 + column * 11) % 256;
  for (int lane = 0; lane < 32; ++lane)
    for (int e = 0; e < 4; ++e) {
      const int group = lane / 4, k = lane % 4 * 4 + e;
      auto put = [&](int reg, int value) {
        step.at<uint32_t>(reg)[lane] |= static_cast<uint32_t>(value & 255) << (8 * e);
      };
      put(ra, a[group][k]);
      put(ra + 1, a[group + 8][k]);
      put(ra + 2, a[group][k + 16]);
      put(ra + 3, a[group + 8][k + 16]);
      put(rb, b[k][group]);
      put(rb + 1, b[k + 16][group]);
      step.at<int32_t>(rc + e)[lane] = lane;
    }
  step.run();
  for (int lane = 0; lane < 32; ++lane)
    for (int n = 0; n < 4; ++n) {
      const int row = lane / 4 + n / 2 * 8, column = lane % 4 * 2 + n % 2;
      int sum = lane;
      for (int k = 0; k < 32; ++k)
        sum += a[row][k] * b[k][column];
      EXPECT_EQ(step.at<int32_t>(d + n)[lane], sum);
    }
}

TEST(MmaTest, M8N8K4OfF64AndTF32) {
  OneStep step(mma(Type::kF64, Type::kF64, Type::kF64, Type::kF64, 8, 4));
  const int d = step.add_vector<double>(2), ra = step.add_vector<double>(1),
            rb = step.add_vector<double>(1), rc = step.add_vector<double>(2);
  for (int lane = 0; lane < 32; ++lane) {
    step.at<double>(ra)[lane] = lane / 4 == lane % 4 ? 1 : 0;  // rows 0 to 3 pick rows of B
    step.at<double>(rb)[lane] = lane % 4 * 10 + lane / 4;
    step.at<double>(rc)[lane] = 0.5;
  }
  step.run();
  EXPECT_EQ(step.at<double>(d + 1)[3 * 4 + 2], 30 + 5);
  EXPECT_EQ(step.at<double>(d)[3 * 4 + 2], 30 + 4 + 0.5);
  OneStep tf(mma(Type::kF32, Type::kTF32, Type::kTF32, Type::kF32, 16, 8));
  const int td = tf.add_vector<float>(4), ta = tf.add_vector<float>(4),
            tb = tf.add_vector<float>(2);
  tf.add_vector<float>(4);
  for (int lane = 0; lane < 32; ++lane) {
    tf.at<float>(ta + 3)[lane] = f32(0x3f80'0001);  // A[g + 8][t + 4], low bits ignored
    tf.at<float>(tb + 1)[lane] = 2;
  }
  tf.run();
  EXPECT_EQ(tf.at<float>(td)[0], 0.0F);
  EXPECT_EQ(tf.at<float>(td + 2)[0], 8.0F);
}

TEST(MmaTest, BitsAreCounted) {
  auto i = mma(Type::kS32, Type::kB1, Type::kB1, Type::kS32, 8, 128);
  i.modifiers.combine = ir::Combine::kXor;
  OneStep step(i);
  const int d = step.add_vector<int32_t>(2), ra = step.add_vector<uint32_t>(1);
  step.add_vector<uint32_t>(1);
  step.add_vector<int32_t>(2);
  for (int lane = 0; lane < 4; ++lane)
    step.at<uint32_t>(ra)[lane] = 0xff;  // row 0: 32 ones
  step.run();
  EXPECT_EQ(step.at<int32_t>(d)[0], 32);
  EXPECT_EQ(step.at<int32_t>(d)[4], 0);
}

TEST(MatrixTest, Transposes) {
  OneStep step(op(Op::kMovmatrix, Type::kB16));
  step.add(0U);
  step.add(0U);
  for (uint32_t lane = 0; lane < 32; ++lane) {
    const uint32_t row = lane / 4, column = lane % 4 * 2;
    step.at<uint32_t>(1)[lane] = (row * 8 + column) | (row * 8 + column + 1) << 16;
  }
  step.run();
  for (uint32_t lane = 0; lane < 32; ++lane) {
    const uint32_t row = lane / 4, column = lane % 4 * 2;
    EXPECT_EQ(step.at<uint32_t>(0)[lane], (column * 8 + row) | ((column + 1) * 8 + row) << 16);
  }
}

// Four products of 8 x 8 x 4, by the figures: lanes 0 to 3 and 16 to 19 have the first, and so on.
TEST(MmaTest, M8N8K4OfF16InAllLayouts) {
  for (int layout = 0; layout < 16; ++layout) {
    const bool a_column = (layout & 1) != 0, b_row = (layout & 2) != 0, d16 = (layout & 4) != 0,
               c16 = (layout & 8) != 0;
    ir::Instruction i = mma(d16 ? Type::kF16 : Type::kF32, Type::kF16, Type::kF16,
                            c16 ? Type::kF16 : Type::kF32, 8, 4);
    i.modifiers.shape.a_column = a_column;
    i.modifiers.shape.b_row = b_row;
    OneStep step(i);
    const int d = step.add_vector<uint32_t>(d16 ? 4 : 8), ra = step.add_vector<uint32_t>(2),
              rb = step.add_vector<uint32_t>(2), rc = step.add_vector<uint32_t>(c16 ? 4 : 8);
    auto a = [](int q, int row, int k) {
      return static_cast<float>((q * 5 + row * 3 + k * 7) % 11 - 5);
    };
    auto b = [](int q, int k, int column) {
      return static_cast<float>((q + k * 5 + column * 3) % 7 - 3);
    };
    auto c = [](int q, int row, int column) {
      return static_cast<float>(q * 64 + row * 8 + column);
    };
    auto put = [&](int first, int lane, int n, float value) {
      step.at<uint32_t>(first + n / 2)[lane] |= uint32_t{interp::f16_of(value)} << (16 * (n % 2));
    };
    auto row_of = [](bool half, int lane, int n) {
      return (half ? lane % 4 : (lane & 1) + (n & 2)) + (lane < 16 ? 0 : 4);
    };
    auto column_of = [](bool half, int lane, int n) {
      return half ? n : (n & 4) + (lane & 2) + (n & 1);
    };
    for (int lane = 0; lane < 32; ++lane) {
      const int q = lane % 16 / 4, x = lane % 4, upper = lane < 16 ? 0 : 4;
      for (int n = 0; n < 4; ++n) {
        put(ra, lane, n, a_column ? a(q, n + upper, x) : a(q, x + upper, n));
        put(rb, lane, n, b_row ? b(q, x, n + upper) : b(q, n, x + upper));
      }
      for (int n = 0; n < 8; ++n) {
        const float value = c(q, row_of(c16, lane, n), column_of(c16, lane, n));
        if (c16)
          put(rc, lane, n, value);
        else
          step.at<float>(rc + n)[lane] = value;
      }
    }
    step.run();
    for (int lane = 0; lane < 32; ++lane)
      for (int n = 0; n < 8; ++n) {
        const int q = lane % 16 / 4, row = row_of(d16, lane, n), column = column_of(d16, lane, n);
        float sum = c(q, row, column);
        for (int k = 0; k < 4; ++k)
          sum += a(q, row, k) * b(q, k, column);
        const uint32_t half = step.at<uint32_t>(d + n / 2)[lane] >> (16 * (n % 2)) & 0xffff;
        EXPECT_EQ(
            d16 ? interp::float_of_f16(static_cast<uint16_t>(half)) : step.at<float>(d + n)[lane],
            sum)
            << layout << " " << lane << " " << n;
      }
  }
}

}  // namespace
}  // namespace longwire::softcuda::testing
