// Tables and numbers for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace longwire::app {

// What others have named, as it may go to a terminal: each byte of a control character (C0, DEL,
// and C1 alone or in UTF-8, such as U+009B, which begins escape sequences) becomes a '?'.
std::string printable(std::string_view words);

// The first row is the head; cells are made printable. Columns from `right_from` on are aligned at
// their right. Ends with a newline; lines have no blanks at their end.
using Rows = std::vector<std::vector<std::string>>;
std::string format_table(const Rows& rows, std::size_t right_from);

std::string show_bytes(std::uint64_t bytes);  // "17 B", "4.0 KiB", "1.5 GiB"
std::string show_time(std::int64_t ns);       // "80 ns", "1.2 us", "3.4 ms", "12.5 s"
// One decimal below ten, none above: "9.5", "870", "12.3 k", "4.5 M".
std::string show_number(double value);

}  // namespace longwire::app
