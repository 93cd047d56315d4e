#include "softcuda/machine/fiber.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace longwire::softcuda::machine {
namespace {

constexpr std::size_t kStack = 256 << 10;

struct Job {
  Fiber* fiber = nullptr;
  std::vector<int>* log = nullptr;
  int number = 0;
  double value = 0;
};

void three_steps(void* argument) {
  auto& job = *static_cast<Job*>(argument);
  double x = job.number;
  for (int step = 0; step < 3; ++step) {
    job.log->push_back(job.number * 10 + step);
    x = std::sqrt(x + step);
    job.fiber->suspend();
  }
  job.value = x;
}

TEST(FiberTest, StepsOfSeveralInTurn) {
  std::vector<int> log;
  Fiber first(kStack), second(kStack);
  ASSERT_TRUE(first.usable() && second.usable());
  Job one{&first, &log, 1}, two{&second, &log, 2};
  first.start(&three_steps, &one);
  second.start(&three_steps, &two);
  while (!first.ended() || !second.ended()) {
    if (!first.ended()) first.resume();
    if (!second.ended()) second.resume();
  }
  EXPECT_EQ(log, (std::vector<int>{10, 20, 11, 21, 12, 22}));
  EXPECT_DOUBLE_EQ(one.value, std::sqrt(std::sqrt(1.0 + 1) + 2));
}

void end_in_a_call(void* argument) {
  auto& job = *static_cast<Job*>(argument);
  char big[4096];
  std::memset(big, job.number, sizeof big);
  job.log->push_back(big[100]);
  job.fiber->end();
}

TEST(FiberTest, EndsAnywhereAndStartsAgain) {
  std::vector<int> log;
  Fiber fiber(kStack);
  Job job{&fiber, &log, 5};
  for (int n = 0; n < 3; ++n) {
    fiber.start(&end_in_a_call, &job);
    fiber.resume();
    EXPECT_TRUE(fiber.ended());
  }
  fiber.start(&three_steps, &job);
  fiber.resume();
  fiber.start(&end_in_a_call, &job);  // what was suspended is forgotten
  fiber.resume();
  EXPECT_EQ(log, (std::vector<int>{5, 5, 5, 50, 5}));
}

struct Chain {
  Fiber* fiber = nullptr;
  Chain* next = nullptr;
  std::vector<int>* log = nullptr;
  int number = 0;
};

void pass_twice(void* argument) {
  auto& chain = *static_cast<Chain*>(argument);
  for (int step = 0; step < 2; ++step) {
    chain.log->push_back(chain.number * 10 + step);
    if (chain.next == nullptr)
      chain.fiber->suspend();
    else
      chain.fiber->pass_to(*chain.next->fiber);
  }
}

TEST(FiberTest, PassesOnToOthers) {
  if (!Fiber::kPasses) GTEST_SKIP() << "not on this machine, or under a sanitizer";
  std::vector<int> log;
  Fiber first(kStack), second(kStack), third(kStack);
  Chain end{&third, nullptr, &log, 3}, middle{&second, &end, &log, 2},
      head{&first, &middle, &log, 1};
  first.start(&pass_twice, &head);
  second.start(&pass_twice, &middle);
  third.start(&pass_twice, &end);
  first.resume();
  first.resume();
  EXPECT_EQ(log, (std::vector<int>{10, 20, 30, 11, 21, 31}));
  first.resume();  // each ends where the last that was resumed stands
  EXPECT_TRUE(first.ended() && !second.ended() && !third.ended());
}

TEST(FiberTest, OneThreadAfterAnother) {
  std::vector<int> log;
  Fiber fiber(kStack);
  Job job{&fiber, &log, 1};
  for (int n = 0; n < 4; ++n)
    std::thread([&] {
      fiber.start(&three_steps, &job);
      while (!fiber.ended())
        fiber.resume();
    }).join();
  EXPECT_EQ(log.size(), 12U);
}

}  // namespace
}  // namespace longwire::softcuda::machine
