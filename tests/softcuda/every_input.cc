// Every approximate instruction of f32 and one source on all 2^32 inputs, with and without .ftz:
// part of `./dev check --long`. The back end is for the environment to say; arguments name
// functions (ex2, sin), without any all of them; with `--every N` first, every Nth input.
#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "approximate.h"

namespace longwire::softcuda::approximate {
namespace {

constexpr std::uint32_t kChunk = 1U << 22;  // inputs of one launch
constexpr std::uint64_t kAll = std::uint64_t{1} << 32;
constexpr unsigned kMostThreads = 64;
constexpr std::uint64_t kShown = 5;  // wrong results that a thread prints of one instruction

struct Buffers {
  float* inputs = nullptr;
  std::uint32_t* results[2] = {};  // plain, flushing
};

// What was seen of one form; each thread has its own.
struct Tally {
  std::uint64_t wrong = 0;
  std::uint64_t not_nearest = 0;
  double largest_share = 0;  // of the documented error, among those that are not the nearest
  float largest_of = 0;      // the source that had it

  void add(const Tally& other) {
    wrong += other.wrong;
    not_nearest += other.not_nearest;
    if (other.largest_share <= largest_share) return;
    largest_share = other.largest_share;
    largest_of = other.largest_of;
  }
};

// The forms of one function: the second flushes, where there is one.
struct Function {
  const Form* forms[2] = {};
  CUfunction kernels[2] = {};
};

using Tallies = std::array<Tally, 2>;

void look_at(const Form& form, Tally& tally, float a, double exact, std::uint32_t result) {
  const Verdict verdict = verdict_f32(form, a, exact, result);
  tally.not_nearest += verdict.nearest ? 0 : 1;
  if (verdict.share > tally.largest_share) {
    tally.largest_share = verdict.share;
    tally.largest_of = a;
  }
  if (verdict.allowed || tally.wrong++ >= kShown) return;
  std::printf("%s of %a (0x%08x) is %a (0x%08x)\n", form.instruction, static_cast<double>(a),
              std::bit_cast<std::uint32_t>(a), static_cast<double>(std::bit_cast<float>(result)),
              result);
}

void compare(const Function& f, const Buffers& b, Tallies& tallies, std::uint32_t begin,
             std::uint32_t end) {
  for (std::uint32_t n = begin; n < end; ++n) {
    const float a = b.inputs[n];
    const double exact = f.forms[0]->exact(static_cast<double>(a));
    look_at(*f.forms[0], tallies[0], a, exact, b.results[0][n]);
    if (f.forms[1] == nullptr) continue;
    const auto bits = std::bit_cast<std::uint32_t>(a);
    if ((bits & 0x7f80'0000) != 0) {
      look_at(*f.forms[1], tallies[1], a, exact, b.results[1][n]);
    } else {
      const auto zero = std::bit_cast<float>(bits & 0x8000'0000);
      look_at(*f.forms[1], tallies[1], zero, f.forms[1]->exact(static_cast<double>(zero)),
              b.results[1][n]);
    }
  }
}

// As many threads as the device has look at a chunk.
void compare_chunk(const Function& f, const Buffers& b, Tallies& tallies) {
  const char* limit = std::getenv("LONGWIRE_SOFT_THREADS");
  const unsigned wanted = limit != nullptr ? static_cast<unsigned>(std::atoi(limit)) : 0;
  const unsigned threads =
      std::clamp(wanted != 0 ? wanted : std::thread::hardware_concurrency(), 1U, kMostThreads);
  std::vector<Tallies> parts(threads);
  std::vector<std::thread> running;
  for (unsigned t = 0; t < threads; ++t)
    running.emplace_back([&, t] {
      compare(f, b, parts[t], static_cast<std::uint32_t>(std::uint64_t{kChunk} * t / threads),
              static_cast<std::uint32_t>(std::uint64_t{kChunk} * (t + 1) / threads));
    });
  for (auto& each : running)
    each.join();
  for (const Tallies& part : parts)
    for (std::size_t which = 0; which < part.size(); ++which)
      tallies[which].add(part[which]);
}

void print(const Form& form, const Tally& tally, std::uint32_t step) {
  const std::string which = step == 1 ? "2^32" : "every " + std::to_string(step) + "th of 2^32";
  std::printf("%-20s %llu of %s outside of the documented error; %llu not the nearest number",
              form.instruction, static_cast<unsigned long long>(tally.wrong), which.c_str(),
              static_cast<unsigned long long>(tally.not_nearest));
  if (tally.largest_share > 0)
    std::printf(", with at most %.3g of that error (at %a)", tally.largest_share,
                static_cast<double>(tally.largest_of));
  std::printf("\n");
}

bool sweep(const Function& f, const Buffers& b, std::uint32_t step) {
  const auto begin = std::chrono::steady_clock::now();
  Tallies tallies;
  for (std::uint64_t first = 0; first < kAll; first += std::uint64_t{kChunk} * step) {
    for (std::uint32_t n = 0; n < kChunk; ++n)
      b.inputs[n] = std::bit_cast<float>(static_cast<std::uint32_t>(first + n * step));
    for (int which = 0; which < 2; ++which)
      if (f.kernels[which] != nullptr &&
          launch(f.kernels[which], b.results[which], b.inputs, b.inputs, kChunk) != CUDA_SUCCESS)
        return false;
    compare_chunk(f, b, tallies);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  for (std::size_t which = 0; which < tallies.size(); ++which)
    if (f.forms[which] != nullptr) print(*f.forms[which], tallies[which], step);
  std::printf("%-20s %.0f s\n", "", took.count());
  std::fflush(stdout);
  return tallies[0].wrong + tallies[1].wrong == 0;
}

bool is_chosen(const Form& form, int count, char** names) {
  if (form.format != Format::kF32 || form.sources != 1 || form.flushes()) return false;
  for (int n = 0; n < count; ++n)
    if (std::strncmp(form.instruction, names[n], std::strlen(names[n])) == 0) return true;
  return count == 0;
}

bool run(int count, char** names, std::uint32_t step) {
  CUcontext context = nullptr;
  CUmodule module = nullptr;
  Buffers buffers;
  if (cuInit(0) != CUDA_SUCCESS || cuDevicePrimaryCtxRetain(&context, 0) != CUDA_SUCCESS ||
      cuCtxSetCurrent(context) != CUDA_SUCCESS ||
      cuModuleLoadData(&module, ptx().c_str()) != CUDA_SUCCESS)
    return false;
  for (void** each :
       {reinterpret_cast<void**>(&buffers.inputs), reinterpret_cast<void**>(&buffers.results[0]),
        reinterpret_cast<void**>(&buffers.results[1])})
    if (cuMemHostAlloc(each, kChunk * sizeof(float), 0) != CUDA_SUCCESS) return false;
  bool right = true;
  const auto all = forms();
  for (std::size_t n = 0; n < all.size(); ++n) {
    if (!is_chosen(all[n], count, names)) continue;
    Function f;
    f.forms[0] = &all[n];
    if (n + 1 < all.size() && all[n + 1].exact == all[n].exact && all[n + 1].flushes() &&
        all[n + 1].format == Format::kF32)
      f.forms[1] = &all[n + 1];
    for (int which = 0; which < 2; ++which)
      if (f.forms[which] != nullptr &&
          cuModuleGetFunction(&f.kernels[which], module, name_of(*f.forms[which]).c_str()) !=
              CUDA_SUCCESS)
        return false;
    right = sweep(f, buffers, step) && right;
  }
  return right;
}

}  // namespace
}  // namespace longwire::softcuda::approximate

int main(int count, char** arguments) {
  std::uint32_t step = 1;
  int first = 1;
  if (count > 2 && std::strcmp(arguments[1], "--every") == 0) {
    step = static_cast<std::uint32_t>(std::clamp(std::atoi(arguments[2]), 1, 1 << 20));
    first = 3;
  }
  return longwire::softcuda::approximate::run(count - first, arguments + first, step) ? 0 : 1;
}
