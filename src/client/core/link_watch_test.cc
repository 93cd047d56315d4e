#include "client/core/link_watch.h"

#include <gtest/gtest.h>

namespace longwire::client::core {
namespace {

using Advice = LinkWatch::Advice;

// Looks until there is advice other than nothing; how many looks that took.
std::int64_t looks_until(LinkWatch& watch, Advice advice) {
  for (std::int64_t looks = 1; looks < 1000; ++looks) {
    const Advice given = watch.look(7, true);
    if (given != Advice::kNothing) {
      EXPECT_EQ(given, advice);
      return looks;
    }
  }
  return 0;
}

TEST(LinkWatch, SilenceIsPingedAndThenSuspected) {
  LinkWatch watch;
  EXPECT_EQ(watch.look(7, true), Advice::kNothing);  // bytes have come
  EXPECT_EQ(looks_until(watch, Advice::kPing), 1);
  EXPECT_EQ(looks_until(watch, Advice::kSuspect), kLeastPatience);
}

TEST(LinkWatch, NobodyWaitsNobodyCares) {
  LinkWatch watch;
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(watch.look(0, false), Advice::kNothing);
}

TEST(LinkWatch, AnAnswerIsEnough) {
  LinkWatch watch;
  for (std::uint64_t bytes = 1; bytes < 50; ++bytes) {
    EXPECT_EQ(watch.look(bytes, true), Advice::kNothing);
    EXPECT_EQ(watch.look(bytes, true), Advice::kPing);
    EXPECT_EQ(watch.look(bytes, true), Advice::kNothing);
  }
}

TEST(LinkWatch, LinksThatDoNotHelpAreRarer) {
  LinkWatch watch;
  watch.relinked(7);
  EXPECT_EQ(looks_until(watch, Advice::kPing), 1);
  EXPECT_EQ(looks_until(watch, Advice::kSuspect), kLeastPatience);
  watch.relinked(7);
  EXPECT_EQ(looks_until(watch, Advice::kPing), 1);
  EXPECT_EQ(looks_until(watch, Advice::kSuspect), 2 * kLeastPatience);
  EXPECT_EQ(watch.look(8, true), Advice::kNothing);  // this one did
  EXPECT_EQ(watch.look(7, true), Advice::kNothing);
  EXPECT_EQ(looks_until(watch, Advice::kPing), 1);
  EXPECT_EQ(looks_until(watch, Advice::kSuspect), kLeastPatience);
}

TEST(LinkWatch, ALongLinkIsGivenItsTime) {
  LinkWatch watch;
  watch.set_round_trip(base::kSecond);
  watch.relinked(7);
  EXPECT_EQ(looks_until(watch, Advice::kPing), 1);
  EXPECT_EQ(looks_until(watch, Advice::kSuspect), kRoundTripsOfPatience * 4);
}

}  // namespace
}  // namespace longwire::client::core
