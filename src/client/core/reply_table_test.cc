#include "client/core/reply_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace longwire::client::core {
namespace {

TEST(ReplyTable, TakesEachEntryOnce) {
  ReplyTable table;
  PendingReply a;
  PendingReply b;
  ASSERT_TRUE(table.add(a));
  ASSERT_TRUE(table.add(b));
  EXPECT_NE(a.token, 0u);
  EXPECT_NE(a.token, b.token);
  EXPECT_EQ(table.take(a.token), &a);
  EXPECT_EQ(table.take(a.token), nullptr);
  EXPECT_EQ(table.take(12345), nullptr);
  EXPECT_EQ(table.take_any(), &b);
  EXPECT_EQ(table.take_any(), nullptr);
}

TEST(ReplyTable, IsBounded) {
  ReplyTable table;
  std::vector<std::unique_ptr<PendingReply>> all;
  for (std::size_t i = 0; i < kMaxPendingReplies; ++i) {
    all.push_back(std::make_unique<PendingReply>());
    ASSERT_TRUE(table.add(*all.back()));
  }
  PendingReply more;
  EXPECT_FALSE(table.add(more));
  ASSERT_EQ(table.take(all[7]->token), all[7].get());
  EXPECT_TRUE(table.add(more));
}

TEST(Complete, RunsTheHandlerThenEndsTheEntry) {
  int calls = 0;
  const ReplyHandler handler = [&](const ReplyView& view) {
    EXPECT_EQ(view.status, -5);
    ++calls;
  };
  PendingReply waiting;
  waiting.handler = &handler;
  complete(waiting, {-5, nullptr, nullptr});
  EXPECT_TRUE(waiting.done);
  auto* owned = new PendingReply;
  owned->owned = handler;
  owned->handler = &owned->owned;
  owned->is_owned = true;
  complete(*owned, {-5, nullptr, nullptr});  // deleted: the sanitizer would tell
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace longwire::client::core
