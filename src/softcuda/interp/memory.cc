// ld and st. Strong ones (volatile, relaxed, acquire, release) are atomic for each element.
#include <cstring>

#include "softcuda/interp/access.h"
#include "softcuda/interp/lanes.h"
#include "softcuda/interp/plain_access.h"
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {
namespace {

using machine::Access;
using std::uint16_t, std::uint32_t, std::uint64_t, std::uint8_t;

struct Bits128 {
  uint64_t low, high;
};

bool is_strong(const ir::Modifiers& m) { return m.volatile_ || m.order != ir::Order::kWeak; }

template <class T>
T load_strong(const std::byte* place) {
  if constexpr (sizeof(T) == 16) {
    T value;
    std::memcpy(&value, place, sizeof value);
    return value;
  } else {
    return __atomic_load_n(reinterpret_cast<const T*>(place), __ATOMIC_SEQ_CST);
  }
}
template <class T>
void store_strong(std::byte* place, T value) {
  if constexpr (sizeof(T) == 16)
    std::memcpy(place, &value, sizeof value);
  else
    __atomic_store_n(reinterpret_cast<T*>(place), value, __ATOMIC_RELEASE);
}

template <class M>
void load(Context& c, const Step& s) {
  const int elements = s.count[0];
  const auto bytes = static_cast<uint32_t>(sizeof(M)) * static_cast<uint32_t>(elements);
  const ir::Modifiers& m = s.source->modifiers;
  const bool strong = is_strong(m);
  if (strong) c.strong_access = true;
  const Access access = strong && m.space != ir::Space::kParam && m.space != ir::Space::kConst
                            ? Access::kAtomic
                            : Access::kRead;
  each_active(c, [&](int i) {
    const std::byte* place = place_of(c, s, s.slot(1), i, m.space, bytes, access);
    for (int n = 0; n < elements; ++n, place += sizeof(M)) {
      put(c, s.slot(0, n), i, strong ? load_strong<M>(place) : load_plain<M>(place));
    }
  });
}

template <class M>
void store(Context& c, const Step& s) {
  const int elements = s.count[1];
  const auto bytes = static_cast<uint32_t>(sizeof(M)) * static_cast<uint32_t>(elements);
  const ir::Modifiers& m = s.source->modifiers;
  const bool strong = is_strong(m);
  each_active(c, [&](int i) {
    std::byte* place =
        place_of(c, s, s.slot(0), i, m.space, bytes, strong ? Access::kAtomic : Access::kWrite);
    for (int n = 0; n < elements; ++n, place += sizeof(M)) {
      const M value = get<M>(c, s.slot(1, n), i);
      if (strong)
        store_strong<M>(place, value);
      else
        store_plain(place, value);
    }
  });
}

// The whole warp at consecutive, aligned addresses of allocated memory: what most accesses are.
template <class M>
std::byte* coalesced(const Context& c, const Step& s, const Slot& slot) {
  const machine::BlockState& block = *c.block;
  const ir::Space space = s.source->modifiers.space;
  if (c.mask != kAllLanes || block.careful || slot.bytes != 8 || slot.base != Base::kFrame)
    return nullptr;
  const auto* addresses = c.at<uint64_t>(slot);
  const uint64_t first = addresses[0];
  uint64_t wrong = 0;
  for (int i = 0; i < kLanes; ++i)
    wrong |= addresses[i] ^ (first + static_cast<uint64_t>(i) * sizeof(M));
  const uint64_t address = first + static_cast<uint64_t>(slot.displacement);
  if (wrong != 0 || address % sizeof(M) != 0) return nullptr;
  if (space != ir::Space::kGlobal && space != ir::Space::kGeneric) return nullptr;
  return block.memory.covers(address, kLanes * sizeof(M)) ? reinterpret_cast<std::byte*>(address)
                                                          : nullptr;
}

template <class M>
void load_one(Context& c, const Step& s) {
  if (const std::byte* place = coalesced<M>(c, s, s.slot(1)))
    load_row<M, kLanes>(c.at<M>(s.slot(0)), place);
  else
    load<M>(c, s);
}
template <class M>
void store_one(Context& c, const Step& s) {
  if (std::byte* place = coalesced<M>(c, s, s.slot(0)))
    store_row<M, kLanes>(place, c.at<M>(s.slot(1)));
  else
    store<M>(c, s);
}

// The parameters of a kernel are the same for all lanes.
template <class M>
void load_parameter(Context& c, const Step& s) {
  const Slot& from = s.slot(1);
  const auto at = static_cast<uint64_t>(from.displacement);
  const machine::BlockState& block = *c.block;
  const bool simple = from.base == Base::kConstants && s.count[0] == 1 && at % sizeof(M) == 0 &&
                      at < block.parameter_bytes && sizeof(M) <= block.parameter_bytes - at &&
                      s.slot(0).bytes == sizeof(M);
  if (!simple) return load<M>(c, s);
  M value;
  std::memcpy(&value, block.parameters + at, sizeof value);
  each(c, c.at<M>(s.slot(0)), [value](int) { return value; });
}

Handler load_handler(const ir::Instruction& i) {
  const bool simple = i.modifiers.vector == 1 && !is_strong(i.modifiers);
  const bool parameter = i.modifiers.space == ir::Space::kParam;
  switch (ir::bits_of(i.type)) {
    case 8:
      return ir::is_signed(i.type) ? &load<std::int8_t> : &load<uint8_t>;
    case 16:
      return ir::is_signed(i.type) && !ir::is_float(i.type) ? &load<std::int16_t> : &load<uint16_t>;
    case 32:
      if (ir::is_signed(i.type) && !ir::is_float(i.type)) return &load<std::int32_t>;
      if (parameter) return &load_parameter<uint32_t>;
      return &load<uint32_t>;
    case 64:
      if (parameter) return &load_parameter<uint64_t>;
      return simple ? &load_one<uint64_t> : &load<uint64_t>;
    case 128:
      return &load<Bits128>;
    default:
      return nullptr;
  }
}

// A register of 32 bits takes the words as they are; a wider one has them extended.
void load_word(Context& c, const Step& s) {
  if (s.slot(0).bytes == 4) return load_one<uint32_t>(c, s);
  if (ir::is_signed(s.source->type) && !ir::is_float(s.source->type))
    return load<std::int32_t>(c, s);
  load<uint32_t>(c, s);
}
void store_word(Context& c, const Step& s) {
  const Slot& from = s.slot(1);
  if (from.bytes == 4 || from.base != Base::kFrame) return store_one<uint32_t>(c, s);
  store<uint32_t>(c, s);
}

}  // namespace

Handler select_Ld(const ir::Instruction& i) {
  const bool word = ir::bits_of(i.type) == 32 && i.modifiers.vector == 1 &&
                    !is_strong(i.modifiers) && i.modifiers.space != ir::Space::kParam;
  return word ? &load_word : load_handler(i);
}
Handler select_Ldu(const ir::Instruction& i) { return load_handler(i); }
Handler select_St(const ir::Instruction& i) {
  const bool simple = i.modifiers.vector == 1 && !is_strong(i.modifiers);
  switch (ir::bits_of(i.type)) {
    case 8:
      return &store<uint8_t>;
    case 16:
      return &store<uint16_t>;
    case 32:
      return simple ? &store_word : &store<uint32_t>;
    case 64:
      return simple ? &store_one<uint64_t> : &store<uint64_t>;
    case 128:
      return &store<Bits128>;
    default:
      return nullptr;
  }
}

}  // namespace longwire::softcuda::interp
