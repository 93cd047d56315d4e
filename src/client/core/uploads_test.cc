#include "client/core/uploads.h"

#include <gtest/gtest.h>

#include <array>

namespace longwire::client::core {
namespace {

const std::array<std::byte, 16> kData{};

TEST(Uploads, EagerWhileThereIsCredit) {
  Uploads uploads;
  uploads.set_credit(100);
  const wire::Blob first = uploads.name(60);
  EXPECT_EQ(first.mode, wire::BlobMode::kEager);
  EXPECT_EQ(first.bytes, 60u);
  EXPECT_NE(first.transfer, 0u);
  const wire::Blob second = uploads.name(60);
  EXPECT_EQ(second.mode, wire::BlobMode::kRendezvous);
  EXPECT_NE(second.transfer, first.transfer);
  EXPECT_EQ(uploads.name(40).mode, wire::BlobMode::kEager);
  uploads.add_credit(60);
  EXPECT_EQ(uploads.name(60).mode, wire::BlobMode::kEager);
}

TEST(Uploads, DataAndGrantMeetInEitherOrder) {
  Uploads uploads;
  const auto first = uploads.name(16).transfer;
  EXPECT_FALSE(uploads.offer(first, {kData, {}}));
  const auto granted = uploads.grant(first);
  ASSERT_TRUE(granted);
  EXPECT_EQ(granted->data.size(), 16u);
  const auto second = uploads.name(16).transfer;
  EXPECT_FALSE(uploads.grant(second));
  EXPECT_TRUE(uploads.offer(second, {kData, {}}));
}

TEST(Uploads, RefusedDataIsNotSent) {
  Uploads uploads;
  const auto first = uploads.name(16).transfer;
  EXPECT_FALSE(uploads.offer(first, {kData, {}}));
  const auto refused = uploads.refuse(first);
  ASSERT_TRUE(refused);
  EXPECT_TRUE(refused->data.empty());
  const auto second = uploads.name(16).transfer;
  EXPECT_FALSE(uploads.refuse(second));
  const auto late = uploads.offer(second, {kData, {}});
  ASSERT_TRUE(late);
  EXPECT_TRUE(late->data.empty());
}

TEST(Uploads, GrantsOfUnknownTransfersAreIgnored) {
  Uploads uploads;
  EXPECT_FALSE(uploads.grant(0));
  EXPECT_FALSE(uploads.grant(99));
  const auto transfer = uploads.name(16).transfer;
  EXPECT_FALSE(uploads.grant(transfer));
  EXPECT_FALSE(uploads.grant(transfer));  // twice
  EXPECT_TRUE(uploads.offer(transfer, {kData, {}}));
}

TEST(Uploads, TheEndHandsEverythingBack) {
  Uploads uploads;
  EXPECT_FALSE(uploads.offer(uploads.name(16).transfer, {kData, {}}));
  EXPECT_FALSE(uploads.grant(uploads.name(16).transfer));
  EXPECT_TRUE(uploads.take_any());
  EXPECT_FALSE(uploads.take_any());
  EXPECT_TRUE(uploads.offer(uploads.name(16).transfer, {kData, {}}));
}

}  // namespace
}  // namespace longwire::client::core
