#include "client/opencl/transfer_rows.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace longwire::client::opencl {
namespace {

std::vector<std::byte> counted(std::size_t bytes) {
  std::vector<std::byte> data(bytes);
  for (std::size_t i = 0; i < bytes; ++i)
    data[i] = static_cast<std::byte>(i);
  return data;
}

TEST(Rows, LinearIsTight) {
  auto data = counted(10);
  const Rows rows = Rows::linear(data.data(), data.size());
  EXPECT_TRUE(rows.tight());
  EXPECT_EQ(rows.bytes(), 10u);
  EXPECT_EQ(rows.reach().size(), 10u);
}

TEST(Rows, TightAcrossDimensions) {
  auto data = counted(24);
  EXPECT_TRUE((Rows{data.data(), 4, 3, 2, 4, 12}).tight());
  EXPECT_FALSE((Rows{data.data(), 4, 2, 2, 4, 12}).tight());
  EXPECT_FALSE((Rows{data.data(), 4, 3, 1, 8, 24}).tight());
  EXPECT_TRUE((Rows{data.data(), 4, 1, 1, 8, 99}).tight())
      << "pitches of a single row mean nothing";
}

TEST(Rows, GatherAndScatterAreInverse) {
  auto data = counted(60);
  const Rows rows{data.data() + 2, 3, 2, 2, 7, 20};
  std::vector<std::byte> packed(rows.bytes());
  rows.gather(packed.data());
  const int expected[] = {2, 3, 4, 9, 10, 11, 22, 23, 24, 29, 30, 31};
  for (std::size_t i = 0; i < packed.size(); ++i)
    EXPECT_EQ(std::to_integer<int>(packed[i]), expected[i]);

  std::vector<std::byte> back(60, std::byte{0xff});
  Rows{back.data() + 2, 3, 2, 2, 7, 20}.scatter(packed.data());
  for (std::size_t i = 0; i < back.size(); ++i) {
    const bool inside = std::find(std::begin(expected), std::end(expected), static_cast<int>(i)) !=
                        std::end(expected);
    EXPECT_EQ(back[i], inside ? data[i] : std::byte{0xff}) << i;
  }
}

TEST(Rows, ReachEndsWithTheLastByte) {
  auto data = counted(60);
  EXPECT_EQ((Rows{data.data(), 3, 2, 2, 7, 20}).reach().size(), 30u);
}

TEST(Rows, PacksOnlyWhatHasGaps) {
  auto data = counted(24);
  std::unique_ptr<std::byte[]> packed;
  EXPECT_EQ((Rows{data.data(), 4, 3, 2, 4, 12}).span_or_pack(packed).data(), data.data());
  EXPECT_EQ(packed, nullptr);
  const auto view = Rows{data.data(), 2, 3, 1, 4, 12}.span_or_pack(packed);
  EXPECT_EQ(view.data(), packed.get());
  EXPECT_EQ(view.size(), 6u);
}

}  // namespace
}  // namespace longwire::client::opencl
