// Sizes, inputs and what must come out. Those of linear algebra and physics are in cases_dense.cc,
// those whose lanes part in cases_divergent.cc.
#include "soft/cases.h"

#include "soft/cases_dense.h"
#include "soft/cases_divergent.h"
#include "soft/values.h"

namespace longwire::bench::soft {
namespace {

constexpr unsigned kMany = 1U << 21;

Case vector_add() {
  const auto a = floats(kMany, -1, 1, 1), b = floats(kMany, -1, 1, 2);
  return {{bytes_of(a), bytes_of(b), zeros<float>(kMany)},
          {{"vector_add",
            {kMany / kBlock, 1},
            {kBlock, 1},
            {buffer(0), buffer(1), buffer(2), int(kMany)}}},
          2,
          values_are<float>(1, 0, [a, b](std::size_t i) { return a[i] + b[i]; })};
}

Case saxpy() {
  const auto x = floats(kMany, -1, 1, 3), y = floats(kMany, -1, 1, 4);
  return {{bytes_of(x), bytes_of(y), zeros<float>(kMany)},
          {{"saxpy", {1024, 1}, {kBlock, 1}, {2.5F, buffer(0), buffer(1), buffer(2), int(kMany)}}},
          2,
          values_are<float>(1, 1e-6, [x, y](std::size_t i) { return 2.5 * x[i] + y[i]; })};
}

Case histogram() {
  constexpr unsigned kWords = 1U << 18;
  Random random(5);
  std::vector<unsigned> words(kWords), counts(256);
  for (unsigned& word : words) {
    word = random.bits() & (random.bits() | 0x0f0f0f0f);  // some bins are fuller
    for (int shift = 0; shift < 32; shift += 8)
      ++counts[word >> shift & 255];
  }
  return {{bytes_of(words), zeros<unsigned>(256)},
          {{"clear", {1, 1}, {kBlock, 1}, {buffer(1)}},
           {"histogram", {64, 1}, {kBlock, 1}, {buffer(0), buffer(1), int(kWords)}}},
          1,
          values_are<unsigned>(1, 0, [counts](std::size_t i) { return counts[i]; })};
}

// Three levels: 1024 blocks of 512, two of their totals, one of those.
Case scan() {
  constexpr unsigned kCount = 1U << 19, kEach = 512, kBlocks = kCount / kEach;
  Random random(6);
  std::vector<int> in(kCount), before(kCount);
  for (unsigned i = 0; i < kCount; ++i) {
    in[i] = static_cast<int>(random.bits() >> 28) - 8;
    before[i] = i == 0 ? 0 : before[i - 1] + in[i - 1];
  }
  const auto level = [](unsigned blocks, std::size_t from) -> Launch {
    return {"scan", {blocks, 1}, {kBlock, 1}, {buffer(from), buffer(from + 1), buffer(from + 2)}};
  };
  const auto add = [](unsigned blocks, std::size_t to, std::size_t totals) -> Launch {
    return {"add_totals", {blocks, 1}, {kBlock, 1}, {buffer(to), buffer(totals)}};
  };
  // in, out; totals, scanned; their totals, scanned; the sum of all.
  return {{bytes_of(in), zeros<int>(kCount), zeros<int>(kBlocks), zeros<int>(kBlocks),
           zeros<int>(kEach), zeros<int>(kEach), zeros<int>(1)},
          {level(kBlocks, 0), level(kBlocks / kEach, 2), level(1, 4), add(kBlocks / kEach, 3, 5),
           add(kBlocks, 1, 3)},
          1,
          values_are<int>(1, 0, [before](std::size_t i) { return before[i]; })};
}

Case reduction() {
  constexpr unsigned kBlocks = 256;
  const auto in = floats(kMany, 0, 1, 7);
  return {{bytes_of(in), zeros<float>(kBlocks)},
          {{"reduction", {kBlocks, 1}, {kBlock, 1}, {buffer(0), buffer(1), int(kMany)}}},
          1,
          values_are<float>(1, 1e-5, [in](std::size_t block) {
            double sum = 0;
            for (std::size_t i = block * kBlock; i < kMany; i += kBlocks * kBlock)
              for (std::size_t j = i; j < i + kBlock; ++j)
                sum += in[j];
            return sum;
          })};
}

// Its published test vectors are among tests/softcuda; here the same function on the host.
unsigned philox_word(unsigned counter, unsigned key, unsigned word) {
  unsigned c[4] = {counter, 0, 0, 0};
  unsigned k0 = key, k1 = 0;
  for (int round = 0; round < 10; ++round) {
    const unsigned long long a = 0xD2511F53ULL * c[0], b = 0xCD9E8D57ULL * c[2];
    const unsigned next[4] = {unsigned(b >> 32) ^ c[1] ^ k0, unsigned(b),
                              unsigned(a >> 32) ^ c[3] ^ k1, unsigned(a)};
    std::copy(next, next + 4, c);
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  return c[word];
}

Case philox() {
  constexpr unsigned kThreads = 1U << 18, kSeed = 1234;
  return {{zeros<unsigned>(4 * kThreads)},
          {{"philox", {kThreads / kBlock, 1}, {kBlock, 1}, {buffer(0), kSeed}}},
          0,
          values_are<unsigned>(1, 0, [](std::size_t i) {
            return philox_word(unsigned(i / 4), kSeed, unsigned(i % 4));
          })};
}

Case black_scholes() {
  constexpr unsigned kCount = 1U << 20;
  const auto price = floats(kCount, 5, 30, 8), strike = floats(kCount, 1, 100, 9),
             years = floats(kCount, 0.25, 10, 10);
  const auto call = [price, strike, years](std::size_t i) {
    const double root = 0.3 * std::sqrt(years[i]);
    const double d = (std::log(price[i] / strike[i]) + (0.02 + 0.045) * years[i]) / root;
    return price[i] * 0.5 * std::erfc(-d * M_SQRT1_2) -
           strike[i] * std::exp(-0.02 * years[i]) * 0.5 * std::erfc((root - d) * M_SQRT1_2);
  };
  return {{bytes_of(price), bytes_of(strike), bytes_of(years), zeros<float>(kCount)},
          {{"black_scholes",
            {kCount / kBlock, 1},
            {kBlock, 1},
            {buffer(0), buffer(1), buffer(2), buffer(3), int(kCount)}}},
          3,
          values_are<float>(7, 2e-5, call)};
}

Case empty() {
  return {{zeros<int>(1)}, {{"empty", {1, 1}, {1, 1}, {0}}}, 0, [](const Bytes&) {
            return std::string();
          }};
}

}  // namespace

const std::vector<Named>& cases() {
  static const std::vector<Named> all = {
      {"vectorAdd 2.1 M", vector_add},
      {"saxpy 2.1 M", saxpy},
      {"matmul 512 x 512, tiled", matmul},
      {"n-body 4096", n_body},
      {"histogram 1 M", histogram},
      {"scan 524 k", scan},
      {"reduction 2.1 M", reduction},
      {"softmax 512 x 1000", softmax},
      {"layer norm 512 x 1024", layer_norm},
      {"transpose 1024 x 1024", transpose},
      {"stencil 2D 1024 x 1024", stencil_2d},
      {"stencil 3D 128 x 128 x 128, f64", stencil_3d},
      {"mandelbrot 512 x 512", mandelbrot},
      {"Collatz 262 k", collatz},
      {"sparse rows 262 k", sparse_rows},
      {"binary search 524 k", binary_search},
      {"Philox 1 M", philox},
      {"Black-Scholes 1 M", black_scholes},
      {"attention 1024 x 16", attention},
      {"empty", empty},
  };
  return all;
}

}  // namespace longwire::bench::soft
