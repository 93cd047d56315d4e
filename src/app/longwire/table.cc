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

}  // namespace

std::string format_table(const Rows& rows, std::size_t right_from) {
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
