#include "soft/cases_divergent.h"

#include <algorithm>

#include "soft/values.h"

namespace longwire::bench::soft {
namespace {

int escape_time(float cr, float ci, int most) {
  float zr = 0, zi = 0;
  int i = 0;
  for (; i < most && zr * zr + zi * zi <= 4; ++i) {
    const float next = zr * zr - zi * zi + cr;
    zi = 2 * zr * zi + ci;
    zr = next;
  }
  return i;
}

}  // namespace

// Where the set's rim is, a rounding more or less changes the count.
Case mandelbrot() {
  constexpr unsigned kSize = 512;
  constexpr int kMost = 256;
  const auto wrong = [](const Bytes& bytes) -> std::string {
    const auto got = values_of<int>(bytes);
    std::size_t others = 0;
    for (unsigned i = 0; i < got.size(); ++i) {
      const float x = static_cast<float>(i % kSize), y = static_cast<float>(i / kSize);
      others += got[i] != escape_time(-2 + 3 * x / kSize, -1.5F + 3 * y / kSize, kMost);
    }
    return others * 100 > got.size() ? std::to_string(others) + " pixels differ" : "";
  };
  return {{zeros<int>(kSize * kSize)},
          {{"mandelbrot", {kSize / 16, kSize / 16}, {16, 16}, {buffer(0), int(kSize), kMost}}},
          0,
          wrong};
}

// Steps until 1 comes: neighbours differ widely.
Case collatz() {
  constexpr unsigned kCount = 1U << 18;
  const auto steps = [](std::size_t i) {
    unsigned made = 0;
    for (unsigned x = unsigned(i) + 1; x != 1; ++made)
      x = (x & 1) != 0 ? 3 * x + 1 : x / 2;
    return made;
  };
  return {{zeros<unsigned>(kCount)},
          {{"collatz", {kCount / kBlock, 1}, {kBlock, 1}, {buffer(0)}}},
          0,
          values_are<unsigned>(7, 0, steps)};
}

// A matrix in compressed rows, of 1 to 64 numbers each (most are short), times a vector.
Case sparse_rows() {
  constexpr unsigned kRows = 1U << 18;
  Random random(16);
  std::vector<int> begin(1), column;
  for (unsigned row = 0; row < kRows; ++row) {
    const unsigned length = 1 + (random.bits() % 64) * (random.bits() % 64) / 63;
    for (unsigned k = 0; k < length; ++k)
      column.push_back(static_cast<int>(random.bits() % kRows));
    begin.push_back(static_cast<int>(column.size()));
  }
  const auto value = floats(column.size(), -1, 1, 17), vector = floats(kRows, -1, 1, 18);
  const auto expected = [begin, column, value, vector](std::size_t row) {
    double sum = 0;
    for (auto k = std::size_t(begin[row]); k < std::size_t(begin[row + 1]); ++k)
      sum += double(value[k]) * vector[std::size_t(column[k])];
    return sum;
  };
  return {
      {bytes_of(begin), bytes_of(column), bytes_of(value), bytes_of(vector), zeros<float>(kRows)},
      {{"sparse_rows",
        {kRows / kBlock, 1},
        {kBlock, 1},
        {buffer(0), buffer(1), buffer(2), buffer(3), buffer(4)}}},
      4,
      values_are<float>(7, 1e-4, expected)};
}

// Queries among as many sorted keys; one in two is there, and its search ends early.
Case binary_search() {
  constexpr unsigned kCount = 1U << 19;
  Random random(19);
  std::vector<int> keys(kCount), queries(kCount);
  for (int& key : keys)
    key = static_cast<int>(random.bits() >> 4) * 2;
  std::sort(keys.begin(), keys.end());
  for (int& query : queries)
    query = keys[random.bits() / 2 % kCount] + static_cast<int>(random.bits() / 2 % 2);
  const auto wrong = [keys, queries](const Bytes& bytes) -> std::string {
    const auto got = values_of<int>(bytes);
    for (std::size_t i = 0; i < got.size(); i += 7) {
      const auto at = std::size_t(got[i]);
      const bool is_there = std::binary_search(keys.begin(), keys.end(), queries[i]);
      const bool right =
          is_there ? at < keys.size() && keys[at] == queries[i]
                   : at == std::size_t(std::lower_bound(keys.begin(), keys.end(), queries[i]) -
                                       keys.begin());
      if (!right) return "query " + std::to_string(i) + " found " + std::to_string(at);
    }
    return "";
  };
  return {{bytes_of(keys), bytes_of(queries), zeros<int>(kCount)},
          {{"binary_search",
            {kCount / kBlock, 1},
            {kBlock, 1},
            {buffer(0), buffer(1), buffer(2), int(kCount)}}},
          2,
          wrong};
}

}  // namespace longwire::bench::soft
