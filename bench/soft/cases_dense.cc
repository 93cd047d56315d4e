#include "soft/cases_dense.h"

#include <algorithm>

#include "soft/values.h"

namespace longwire::bench::soft {
namespace {

// A block for each row of numbers between -4 and 4; `expected` is given that row and the column.
template <class Expected>
Case by_rows(const char* kernel, unsigned rows, unsigned columns, Expected expected) {
  const auto in = floats(rows * columns, -4, 4, 11);
  return {{bytes_of(in), zeros<float>(rows * columns)},
          {{kernel, {rows, 1}, {kBlock, 1}, {buffer(0), buffer(1), int(columns)}}},
          1,
          values_are<float>(37, 1e-5, [in, columns, expected](std::size_t i) {
            return expected(&in[i / columns * columns], columns, i % columns);
          })};
}

}  // namespace

Case matmul() {
  constexpr unsigned kSize = 512, kTile = 16;
  const auto a = floats(kSize * kSize, -1, 1, 12), b = floats(kSize * kSize, -1, 1, 13);
  return {{bytes_of(a), bytes_of(b), zeros<float>(kSize * kSize)},
          {{"matmul",
            {kSize / kTile, kSize / kTile},
            {kTile, kTile},
            {buffer(0), buffer(1), buffer(2), int(kSize)}}},
          2,
          values_are<float>(7, 1e-4, [a, b](std::size_t i) {
            double sum = 0;
            for (std::size_t k = 0; k < kSize; ++k)
              sum += double(a[i / kSize * kSize + k]) * b[k * kSize + i % kSize];
            return sum;
          })};
}

Case n_body() {
  constexpr unsigned kBodies = 4096, kEach = 128;
  constexpr float kSoft = 0.01F;
  auto bodies = floats(4 * kBodies, -1, 1, 14);
  for (unsigned i = 0; i < kBodies; ++i)
    bodies[4 * i + 3] = 1.0F / kBodies;
  const auto acceleration = [bodies](std::size_t i) {
    const std::size_t body = i / 4 * 4, axis = i % 4;
    if (axis == 3) return 0.0;
    double sum = 0;
    for (std::size_t other = 0; other < bodies.size(); other += 4) {
      double d[3], squares = kSoft;
      for (std::size_t k = 0; k < 3; ++k) {
        d[k] = double(bodies[other + k]) - bodies[body + k];
        squares += d[k] * d[k];
      }
      sum += bodies[other + 3] * d[axis] / (squares * std::sqrt(squares));
    }
    return sum;
  };
  return {
      {bytes_of(bodies), zeros<float>(4 * kBodies)},
      {{"n_body", {kBodies / kEach, 1}, {kEach, 1}, {buffer(0), buffer(1), int(kBodies), kSoft}}},
      1,
      values_are<float>(37, 1e-4, acceleration)};
}

Case softmax() {
  return by_rows("softmax", 512, 1000, [](const float* row, std::size_t columns, std::size_t at) {
    const float largest = *std::max_element(row, row + columns);
    double sum = 0;
    for (std::size_t i = 0; i < columns; ++i)
      sum += std::exp(double(row[i]) - largest);
    return std::exp(double(row[at]) - largest) / sum;
  });
}

Case layer_norm() {
  return by_rows("layer_norm", 512, 1024,
                 [](const float* row, std::size_t columns, std::size_t at) {
                   double sum = 0, squares = 0;
                   for (std::size_t i = 0; i < columns; ++i)
                     sum += row[i];
                   const double mean = sum / double(columns);
                   for (std::size_t i = 0; i < columns; ++i)
                     squares += (row[i] - mean) * (row[i] - mean);
                   return (row[at] - mean) / std::sqrt(squares / double(columns) + 1e-5);
                 });
}

Case transpose() {
  constexpr unsigned kSize = 1024, kTile = 16;
  const auto in = floats(kSize * kSize, -1, 1, 15);
  return {
      {bytes_of(in), zeros<float>(kSize * kSize)},
      {{"transpose",
        {kSize / kTile, kSize / kTile},
        {kTile, kTile},
        {buffer(0), buffer(1), int(kSize)}}},
      1,
      values_are<float>(1, 0, [in](std::size_t i) { return in[i % kSize * kSize + i / kSize]; })};
}

Case stencil_2d() {
  constexpr unsigned kSize = 1024;
  const auto in = floats(kSize * kSize, -1, 1, 16);
  const auto expected = [in](std::size_t i) {
    const std::size_t x = i % kSize, y = i / kSize;
    if (x == 0 || y == 0 || x == kSize - 1 || y == kSize - 1) return double(in[i]);
    return 0.2 * (double(in[i]) + in[i - 1] + in[i + 1] + in[i - kSize] + in[i + kSize]);
  };
  return {{bytes_of(in), zeros<float>(kSize * kSize)},
          {{"stencil_2d", {kSize / 32, kSize / 8}, {32, 8}, {buffer(0), buffer(1), int(kSize)}}},
          1,
          values_are<float>(1, 1e-6, expected)};
}

Case stencil_3d() {
  constexpr unsigned kSize = 128, kPlane = kSize * kSize;
  Random random(17);
  std::vector<double> in(kSize * kPlane);
  for (double& value : in)
    value = random.between(-1, 1);
  const auto expected = [in](std::size_t i) {
    const auto rim = [](std::size_t at) { return at == 0 || at == kSize - 1; };
    if (rim(i % kSize) || rim(i / kSize % kSize) || rim(i / kPlane)) return 0.0;
    return in[i - 1] + in[i + 1] + in[i - kSize] + in[i + kSize] + in[i - kPlane] + in[i + kPlane] -
           6 * in[i];
  };
  return {{bytes_of(in), zeros<double>(kSize * kPlane)},
          {{"stencil_3d", {kSize / 32, kSize / 8}, {32, 8}, {buffer(0), buffer(1), int(kSize)}}},
          1,
          values_are<double>(1, 1e-12, expected)};
}

Case attention() {
  constexpr unsigned kRows = 1024, kWidth = 16, kKeys = 64;
  const auto q = floats(kRows * kWidth, -2, 2, 18), k = floats(kRows * kWidth, -2, 2, 19),
             v = floats(kRows * kWidth, -1, 1, 20);
  const auto expected = [q, k, v](std::size_t i) {
    double sum = 0, weights = 0;
    for (std::size_t row = 0; row < kRows; ++row) {
      double score = 0;
      for (std::size_t d = 0; d < kWidth; ++d)
        score += 0.25 * q[i / kWidth * kWidth + d] * k[row * kWidth + d];
      weights += std::exp(score);
      sum += std::exp(score) * v[row * kWidth + i % kWidth];
    }
    return sum / weights;
  };
  return {{bytes_of(q), bytes_of(k), bytes_of(v), zeros<float>(kRows * kWidth)},
          {{"attention",
            {kRows / kKeys, 1},
            {kKeys, 1},
            {buffer(0), buffer(1), buffer(2), buffer(3), int(kRows)}}},
          3,
          values_are<float>(37, 1e-4, expected)};
}

}  // namespace longwire::bench::soft
