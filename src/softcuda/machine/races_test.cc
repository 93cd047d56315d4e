#include "softcuda/machine/races.h"

#include <gmock/gmock.h>

namespace longwire::softcuda::machine {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RacesTest : public ::testing::Test {
 protected:
  RacesTest() { EXPECT_TRUE(races_.reset(1024)); }
  void meet(std::uint32_t warps) {
    for (std::uint32_t w = 0; w < warps; ++w)
      races_.arrive(w, 0);
    races_.release((1U << warps) - 1, 0);
  }
  Races races_;
};

TEST_F(RacesTest, WriteThenReadByAnotherWarp) {
  EXPECT_THAT(races_.access(0, 16, 4, Access::kWrite), IsEmpty());
  EXPECT_THAT(races_.access(0, 16, 4, Access::kRead), IsEmpty());
  EXPECT_THAT(races_.access(1, 20, 4, Access::kRead), IsEmpty());
  EXPECT_THAT(races_.access(1, 18, 1, Access::kRead),
              HasSubstr("reads byte 18 of shared memory, which warp 0 wrote"));
}

TEST_F(RacesTest, BarriersOrder) {
  EXPECT_THAT(races_.access(0, 0, 4, Access::kWrite), IsEmpty());
  meet(2);
  EXPECT_THAT(races_.access(1, 0, 4, Access::kRead), IsEmpty());
  EXPECT_THAT(races_.access(0, 0, 4, Access::kRead), IsEmpty());
  EXPECT_THAT(races_.access(0, 0, 4, Access::kWrite),
              HasSubstr("writes byte 0 of shared memory, which warp 1 read"));
  meet(2);
  EXPECT_THAT(races_.access(0, 0, 4, Access::kWrite), IsEmpty());
}

// The first goes on to the next barrier before the second has its turn.
TEST_F(RacesTest, WhatComesAfterABarrierIsNotOrderedByIt) {
  meet(2);
  EXPECT_THAT(races_.access(0, 0, 4, Access::kWrite), IsEmpty());
  races_.arrive(0, 0);
  EXPECT_THAT(races_.access(1, 0, 4, Access::kRead),
              HasSubstr("reads byte 0 of shared memory, which warp 0 wrote"));
}

// It arrives and does not wait (bar.arrive): nothing orders what it does later.
TEST_F(RacesTest, WhoDoesNotWaitIsNotOrdered) {
  EXPECT_THAT(races_.access(1, 0, 4, Access::kWrite), IsEmpty());
  races_.arrive(0, 1);
  races_.arrive(1, 1);
  races_.release(0b10, 1);
  EXPECT_THAT(races_.access(0, 0, 4, Access::kRead), HasSubstr("warp 1 wrote"));
}

TEST_F(RacesTest, AtomicsDoNotRaceWithEachOther) {
  EXPECT_THAT(races_.access(0, 0, 4, Access::kAtomic), IsEmpty());
  EXPECT_THAT(races_.access(1, 0, 4, Access::kAtomic), IsEmpty());
  EXPECT_THAT(races_.access(2, 0, 4, Access::kWrite), HasSubstr("warp 1 wrote"));
}

TEST_F(RacesTest, AtomicsOrderWhatIsAround) {
  EXPECT_THAT(races_.access(0, 8, 4, Access::kWrite), IsEmpty());
  EXPECT_THAT(races_.access(0, 0, 4, Access::kAtomic), IsEmpty());
  EXPECT_THAT(races_.access(1, 0, 4, Access::kAtomic), IsEmpty());
  EXPECT_THAT(races_.access(1, 8, 4, Access::kRead), IsEmpty());
}

TEST_F(RacesTest, ABlockForgetsTheOneBefore) {
  EXPECT_THAT(races_.access(0, 0, 4, Access::kWrite), IsEmpty());
  EXPECT_TRUE(races_.reset(1024));
  EXPECT_THAT(races_.access(1, 0, 4, Access::kRead), IsEmpty());
}

}  // namespace
}  // namespace longwire::softcuda::machine
