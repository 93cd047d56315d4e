#include "softcuda/machine/format.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace longwire::softcuda::machine {
namespace {

constexpr int kMaxWidth = 4096;  // also of a precision

// One "%...": what it is, without its arguments.
struct Conversion {
  std::string_view flags;
  int width = -1, precision = -1;  // -1: not there
  bool width_argument = false, precision_argument = false;
  int length_bytes = 4;  // of an integer
  char type = 0;
};

bool one_of(char c, const char* set) { return c != 0 && std::strchr(set, c) != nullptr; }

class Scanner {
 public:
  explicit Scanner(std::string_view format) : format_(format) {}

  bool done() const { return at_ == format_.size(); }
  // Plain text up to the next "%".
  std::string_view text() {
    const std::size_t begin = at_;
    at_ = std::min(format_.find('%', at_), format_.size());
    return format_.substr(begin, at_ - begin);
  }
  // REQUIRES: text() stopped at a "%". False: it is none; `raw` is what stands there.
  bool conversion(Conversion& c, std::string_view& raw) {
    const std::size_t begin = at_++;
    const std::size_t flags = at_;
    while (one_of(peek(), "#0 +-"))
      ++at_;
    c.flags = format_.substr(flags, at_ - flags);
    c.width = number(c.width_argument);
    if (peek() == '.') {
      ++at_;
      c.precision = std::max(0, number(c.precision_argument));
    }
    c.length_bytes = length();
    c.type = peek();
    if (!done()) ++at_;
    raw = format_.substr(begin, at_ - begin);
    return one_of(c.type, "cdiouxXpeEfFgGaAs%");
  }

 private:
  char peek() const { return done() ? '\0' : format_[at_]; }
  int number(bool& argument) {
    if (peek() == '*') {
      ++at_;
      argument = true;
      return -1;
    }
    if (!one_of(peek(), "0123456789")) return -1;
    int value = 0;
    while (one_of(peek(), "0123456789"))
      value = std::min(kMaxWidth, value * 10 + format_[at_++] - '0');
    return value;
  }
  int length() {
    int bytes = 4;
    if (peek() == 'h') {
      bytes = 2;
      if (format_[at_++]; peek() == 'h') {
        bytes = 1;
        ++at_;
      }
    }
    while (one_of(peek(), "ljzt")) {
      bytes = 8;
      ++at_;
    }
    return bytes;
  }

  std::string_view format_;
  std::size_t at_ = 0;
};

class Arguments {
 public:
  explicit Arguments(const FormatReader& reader) : reader_(reader) {}

  std::uint64_t next(std::uint32_t bytes) {
    at_ = (at_ + bytes - 1) / bytes * bytes;
    std::uint64_t value = 0;
    std::memcpy(&value, reader_.argument(at_, bytes), bytes);
    at_ += bytes;
    ++count_;
    return value;
  }
  int next_width() { return std::clamp(static_cast<int>(next(4)), -kMaxWidth, kMaxWidth); }
  std::uint32_t count() const { return count_; }

 private:
  const FormatReader& reader_;
  std::uint64_t at_ = 0;
  std::uint32_t count_ = 0;
};

std::uint32_t argument_bytes(const Conversion& c) {
  if (one_of(c.type, "eEfFgGaAps")) return 8;
  return c.type == 'c' || c.length_bytes < 8 ? 4 : 8;
}

std::int64_t sign_extended(std::uint64_t value, int bytes) {
  switch (bytes) {
    case 1:
      return static_cast<std::int8_t>(value);
    case 2:
      return static_cast<std::int16_t>(value);
    case 4:
      return static_cast<std::int32_t>(value);
    default:
      return static_cast<std::int64_t>(value);
  }
}

std::uint64_t truncated(std::uint64_t value, int bytes) {
  return bytes == 8 ? value : value & ((std::uint64_t{1} << (bytes * 8)) - 1);
}

// "%-0*.*" and what goes behind it.
std::string host_format(const Conversion& c, const char* end) {
  std::string format = "%" + std::string(c.flags.substr(0, 8));
  if (c.width >= 0) format += std::to_string(c.width);
  if (c.precision >= 0) format += "." + std::to_string(c.precision);
  return format + end;
}

template <class T>
void append(std::string& text, const std::string& format, T value) {
  const int bytes = std::snprintf(nullptr, 0, format.c_str(), value);
  if (bytes <= 0) return;
  const std::size_t before = text.size();
  text.resize(before + static_cast<std::size_t>(bytes) + 1);
  std::snprintf(text.data() + before, static_cast<std::size_t>(bytes) + 1, format.c_str(), value);
  text.resize(before + static_cast<std::size_t>(bytes));
}

void append_integer(std::string& text, const Conversion& c, std::uint64_t bits) {
  const char end[] = {'l', 'l', c.type, 0};
  if (c.type == 'd' || c.type == 'i')
    append(text, host_format(c, end), static_cast<long long>(sign_extended(bits, c.length_bytes)));
  else
    append(text, host_format(c, end),
           static_cast<unsigned long long>(truncated(bits, c.length_bytes)));
}

void append_string(std::string& text, const Conversion& c, std::string_view value) {
  std::string limited(value);
  if (c.precision >= 0) limited.resize(std::min<std::size_t>(limited.size(), c.precision));
  Conversion without = c;
  without.precision = -1;
  append(text, host_format(without, "s"), limited.c_str());
}

void append_conversion(std::string& text, const Conversion& c, std::uint64_t bits,
                       const FormatReader& reader) {
  const char end[] = {c.type, 0};
  if (c.type == 'c') {
    append(text, host_format(c, end), static_cast<int>(bits));
  } else if (c.type == 's') {
    append_string(text, c, bits == 0 ? std::string_view("(null)") : reader.string(bits));
  } else if (c.type == 'p') {
    append(text, host_format(c, end), reinterpret_cast<void*>(bits));
  } else if (one_of(c.type, "diouxX")) {
    append_integer(text, c, bits);
  } else {
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    append(text, host_format(c, end), value);
  }
}

// Takes the "*" of a conversion; a negative width is the flag "-", a negative precision is none.
// Minus is the caller's to add, as flags are a view.
bool take_widths(Conversion& c, Arguments& arguments) {
  bool left = false;
  if (c.width_argument) {
    c.width = arguments.next_width();
    left = c.width < 0;
    c.width = left ? -c.width : c.width;
  }
  if (c.precision_argument) c.precision = std::max(-1, arguments.next_width());
  return left;
}

}  // namespace

void check_format(std::string_view format, const FormatReader& reader) {
  Scanner scanner(format);
  Arguments arguments(reader);
  for (scanner.text(); !scanner.done(); scanner.text()) {
    Conversion c;
    std::string_view raw;
    if (!scanner.conversion(c, raw) || c.type == '%') continue;
    take_widths(c, arguments);
    const std::uint64_t bits = arguments.next(argument_bytes(c));
    if (c.type == 's' && bits != 0) reader.string(bits);
  }
}

FormatResult format_text(std::string_view format, const FormatReader& reader) {
  FormatResult result;
  Scanner scanner(format);
  Arguments arguments(reader);
  for (result.text += scanner.text(); !scanner.done(); result.text += scanner.text()) {
    Conversion c;
    std::string_view raw;
    if (!scanner.conversion(c, raw)) {
      result.text += raw;
      continue;
    }
    if (c.type == '%') {
      result.text += '%';
      continue;
    }
    const bool left = take_widths(c, arguments);
    const std::uint64_t bits = arguments.next(argument_bytes(c));
    if (left) c.flags = "-";
    append_conversion(result.text, c, bits, reader);
  }
  result.arguments = arguments.count();
  return result;
}

}  // namespace longwire::softcuda::machine
