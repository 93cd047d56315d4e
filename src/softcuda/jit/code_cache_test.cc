// The code cache: what it keeps, what it refuses, and that it never stands in the way of a launch.
#include "softcuda/jit/code_cache_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <thread>

#include "softcuda/jit/key.h"

namespace longwire::softcuda::jit {
namespace {

TEST_F(CodeCacheTest, KeepsWhatItIsGiven) {
  const auto cache = open();
  ASSERT_NE(cache, nullptr);
  EXPECT_FALSE(cache->find(bytes("a")));
  cache->keep(bytes("a"), bytes("one"));
  cache->keep(bytes("b"), bytes(""));
  EXPECT_TRUE(has(*cache, "a", "one"));
  EXPECT_TRUE(has(*open(), "b", ""));
  cache->keep(bytes("a"), bytes("another"));
  EXPECT_TRUE(has(*cache, "a", "another"));
  for (const fs::path& file : files())
    EXPECT_EQ(fs::status(file).permissions(), fs::perms{0600});
  EXPECT_EQ(fs::status(folder_).permissions(), fs::perms{0700});
}

TEST_F(CodeCacheTest, ASecondProcessCompilesNothing) {
  const auto counts_of_process = [&] {
    const pid_t child = ::fork();
    if (child == 0) {
      const Statistics counts = run();
      ::_exit(static_cast<int>(10 * counts.kernels + counts.cached + (HasFailure() ? 100 : 0)));
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  EXPECT_EQ(counts_of_process(), 10);
  EXPECT_EQ(counts_of_process(), 1);
}

// The module's variable lies elsewhere in each run.
TEST_F(CodeCacheTest, CodeHasNoAddresses) {
  expect_compiled();
  for (const std::size_t n : {0U, 1U, 3U}) {
    const Statistics counts = run(n);
    EXPECT_EQ(counts.cached, 1U);
    EXPECT_EQ(counts.kernels, 0U);
  }
}

TEST_F(CodeCacheTest, AnotherKernelIsCompiled) {
  expect_compiled();
  std::string text = kAddsVariable;
  text.replace(text.find("max.u32"), 7, "min.u32");
  const Statistics counts = run(0, text.c_str());
  EXPECT_EQ(counts.kernels, 1U);
  expect_cached();
}

TEST_F(CodeCacheTest, WithoutAFolderAllIsCompiled) {
  folder_.clear();
  expect_compiled();
  expect_compiled();
}

TEST_F(CodeCacheTest, DamagedFilesAreReplaced) {
  expect_compiled();
  const auto whole = files();
  ASSERT_EQ(whole.size(), 2U);  // the kernel's, and which LLVM it was
  for (const int change : {0, 1, 2, 3}) {
    for (const fs::path& file : whole) {
      const auto size = fs::file_size(file);
      if (change == 0) fs::resize_file(file, size - 1);
      if (change == 1) fs::resize_file(file, 0);
      if (change == 2) fs::resize_file(file, size + 1);
      std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
      if (change == 3) stream.seekp(static_cast<std::streamoff>(size / 2)) << '\x55' << '\xaa';
    }
    expect_compiled();
    expect_cached();
  }
}

// A checksum that is right says nothing of the object.
TEST_F(CodeCacheTest, WholeFilesThatAreNoCodeAreReplaced) {
  expect_compiled();
  for (const fs::path& file : files()) {
    std::ifstream in(file, std::ios::binary);
    std::string all((std::istreambuf_iterator<char>(in)), {});
    std::uint64_t key_bytes = 0;
    std::memcpy(&key_bytes, all.data() + 16, sizeof key_bytes);
    const std::string nothing(64, 'x');
    const auto made =
        entry_file(bytes(std::string_view(all).substr(32, key_bytes)), bytes(nothing));
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(made.data()), static_cast<long>(made.size()));
  }
  expect_compiled();
  expect_cached();
}

TEST_F(CodeCacheTest, WhatOthersCanWriteIsNotUsed) {
  expect_compiled();
  const auto all = files();
  for (const fs::path& file : all)
    ASSERT_EQ(::chmod(file.c_str(), 0622), 0);
  expect_compiled();
  expect_cached();
  ASSERT_EQ(::chmod(folder_.c_str(), 0770), 0);
  EXPECT_EQ(CodeCache::open(folder_.string(), kRoomy).error().code(),
            base::ErrorCode::kPermissionDenied);
  expect_compiled();
  ASSERT_EQ(::chmod(folder_.c_str(), 0700), 0);
  expect_cached();
}

TEST_F(CodeCacheTest, WhatIsAnothersIsNotUsed) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give files away";
  constexpr uid_t kNobody = 65534;
  expect_compiled();
  for (const fs::path& file : files())
    ASSERT_EQ(::chown(file.c_str(), kNobody, kNobody), 0);
  expect_compiled();
  expect_cached();
  ASSERT_EQ(::chown(folder_.c_str(), kNobody, kNobody), 0);
  EXPECT_EQ(open(), nullptr);
  expect_compiled();
}

TEST_F(CodeCacheTest, LinksAndOtherThingsAreNotFollowed) {
  const auto cache = open();
  cache->keep(bytes("a"), bytes("one"));
  const fs::path file = files().at(0), moved = base_ / "moved";
  fs::rename(file, moved);
  fs::create_symlink(moved, file);
  EXPECT_FALSE(cache->find(bytes("a")));
  fs::remove(file);
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  EXPECT_FALSE(cache->find(bytes("a")));
  cache->keep(bytes("a"), bytes("two"));
  EXPECT_TRUE(has(*cache, "a", "two"));
  fs::create_symlink(folder_, base_ / "link");
  EXPECT_FALSE(CodeCache::open((base_ / "link").string(), kRoomy).ok());
}

TEST_F(CodeCacheTest, TheOldestGo) {
  constexpr std::uint64_t kMost = 40'000;
  const std::string value(1000, 'v');
  const auto cache = open(kMost);
  for (int n = 0; n < 100; ++n) {
    cache->keep(bytes("key" + std::to_string(n)), bytes(value));
    EXPECT_TRUE(has(*cache, "key0", value)) << n;               // used, so it stays
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // another time of change
  }
  std::uint64_t total = 0;
  for (const fs::path& file : files())
    total += fs::file_size(file);
  EXPECT_LE(total, kMost);
  EXPECT_GE(total, kMost / 2);
  EXPECT_TRUE(has(*cache, "key99", value));
  EXPECT_FALSE(cache->find(bytes("key1")));
  cache->keep(bytes("huge"), bytes(std::string(kMost, 'h')));
  EXPECT_FALSE(cache->find(bytes("huge")));
}

TEST_F(CodeCacheTest, WhatIsNotOursStays) {
  auto cache = open(2000);
  std::ofstream(folder_ / "letter.txt") << std::string(5000, 'x');
  for (int n = 0; n < 10; ++n)
    cache->keep(bytes("key" + std::to_string(n)), bytes(std::string(500, 'v')));
  EXPECT_TRUE(fs::exists(folder_ / "letter.txt"));
}

TEST_F(CodeCacheTest, SeveralAtOnce) {
  constexpr int kWriters = 4, kRounds = 200, kKeys = 5;
  const auto value = [](int key) { return std::string(3000 + key, static_cast<char>('a' + key)); };
  ASSERT_NE(open(), nullptr);
  const auto work = [&](int writer) {
    const auto cache = open(5 * 4000);
    for (int n = 0; n < kRounds; ++n) {
      const int key = (n + writer) % kKeys;
      const auto found = cache->find(bytes(std::to_string(key)));
      EXPECT_TRUE(!found || std::ranges::equal(*found, bytes(value(key))));
      cache->keep(bytes(std::to_string(key)), bytes(value(key)));
    }
  };
  std::vector<std::thread> writers;
  for (int n = 0; n < kWriters; ++n)
    writers.emplace_back(work, n);
  for (std::thread& writer : writers)
    writer.join();
  for (const fs::path& file : files())
    EXPECT_TRUE(file.string().ends_with(".code")) << file;  // no drafts
}

// Nothing can be made in a folder that is a file, nor in one that is gone.
TEST_F(CodeCacheTest, AFolderThatCannotBe) {
  std::ofstream(base_ / "made") << "a file";
  EXPECT_EQ(open(), nullptr);
  expect_compiled();
  folder_ = base_ / "there";
  const auto cache = open();
  ASSERT_NE(cache, nullptr);
  fs::remove_all(folder_);
  cache->keep(bytes("a"), bytes("one"));
  EXPECT_FALSE(cache->find(bytes("a")));
}

// --- keys ---

TEST(Key, ChangesWithWhatDecides) {
  const auto module = link_text(kAddsVariable);
  ASSERT_NE(module, nullptr);
  auto made = create();
  ASSERT_TRUE(made.ok());
  Device device(std::move(*made));
  device.load(*module);
  auto programs = interp::decode(device.loaded(), device.kernel("k"), true);
  programs.rows = 32;
  std::set<std::vector<std::byte>> all;
  const auto is_new = [&] { return all.insert(key_of(programs, "here")).second; };
  EXPECT_TRUE(is_new());
  EXPECT_FALSE(is_new());
  EXPECT_NE(key_of(programs, "here"), key_of(programs, "there"));
  programs.rows = 16;
  EXPECT_TRUE(is_new());
  ir::Function function = *programs.functions[0].function;
  programs.functions[0].function = &function;
  EXPECT_FALSE(is_new());
  function.registers[0].offset += 64;
  EXPECT_TRUE(is_new());
  function.parameter_bytes += 8;
  EXPECT_TRUE(is_new());
  for (interp::Step& step : programs.functions[0].steps) {
    step.guard = 0;
    EXPECT_TRUE(is_new());
    step.target += 1000;
    EXPECT_TRUE(is_new());
    if (step.source == nullptr) continue;
    ir::Instruction other = *step.source;
    const auto* before = std::exchange(step.source, &other);
    other.modifiers.saturate = !other.modifiers.saturate;
    EXPECT_TRUE(is_new());
    other.type = ir::Type::kF64;
    EXPECT_TRUE(is_new());
    other.place.line += 1;
    EXPECT_FALSE(is_new());
    step.source = before;
  }
  programs.constants[0] ^= std::byte{1};  // the first word of the first constant
  EXPECT_TRUE(is_new());
}

// Where a variable lies is not part of it, what is added to its address is.
TEST(Key, HasNoAddresses) {
  std::string text = kAddsVariable;
  const auto key = [&](bool elsewhere) {
    auto made = create();
    EXPECT_TRUE(made.ok());
    Device device(std::move(*made));
    const auto module = link_text(text);
    if (elsewhere) device.allocate<std::byte>(1 << 16);
    device.load(*module);
    auto programs = interp::decode(device.loaded(), device.kernel("k"), true);
    EXPECT_EQ(programs.variables.size(), 1U);
    return std::pair(programs.variables[0] % (1 << 20), key_of(programs, ""));
  };
  const auto first = key(false), second = key(true);
  EXPECT_NE(first.first, second.first);
  EXPECT_EQ(first.second, second.second);
  text.replace(text.find("[number]"), 8, "[number+4]");
  EXPECT_NE(key(false).second, first.second);
}

TEST(Key, Surroundings) {
  EXPECT_FALSE(build_identity().empty());
  EXPECT_EQ(build_identity(), build_identity());
  EXPECT_FALSE(processor_identity().empty());
  EXPECT_EQ(processor_identity(), processor_identity());
  EXPECT_FALSE(file_identity("/proc/self/exe").empty());
  EXPECT_TRUE(file_identity("/nonexistent").empty());
  EXPECT_TRUE(file_identity("").empty());
}

}  // namespace
}  // namespace longwire::softcuda::jit
