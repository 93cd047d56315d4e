#include "client/opencl/program_includes.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

namespace longwire::client::opencl {
namespace {

constexpr std::string_view kBlanks = " \t\r";
constexpr int kMaxMacroDepth = 16;

std::string_view without_leading_blanks(std::string_view text) {
  const std::size_t start = text.find_first_not_of(kBlanks);
  return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

// Takes `word` off the front of `text`.
bool take(std::string_view& text, std::string_view word) {
  text = without_leading_blanks(text);
  if (text.substr(0, word.size()) != word) return false;
  text.remove_prefix(word.size());
  return true;
}

struct Directive {
  std::string name;
  bool quoted = false;
};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::size_t word_length(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_word) -
                                  text.begin());
}

// Every word that is a macro replaced by its value, and that again, as far as kMaxMacroDepth.
std::string with_macros(std::string_view text, const Macros& macros, int depth = 0) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(word_length(text), 1);
    const auto macro = macros.find(std::string(text.substr(0, length)));
    const bool replace = macro != macros.end() && depth < kMaxMacroDepth;
    out += replace ? with_macros(macro->second, macros, depth + 1)
                   : std::string(text.substr(0, length));
    text.remove_prefix(length);
  }
  return out;
}

// The quoted name that `TEXT(PLACE/x.h)`, or a macro whose value is one or `"x.h"`, stands for; the
// compiler would decide what TEXT is: making a string of its argument is all that it is good for
// here.
std::optional<Directive> computed_include(std::string_view line, const Macros& macros) {
  const std::string text = with_macros(line.substr(0, line.find_last_not_of(kBlanks) + 1), macros);
  if (text.size() > 2 && text.front() == '"' && text.back() == '"') {
    return Directive{text.substr(1, text.size() - 2), true};
  }
  const std::size_t open = word_length(text);
  if (open == 0 || open + 2 > text.size() || text[open] != '(' || text.back() != ')') {
    return std::nullopt;
  }
  return Directive{text.substr(open + 1, text.size() - open - 2), true};
}

std::optional<Directive> parse_include(std::string_view line, const Macros& macros) {
  if (!take(line, "#") || !take(line, "include")) return std::nullopt;
  line = without_leading_blanks(line);
  if (!line.empty() && is_word(line[0])) return computed_include(line, macros);
  if (line.empty() || (line[0] != '"' && line[0] != '<')) return std::nullopt;
  const char close = line[0] == '"' ? '"' : '>';
  const std::size_t end = line.find(close, 1);
  if (end == std::string_view::npos) return std::nullopt;
  return Directive{std::string(line.substr(1, end - 1)), close == '"'};
}

// Notes `#define NAME value` of an object-like macro.
void note_define(std::string_view line, Macros& macros) {
  if (!take(line, "#") || !take(line, "define")) return;
  line = without_leading_blanks(line);
  const std::size_t length = word_length(line);
  if (length == 0 || (length < line.size() && line[length] == '(')) return;
  const std::string_view value = without_leading_blanks(line.substr(length));
  macros[std::string(line.substr(0, length))] =
      value.substr(0, value.find_last_not_of(kBlanks) + 1);
}

bool has_pragma_once(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (take(line, "#") && take(line, "pragma") && take(line, "once")) return true;
    at = end + 1;
  }
  return false;
}

// Whether the text after `line` is inside a block comment, given whether `line` begins in one.
bool in_comment_after(std::string_view line, bool in_comment) {
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    const std::string_view two = line.substr(i, 2);
    if (!in_comment && two == "//") return false;
    if (two == (in_comment ? "*/" : "/*")) {
      in_comment = !in_comment;
      ++i;
    }
  }
  return in_comment;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

class Includer {
 public:
  explicit Includer(const IncludeSearch& search) : search_(search), macros_(search.macros) {}

  // `path` is empty for the program's own source.
  std::string expand(std::string_view text, const std::string& path) {
    std::string out;
    bool in_comment = false;
    std::size_t line_number = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      const std::string_view line = text.substr(at, end - at);
      ++line_number;
      if (!in_comment) note_define(line, macros_);
      const auto directive = in_comment ? std::nullopt : parse_include(line, macros_);
      if (!directive || !include(*directive, path, line_number, out)) out += line;
      out += '\n';
      in_comment = in_comment_after(line, in_comment);
      at = end + 1;
    }
    return out;
  }

 private:
  struct File {
    std::string path;
    std::string text;
  };

  std::optional<File> find(const Directive& directive, const std::string& from) const {
    const auto try_path = [&](std::string path) -> std::optional<File> {
      if (auto text = search_.read(path)) return File{std::move(path), std::move(*text)};
      return std::nullopt;
    };
    if (directive.name.substr(0, 1) == "/") return try_path(directive.name);
    if (directive.quoted && !from.empty()) {
      if (auto file = try_path(directory_of(from) + directive.name)) return file;
    }
    for (const std::string& directory : search_.directories) {
      if (auto file = try_path(directory + "/" + directive.name)) return file;
    }
    return directive.quoted ? try_path(directive.name) : std::nullopt;
  }

  // False: the directive stays as it is.
  bool include(const Directive& directive, const std::string& from, std::size_t line_number,
               std::string& out) {
    const auto& embedded = search_.embedded;
    if (std::find(embedded.begin(), embedded.end(), directive.name) != embedded.end()) return false;
    if (open_.size() >= kMaxIncludeDepth || included_bytes_ > kMaxIncludedBytes) return false;
    std::optional<File> file = find(directive, from);
    if (!file) return false;
    const bool is_open = std::find(open_.begin(), open_.end(), file->path) != open_.end();
    if (is_open || once_.count(file->path) != 0) return true;
    if (has_pragma_once(file->text)) once_.insert(file->path);
    included_bytes_ += file->text.size();
    open_.push_back(file->path);
    out += "#line 1 \"" + file->path + "\"\n" + expand(file->text, file->path);
    open_.pop_back();
    const std::string name = from.empty() ? "program.cl" : from;
    out += "#line " + std::to_string(line_number + 1) + " \"" + name + "\"";
    return true;
  }

  const IncludeSearch& search_;
  Macros macros_;
  std::vector<std::string> open_;
  std::set<std::string> once_;
  std::size_t included_bytes_ = 0;
};

std::vector<std::string> words_of(std::string_view options) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  bool any = false;
  for (const char c : options) {
    if (quote != 0 ? c == quote : (c == '"' || c == '\'')) {
      quote = quote != 0 ? 0 : c;
      any = true;
    } else if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      if (any) words.push_back(std::exchange(word, {}));
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  if (any) words.push_back(word);
  return words;
}

// What follows `option`, in its own word or the next one.
std::vector<std::string> values_of(std::string_view options, std::string_view option) {
  std::vector<std::string> values;
  const std::vector<std::string> words = words_of(options);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].substr(0, option.size()) != option) continue;
    if (words[i].size() > option.size()) {
      values.push_back(words[i].substr(option.size()));
    } else if (i + 1 < words.size()) {
      values.push_back(words[++i]);
    }
  }
  return values;
}

}  // namespace

std::optional<std::string> read_text_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || text.str().size() > kMaxIncludedBytes) return std::nullopt;
  return std::move(text).str();
}

std::vector<std::string> include_directories(std::string_view options) {
  return values_of(options, "-I");
}

Macros macro_definitions(std::string_view options) {
  Macros macros;
  for (const std::string& definition : values_of(options, "-D")) {
    const std::size_t equals = definition.find('=');
    macros[definition.substr(0, equals)] =
        equals == std::string::npos ? "1" : definition.substr(equals + 1);
  }
  return macros;
}

std::string with_includes(const std::string& source, const IncludeSearch& search) {
  if (source.find("include") == std::string::npos) return source;
  std::string expanded = Includer(search).expand(source, "");
  if (!source.empty() && source.back() != '\n') expanded.pop_back();
  return expanded;
}

}  // namespace longwire::client::opencl
