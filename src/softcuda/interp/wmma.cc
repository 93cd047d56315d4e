// wmma.load, wmma.store and wmma.mma. The ISA leaves open which element of a matrix a lane has
// where: here they are dealt row by row, as many to each lane in a row as it gets.
#include <bit>
#include <cstring>

#include "softcuda/interp/access.h"
#include "softcuda/interp/lanes.h"
#include "softcuda/interp/matrix_math.h"
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {
namespace {

using ir::Type;
using machine::Access;
using std::int64_t, std::uint32_t, std::uint64_t;

enum class Fragment : std::uint8_t { kA, kB, kC };

Fragment fragment_of(ir::Mode mode) {
  return mode == ir::Mode::kLeft    ? Fragment::kA
         : mode == ir::Mode::kRight ? Fragment::kB
                                    : Fragment::kC;
}
int rows_of(const ir::MatrixShape& shape, Fragment which) {
  return which == Fragment::kB ? shape.k : shape.m;
}
int columns_of(const ir::MatrixShape& shape, Fragment which) {
  return which == Fragment::kA ? shape.k : shape.n;
}

// Where the n-th element of a matrix is in the registers of a fragment.
struct Place {
  int lane, reg, part;
};
Place place_in(int n, int total, Type type) {
  const int bits = ir::bits_of(type);
  const int per = bits < 32 && type != Type::kTF32 ? 32 / bits : 1;
  const int each = total / kLanes;
  return {n / each, n % each / per, n % each % per};
}

uint64_t get(const Context& c, const Step& s, int operand, Type type, const Place& place) {
  if (type == Type::kF64) return c.at<uint64_t>(s.slot(operand, place.reg))[place.lane];
  const uint32_t value = c.at<uint32_t>(s.slot(operand, place.reg))[place.lane];
  const int bits = ir::bits_of(type);
  return bits >= 32 || type == Type::kTF32 ? value
                                           : value >> (bits * place.part) & ((1U << bits) - 1);
}
void put(const Context& c, const Step& s, Type type, const Place& place, uint64_t value) {
  if (type == Type::kF64) {
    c.at<uint64_t>(s.slot(0, place.reg))[place.lane] = value;
    return;
  }
  uint32_t& d = c.at<uint32_t>(s.slot(0, place.reg))[place.lane];
  const int bits = ir::bits_of(type);
  if (bits >= 32 || type == Type::kTF32) {
    d = static_cast<uint32_t>(value);
    return;
  }
  const uint32_t mask = (1U << bits) - 1;
  const int shift = bits * place.part;
  d = (d & ~(mask << shift)) | (static_cast<uint32_t>(value) & mask) << shift;
}

// f(number of the element, its distance from the address in elements) in a row or column layout.
template <class F>
void each_element(const Context& c, const Step& s, int stride_operand, Fragment which, F f) {
  const ir::MatrixShape& shape = s.source->modifiers.shape;
  const int rows = rows_of(shape, which), columns = columns_of(shape, which);
  const bool by_column = shape.a_column;
  int64_t stride = by_column ? rows : columns;
  if (s.has(stride_operand)) stride = c.at<uint32_t>(s.slot(stride_operand))[0];
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column)
      f(row * columns + column, by_column ? column * stride + row : row * stride + column);
}

// One element, or the byte that holds it; 4-bit and 1-bit ones share bytes.
std::byte* element_at(const Context& c, const Step& s, int address, int64_t distance, Type type,
                      Access access) {
  Slot slot = s.slot(address);
  const int bits = type == Type::kTF32 ? 32 : ir::bits_of(type);
  slot.displacement += distance * bits / 8;
  const auto bytes = static_cast<uint32_t>(bits < 8 ? 1 : bits / 8);
  return place_of(c, s, slot, std::countr_zero(c.mask), s.source->modifiers.space, bytes, access);
}

void load(Context& c, const Step& s) {
  const Fragment which = fragment_of(s.source->modifiers.mode);
  const ir::MatrixShape& shape = s.source->modifiers.shape;
  const int total = rows_of(shape, which) * columns_of(shape, which);
  const Type type = s.source->type;
  const int bits = type == Type::kTF32 ? 32 : ir::bits_of(type);
  each_element(c, s, 2, which, [&](int n, int64_t distance) {
    uint64_t value = 0;
    const std::byte* from = element_at(c, s, 1, distance, type, Access::kRead);
    std::memcpy(&value, from, bits < 8 ? 1 : static_cast<std::size_t>(bits) / 8);
    if (bits < 8) value >>= distance * bits % 8;
    put(c, s, type, place_in(n, total, type), value);
  });
}

void store(Context& c, const Step& s) {
  const ir::MatrixShape& shape = s.source->modifiers.shape;
  const int total = shape.m * shape.n;
  const Type type = s.source->type;
  each_element(c, s, 2, Fragment::kC, [&](int n, int64_t distance) {
    const uint64_t value = get(c, s, 1, type, place_in(n, total, type));
    std::byte* to = element_at(c, s, 0, distance, type, Access::kWrite);
    std::memcpy(to, &value, static_cast<std::size_t>(ir::bits_of(type)) / 8);
  });
}

void multiply_fragments(Context& c, const Step& s) {
  const ir::Instruction& i = *s.source;
  const ir::MatrixShape& shape = i.modifiers.shape;
  Matrices m;
  m.rows = shape.m;
  m.columns = shape.n;
  m.depth = shape.k;
  const int as = m.rows * m.depth, bs = m.depth * m.columns, cs = m.rows * m.columns;
  for (int n = 0; n < as; ++n) {
    const uint64_t value = get(c, s, 1, i.type2, place_in(n, as, i.type2));
    if (i.type2 == Type::kF64)
      m.a64[n] = std::bit_cast<double>(value);
    else
      m.a[n] = static_cast<uint32_t>(value);
  }
  for (int n = 0; n < bs; ++n) {
    const uint64_t value = get(c, s, 2, i.type3, place_in(n, bs, i.type3));
    if (i.type3 == Type::kF64)
      m.b64[n] = std::bit_cast<double>(value);
    else
      m.b[n] = static_cast<uint32_t>(value);
  }
  for (int n = 0; n < cs; ++n)
    m.c[n] = get(c, s, 3, i.type4, place_in(n, cs, i.type4));
  multiply(i, m);
  for (int n = 0; n < cs; ++n)
    put(c, s, i.type, place_in(n, cs, i.type), m.c[n]);
}

}  // namespace

Handler select_WmmaLoad(const ir::Instruction&) { return &load; }
Handler select_WmmaStore(const ir::Instruction&) { return &store; }
Handler select_WmmaMma(const ir::Instruction& i) {
  return i.type4 == Type::kNone ? nullptr : &multiply_fragments;
}

}  // namespace longwire::softcuda::interp
