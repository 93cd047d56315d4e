#include "softcuda/ptx/parser.h"

#include <algorithm>
#include <charconv>

#include "softcuda/ptx/error.h"
#include "softcuda/ptx/parts.h"

namespace longwire::softcuda::ptx {
namespace {

class ModuleParser {
 public:
  explicit ModuleParser(Source& source)
      : source_(source), stream_(source), variables_(stream_), bodies_(stream_) {}

  base::Status run();

 private:
  void header();
  void version();
  void target();
  void top_level();
  void declaration();
  void function(bool kernel, Linkage linkage);
  void function_directives(Function& function);
  bool limit(Function& function);
  void alias();
  Linkage linkage();

  Source& source_;
  TokenStream stream_;
  VariableParser variables_;
  BodyParser bodies_;
};

// ".version 8.5": a number of PTX, read by its digits.
void ModuleParser::version() {
  const Token number = stream_.next();
  unsigned major = 0;
  unsigned minor = 0;
  const char* end = number.text.data() + number.text.size();
  const auto first = std::from_chars(number.text.data(), end, major);
  const bool dot = first.ec == std::errc{} && first.ptr != end && *first.ptr == '.';
  const auto second = dot ? std::from_chars(first.ptr + 1, end, minor) : first;
  if (!dot || second.ec != std::errc{} || second.ptr != end || minor > 9 || major > 99) {
    return stream_.fail(number.at, "malformed version " + quoted(number.text));
  }
  source_.version = major * 10 + minor;
  if (source_.version < kMinVersion || source_.version > kMaxVersion) {
    stream_.fail_unsupported(number.at, "PTX version " + std::string(number.text) +
                                            " is not supported (6.0 to 9.0 are)");
  }
}

// ".target sm_90a, debug, texmode_unified"
void ModuleParser::target() {
  do {
    const At at = stream_.peek().at;
    const auto name = stream_.expect_name("target");
    if (name == "debug" || name == "texmode_unified" || name.starts_with("map_f64")) continue;
    if (name == "texmode_independent") {
      stream_.fail_unsupported(at, "target 'texmode_independent' is not supported");
      continue;
    }
    const auto* end = name.data() + name.size();
    const auto [stop, error] =
        std::from_chars(name.data() + std::min<std::size_t>(3, name.size()), end, source_.target);
    const bool suffix = stop == end || (stop + 1 == end && (*stop == 'a' || *stop == 'f'));
    if (!name.starts_with("sm_") || error != std::errc{} || !suffix) {
      stream_.fail(at, "unknown target " + quoted(name));
    }
  } while (stream_.accept(','));
}

void ModuleParser::header() {
  if (!stream_.accept(".version")) return stream_.fail_unexpected("'.version' expected");
  version();
  if (!stream_.accept(".target")) return stream_.fail_unexpected("'.target' expected");
  target();
  if (!stream_.accept(".address_size")) return;
  const At at = stream_.peek().at;
  if (stream_.expect_unsigned("the size of addresses") != 64 && stream_.ok()) {
    stream_.fail_unsupported(at, "only .address_size 64 is supported");
  }
}

Linkage ModuleParser::linkage() {
  if (stream_.accept(".visible")) return Linkage::kVisible;
  if (stream_.accept(".extern")) return Linkage::kExtern;
  if (stream_.accept(".weak")) return Linkage::kWeak;
  if (stream_.accept(".common")) return Linkage::kCommon;
  return Linkage::kInternal;
}

void ModuleParser::declaration() {
  const Linkage linkage = this->linkage();
  const Token token = stream_.peek();
  if (token.is(".entry") || token.is(".func")) {
    stream_.next();
    return function(token.is(".entry"), linkage);
  }
  if (!is_space_of_variables(token.text) || token.is(".reg") || token.is(".param")) {
    return stream_.fail_unsupported(token.at, "unexpected " + quoted(token.text));
  }
  stream_.next();
  variables_.declarations(token.text, linkage, source_.variables);
}

// One directive between a function's head and its body; false: another.
bool ModuleParser::limit(Function& function) {
  const Token token = stream_.next();
  const auto numbers = [&](std::uint32_t* to, int count) {
    int read = 0;
    do {
      to[read++] = stream_.expect_unsigned("a limit of threads");
    } while (read < count && stream_.accept(','));
    for (; read < count; ++read)
      to[read] = 1;
  };
  std::uint32_t ignored[3];
  if (token.is(".maxntid")) {
    numbers(function.limits.max_threads, 3);
  } else if (token.is(".reqntid")) {
    numbers(function.limits.required_threads, 3);
  } else if (token.is(".minnctapersm")) {
    numbers(&function.limits.min_blocks, 1);
  } else if (token.is(".maxnreg")) {
    numbers(&function.limits.max_registers, 1);
  } else if (token.is(".maxnctapersm") || token.is(".maxclusterrank") ||
             token.is(".abi_preserve") || token.is(".abi_preserve_control")) {
    numbers(ignored, 1);
  } else if (token.is(".reqnctapercluster")) {
    numbers(ignored, 3);
    if (ignored[0] != 1 || ignored[1] != 1 || ignored[2] != 1) {
      stream_.fail_unsupported(token.at, "clusters of several blocks are not supported");
    }
  } else {
    return token.is(".noreturn") || token.is(".explicitcluster") || token.is(".blocksareclusters");
  }
  return true;
}

void ModuleParser::function_directives(Function& function) {
  while (stream_.peek().kind == Token::Kind::kDirective) {
    if (skip_informative(stream_)) continue;
    const Token token = stream_.peek();
    if (!limit(function)) {
      stream_.fail_unsupported(token.at, "unknown directive " + quoted(token.text));
    }
  }
}

void ModuleParser::function(bool kernel, Linkage linkage) {
  Function function;
  function.kernel = kernel;
  function.linkage = linkage;
  if (stream_.accept(".attribute")) {
    stream_.expect('(', "after .attribute");
    while (stream_.ok() && stream_.peek().kind != Token::Kind::kEnd && stream_.peek().text != ")")
      stream_.next();
    stream_.expect(')', "after .attribute");
  }
  if (!kernel) function.results = parameter_list(stream_);
  function.at = stream_.peek().at;
  function.name = stream_.expect_name("name of a function");
  function.parameters = parameter_list(stream_);
  function_directives(function);
  if (!stream_.accept(';')) {
    function.has_body = true;
    function.body = bodies_.body();
  }
  if (stream_.ok()) source_.functions.push_back(stream_.keep(function));
}

void ModuleParser::alias() {
  Alias alias;
  alias.at = stream_.peek().at;
  alias.name = stream_.expect_name("name of an alias");
  stream_.expect(',', "in .alias");
  alias.target = stream_.expect_name("name of a function");
  stream_.expect(';', "after .alias");
  source_.aliases.push_back(alias);
}

void ModuleParser::top_level() {
  if (stream_.accept(';')) return;
  if (stream_.peek().kind != Token::Kind::kDirective) {
    return stream_.fail_unexpected("directive expected");
  }
  if (skip_informative(stream_)) return;
  if (stream_.accept(".alias")) return alias();
  declaration();
}

base::Status ModuleParser::run() {
  while (stream_.ok() && skip_informative(stream_)) {
  }
  header();
  while (stream_.ok() && stream_.peek().kind != Token::Kind::kEnd)
    top_level();
  if (!stream_.ok()) return stream_.take_error();
  return {};
}

}  // namespace

base::Result<std::unique_ptr<Source>> parse(std::string name, std::string text) {
  if (text.size() > kMaxTextBytes) {
    return base::Error(base::ErrorCode::kLimit, name + ": the text is over 256 MiB");
  }
  auto source = std::make_unique<Source>(std::move(name), std::move(text));
  ModuleParser parser(*source);
  LW_TRY(parser.run());
  return source;
}

}  // namespace longwire::softcuda::ptx
