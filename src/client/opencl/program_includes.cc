#include "client/opencl/program_includes.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

namespace longwire::client::opencl {
namespace {

constexpr std::string_view kBlanks = " \t\r";

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

std::optional<Directive> parse_include(std::string_view line) {
  if (!take(line, "#") || !take(line, "include")) return std::nullopt;
  line = without_leading_blanks(line);
  if (line.empty() || (line[0] != '"' && line[0] != '<')) return std::nullopt;
  const char close = line[0] == '"' ? '"' : '>';
  const std::size_t end = line.find(close, 1);
  if (end == std::string_view::npos) return std::nullopt;
  return Directive{std::string(line.substr(1, end - 1)), close == '"'};
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
  explicit Includer(const IncludeSearch& search) : search_(search) {}

  // `path` is empty for the program's own source.
  std::string expand(std::string_view text, const std::string& path) {
    std::string out;
    bool in_comment = false;
    std::size_t line_number = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      const std::string_view line = text.substr(at, end - at);
      ++line_number;
      const auto directive = in_comment ? std::nullopt : parse_include(line);
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
  std::vector<std::string> directories;
  const std::vector<std::string> words = words_of(options);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].substr(0, 2) != "-I") continue;
    if (words[i].size() > 2) {
      directories.push_back(words[i].substr(2));
    } else if (i + 1 < words.size()) {
      directories.push_back(words[++i]);
    }
  }
  return directories;
}

std::string with_includes(const std::string& source, const IncludeSearch& search) {
  if (source.find("include") == std::string::npos) return source;
  std::string expanded = Includer(search).expand(source, "");
  if (!source.empty() && source.back() != '\n') expanded.pop_back();
  return expanded;
}

}  // namespace longwire::client::opencl
