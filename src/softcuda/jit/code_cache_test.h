// A folder for a code cache, and a kernel that is kept there.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "softcuda/jit/code_cache.h"
#include "softcuda/jit/device_test.h"

namespace longwire::softcuda::jit {

namespace fs = std::filesystem;

inline constexpr std::uint64_t kRoomy = std::uint64_t{1} << 20;
// out[i] = i + what a variable of the module holds.
inline constexpr const char* kAddsVariable = R"(.version 8.5
.target sm_90
.address_size 64
.global .align 4 .u32 number = 40;
.visible .entry k(.param .u64 po) {
.reg .b64 %rd<4>; .reg .b32 %r<4>;
ld.param.u64 %rd0, [po]; mov.u32 %r0, %tid.x; ld.global.u32 %r1, [number]; mov.u64 %rd2, number;
ld.global.u32 %r2, [%rd2]; max.u32 %r1, %r1, %r2; add.u32 %r1, %r1, %r0;
mad.wide.u32 %rd1, %r0, 4, %rd0; st.global.u32 [%rd1], %r1; ret; })";

class CodeCacheTest : public ::testing::Test {
 protected:
  CodeCacheTest() {
    std::string name = (fs::temp_directory_path() / "longwire-cache-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    base_ = name;
    folder_ = base_ / "made" / "cache";
  }
  ~CodeCacheTest() override { fs::remove_all(base_); }

  std::unique_ptr<CodeCache> open(std::uint64_t most_bytes = kRoomy) const {
    auto made = CodeCache::open(folder_.string(), most_bytes);
    return made.ok() ? std::move(*made) : nullptr;
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> all;
    for (const auto& one : fs::directory_iterator(folder_))
      all.push_back(one.path());
    return all;
  }
  // The kernel's code, compiled or from the cache, does what it should.
  Statistics run(std::size_t allocations_before = 0, const char* text = kAddsVariable) const {
    auto made = create({folder_.string(), kRoomy});
    EXPECT_TRUE(made.ok()) << made.error().message();
    if (!made.ok()) return {};
    Jit& jit = **made;
    Device device(std::move(*made));
    const auto program = link_text(text);
    for (std::size_t n = 0; n < allocations_before; ++n)
      device.allocate<std::byte>(1 << 16);
    device.load(*program);
    auto* out = device.allocate<std::uint32_t>(32);
    EXPECT_FALSE(device.run("k", {1}, {32}, out).has_value());
    for (std::uint32_t i = 0; i < 32; ++i)
      EXPECT_EQ(out[i], 40 + i);
    return jit.statistics();
  }
  void expect_compiled() const {
    const Statistics counts = run();
    EXPECT_EQ(counts.kernels, 1U);
    EXPECT_EQ(counts.cached, 0U);
    EXPECT_EQ(counts.refused, 0U);
  }
  void expect_cached() const {
    const Statistics counts = run();
    EXPECT_EQ(counts.kernels, 0U);
    EXPECT_EQ(counts.cached, 1U);
    EXPECT_EQ(counts.refused, 0U);
  }

  fs::path base_, folder_;
};

inline std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// Whether a cache has the value for a key.
inline bool has(const CodeCache& cache, std::string_view key, std::string_view value) {
  const auto found = cache.find(bytes(key));
  return found && std::ranges::equal(*found, bytes(value));
}

}  // namespace longwire::softcuda::jit
