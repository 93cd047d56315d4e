#include "softcuda/fatbin/image.h"

#include <cstring>

#include "softcuda/fatbin/fatbin.h"

namespace longwire::softcuda::fatbin {
namespace {

constexpr std::uint32_t kElfMagic = 0x464c457f;

std::uint32_t first_word(const void* image) {
  std::uint32_t word = 0;
  std::memcpy(&word, image, sizeof word);
  return word;
}

using Texts = base::Result<std::vector<std::string>>;

Texts from_container(const void* image, std::uint32_t capability) {
  const auto* bytes = static_cast<const std::byte*>(image);
  LW_ASSIGN(const std::size_t size, container_bytes({bytes, kContainerHeaderBytes}));
  return texts_for({bytes, size}, capability);
}

// Text ends with a zero; a text shorter than a magic number has one within its first four bytes.
Texts from_text(const void* image) {
  const auto* text = static_cast<const char*>(image);
  const std::size_t size = strnlen(text, kMaxPtxBytes + 1);
  if (size > kMaxPtxBytes) {
    return base::Error(base::ErrorCode::kLimit, "the PTX text is over 256 MiB");
  }
  const std::string_view view(text, size);
  if (view.find(".version") == std::string_view::npos) {
    return base::Error(base::ErrorCode::kInvalidArgument,
                       "the image is no PTX text, fat binary or wrapper of one");
  }
  return std::vector<std::string>{std::string(view)};
}

}  // namespace

base::Result<std::vector<std::string>> ptx_of_image(const void* image, std::uint32_t capability) {
  // Never more of a text than there is: its first bytes one by one.
  const auto* bytes = static_cast<const char*>(image);
  if (strnlen(bytes, sizeof(std::uint32_t)) < sizeof(std::uint32_t)) return from_text(image);
  switch (first_word(image)) {
    case kContainerMagic:
      return from_container(image, capability);
    case kElfMagic:
      return base::Error(base::ErrorCode::kUnsupported,
                         "the image is machine code (cubin); build with PTX in the program");
    case kWrapperMagic:
      break;
    default:
      return from_text(image);
  }
  Wrapper wrapper{};
  std::memcpy(&wrapper, image, sizeof wrapper);
  if (wrapper.data == nullptr || (wrapper.version != 1 && wrapper.version != 2) ||
      first_word(wrapper.data) != kContainerMagic) {
    return base::Error(base::ErrorCode::kInvalidArgument, "malformed wrapper of a fat binary");
  }
  return from_container(wrapper.data, capability);
}

}  // namespace longwire::softcuda::fatbin
