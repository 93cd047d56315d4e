// kernels/mathematics.cu, against glibc's functions of long double.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels_fixture.h"

namespace longwire::softcuda::kernels {
namespace {

using Wide = long double;
constexpr Wide kPi = 3.14159265358979323846264338327950288L;

class MathematicsKernels : public KernelsTest {
 protected:
  MathematicsKernels() : KernelsTest("mathematics") {}
};

// How many units in the last place of T lie between; 0 for what is the same also as NaN.
template <class T>
double distance(T got, Wide wanted) {
  const T nearest = static_cast<T>(wanted);
  constexpr double kFar = 1e30;
  if (std::isnan(nearest) || std::isnan(got))
    return std::isnan(nearest) == std::isnan(got) ? 0 : kFar;
  const Wide most = std::numeric_limits<T>::max();
  if (std::isinf(nearest)) return got == nearest || std::fabs(Wide{got}) > 0.999L * most ? 0 : kFar;
  if (std::isinf(got)) return std::fabs(wanted) > 0.999L * most ? 0 : kFar;
  const T size = std::fabs(nearest);
  return static_cast<double>(std::fabs(Wide{got} - wanted) /
                             (std::nextafter(size, std::numeric_limits<T>::infinity()) - size));
}

struct Function {
  const char* name;
  Wide (*reference)(Wide);
  double least, most;    // the range that is swept densely
  double units;          // the error that is allowed in double
  double near_zero = 0;  // an absolute error that is allowed, for functions with other zeros than 0
};
Wide of_pi(Wide x, Wide (*function)(Wide)) { return function(kPi * (x - 2 * std::round(x / 2))); }
// clang-format off
const Function kFunctions[] = {
    {"exp", std::exp, -750, 720, 2},      {"exp2", std::exp2, -1080, 1030, 2},
    {"exp10", [](Wide x) { return std::pow(Wide{10}, x); }, -330, 310, 2},
    {"expm1", std::expm1, -40, 40, 4},    {"log", std::log, 0, 1e6, 2},
    {"log2", std::log2, 0, 10, 3},        {"log10", std::log10, 0, 1e3, 3},
    {"log1p", std::log1p, -1, 3, 3},      {"cbrt", std::cbrt, -1e9, 1e9, 2},
    {"sinh", std::sinh, -50, 50, 4},      {"cosh", std::cosh, -50, 50, 4},
    {"tanh", std::tanh, -20, 20, 3},      {"asinh", std::asinh, -50, 50, 3},
    {"acosh", std::acosh, 1, 100, 3},     {"atanh", std::atanh, -1, 1, 3},
    {"sin", std::sin, -100, 100, 3},      {"cos", std::cos, -100, 100, 3},
    {"tan", std::tan, -100, 100, 5},
    {"sinpi", [](Wide x) { return of_pi(x, std::sin); }, -10, 10, 4, 1e-18},
    {"cospi", [](Wide x) { return of_pi(x, std::cos); }, -10, 10, 4, 1e-18},
    {"atan", std::atan, -10, 10, 2},      {"asin", std::asin, -1, 1, 3},
    {"acos", std::acos, -1, 1, 3},        {"erf", std::erf, -6, 6, 3},
    {"erfc", std::erfc, -5, 27, 5},
    {"normcdf", [](Wide x) { return 0.5L * std::erfc(-x / std::sqrt(Wide{2})); }, -30, 8, 8},
    {"tgamma", std::tgamma, -20, 171, 300},
    {"lgamma", std::lgamma, -20, 300, 4, 1e-13},
    {"round", std::round, -1e3, 1e3, 0},  {"rint", std::rint, -1e3, 1e3, 0},
    {"rsqrt", [](Wide x) { return 1 / std::sqrt(x); }, 0, 1e3, 2},
};
// clang-format on

// Numbers of the range, then of all bits, then the special ones.
template <class T>
std::vector<T> arguments_of(const Function& function, std::size_t count) {
  std::mt19937_64 generator(3);
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t bits = generator();
    if (i % 2 == 0)
      values[i] = static_cast<T>(function.least + (function.most - function.least) *
                                                      std::ldexp(double(bits >> 12), -52));
    else
      std::memcpy(&values[i], &bits, sizeof(T));
  }
  using Limits = std::numeric_limits<T>;
  const T special[] = {0,
                       T(-0.0),
                       1,
                       -1,
                       T(0.5),
                       2,
                       10,
                       1000,
                       Limits::infinity(),
                       -Limits::infinity(),
                       Limits::quiet_NaN(),
                       Limits::max(),
                       Limits::min(),
                       Limits::denorm_min()};
  std::copy(std::begin(special), std::end(special), values.begin());
  return values;
}

// The float functions may be off by one unit and a bit: some are approximate instructions.
constexpr double kUnitsOfFloat = 2.5;
constexpr std::size_t kCount = 2048;

template <class T>
void expect_close(const Function& function, const std::vector<T>& in, const std::vector<T>& got,
                  double units) {
  double worst = 0;
  std::size_t where = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const Wide wanted = function.reference(in[i]);
    if (std::fabs(Wide{got[i]} - wanted) <= function.near_zero) continue;
    const double error = distance(got[i], wanted);
    if (error > worst) worst = error, where = i;
  }
  EXPECT_LE(worst, units) << function.name << " of " << in[where] << " is " << got[where];
}

TEST_F(MathematicsKernels, functions_of_one_number) {
  int which = 0;
  for (const Function& function : kFunctions) {
    const auto in = arguments_of<double>(function, kCount);
    const auto in_float = arguments_of<float>(function, kCount);
    DeviceArray<double> device(in), out(kCount);
    DeviceArray<float> device_float(in_float), out_float(kCount);
    run("of_double", {{kCount / 128}, {128}}, which, device, out);
    run("of_float", {{kCount / 128}, {128}}, which, device_float, out_float);
    expect_close(function, in, out.get(), function.units);
    expect_close(function, in_float, out_float.get(), kUnitsOfFloat);
    ++which;
  }
}

Wide reference_of_two(int which, double a, double b) {
  int n = 0;
  const Wide x = a, y = b;
  switch (which) {
    case 0:
      return std::pow(x, y);
    case 1:
      return std::atan2(x, y);
    case 2:
      return std::fmod(a, b);
    case 3:
      return std::remainder(a, b);
    case 4:
      return std::hypot(x, y);
    case 5:
      return std::nextafter(a, b);
    case 6:
      return std::ldexp(a, static_cast<int>(b));
    case 7:
      return std::frexp(a, &n) + n;
    case 8:
      return std::pow(Wide{static_cast<float>(a)}, Wide{static_cast<float>(b)});
    case 9:
      return std::fmod(static_cast<float>(a), static_cast<float>(b));
    default:
      return std::fdim(a, b);
  }
}

TEST_F(MathematicsKernels, functions_of_two_numbers) {
  constexpr double kSpecial[] = {0, -0.0, 1, -1, 2, 3, -2.5, 0.5, INFINITY, -INFINITY, NAN, 1e300};
  std::vector<double> a(kCount), b(kCount);
  const auto left = random_floats(kCount, -50, 100, 1), right = random_floats(kCount, -40, 40, 2);
  for (std::size_t i = 0; i < kCount; ++i) {
    a[i] = i < 144 ? kSpecial[i / 12] : left[i];
    b[i] = i < 144 ? kSpecial[i % 12] : i % 7 == 0 ? std::round(right[i]) : right[i];
  }
  DeviceArray<double> da(a), db(b), out(kCount);
  for (int which = 0; which <= 10; ++which) {
    run("of_two", {{kCount / 128}, {128}}, which, da, db, out);
    const auto got = out.get();
    for (std::size_t i = 0; i < kCount; ++i) {
      const bool undefined =
          (which == 6 && !(std::fabs(b[i]) < 1e9)) || (which == 7 && !std::isfinite(a[i]));
      if (undefined) continue;
      const Wide wanted = reference_of_two(which, a[i], b[i]);
      const double error =
          which == 8 ? distance(static_cast<float>(got[i]), wanted) : distance(got[i], wanted);
      EXPECT_LE(error, which == 0 ? 16 : 2)
          << which << ": " << a[i] << ' ' << b[i] << ' ' << got[i];
    }
  }
}

TEST_F(MathematicsKernels, inverses) {
  const auto floats = random_floats(64, -0.99, 0.99);
  const std::vector<double> in(floats.begin(), floats.end());
  DeviceArray<double> device(in), out(192);
  run("inverses", {{1}, {64}}, device, out);
  const auto got = out.get();
  for (int i = 0; i < 64; ++i) {
    EXPECT_NEAR(got[i], in[i], 1e-14);
    EXPECT_NEAR(got[64 + i], in[i] + 1, 1e-14);
    EXPECT_NEAR(got[128 + i], 0.5 * in[i] + 0.5, 1e-14);
  }
}

int clamp(int value, int least, int most) { return std::max(least, std::min(value, most)); }

TEST_F(MathematicsKernels, four_bytes_at_once) {
  std::mt19937 generator(9);
  std::vector<unsigned> a(64), b(64);
  std::generate(a.begin(), a.end(), generator);
  std::generate(b.begin(), b.end(), generator);
  DeviceArray<unsigned> da(a), db(b), out(640);
  run("bytes_at_once", {{1}, {64}}, da, db, out);
  const auto got = out.get();
  for (int i = 0; i < 64; ++i) {
    int sum = 0;
    for (int k = 0; k < 4; ++k) {
      const int ua = a[i] >> 8 * k & 255, ub = b[i] >> 8 * k & 255;
      const int sa = static_cast<signed char>(ua), sb = static_cast<signed char>(ub);
      sum += std::abs(ua - ub);
      const int wanted[] = {ua + ub,
                            clamp(sa + sb, -128, 127),
                            clamp(ua - ub, 0, 255),
                            ua > ub ? -1 : 0,
                            sa <= sb ? -1 : 0,
                            std::abs(ua - ub),
                            (ua + ub + 1) / 2,
                            0,
                            std::max(sa, sb),
                            -sa};
      for (int f = 0; f < 10; ++f) {
        if (f != 7) {
          EXPECT_EQ(got[i * 10 + f] >> 8 * k & 255, wanted[f] & 255) << i << ' ' << f;
        }
      }
    }
    EXPECT_EQ(got[i * 10 + 7], static_cast<unsigned>(sum));
  }
}

}  // namespace
}  // namespace longwire::softcuda::kernels
