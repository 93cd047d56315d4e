// The code cache on bad days: several processes on one that is cold, processes that are killed in
// the middle, disks that are full. Each must compute what is right.
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <thread>

#include "softcuda/jit/code_cache_test.h"

namespace longwire::softcuda::jit {
namespace {

constexpr int kFailed = 100, kCannotTry = 77;

class CodeCacheProcesses : public CodeCacheTest {
 protected:
  // A process that does so and ends with what it returns, or kFailed.
  static pid_t start(const std::function<int()>& act) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    const int result = act();
    ::_exit(HasFailure() ? kFailed : result);
  }
  static int result_of(pid_t child) {
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  static void kill(pid_t child) {
    EXPECT_EQ(::kill(child, SIGKILL), 0);
    EXPECT_EQ(result_of(child), -SIGKILL);
  }
  void expect_no_drafts() const {
    for (const fs::path& file : files())
      EXPECT_EQ(file.extension(), ".code") << file;
  }
  // kAddsVariable in one of many ways.
  static std::string text(int n) {
    std::string made = kAddsVariable;
    const std::string more = "xor.b32 %r1, %r1, " + std::to_string(n + 1) + "; ";
    made.insert(made.find("mad.wide"), more + "bar.warp.sync -1; " + more);
    return made;
  }
};

TEST_F(CodeCacheProcesses, SeveralOnAColdOne) {
  constexpr int kProcesses = 4, kKernels = 6;
  std::vector<pid_t> all;
  for (int n = 0; n < kProcesses; ++n)
    all.push_back(start([&, n]() -> int {
      for (int k = 0; k < kKernels; ++k) {
        const Statistics counts = run(0, text((k + n) % kKernels).c_str());
        EXPECT_EQ(counts.kernels + counts.cached, 1U);
      }
      return 0;
    }));
  for (const pid_t each : all)
    EXPECT_EQ(result_of(each), 0);
  expect_no_drafts();
  for (int k = 0; k < kKernels; ++k)
    EXPECT_EQ(run(0, text(k).c_str()).cached, 1U);
}

// Whatever the moment, what is found afterwards is whole.
TEST_F(CodeCacheProcesses, KilledWhileOneWrites) {
  constexpr int kRounds = 40, kKeys = 4;
  const auto value = [](int key) {
    return std::string(std::size_t{200'000} + key, static_cast<char>('a' + key));
  };
  for (int round = 0; round < kRounds; ++round) {
    const pid_t child = start([&]() -> int {
      const auto cache = open();
      for (int n = 0;; ++n)
        cache->keep(bytes(std::to_string(n % kKeys)), bytes(value(n % kKeys)));
    });
    std::this_thread::sleep_for(std::chrono::microseconds(round * 500));
    kill(child);
    const auto cache = open();
    for (int key = 0; key < kKeys; ++key) {
      const auto found = cache->find(bytes(std::to_string(key)));
      EXPECT_TRUE(!found || std::ranges::equal(*found, bytes(value(key))));
    }
  }
}

TEST_F(CodeCacheProcesses, KilledWhileItCompiles) {
  for (int round = 0; round < 8; ++round) {
    const pid_t child = start([&]() -> int {
      for (int k = 0;; ++k)
        run(0, text(k).c_str());
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(round * 17));
    kill(child);
    for (int k = 0; k < 3; ++k)
      run(0, text(k).c_str());
  }
}

// What a killed writer has left behind goes when nobody can be writing it any more.
TEST_F(CodeCacheProcesses, OldDraftsGo) {
  ASSERT_NE(open(), nullptr);
  for (const char* name : {".draft-1", ".draft-2"})
    std::ofstream(folder_ / name) << "half of it";
  fs::last_write_time(folder_ / ".draft-1",
                      fs::file_time_type::clock::now() - std::chrono::hours(2));
  open()->keep(bytes("a"), bytes("one"));
  EXPECT_FALSE(fs::exists(folder_ / ".draft-1"));
  EXPECT_TRUE(fs::exists(folder_ / ".draft-2"));
}

// Another file system of this size at base_, for this process alone. False: it may not do that.
bool mount_small(const fs::path& place, const char* options) {
  const uid_t user = ::geteuid();
  if (::unshare(CLONE_NEWNS) != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    std::ofstream("/proc/self/uid_map") << user << ' ' << user << " 1";
  }
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", place.c_str(), "tmpfs", 0, options) == 0;
}

TEST_F(CodeCacheProcesses, AFullDisk) {
  const pid_t child = start([&]() -> int {
    if (!mount_small(base_, "size=4096,mode=0700")) return kCannotTry;
    std::ofstream(base_ / "filler") << std::string(4096, 'x') << std::flush;
    expect_compiled();
    expect_compiled();
    EXPECT_TRUE(files().empty());
    fs::remove(base_ / "filler");
    EXPECT_FALSE(open()->find(bytes("a")));
    open()->keep(bytes("a"), bytes("one"));
    EXPECT_TRUE(has(*open(), "a", "one"));
    return 0;
  });
  const int result = result_of(child);
  if (result == kCannotTry) GTEST_SKIP() << "no file system can be mounted here";
  EXPECT_EQ(result, 0);
}

TEST_F(CodeCacheProcesses, ADiskThatCannotBeWritten) {
  const pid_t child = start([&]() -> int {
    expect_compiled();
    if (!mount_small(base_, "size=65536,mode=0700")) return kCannotTry;
    fs::create_directories(folder_);
    fs::permissions(folder_, fs::perms::owner_all);
    if (::mount("none", base_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0)
      return kCannotTry;
    expect_compiled();
    expect_compiled();
    return 0;
  });
  const int result = result_of(child);
  if (result == kCannotTry) GTEST_SKIP() << "no file system can be mounted here";
  EXPECT_EQ(result, 0);
  expect_cached();
}

// A limit on the size of files ends who writes beyond it, unless he looks before.
TEST_F(CodeCacheProcesses, FilesThatMayNotGrow) {
  const pid_t child = start([&]() -> int {
    const rlimit small{1000, 1000};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    expect_compiled();
    expect_compiled();
    return 0;
  });
  EXPECT_EQ(result_of(child), 0);
  expect_no_drafts();
  expect_compiled();
  expect_cached();
}

}  // namespace
}  // namespace longwire::softcuda::jit
