// A fuzz target without libFuzzer: for the tests of any compiler, and for measuring coverage.
//
//   fuzz_NAME [--runs N] [FILE|FOLDER…]
//
// Runs the target's seeds and the files, then N mutations of them, always the same ones. An input
// that crashes is in the file "crash-input" of the working folder if LONGWIRE_FUZZ_KEEP is set.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "fuzz/target.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);
// A target may have one of its own, which calls LLVMFuzzerMutate().
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed)
    __attribute__((weak));

namespace {

using Input = std::vector<std::uint8_t>;
namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = std::size_t{64} << 10;  // of a mutated input

std::minstd_rand& dice() {
  static std::minstd_rand one(1);
  return one;
}
std::size_t below(std::size_t limit) { return limit == 0 ? 0 : dice()() % limit; }

std::vector<Input>& inputs() {
  static std::vector<Input> all;
  return all;
}

// Values at which decoders go wrong.
constexpr std::uint64_t kCorners[] = {0,
                                      1,
                                      7,
                                      8,
                                      9,
                                      255,
                                      65535,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      1u << 20,
                                      4096,
                                      1u << 30,
                                      ~std::uint64_t{0},
                                      ~std::uint64_t{7},
                                      std::uint64_t{1} << 63,
                                      (std::uint64_t{1} << 63) - 1};

void put_corner(std::uint8_t* data, std::size_t size) {
  const std::size_t width = std::size_t{1} << below(4);
  if (size < width) return;
  const std::uint64_t value = kCorners[below(std::size(kCorners))];
  // Fields are aligned more often than not.
  std::size_t at = below(size - width + 1);
  if (below(4) != 0) at -= at % width;
  std::memcpy(data + at, &value, width);
}

std::size_t erase(std::uint8_t* data, std::size_t size) {
  if (size < 2) return size;
  const std::size_t at = below(size);
  const std::size_t count = 1 + below(std::min<std::size_t>(size - at, 64));
  std::memmove(data + at, data + at + count, size - at - count);
  return size - count;
}

// A piece of another input in place of the rest, or in between.
std::size_t splice(std::uint8_t* data, std::size_t size, std::size_t most) {
  const Input& other = inputs()[below(inputs().size())];
  if (other.empty()) return size;
  const std::size_t from = below(other.size());
  const std::size_t at = below(size + 1);
  const std::size_t count =
      std::min({1 + below(other.size() - from), most - at, std::size_t{4096}});
  std::memcpy(data + at, other.data() + from, count);
  return std::max(size, at + count);
}

void save(const Input& input) {
  static const bool wanted = std::getenv("LONGWIRE_FUZZ_KEEP") != nullptr;
  if (!wanted) return;
  std::ofstream file("crash-input", std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(input.data()),
             static_cast<std::streamsize>(input.size()));
}

void run(const Input& input) {
  save(input);
  const auto exact = std::make_unique<std::uint8_t[]>(input.size());  // ends where the input does
  std::copy(input.begin(), input.end(), exact.get());
  LLVMFuzzerTestOneInput(exact.get(), input.size());
}

Input mutated(const Input& from) {
  Input input = from;
  std::size_t size = std::min(input.size(), kMostBytes);
  input.resize(kMostBytes);
  const auto seed = static_cast<unsigned>(dice()());
  size = LLVMFuzzerCustomMutator != nullptr
             ? LLVMFuzzerCustomMutator(input.data(), size, kMostBytes, seed)
             : LLVMFuzzerMutate(input.data(), size, kMostBytes);
  input.resize(size);
  return input;
}

Input read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void add_files(const fs::path& place) {
  if (!fs::is_directory(place)) {
    if (!fs::exists(place)) {
      std::fprintf(stderr, "%s is not there\n", place.c_str());
      std::exit(2);
    }
    inputs().push_back(read(place));
    return;
  }
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(place))
    paths.push_back(entry.path());
  std::ranges::sort(paths);
  for (const fs::path& path : paths)
    inputs().push_back(read(path));
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most) {
  for (std::size_t i = 1 + below(4); i > 0; --i) {
    switch (below(5)) {
      case 0:
        if (size > 0) data[below(size)] = static_cast<std::uint8_t>(dice()());
        break;
      case 1:
        size = erase(data, size);
        break;
      case 2:
        size = splice(data, size, most);
        break;
      default:
        put_corner(data, size);
    }
  }
  return size;
}

int main(int count, char** arguments) {
  std::size_t runs = 0;
  for (int i = 1; i < count; ++i) {
    if (std::string(arguments[i]) == "--runs" && i + 1 < count) {
      runs = std::strtoul(arguments[++i], nullptr, 10);
    } else {
      add_files(arguments[i]);
    }
  }
  const std::size_t files = inputs().size();
  for (const auto& seed : longwire::fuzz::seeds()) {
    const auto* data = reinterpret_cast<const std::uint8_t*>(seed.bytes.data());
    inputs().emplace_back(data, data + seed.bytes.size());
  }
  if (inputs().size() == files) {
    std::fprintf(stderr, "no seeds\n");
    return 1;
  }
  for (const Input& input : inputs())
    run(input);
  for (std::size_t i = 0; i < runs; ++i)
    run(mutated(inputs()[below(inputs().size())]));
  std::printf("%zu seeds, %zu files, %zu mutations\n", inputs().size() - files, files, runs);
  return 0;
}
