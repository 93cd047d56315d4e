#include "softcuda/machine/texture.h"

#include <gtest/gtest.h>

namespace longwire::softcuda::machine {
namespace {

TEST(TexturesTest, AHandleIsFoundUntilItIsRemovedAndNeverGivenAgain) {
  Textures textures;
  Texture one, two;
  one.width = 1;
  two.width = 2;
  const auto first = *textures.add(one);
  const auto before = textures.snapshot();
  const auto second = *textures.add(two);
  EXPECT_EQ(textures.snapshot()->find(second)->width, 2U);
  EXPECT_EQ(before->find(second), nullptr);  // it came later
  ASSERT_TRUE(textures.remove(first));
  EXPECT_FALSE(textures.remove(first));
  EXPECT_EQ(textures.snapshot()->find(first), nullptr);
  EXPECT_EQ(before->find(first)->width, 1U);  // a grid may still use it
  const auto third = *textures.add(one);
  EXPECT_NE(third, first);
  EXPECT_EQ(textures.snapshot()->find(first), nullptr);
  for (std::uint64_t invented : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}})
    EXPECT_EQ(textures.snapshot()->find(invented), nullptr);
}

TEST(TexturesTest, ThereIsALimit) {
  Textures textures;
  std::vector<std::uint64_t> handles;
  for (std::uint32_t i = 0; i < kMaxTextures; ++i)
    handles.push_back(*textures.add({}));
  EXPECT_EQ(textures.add({}).error().code(), base::ErrorCode::kLimit);
  EXPECT_TRUE(textures.remove(handles[1000]));
  EXPECT_TRUE(textures.add({}).ok());
}

}  // namespace
}  // namespace longwire::softcuda::machine
