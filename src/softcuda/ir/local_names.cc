#include "softcuda/ir/local_names.h"

namespace longwire::softcuda::ir {
namespace {

constexpr std::uint64_t kLowRegisters = 1 << 16;
constexpr std::size_t kMaxDigits = 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

RegisterId& RegisterRange::at(std::uint64_t number) {
  if (number >= kLowRegisters) return high.try_emplace(number, kNone).first->second;
  if (number >= low.size()) low.resize(number + 1, kNone);
  return low[number];
}

void LocalNames::open() { starts_.push_back({declared_.size(), declared_ranges_.size()}); }

void LocalNames::close() {
  const Start start = starts_.back();
  starts_.pop_back();
  for (; declared_.size() > start.symbols; declared_.pop_back()) {
    symbols_[declared_.back()].pop_back();
  }
  for (; declared_ranges_.size() > start.ranges; declared_ranges_.pop_back()) {
    ranges_[declared_ranges_.back()].pop_back();
  }
}

bool LocalNames::declare(std::string_view name, const Symbol& symbol) {
  auto& entries = symbols_[name];
  if (!entries.empty() && entries.back().depth == depth()) return false;
  entries.push_back({name, depth(), symbol});
  declared_.push_back(name);
  return true;
}

bool LocalNames::declare_range(std::string_view prefix, Type type, std::uint64_t count) {
  auto& entries = ranges_[prefix];
  if (!entries.empty() && entries.back().depth == depth()) return false;
  RegisterRange range;
  range.type = type;
  range.count = count;
  range.depth = depth();
  entries.push_back(std::move(range));
  declared_ranges_.push_back(prefix);
  return true;
}

LocalNames::Found LocalNames::find(std::string_view name) {
  Found found;
  std::uint32_t found_depth = 0;
  const auto symbol = symbols_.find(name);
  if (symbol != symbols_.end() && !symbol->second.empty()) {
    found.symbol = &symbol->second.back().symbol;
    found_depth = symbol->second.back().depth + 1;
  }
  // "%r12" is number 12 of %r<n>, or number 2 of %r1<n>; "%r012" is neither.
  std::uint64_t number = 0;
  std::uint64_t power = 1;
  for (std::size_t digits = 1; digits < name.size() && digits <= kMaxDigits; ++digits) {
    const char c = name[name.size() - digits];
    if (!is_digit(c)) break;
    number += power * static_cast<std::uint64_t>(c - '0');
    power *= 10;
    if (is_digit(name[name.size() - digits - 1]) && ranges_.size() < 2) continue;
    if (c == '0' && digits > 1) continue;
    const auto range = ranges_.find(name.substr(0, name.size() - digits));
    if (range == ranges_.end() || range->second.empty()) continue;
    auto& last = range->second.back();
    if (number >= last.count || last.depth + 1 <= found_depth) continue;
    found = {nullptr, &last, number};
    found_depth = last.depth + 1;
  }
  return found;
}

}  // namespace longwire::softcuda::ir
