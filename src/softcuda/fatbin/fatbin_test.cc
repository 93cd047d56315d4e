#include "softcuda/fatbin/fatbin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "softcuda/fatbin/image.h"

namespace longwire::softcuda::fatbin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ptx_for(int target) {
  std::string text = ".version 8.5\n.target sm_" + std::to_string(target) + "\n.address_size 64\n";
  for (int i = 0; i < 100; ++i)
    text += "// the same line again and again\n";
  return text;
}

std::vector<std::byte> container(std::initializer_list<std::uint32_t> targets,
                                 Compression compression) {
  std::vector<std::string> texts;
  std::vector<Input> inputs;
  texts.reserve(targets.size());
  for (const auto target : targets) {
    texts.push_back(ptx_for(static_cast<int>(target)));
    inputs.push_back({texts.back(), target});
  }
  return write(inputs, compression).value();
}

TEST(Linked, AllTextsOfALinkGoTogether) {
  const std::string one = ptx_for(70), two = ptx_for(80);
  const std::vector<Input> inputs = {{one, 70, true}, {two, 80, true}};
  const auto bytes = write(inputs, Compression::kZstd).value();
  EXPECT_THAT(texts_for(bytes, 86).value(), ElementsAre(one, two));
  EXPECT_THAT(ptx_of_image(bytes.data(), 86).value(), ElementsAre(one, two));
  EXPECT_THAT(texts_for(container({70, 80}, Compression::kNone), 86).value(), ElementsAre(two));
}

class EachCompression : public ::testing::TestWithParam<Compression> {};

TEST_P(EachCompression, WhatIsWrittenIsRead) {
  const auto bytes = container({70, 80, 90}, GetParam());
  const auto entries = read(bytes).value();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[1].target, 80U);
  EXPECT_EQ(entries[1].compression, GetParam());
  EXPECT_EQ(text_of(entries[1]).value(), ptx_for(80));
}

TEST_P(EachCompression, TheHighestTargetThatTheDeviceHas) {
  const auto bytes = container({90, 70, 80, 75}, GetParam());
  EXPECT_EQ(best_ptx(bytes, 86).value(), ptx_for(80));
  EXPECT_EQ(best_ptx(bytes, 90).value(), ptx_for(90));
  EXPECT_EQ(best_ptx(bytes, 70).value(), ptx_for(70));
}

TEST_P(EachCompression, EveryTruncationIsRefused) {
  const auto bytes = container({80}, GetParam());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(best_ptx(std::span(bytes).first(size), 80)) << size;
  }
}

TEST_P(EachCompression, AWrongUncompressedSizeIsRefused) {
  if (GetParam() == Compression::kNone) return;  // the size is that of the payload
  for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{100}, std::uint64_t{1} << 27,
                                    std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    auto bytes = container({80}, GetParam());
    std::memcpy(bytes.data() + 16 + 56, &wrong, sizeof wrong);
    EXPECT_FALSE(best_ptx(bytes, 80)) << wrong;
  }
}

INSTANTIATE_TEST_SUITE_P(All, EachCompression,
                         ::testing::Values(Compression::kNone, Compression::kLz4,
                                           Compression::kZstd));

TEST(Fatbin, NoPtxSaysWhatThereIs) {
  auto bytes = container({90, 80}, Compression::kNone);
  bytes[16] = std::byte{2};  // the first is machine code now
  const auto none = best_ptx(bytes, 75);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), base::ErrorCode::kNotFound);
  EXPECT_THAT(none.error().message(), HasSubstr("machine code for sm_90, PTX for sm_80"));
}

TEST(Fatbin, EntriesOfUnknownKindsAreLeftOut) {
  auto bytes = container({90, 80}, Compression::kZstd);
  bytes[16] = std::byte{0x40};
  EXPECT_EQ(read(bytes).value().size(), 1U);
}

TEST(Fatbin, ForeignBytesAreRefused) {
  EXPECT_FALSE(read(std::as_bytes(std::span("not a fat binary at all"))));
  auto bytes = container({80}, Compression::kNone);
  bytes[4] = std::byte{9};
  EXPECT_EQ(read(bytes).error().code(), base::ErrorCode::kUnsupported);
}

TEST(Image, TextContainerAndWrapper) {
  const auto text = ptx_for(80);
  EXPECT_THAT(ptx_of_image(text.c_str(), 80).value(), ElementsAre(text));
  const auto bytes = container({80}, Compression::kLz4);
  EXPECT_THAT(ptx_of_image(bytes.data(), 80).value(), ElementsAre(text));
  const Wrapper wrapper{kWrapperMagic, 1, bytes.data(), nullptr};
  EXPECT_THAT(ptx_of_image(&wrapper, 80).value(), ElementsAre(text));
}

TEST(Image, WhatIsNoneOfThemIsRefused) {
  EXPECT_EQ(ptx_of_image("\x7f"
                         "ELF",
                         80)
                .error()
                .code(),
            base::ErrorCode::kUnsupported);
  EXPECT_EQ(ptx_of_image("", 80).error().code(), base::ErrorCode::kInvalidArgument);
  EXPECT_EQ(ptx_of_image("ab", 80).error().code(), base::ErrorCode::kInvalidArgument);
  EXPECT_EQ(ptx_of_image("hello world", 80).error().code(), base::ErrorCode::kInvalidArgument);
  const Wrapper wrapper{kWrapperMagic, 1, nullptr, nullptr};
  EXPECT_EQ(ptx_of_image(&wrapper, 80).error().code(), base::ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace longwire::softcuda::fatbin
