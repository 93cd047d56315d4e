#include "app/longwire/table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>

namespace longwire::app {
namespace {

std::string print(const char* format, double value, const char* unit) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value, unit);
  return text.data();
}

struct Unit {
  double size;
  const char* name;
};

// In the largest unit of which there is one.
std::string in_units(double value, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (value < unit.size && &unit != &units.back()) continue;
    const double count = value / unit.size;
    return print(&unit == &units.back() || count >= 99.95 ? "%.0f%s" : "%.1f%s", count, unit.name);
  }
  return "";
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Bytes of the UTF-8 character that begins `text`, or 0 where it is none or controls a terminal.
std::size_t printable_bytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (size == 0 || first > 0xf4 || text.size() < size) return 0;
  if (!std::ranges::all_of(text.substr(1, size - 1), is_continuation)) return 0;
  const bool is_c1 = first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
  return is_c1 ? 0 : size;
}

}  // namespace

std::string printable(std::string_view words) {
  std::string shown;
  while (!words.empty()) {
    const std::size_t bytes = printable_bytes(words);
    shown += bytes == 0 ? "?" : words.substr(0, bytes);
    words.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return shown;
}

std::string format_table(const Rows& unchecked, std::size_t right_from) {
  Rows rows = unchecked;
  for (auto& row : rows)
    std::ranges::transform(row, row.begin(), printable);
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - row[i].size(), ' ');
      text += (i == 0 ? "" : "  ") + (i >= right_from ? blanks + row[i] : row[i] + blanks);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

std::string show_bytes(std::uint64_t bytes) {
  constexpr std::array<Unit, 4> kUnits = {
      {{1024.0 * 1024 * 1024, " GiB"}, {1024.0 * 1024, " MiB"}, {1024, " KiB"}, {1, " B"}}};
  return in_units(static_cast<double>(bytes), kUnits);
}

std::string show_time(std::int64_t ns) {
  constexpr std::array<Unit, 4> kUnits = {{{1e9, " s"}, {1e6, " ms"}, {1e3, " us"}, {1, " ns"}}};
  return in_units(static_cast<double>(ns), kUnits);
}

std::string show_number(double value) {
  if (value < 9.95) return print("%.1f%s", value, "");
  if (value < 1e4) return print("%.0f%s", value, "");
  return value < 1e6 ? print("%.1f%s", value / 1e3, " k") : print("%.1f%s", value / 1e6, " M");
}

}  // namespace longwire::app
