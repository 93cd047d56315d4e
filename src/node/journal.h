// Journal: the node's structured log. One event is one line: a time, a level, the event's name and
// key=value pairs (or a JSON object). Values may be a client's bytes, so they are escaped: no
// client can forge a line or move a terminal's cursor.
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/log.h"

namespace longwire::node {

inline constexpr std::size_t kMaxLogValueBytes = 2048;  // longer values are cut

struct Field {
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  template <std::integral T>
  Field(std::string_view k, T v) : key(k), value(std::to_string(v)), is_number(true) {}

  std::string_view key;
  std::string value;
  bool is_number = false;
};

class Journal : public base::Logger {
 public:
  virtual void event(base::LogLevel level, std::string_view name,
                     std::initializer_list<Field> fields) noexcept = 0;
};

struct JournalOptions {
  base::LogLevel level = base::LogLevel::kInfo;
  bool json = false;
};
// To stderr; under systemd (JOURNAL_STREAM) without the time, which the journal has.
std::unique_ptr<Journal> make_journal(const JournalOptions& options);

// The line of an event, without time and level: the part that tests look at.
std::string format_event(std::string_view name, std::initializer_list<Field> fields, bool json);

}  // namespace longwire::node
