#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <string>

#include "base/clock.h"
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

TEST(Log, LevelsHaveNames) {
  EXPECT_EQ(log_level_from("warning", LogLevel::kOff), LogLevel::kWarning);
  EXPECT_EQ(log_level_from("nonsense", LogLevel::kInfo), LogLevel::kInfo);
  EXPECT_FALSE(StderrLogger(LogLevel::kOff).enabled(LogLevel::kError));
  testing::internal::CaptureStderr();
  StderrLogger(LogLevel::kInfo).warning("careful");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "longwire: warning: careful\n");
}

// Work that finds no thread is done all the same. Limits of a process of its own: threads need a
// stack, and this one may have no more address space.
TEST(Thread, NoThreadToBeHad) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit none = {0, 0};
    ::setrlimit(RLIMIT_AS, &none);
    bool refused = false;
    for (int i = 0; i < 64 && !refused; ++i)  // glibc may have some stacks in store
      refused = !try_start_thread("refused", [] { ::pause(); }).joinable();
    ::_exit(refused ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(Thread, AllOfTheWorkIsDoneAtOnceOrNot) {
  std::array<std::atomic<int>, 5> times{};
  run_at_once("work", times.size(), [&](std::size_t i) { ++times[i]; });
  for (const auto& one : times)
    EXPECT_EQ(one, 1);
  run_at_once("work", 0, [](std::size_t) { FAIL(); });
}

}  // namespace
}  // namespace longwire::base
