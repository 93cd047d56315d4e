#include "softcuda/ptx/error.h"

#include <algorithm>

namespace longwire::softcuda::ptx {
namespace {

constexpr std::size_t kMaxQuoted = 60;
constexpr std::size_t kMaxLineShown = 120;

std::string printable(std::string_view text, std::size_t limit) {
  std::string shown(text.substr(0, limit));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return (c < ' ' && c != '\t') || c > '~'; }, '?');
  if (text.size() > limit) shown += "...";
  return shown;
}

}  // namespace

std::string quoted(std::string_view text) { return "'" + printable(text, kMaxQuoted) + "'"; }

base::Error error_at(const Source& source, At at, std::string_view message, base::ErrorCode code) {
  const auto [line, column] = source.line_of(at);
  auto shown = source.line_text(line);
  shown.remove_prefix(std::min(shown.find_first_not_of(" \t"), shown.size()));
  std::string text = source.name() + ", line " + std::to_string(line) + ", column " +
                     std::to_string(column) + ": error: ";
  text += message;
  if (!shown.empty()) text += "\n    " + printable(shown, kMaxLineShown);
  return {code, std::move(text)};
}

}  // namespace longwire::softcuda::ptx
