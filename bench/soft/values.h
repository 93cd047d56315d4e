// Inputs and checks that the cases share.
#pragma once

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "soft/cases.h"

namespace longwire::bench::soft {

inline constexpr unsigned kBlock = 256;  // threads, where a case has no reason for others

inline BufferIndex buffer(std::size_t index) { return {index}; }

template <class T>
Bytes bytes_of(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <class T>
std::vector<T> values_of(const Bytes& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

template <class T>
Bytes zeros(std::size_t count) {
  return Bytes(count * sizeof(T));
}

// The same numbers in every run and in both programs.
class Random {
 public:
  explicit Random(unsigned seed) : state_(seed) {}
  unsigned bits() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<unsigned>(state_ >> 33 << 1);
  }
  float between(float low, float high) {
    constexpr float kUnit = 0x1p-24F;
    return low + (high - low) * static_cast<float>(bits() >> 8) * kUnit;
  }

 private:
  unsigned long long state_;
};

inline std::vector<float> floats(std::size_t count, float low, float high, unsigned seed) {
  Random random(seed);
  std::vector<float> values(count);
  for (float& value : values)
    value = random.between(low, high);
  return values;
}

using Check = std::function<std::string(const Bytes&)>;

// Every `stride`th value is what `expected` says, but for tolerance x (1 + |expected|).
template <class T>
Check values_are(std::size_t stride, double tolerance,
                 std::function<double(std::size_t index)> expected) {
  return [=](const Bytes& bytes) -> std::string {
    const std::vector<T> got = values_of<T>(bytes);
    for (std::size_t i = 0; i < got.size(); i += stride) {
      const double wanted = expected(i), difference = std::fabs(double(got[i]) - wanted);
      if (!(difference <= tolerance * (1 + std::fabs(wanted))))
        return "value " + std::to_string(i) + " is " + std::to_string(got[i]) + ", not " +
               std::to_string(wanted);
    }
    return "";
  };
}

}  // namespace longwire::bench::soft
