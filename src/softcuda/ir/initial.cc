#include "softcuda/ir/initial.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace longwire::softcuda::ir {
namespace {

using ptx::Initial;
using ptx::quoted;

class Filler {
 public:
  Filler(const ptx::Variable& variable, const Extent& extent, const InitialContext& context,
         Variable& out)
      : variable_(variable), context_(context), out_(out), type_(extent.element) {
    element_bytes_ = static_cast<std::uint64_t>(bits_of(type_)) / 8;
    // strides_[n]: from one element of the nth level of braces to the next.
    std::uint64_t stride = element_bytes_;
    if (variable.vector > 1) {
      strides_.push_back(stride);
      stride *= variable.vector;
    }
    for (auto i = variable.dimensions.size(); i-- > 0;) {
      strides_.push_back(stride);
      stride *= std::max<std::uint64_t>(variable.dimensions[i], 1);
    }
    std::reverse(strides_.begin(), strides_.end());
  }

  void run(const Initial& initial) {
    if (initial.kind == Initial::Kind::kList) {
      list(initial, 0, 0);
    } else {
      one(initial, 0, strides_.empty() ? element_bytes_ : strides_.front());
    }
    if (!variable_.flexible) return;
    out_.bytes = align_up(end_, strides_.front());
  }

 private:
  void fail(ptx::At at, std::string_view message) {
    context_.errors.fail(context_.source, at, message);
  }

  // False: outside of the variable, or too much.
  bool reserve(std::uint64_t at, std::uint64_t bytes, ptx::At place) {
    if (!variable_.flexible && at + bytes > out_.bytes) {
      fail(place, "more initial values than " + quoted(variable_.name) + " has room for");
      return false;
    }
    end_ = std::max(end_, at + bytes);
    if (end_ <= out_.initial.size()) return true;
    const auto more = end_ - out_.initial.size();
    if (more > context_.budget) {
      context_.errors.fail(context_.source, place, "over 256 MiB of initial values",
                           base::ErrorCode::kLimit);
      return false;
    }
    context_.budget -= more;
    out_.initial.resize(end_);
    return true;
  }

  void list(const Initial& initial, std::size_t level, std::uint64_t begin) {
    if (level >= strides_.size()) return fail(initial.at, "too many braces");
    std::uint64_t at = begin;
    for (const auto& part : initial.parts) {
      if (!context_.errors.ok()) return;
      if (part.kind == Initial::Kind::kList) {
        at = begin + align_up(at - begin, strides_[level]);
        list(part, level + 1, at);
        at += strides_[level];
      } else {
        at += one(part, at, element_bytes_);
      }
    }
  }

  std::uint64_t one(const Initial& initial, std::uint64_t at, std::uint64_t step) {
    switch (initial.kind) {
      case Initial::Kind::kConstant:
        number(initial, at);
        break;
      case Initial::Kind::kAddress:
        address(initial, at);
        break;
      case Initial::Kind::kString:
        return text(initial, at);
      case Initial::Kind::kList:
        break;
    }
    return step;
  }

  void number(const Initial& initial, std::uint64_t at) {
    const auto bits = bits_as(initial.constant, type_);
    if (!bits) {
      return fail(initial.at,
                  std::string("this constant does not fit the type .") + name_of(type_));
    }
    if (!reserve(at, element_bytes_, initial.at)) return;
    std::memcpy(out_.initial.data() + at, &*bits, element_bytes_);
  }

  // With C's escapes for the characters that PTX needs them for; and a zero if there is room.
  std::uint64_t text(const Initial& initial, std::uint64_t at) {
    if (element_bytes_ != 1) {
      fail(initial.at, "a string is for elements of one byte");
      return 0;
    }
    const auto begin = at;
    for (std::size_t i = 0; i < initial.name.size(); ++i) {
      char c = initial.name[i];
      if (c == '\\' && i + 1 < initial.name.size()) {
        c = initial.name[++i];
        c = c == 'n' ? '\n' : c == 't' ? '\t' : c == '0' ? '\0' : c;
      }
      if (!reserve(at, 1, initial.at)) return 0;
      out_.initial[at++] = static_cast<std::byte>(c);
    }
    if (variable_.flexible) reserve(at++, 1, initial.at);
    return at - begin;
  }

  void address(const Initial& initial, std::uint64_t at) {
    const auto named = context_.find(initial.name);
    if (!named || named->kind == ModuleName::Kind::kTexture) {
      return fail(initial.at, "unknown name " + quoted(initial.name));
    }
    const int zeros = std::countr_zero(initial.mask);
    const bool byte_mask = initial.mask != 0 && zeros % 8 == 0 && (initial.mask >> zeros) == 0xff;
    if (initial.mask != 0 ? !byte_mask || element_bytes_ != 1 : element_bytes_ < 4) {
      return fail(initial.at, "an address does not fit here");
    }
    if (!reserve(at, element_bytes_, initial.at)) return;
    Variable::Relocation relocation;
    relocation.at = at;
    relocation.bytes = static_cast<std::uint8_t>(element_bytes_);
    relocation.shift = initial.mask == 0 ? 0 : static_cast<std::uint8_t>(zeros);
    relocation.generic = initial.generic;
    relocation.id = named->id;
    relocation.function = named->kind == ModuleName::Kind::kFunction;
    relocation.addend = static_cast<std::int64_t>(initial.constant.bits);
    out_.relocations.push_back(relocation);
  }

  const ptx::Variable& variable_;
  const InitialContext& context_;
  Variable& out_;
  Type type_;
  std::uint64_t element_bytes_ = 1;
  std::uint64_t end_ = 0;
  std::vector<std::uint64_t> strides_;
};

}  // namespace

void initialise(const ptx::Variable& variable, const Extent& extent, const InitialContext& context,
                Variable& out) {
  if (variable.initial == nullptr) return;
  Filler(variable, extent, context, out).run(*variable.initial);
}

}  // namespace longwire::softcuda::ir
