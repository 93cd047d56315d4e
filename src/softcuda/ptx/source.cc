#include <algorithm>

#include "softcuda/ptx/tree.h"

namespace longwire::softcuda::ptx {
namespace {

constexpr std::size_t kArenaChunkBytes = 16 << 10;

}  // namespace

Source::Source(std::string name, std::string text)
    : name_(std::move(name)), text_(std::move(text)), arena_(kArenaChunkBytes) {
  line_starts_.push_back(0);
  for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n', end + 1)) {
    line_starts_.push_back(static_cast<At>(end + 1));
  }
}

LineColumn Source::line_of(At at) const noexcept {
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), at);
  const auto line = static_cast<std::uint32_t>(after - line_starts_.begin());
  return {line, at - line_starts_[line - 1] + 1};
}

std::string_view Source::line_text(std::uint32_t line) const noexcept {
  if (line == 0 || line > line_starts_.size()) return {};
  auto text = std::string_view(text_).substr(line_starts_[line - 1]);
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

}  // namespace longwire::softcuda::ptx
