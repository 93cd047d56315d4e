// Randomness arrives through Random: the system's for keys and ids, a seeded one for simulations.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace longwire::base {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) = 0;

  std::uint64_t u64();
  // Uniform in [0, bound). REQUIRES: bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // True once in `n`. REQUIRES: n > 0.
  bool one_in(std::uint64_t n) { return below(n) == 0; }
};

// getrandom(2): good for keys.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override;
};

// xoshiro256**, seeded by splitmix64: the same numbers for the same seed, on every machine.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed);
  void fill(std::span<std::byte> out) override;

 private:
  std::uint64_t next();
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace longwire::base
