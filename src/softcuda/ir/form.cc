#include "softcuda/ir/form.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "base/check.h"

namespace longwire::softcuda::ir {
namespace {

constexpr FormSet kSets[] = {
    {"rnd", "rn|rz|rm|rp"},
    {"irnd", "rni|rzi|rmi|rpi"},
    {"scope", "cta|cluster|gpu|sys"},
    {"shared", "shared|shared::cta|shared::cluster"},
    {"param", "param|param::entry|param::func"},
    {"bits", "b16|b32|b64"},
    {"int", "u16|u32|u64|s16|s32|s64"},
    {"set", "u32|s32|f32|u16|s16|f16|bf16|f16x2|bf16x2"},
    {"compared", "b16|b32|b64|u16|u32|u64|s16|s32|s64|f32|f64|f16|f16x2|bf16|bf16x2"},
    {"cmp", "eq|ne|lt|le|gt|ge|lo|ls|hi|hs|equ|neu|ltu|leu|gtu|geu|num|nan"},
    {"memory", "b8|b16|b32|b64|b128|u8|u16|u32|u64|s8|s16|s32|s64|f32|f64"},
    {"cvt", "u8|u16|u32|u64|s8|s16|s32|s64|f16|bf16|f32|f64"},
    {"evict1",
     "L1::evict_normal|L1::evict_unchanged|L1::evict_first|L1::evict_last|L1::no_allocate"},
    {"evict2", "L2::evict_normal|L2::evict_first|L2::evict_last"},
    {"video", "u32|s32"},
    {"order", "eq|ne|lt|le|gt|ge"},
    {"wmma", "m16n16k16|m8n32k16|m32n8k16|m16n16k8|m8n8k4|m8n8k32|m8n8k128"},
};

std::string_view set_of(std::string_view name) {
  for (const auto& set : kSets) {
    if (set.name == name) return set.alternatives;
  }
  LW_CHECK(false);
  return {};
}

// Calls `each` for the parts of `text` between separators.
template <class Each>
void split(std::string_view text, char separator, const Each& each) {
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    each(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

Element compile_element(std::string_view text, bool optional) {
  Element element;
  element.optional = optional;
  split(text, '|', [&](std::string_view alternative) {
    if (alternative.front() != '$') return element.alternatives.push_back(alternative);
    split(set_of(alternative.substr(1)), '|',
          [&](std::string_view member) { element.alternatives.push_back(member); });
  });
  element.is_type = std::any_of(element.alternatives.begin(), element.alternatives.end(),
                                [](auto name) { return type_of_name(name) != Type::kNone; });
  return element;
}

// What follows the first word: ".x|y" and "{.x|y}".
std::vector<Element> compile_pattern(std::string_view pattern) {
  std::vector<Element> elements;
  while (!pattern.empty()) {
    const bool optional = pattern.front() == '{';
    pattern.remove_prefix(optional ? 2 : 1);
    const auto end = std::min(pattern.find_first_of(optional ? "}" : ".{"), pattern.size());
    elements.push_back(compile_element(pattern.substr(0, end), optional));
    pattern.remove_prefix(std::min(end + (optional ? 1 : 0), pattern.size()));
  }
  return elements;
}

TypeRef compile_type(std::string_view text) {
  if (text == "w") return {.slot = 1, .doubled = true};
  if (text.size() == 1) return {.slot = static_cast<std::uint8_t>(text[0] - '0')};
  const Type fixed = type_of_name(text);
  LW_CHECK(fixed != Type::kNone);
  return {.slot = 0, .fixed = fixed};
}

void apply_mark(char mark, Slot& slot) {
  switch (mark) {
    case 'd':
    case 'p':
      slot.kind = Slot::Kind::kDestination;
      break;
    case '[':
      slot.kind = Slot::Kind::kAddress;
      break;
    case '%':
      slot.kind = Slot::Kind::kConstant;
      break;
    case '{':
      slot.must_be_vector = true;
      break;
    case '*':
      slot.may_be_vector = true;
      break;
    case '?':
      slot.optional = true;
      break;
    case '_':
      slot.may_be_sink = true;
      break;
    case '~':
      slot.relaxed = true;
      break;
    case '-':
      slot.dropped = true;
      break;
    case '!':
      slot.negatable = true;
      slot.type = {.slot = 0, .fixed = Type::kPred};
      break;
    default:
      break;
  }
}

Slot compile_slot(std::string_view text) {
  Slot slot;
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    slot.type = compile_type(text.substr(colon + 1));
    text = text.substr(0, colon);
  }
  for (const char mark : text)
    apply_mark(mark, slot);
  return slot;
}

std::vector<Slot> compile_operands(std::string_view text) {
  std::vector<Slot> slots;
  split(text, ',', [&](std::string_view operand) {
    bool second = false;
    split(operand, '|', [&](std::string_view half) {
      slots.push_back(compile_slot(half));
      slots.back().second_of_pair = second;
      if (second) slots.back().kind = Slot::Kind::kDestination;
      second = true;
    });
  });
  return slots;
}

class Forms {
 public:
  Forms() {
    for (const auto& line : form_lines()) {
      const std::string_view pattern = line.pattern;
      const auto word_end = std::min(pattern.find_first_of(".{"), pattern.size());
      Form form;
      form.op = line.op;
      form.special = std::string_view(line.operands) == "...";
      form.elements = compile_pattern(pattern.substr(word_end));
      if (!form.special) form.slots = compile_operands(line.operands);
      by_word_[pattern.substr(0, word_end)].push_back(std::move(form));
    }
  }
  std::span<const Form> of(std::string_view word) const {
    const auto found = by_word_.find(word);
    if (found == by_word_.end()) return {};
    return found->second;
  }

 private:
  std::unordered_map<std::string_view, std::vector<Form>> by_word_;
};

}  // namespace

std::span<const FormSet> form_sets() noexcept { return kSets; }

std::span<const Form> forms_of(std::string_view word) {
  static const Forms forms;
  return forms.of(word);
}

Type type_of_name(std::string_view name) noexcept {
  for (int i = 1; i < kTypes; ++i) {
    if (name == name_of(static_cast<Type>(i))) return static_cast<Type>(i);
  }
  return Type::kNone;
}

}  // namespace longwire::softcuda::ir
