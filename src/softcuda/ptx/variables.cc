#include "softcuda/ptx/constant.h"
#include "softcuda/ptx/error.h"
#include "softcuda/ptx/parser.h"
#include "softcuda/ptx/parts.h"

namespace longwire::softcuda::ptx {
namespace {

constexpr std::size_t kMaxDimensions = 16;

bool is_opaque(std::string_view type) noexcept {
  return type == ".texref" || type == ".samplerref" || type == ".surfref";
}

}  // namespace

bool is_space_of_variables(std::string_view directive) noexcept {
  return directive == ".reg" || directive == ".param" || directive == ".local" ||
         directive == ".shared" || directive == ".global" || directive == ".const" ||
         directive == ".sreg" || directive == ".tex" || directive == ".shared::cta" ||
         directive == ".shared::cluster";
}

// ".attribute(.managed, .unified(1, 2))", after its name.
void VariableParser::managed(Variable& variable) {
  stream_.expect('(', "after .attribute");
  do {
    const Token name = stream_.next();
    variable.managed |= name.is(".managed");
    if (!name.is(".managed") && !name.is(".unified")) {
      stream_.fail_unsupported(name.at, "unknown attribute " + quoted(name.text));
    }
    if (!stream_.accept('(')) continue;
    do {
      stream_.expression();
    } while (stream_.accept(','));
    stream_.expect(')', "after an attribute");
  } while (stream_.accept(','));
  stream_.expect(')', "after .attribute");
}

// One of the directives between space and name; false: it is the type.
bool VariableParser::attribute(Variable& variable) {
  const Token token = stream_.peek();
  if (token.is(".align")) {
    stream_.next();
    variable.alignment = stream_.expect_unsigned("an alignment");
  } else if (token.is(".v2") || token.is(".v4") || token.is(".v8")) {
    variable.vector = static_cast<std::uint8_t>(stream_.next().text[2] - '0');
  } else if (token.is(".attribute")) {
    stream_.next();
    managed(variable);
  } else if (token.is(".ptr") || is_space_of_variables(token.text)) {
    stream_.next();  // where a kernel's pointer points to: a hint
  } else {
    return false;
  }
  return true;
}

Variable VariableParser::common(std::string_view space, Linkage linkage) {
  Variable variable;
  variable.space = space.substr(space.empty() ? 0 : 1);
  variable.linkage = linkage;
  while (stream_.peek().kind == Token::Kind::kDirective) {
    if (attribute(variable)) continue;
    const Token type = stream_.next();
    if (!variable.type.empty()) {
      stream_.fail(type.at, "unexpected " + quoted(type.text) + " in a declaration");
    }
    variable.type = type.text.substr(1);
  }
  if (stream_.ok() && variable.type.empty()) stream_.fail_unexpected("type expected");
  return variable;
}

void VariableParser::name_and_dimensions(Variable& variable) {
  variable.at = stream_.peek().at;
  variable.name = stream_.expect_name("name of a variable");
  if (stream_.accept('<')) {
    variable.parameterised = true;
    const Token number = stream_.next();  // no expression: ">" would belong to it
    const auto count = parse_number(number.text);
    if (!count || count->is_real() || number.kind != Token::Kind::kNumber) {
      stream_.fail(number.at, "malformed number of registers " + quoted(number.text));
    } else {
      variable.count = count->bits;
    }
    stream_.expect('>', "after the number of registers");
  }
  std::vector<std::uint64_t> dimensions;
  while (stream_.accept('[')) {
    const At at = stream_.peek().at;
    if (stream_.accept(']')) {
      if (!dimensions.empty()) stream_.fail(at, "only the first dimension may be left out");
      variable.flexible = true;
      dimensions.push_back(0);
    } else {
      const Constant size = stream_.expression();
      if (size.is_real()) stream_.fail(at, "the size of an array must be an integer");
      dimensions.push_back(size.bits);
      stream_.expect(']', "after the size of an array");
    }
    if (dimensions.size() > kMaxDimensions) stream_.fail_limit(at, "too many dimensions");
  }
  variable.dimensions = stream_.keep(std::span<const std::uint64_t>(dimensions));
}

void VariableParser::declarations(std::string_view space, Linkage linkage,
                                  std::vector<const Variable*>& out) {
  const Variable shared = common(space, linkage);
  do {
    Variable variable = shared;
    name_and_dimensions(variable);
    if (stream_.accept('=')) {
      const Initial value = initial(0);
      variable.initial = stream_.keep(value);
    }
    if (stream_.ok()) out.push_back(stream_.keep(variable));
  } while (stream_.accept(','));
  stream_.expect(';', "after a declaration");
}

Variable VariableParser::parameter() {
  const Token space = stream_.next();
  if (!space.is(".param") && !space.is(".reg")) {
    stream_.fail(space.at, "'.param' or '.reg' expected before " + quoted(space.text));
  }
  Variable variable = common(space.text, Linkage::kInternal);
  if (is_opaque("." + std::string(variable.type))) {
    stream_.fail_unsupported(space.at,
                             "parameters of type " + quoted(variable.type) + " are not supported");
  }
  name_and_dimensions(variable);
  while (attribute(variable)) {
  }
  return variable;
}

Initial VariableParser::named_initial() {
  Initial value;
  value.kind = Initial::Kind::kAddress;
  value.at = stream_.peek().at;
  if (stream_.peek().is("generic") && stream_.peek_second().is('(')) {
    stream_.next();
    stream_.next();
    value.generic = true;
    value.name = stream_.expect_name("name in generic()");
    value.constant = stream_.offset();
    stream_.expect(')', "after generic(");
  } else {
    value.name = stream_.expect_name("name");
  }
  value.constant.bits += stream_.offset().bits;
  return value;
}

// "0xff00(name)", from the parenthesis on.
Initial VariableParser::masked_initial(Constant mask, At at) {
  if (mask.is_real() || mask.bits == 0) stream_.fail(at, "a mask must be an integer and not zero");
  stream_.expect('(', "after a mask");
  Initial value = named_initial();
  value.mask = mask.bits;
  stream_.expect(')', "after a masked address");
  return value;
}

Initial VariableParser::initial(int depth) {
  Initial value;
  const Token token = stream_.peek();
  value.at = token.at;
  if (depth > kMaxNesting) {
    stream_.fail_limit(token.at, "initialiser nested too deeply");
    return value;
  }
  if (token.kind == Token::Kind::kString) {
    value.kind = Initial::Kind::kString;
    value.name = stream_.next().text.substr(1);
    value.name.remove_suffix(1);
    return value;
  }
  if (token.kind == Token::Kind::kName && !token.is("WARP_SZ")) return named_initial();
  if (!stream_.accept('{')) {
    value.constant = stream_.expression();
    return stream_.peek().is('(') ? masked_initial(value.constant, token.at) : value;
  }
  value.kind = Initial::Kind::kList;
  const auto first = pending_.size();
  while (stream_.ok() && !stream_.peek().is('}')) {
    const Initial part = initial(depth + 1);
    pending_.push_back(part);
    if (!stream_.accept(',')) break;
  }
  stream_.expect('}', "after an initialiser");
  value.parts = stream_.keep(std::span<const Initial>(pending_).subspan(first));
  pending_.resize(first);
  return value;
}

}  // namespace longwire::softcuda::ptx
