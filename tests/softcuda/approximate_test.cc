// Each approximate instruction on inputs of every exponent and both signs, on those that the ISA
// names, and where functions turn; of 16-bit types on all inputs. The bounds are in approximate.cc.
#include "approximate.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <ostream>
#include <random>

namespace longwire::softcuda::approximate {

void PrintTo(const Form& form, std::ostream* out) { *out << form.instruction; }

namespace {

constexpr int kMantissas = 240;       // at random, of each exponent and sign
constexpr int kMantissas64 = 12;      // the same of f64
constexpr int kPairsOfExponents = 2;  // of divisions, for each two exponents
constexpr int kNeighbours = 4;        // numbers on both sides of one that matters

struct Inputs {
  std::vector<std::uint64_t> a, b;
  void add(std::uint64_t first, std::uint64_t second = 0) {
    a.push_back(first);
    b.push_back(second);
  }
};

// All; the two of a register are not alike.
Inputs sixteen_bits() {
  Inputs made;
  for (std::uint32_t n = 0; n < 0x10000; ++n)
    made.add(n * 0x9e37 & 0xffff);
  return made;
}

void add_neighbours(Inputs& made, double v) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(v));
  for (int n = -kNeighbours; n <= kNeighbours; ++n)
    made.add(bits + static_cast<std::uint32_t>(n));
}

Inputs thirty_two_bits(std::mt19937& random) {
  Inputs made;
  for (std::uint32_t top = 0; top < 0x200; ++top) {
    for (std::uint32_t mantissa : {0U, 1U, 0x3f'ffffU, 0x40'0000U, 0x7f'fffeU, 0x7f'ffffU})
      made.add(top << 23 | mantissa);
    for (int n = 0; n < kMantissas; ++n)
      made.add(top << 23 | (random() & 0x7f'ffff));
  }
  for (int quarter = -200; quarter <= 200; ++quarter)  // to 100 pi
    add_neighbours(made, quarter * 1.5707963267948966);
  for (int power = -153; power <= 130; ++power) {
    add_neighbours(made, power);
    add_neighbours(made, power + 0.5);
    add_neighbours(made, std::ldexp(1.0, power));
  }
  return made;
}

Inputs sixty_four_bits(std::mt19937_64& random) {
  Inputs made;
  constexpr std::uint64_t kMantissa = (std::uint64_t{1} << 52) - 1;
  for (std::uint64_t top = 0; top < 0x1000; ++top) {
    for (std::uint64_t mantissa : {std::uint64_t{0}, std::uint64_t{1}, kMantissa,
                                   kMantissa & 0xffff'ffff, kMantissa << 32 & kMantissa})
      made.add(top << 52 | mantissa);
    for (int n = 0; n < kMantissas64; ++n)
      made.add(top << 52 | (random() & kMantissa));
  }
  return made;
}

Inputs pairs(std::mt19937& random) {
  Inputs made;
  for (std::uint32_t first = 0; first < 0x100; ++first)
    for (std::uint32_t second = 0; second < 0x200; ++second)
      for (int n = 0; n < kPairsOfExponents; ++n) {
        auto mantissa = [&] { return n == 0 ? 0U : random() & 0x7f'ffff; };
        made.add(first << 23 | mantissa() | (random() & 0x8000'0000), second << 23 | mantissa());
      }
  return made;
}

Inputs inputs_of(const Form& form) {
  std::mt19937 random(1);
  std::mt19937_64 random64(1);
  if (bytes_of(form.format) == 2) return sixteen_bits();
  if (form.format == Format::kF64) return sixty_four_bits(random64);
  return form.sources == 2 ? pairs(random) : thirty_two_bits(random);
}

// Elements of 2, 4 or 8 bytes that the device and the host see.
class Elements {
 public:
  Elements(std::size_t count, int bytes) : bytes_(static_cast<std::size_t>(bytes)) {
    EXPECT_EQ(cuMemHostAlloc(&memory_, count * bytes_, 0), CUDA_SUCCESS);
  }
  Elements(const Elements&) = delete;
  Elements& operator=(const Elements&) = delete;
  ~Elements() { cuMemFreeHost(memory_); }
  void* memory() { return memory_; }
  void set(std::size_t n, std::uint64_t bits) { std::memcpy(at(n), &bits, bytes_); }
  std::uint64_t get(std::size_t n) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, at(n), bytes_);
    return bits;
  }

 private:
  std::byte* at(std::size_t n) { return static_cast<std::byte*>(memory_) + n * bytes_; }
  std::size_t bytes_;
  void* memory_ = nullptr;
};

class ApproximateTest : public ::testing::TestWithParam<Form> {
 protected:
  static void SetUpTestSuite() {
    ASSERT_EQ(cuInit(0), CUDA_SUCCESS);
    ASSERT_EQ(cuDevicePrimaryCtxRetain(&context_, 0), CUDA_SUCCESS);
    ASSERT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
    ASSERT_EQ(cuModuleLoadData(&module_, ptx().c_str()), CUDA_SUCCESS);
  }
  static void TearDownTestSuite() {
    cuModuleUnload(module_);
    cuCtxSetCurrent(nullptr);
    cuDevicePrimaryCtxRelease(0);
  }
  static inline CUcontext context_ = nullptr;
  static inline CUmodule module_ = nullptr;
};

TEST_P(ApproximateTest, stays_within_its_documented_error) {
  const Form& form = GetParam();
  const Inputs inputs = inputs_of(form);
  const std::size_t count = inputs.a.size();
  Elements a(count, bytes_of(form.format)), b(count, bytes_of(form.format));
  Elements results(count, bytes_of(form.format));
  for (std::size_t n = 0; n < count; ++n) {
    a.set(n, inputs.a[n]);
    b.set(n, inputs.b[n]);
  }
  CUfunction kernel = nullptr;
  ASSERT_EQ(cuModuleGetFunction(&kernel, module_, name_of(form).c_str()), CUDA_SUCCESS);
  const std::size_t elements = form.packed ? count / 2 : count;
  ASSERT_EQ(launch(kernel, results.memory(), a.memory(), b.memory(), unsigned(elements)),
            CUDA_SUCCESS);
  for (std::size_t n = 0; n < count; ++n)
    ASSERT_TRUE(is_allowed(form, inputs.a[n], inputs.b[n], results.get(n)))
        << std::hexfloat << form.instruction << " of " << value_of(form.format, inputs.a[n]) << ", "
        << value_of(form.format, inputs.b[n]) << " is " << value_of(form.format, results.get(n))
        << std::hex << " (0x" << inputs.a[n] << ", 0x" << inputs.b[n] << " is 0x" << results.get(n)
        << ")";
}

INSTANTIATE_TEST_SUITE_P(all, ApproximateTest, ::testing::ValuesIn(forms().begin(), forms().end()),
                         [](const auto& one) { return name_of(one.param); });

// What the checks themselves refuse.
TEST(ApproximateTest, wrong_results_are_seen) {
  auto form = [](const std::string& instruction) -> const Form& {
    for (const Form& each : forms())
      if (each.instruction == instruction) return each;
    ADD_FAILURE() << instruction;
    return forms()[0];
  };
  auto bits = [](float v) { return std::uint64_t{std::bit_cast<std::uint32_t>(v)}; };
  const Form &ex2 = form("ex2.approx.f32"), &flushing = form("ex2.approx.ftz.f32");
  EXPECT_TRUE(is_allowed(ex2, bits(1), 0, bits(2) + 2));
  EXPECT_FALSE(is_allowed(ex2, bits(1), 0, bits(2) + 3));
  EXPECT_FALSE(is_allowed(ex2, bits(0), 0, bits(1) + 1));
  EXPECT_FALSE(is_allowed(ex2, bits(-HUGE_VALF), 0, bits(-0.0F)));
  EXPECT_FALSE(is_allowed(ex2, bits(500), 0, bits(3e38F)));
  EXPECT_TRUE(is_allowed(ex2, bits(500), 0, bits(HUGE_VALF)));
  EXPECT_FALSE(is_allowed(ex2, bits(NAN), 0, bits(NAN)));  // not the one of results
  EXPECT_TRUE(is_allowed(ex2, bits(NAN), 0, 0x7fff'ffff));
  EXPECT_TRUE(is_allowed(ex2, bits(-130), 0, bits(0x1p-130F)));
  EXPECT_FALSE(is_allowed(flushing, bits(-130), 0, bits(0x1p-130F)));
  EXPECT_TRUE(is_allowed(flushing, bits(-130), 0, 0));
  EXPECT_FALSE(is_allowed(form("lg2.approx.f32"), bits(0x1p10F), 0, bits(10.00001F)));
  EXPECT_FALSE(is_allowed(form("div.approx.f32"), bits(0x1p127F), bits(0x1p127F), bits(1)));
  EXPECT_FALSE(is_allowed(form("div.full.f32"), bits(0x1p127F), bits(0x1p127F), 0));
  EXPECT_FALSE(is_allowed(form("tanh.approx.f16"), 0x7c00, 0, 0xbc00));
}

}  // namespace
}  // namespace longwire::softcuda::approximate
