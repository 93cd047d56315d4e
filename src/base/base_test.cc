#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/file_limit.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "base/thread.h"
#include "base/unique_fd.h"

namespace longwire::base {
namespace {

Result<int> half(int v) {
  if (v % 2 != 0) return Error(ErrorCode::kInvalidArgument, "odd");
  return v / 2;
}

Result<int> quarter(int v) {
  LW_ASSIGN(const int h, half(v));
  return half(h);
}

Status must_be_even(int v) {
  LW_TRY(half(v));
  return {};
}

TEST(Result, CarriesValueOrError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(must_be_even(2).ok());
  EXPECT_FALSE(must_be_even(3).ok());
}

TEST(Result, MovesItsValueOut) {
  Result<std::unique_ptr<int>> r = std::make_unique<int>(7);
  const std::unique_ptr<int> p = std::move(r).value();
  EXPECT_EQ(*p, 7);
}

TEST(Error, ChainsWhatItHappenedIn) {
  auto e = Error::from_errno(ErrorCode::kUnavailable, "connect", ECONNREFUSED);
  EXPECT_EQ(std::move(e).during("cannot reach a:1").to_string(),
            "unavailable: cannot reach a:1: connect: Connection refused");
}

TEST(CheckDeathTest, SaysWhere) { EXPECT_DEATH(LW_CHECK(1 == 2), "base_test.cc:.*1 == 2"); }

TEST(Clock, NeverGoesBack) {
  const Clock& clock = monotonic_clock();
  const auto before = clock.now_ns();
  EXPECT_LE(before, clock.now_ns());
  EXPECT_TRUE(Deadline::never().is_never());
  EXPECT_GE(Deadline::in(clock, kSecond).at_ns, before + kSecond);
}

TEST(SeededRandom, RepeatsItself) {
  SeededRandom a(1), b(1), c(2);
  const auto first = a.u64();
  EXPECT_EQ(first, b.u64());
  EXPECT_NE(first, c.u64());
  for (int i = 0; i < 1000; ++i)
    EXPECT_LT(a.below(7), 7u);
}

TEST(SystemRandom, DiffersEachTime) {
  SystemRandom r;
  EXPECT_NE(r.u64(), r.u64());
}

TEST(UniqueFd, ClosesOnce) {
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  UniqueFd in(fds[1]);
  UniqueFd out(fds[0]);
  UniqueFd moved = std::move(in);
  EXPECT_FALSE(in.valid());  // NOLINT: looking at it after the move is the test
  moved.reset();
  char c = 0;
  EXPECT_EQ(::read(out.get(), &c, 1), 0);
}

TEST(FileLimit, IsThatOfTheProcess) {
  EXPECT_TRUE(file_may_have(5000));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{4096, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_TRUE(file_may_have(4096));
  EXPECT_FALSE(file_may_have(4097));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
}

TEST(Log, LevelsHaveNames) {
  EXPECT_EQ(log_level_from("warning", LogLevel::kOff), LogLevel::kWarning);
  EXPECT_EQ(log_level_from("nonsense", LogLevel::kInfo), LogLevel::kInfo);
  EXPECT_FALSE(StderrLogger(LogLevel::kOff).enabled(LogLevel::kError));
  testing::internal::CaptureStderr();
  StderrLogger(LogLevel::kInfo).warning("careful");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "longwire: warning: careful\n");
}

// As long as it exists, no stack can be had for a thread.
class NoStacks {
 public:
  NoStacks() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge = before_;
    pthread_attr_setstacksize(&huge, std::size_t{1} << 46);
    pthread_setattr_default_np(&huge);
  }
  NoStacks(const NoStacks&) = delete;
  ~NoStacks() { pthread_setattr_default_np(&before_); }

 private:
  pthread_attr_t before_;
};

TEST(Thread, NoThreadToBeHad) {
  const NoStacks none;
  EXPECT_FALSE(try_start_thread("refused", [] { FAIL(); }).joinable());
  EXPECT_FALSE(try_start_detached_thread("refused", [] { FAIL(); }));
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  EXPECT_EQ(sigismember(&blocked, SIGUSR1), 0);
}

TEST(Thread, WorkThatFindsNoThreadIsDoneAllTheSame) {
  const NoStacks none;
  std::array<int, 5> times{};
  run_at_once("work", times.size(), [&](std::size_t i) { ++times[i]; });
  EXPECT_EQ(times, (std::array<int, 5>{1, 1, 1, 1, 1}));
}

TEST(Thread, AllOfTheWorkIsDoneAtOnceOrNot) {
  std::array<std::atomic<int>, 5> times{};
  run_at_once("work", times.size(), [&](std::size_t i) { ++times[i]; });
  for (const auto& one : times)
    EXPECT_EQ(one, 1);
  run_at_once("work", 0, [](std::size_t) { FAIL(); });
}

TEST(Thread, DetachedOnesRunWithSignalsBlocked) {
  constexpr int kThreads = 500;
  std::atomic<int> blocked{0};
  std::atomic<int> over{0};
  for (int i = 0; i < kThreads; ++i) {
    ASSERT_TRUE(try_start_detached_thread("detached", [&] {
      sigset_t mask;
      ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
      blocked += ::sigismember(&mask, SIGTERM);
      ++over;
    }));
  }
  while (over < kThreads)
    std::this_thread::yield();
  EXPECT_EQ(blocked, kThreads);
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_EQ(::sigismember(&mask, SIGTERM), 0) << "the caller's stay as they were";
}

}  // namespace
}  // namespace longwire::base
