#include "softcuda/ir/opcode.h"

#include <algorithm>
#include <vector>

#include "softcuda/ir/modifier.h"
#include "softcuda/ir/rules.h"

namespace longwire::softcuda::ir {
namespace {

constexpr std::size_t kMaxTokens = 32;

std::vector<std::string_view> tokens_of(std::string_view text) {
  std::vector<std::string_view> tokens;
  while (!text.empty() && tokens.size() <= kMaxTokens) {
    const auto end = std::min(text.find('.'), text.size());
    tokens.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return tokens;
}

bool accepts(const Element& element, std::string_view token) {
  return std::find(element.alternatives.begin(), element.alternatives.end(), token) !=
         element.alternatives.end();
}

// Which element each token is: the first unused one that accepts it, so that the order of modifiers
// matters only among those that look alike. `matched` counts tokens, for the message.
bool match(const Form& form, std::span<const std::string_view> tokens,
           std::vector<std::size_t>& element_of, std::size_t& matched) {
  std::vector<bool> used(form.elements.size());
  element_of.clear();
  for (const auto token : tokens) {
    std::size_t i = 0;
    while (i < form.elements.size() && (used[i] || !accepts(form.elements[i], token)))
      ++i;
    if (i == form.elements.size()) return false;
    used[i] = true;
    element_of.push_back(i);
    matched = std::max(matched, element_of.size());
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i] && !form.elements[i].optional) return false;
  }
  return true;
}

Opcode made_of(const Form& form, std::span<const std::string_view> tokens,
               std::span<const std::size_t> element_of) {
  Opcode opcode;
  opcode.form = &form;
  opcode.op = form.op;
  int types = 0;
  int layouts = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool is_type = form.elements[element_of[i]].is_type;
    if (is_type && types < 4 && type_of_name(tokens[i]) != Type::kNone) {
      opcode.types[types++] = type_of_name(tokens[i]);
    } else {
      apply_modifier(form.op, tokens[i], layouts, opcode.modifiers);
    }
  }
  return opcode;
}

Opcode decode_new(std::string_view text) {
  Opcode failed;
  const auto tokens = tokens_of(text);
  const auto forms = forms_of(tokens.empty() ? text : tokens.front());
  if (forms.empty() || tokens.size() > kMaxTokens) {
    failed.error = "unknown instruction";
    return failed;
  }
  const auto modifiers = std::span(tokens).subspan(1);
  std::vector<std::size_t> element_of;
  std::size_t matched = 0;
  for (const auto& form : forms) {
    if (!match(form, modifiers, element_of, matched)) continue;
    Opcode opcode = made_of(form, modifiers, element_of);
    opcode.error = finish(opcode);
    if (opcode.error.empty()) return opcode;
    failed.error = opcode.error;
  }
  if (!failed.error.empty()) return failed;
  failed.error = matched < modifiers.size()
                     ? "'." + std::string(modifiers[matched]) + "' does not belong in"
                     : "a modifier or type is missing in";
  return failed;
}

}  // namespace

Type Opcode::type_of(const TypeRef& ref) const noexcept {
  const Type type = ref.slot == 0 ? ref.fixed : types[ref.slot - 1];
  if (!ref.doubled) return type;
  switch (type) {
    case Type::kU16:
      return Type::kU32;
    case Type::kS16:
      return Type::kS32;
    case Type::kU32:
      return Type::kU64;
    default:
      return Type::kS64;
  }
}

const Opcode& Opcodes::decode(std::string_view text) {
  const auto found = known_.find(text);
  if (found != known_.end()) return found->second;
  return known_.emplace(text, decode_new(text)).first->second;
}

}  // namespace longwire::softcuda::ir
