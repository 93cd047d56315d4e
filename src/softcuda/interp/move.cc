// "Data Movement and Conversion Instructions": what moves between registers.
#include <algorithm>
#include <cstring>

#include "softcuda/interp/lanes.h"
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {
namespace {

using std::uint16_t, std::uint32_t, std::uint64_t;

template <class T>
T same(T a) {
  return a;
}

struct Bits128 {
  uint64_t low, high;
};
Bits128 same128(Bits128 a) { return a; }

void mov_predicate(Context& c, const Step& s) {
  c.set_predicate(s.slot(0), c.predicate(s.slot(1)));
}

// The address of a variable in the function's part of local memory.
void mov_frame_address(Context& c, const Step& s) {
  const auto base = static_cast<uint64_t>(c.local_base);
  if (s.slot(0).bytes == 4) {
    const auto* a = c.at<uint32_t>(s.slot(1));
    each(c, c.at<uint32_t>(s.slot(0)), [=](int i) { return static_cast<uint32_t>(a[i] + base); });
  } else {
    const auto* a = c.at<uint64_t>(s.slot(1));
    each(c, c.at<uint64_t>(s.slot(0)), [=](int i) { return a[i] + base; });
  }
}

template <class T>
void mov(Context& c, const Step& s) {
  if (s.slot(1).in_frame) return mov_frame_address(c, s);
  unary<T, T, &same<T>>(c, s);
}

// mov.b32 d, {a, b}: the first is the least significant.
void pack(Context& c, const Step& s) {
  const int parts = s.count[1];
  const auto bytes = static_cast<std::size_t>(ir::bits_of(s.source->type)) / 8;
  const std::size_t part = bytes / static_cast<std::size_t>(parts);
  auto* d = reinterpret_cast<std::byte*>(c.at<std::byte>(s.slot(0)));
  std::byte value[kLanes][16] = {};
  for (int n = 0; n < parts; ++n) {
    const Slot& slot = s.slot(1, n);
    const std::size_t width = slot.base == Base::kConstants ? 8 : slot.bytes;
    const std::byte* from = width == 8 ? reinterpret_cast<const std::byte*>(c.at<uint64_t>(slot))
                                       : c.at<std::byte>(slot);
    for (int i = 0; i < kLanes; ++i)
      std::memcpy(value[i] + static_cast<std::size_t>(n) * part,
                  from + static_cast<std::size_t>(i) * width, std::min(part, width));
  }
  each_active(
      c, [&](int i) { std::memcpy(d + static_cast<std::size_t>(i) * bytes, value[i], bytes); });
}

// mov.b32 {a, b}, d.
void unpack(Context& c, const Step& s) {
  const int parts = s.count[0];
  const auto bytes = static_cast<std::size_t>(ir::bits_of(s.source->type)) / 8;
  const std::size_t part = bytes / static_cast<std::size_t>(parts);
  std::byte value[kLanes * 16] = {};
  const Slot& from = s.slot(1);
  if (from.base == Base::kConstants)
    for (int i = 0; i < kLanes; ++i)
      std::memcpy(value + static_cast<std::size_t>(i) * bytes, c.at<uint64_t>(from) + i,
                  std::min<std::size_t>(bytes, 8));
  else
    std::memcpy(value, c.at<std::byte>(from), bytes * kLanes);
  for (int n = 0; n < parts; ++n) {
    const Slot& slot = s.slot(0, n);
    if (!slot.present) continue;
    auto* d = c.at<std::byte>(slot);
    each_active(c, [&](int i) {
      std::byte one[16] = {};
      std::memcpy(one,
                  value + static_cast<std::size_t>(i) * bytes + static_cast<std::size_t>(n) * part,
                  part);
      std::memcpy(d + static_cast<std::size_t>(i) * slot.bytes, one, slot.bytes);
    });
  }
}

void mov_bits(Context& c, const Step& s) {
  if (s.count[1] > 1) return pack(c, s);
  if (s.count[0] > 1) return unpack(c, s);
  switch (ir::bits_of(s.source->type)) {
    case 16:
      return mov<uint16_t>(c, s);
    case 32:
      return mov<uint32_t>(c, s);
    case 64:
      return mov<uint64_t>(c, s);
    default:
      return unary<Bits128, Bits128, &same128>(c, s);
  }
}

// --- addresses ---

// What is added to an address of a space to have a generic one, for a lane.
uint64_t base_of(const Context& c, ir::Space space, int lane) {
  switch (space) {
    case ir::Space::kShared:
      return reinterpret_cast<uint64_t>(c.block->shared);
    case ir::Space::kLocal:
      return reinterpret_cast<uint64_t>(c.warp->local(lane));
    case ir::Space::kParam:
      return reinterpret_cast<uint64_t>(c.block->parameters);
    default:
      return 0;
  }
}

template <class T>
void cvta(Context& c, const Step& s) {
  const auto& m = s.source->modifiers;
  const bool back = m.to_space != ir::Space::kGeneric;
  const ir::Space space = back ? m.to_space : m.space;
  const T* a = c.at<T>(s.slot(1));
  T* d = c.at<T>(s.slot(0));
  const uint64_t frame = s.slot(1).in_frame ? c.local_base : 0;
  each_active(c, [&](int i) {
    const uint64_t base = base_of(c, space, i);
    d[i] = static_cast<T>(back ? a[i] - base : a[i] + frame + base);
  });
}

// Constants are a part of device memory here.
bool is_constant(const Context& c, uint64_t address) {
  const auto& variables = c.warp->module().module().variables;
  for (ir::VariableId id = 0; id < variables.size(); ++id)
    if (variables[id].space == ir::Space::kConst &&
        address - c.warp->module().address_of(id) < variables[id].bytes)
      return true;
  return false;
}

void isspacep(Context& c, const Step& s) {
  const auto* a = c.at<uint64_t>(s.slot(1));
  const ir::Space space = s.source->modifiers.space;
  auto inside = [](uint64_t address, const void* begin, uint64_t bytes) {
    return address - reinterpret_cast<uint64_t>(begin) < bytes;
  };
  Mask result = 0;
  each_active(c, [&](int i) {
    const bool shared = inside(a[i], c.block->shared, c.block->shared_bytes);
    const bool local = inside(a[i], c.warp->local(i), c.warp->local_stride());
    const bool param = inside(a[i], c.block->parameters, c.block->parameter_bytes);
    bool is = false;
    switch (space) {
      case ir::Space::kShared:
        is = shared;
        break;
      case ir::Space::kLocal:
        is = local;
        break;
      case ir::Space::kParam:
        is = param;
        break;
      case ir::Space::kConst:
        is = is_constant(c, a[i]);
        break;
      default:  // global, of which parameters are a part
        is = !shared && !local && !is_constant(c, a[i]);
        break;
    }
    result |= static_cast<Mask>(is ? 1 : 0) << i;
  });
  c.set_predicate(s.slot(0), result);
}

// A cluster is one block, whose rank is 0.
void getctarank(Context& c, const Step& s) {
  each(c, c.at<uint32_t>(s.slot(0)), [](int) { return 0U; });
}

// --- prmt ---

uint32_t byte_of(uint64_t both, uint32_t selector) {
  const auto byte = static_cast<uint32_t>(both >> (8 * (selector & 7))) & 0xff;
  return (selector & 8) != 0 ? ((byte & 0x80) != 0 ? 0xff : 0) : byte;
}

// The selector that a mode stands for, made from c's two low bits.
uint32_t selector_of(ir::Mode mode, uint32_t c) {
  constexpr uint32_t kForward[] = {0x3210, 0x4321, 0x5432, 0x6543};
  constexpr uint32_t kBackward[] = {0x5670, 0x6701, 0x7012, 0x0123};
  constexpr uint32_t kReplicate8[] = {0x0000, 0x1111, 0x2222, 0x3333};
  constexpr uint32_t kClampLeft[] = {0x3210, 0x3211, 0x3222, 0x3333};
  constexpr uint32_t kClampRight[] = {0x0000, 0x1110, 0x2210, 0x3210};
  constexpr uint32_t kReplicate16[] = {0x1010, 0x3232, 0x1010, 0x3232};
  switch (mode) {
    case ir::Mode::kF4e:
      return kForward[c & 3];
    case ir::Mode::kB4e:
      return kBackward[c & 3];
    case ir::Mode::kRc8:
      return kReplicate8[c & 3];
    case ir::Mode::kEcl:
      return kClampLeft[c & 3];
    case ir::Mode::kEcr:
      return kClampRight[c & 3];
    case ir::Mode::kRc16:
      return kReplicate16[c & 3];
    default:
      return c & 0xffff;
  }
}

void prmt(Context& c, const Step& s) {
  const auto *a = c.at<uint32_t>(s.slot(1)), *b = c.at<uint32_t>(s.slot(2)),
             *select = c.at<uint32_t>(s.slot(3));
  auto* d = c.at<uint32_t>(s.slot(0));
  const ir::Mode mode = s.source->modifiers.mode;
  each_active(c, [&](int i) {
    const uint64_t both = (uint64_t{b[i]} << 32) | a[i];
    const uint32_t selector = selector_of(mode, select[i]);
    uint32_t result = 0;
    for (int n = 0; n < 4; ++n)
      result |= byte_of(both, selector >> (4 * n) & 15) << (8 * n);
    d[i] = result;
  });
}

}  // namespace

Handler select_Mov(const ir::Instruction& i) {
  switch (ir::bits_of(i.type)) {
    case 1:
      return &mov_predicate;
    case 16:
    case 32:
    case 64:
    case 128:
      return &mov_bits;
    default:
      return nullptr;
  }
}
Handler select_Cvta(const ir::Instruction& i) {
  return ir::bits_of(i.type) == 32 ? &cvta<uint32_t> : &cvta<uint64_t>;
}
Handler select_Isspacep(const ir::Instruction&) { return &isspacep; }
Handler select_Mapa(const ir::Instruction& i) {
  return ir::bits_of(i.type) == 32 ? &mov<uint32_t> : &mov<uint64_t>;
}
Handler select_Getctarank(const ir::Instruction&) { return &getctarank; }
Handler select_Prmt(const ir::Instruction&) { return &prmt; }

}  // namespace longwire::softcuda::interp
