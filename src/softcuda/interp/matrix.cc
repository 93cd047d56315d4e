// mma, ldmatrix, stmatrix and movmatrix. PTX ISA 8.8, "Warp Level Matrix Instructions": which
// element a lane has where is the same rule for all shapes but m8n8k4 of f16.
#include <cstring>

#include "softcuda/interp/access.h"
#include "softcuda/interp/lanes.h"
#include "softcuda/interp/matrix_math.h"
#include "softcuda/interp/select.h"

namespace longwire::softcuda::interp {
namespace {

using ir::Type;
using machine::Access;
using std::uint16_t, std::uint32_t, std::uint64_t;

// How many elements of a type share a register.
int per_register(Type type) {
  const int bits = ir::bits_of(type);
  return bits < 32 && type != Type::kTF32 ? 32 / bits : 1;
}

uint32_t part_of(uint32_t value, Type type, int part) {
  const int bits = ir::bits_of(type);
  if (bits >= 32 || type == Type::kTF32) return value;
  return value >> (bits * part) & ((1U << bits) - 1);
}

// f(row, column, register, part) for each element of A that a lane holds; B is the same with rows
// and columns exchanged, as its lanes go along k.
template <class F>
void elements_of_a(int registers, bool tall, int per, int lane, F f) {
  const int group = lane >> 2, in_group = lane & 3;
  for (int r = 0; r < registers; ++r) {
    const int row = group + (tall ? (r & 1) * 8 : 0);
    const int first = (tall ? r >> 1 : r) * 4 * per + in_group * per;
    for (int part = 0; part < per; ++part)
      f(row, first + part, r, part);
  }
}
// C and D: two neighbours in a row, and eight rows further down two more.
template <class F>
void elements_of_c(int count, int lane, F f) {
  for (int n = 0; n < count; ++n)
    f((lane >> 2) + (n >> 1) * 8, (lane & 3) * 2 + (n & 1), n);
}

void gather(const Context& c, const Step& s, Matrices& m, int lane) {
  const ir::Instruction& i = *s.source;
  const bool wide = i.type2 == Type::kF64;
  elements_of_a(
      s.count[1], m.rows > 8, per_register(i.type2), lane, [&](int row, int k, int r, int part) {
        if (wide)
          m.a64[row * m.depth + k] = c.at<double>(s.slot(1, r))[lane];
        else
          m.a[row * m.depth + k] = part_of(c.at<uint32_t>(s.slot(1, r))[lane], i.type2, part);
      });
  elements_of_a(
      s.count[2], false, per_register(i.type3), lane, [&](int column, int k, int r, int part) {
        if (wide)
          m.b64[k * m.columns + column] = c.at<double>(s.slot(2, r))[lane];
        else
          m.b[k * m.columns + column] = part_of(c.at<uint32_t>(s.slot(2, r))[lane], i.type3, part);
      });
  const int count = m.rows * m.columns / kLanes;
  elements_of_c(count, lane, [&](int row, int column, int n) {
    uint64_t& cell = m.c[row * m.columns + column];
    if (i.type4 == Type::kF16)
      cell = part_of(c.at<uint32_t>(s.slot(3, n / 2))[lane], Type::kF16, n % 2);
    else
      cell = wide ? c.at<uint64_t>(s.slot(3, n))[lane] : c.at<uint32_t>(s.slot(3, n))[lane];
  });
}

void scatter(const Context& c, const Step& s, const Matrices& m, int lane) {
  const ir::Instruction& i = *s.source;
  elements_of_c(m.rows * m.columns / kLanes, lane, [&](int row, int column, int n) {
    const uint64_t cell = m.c[row * m.columns + column];
    if (i.type == Type::kF64) {
      c.at<uint64_t>(s.slot(0, n))[lane] = cell;
    } else if (i.type == Type::kF16) {
      uint32_t& d = c.at<uint32_t>(s.slot(0, n / 2))[lane];
      const int shift = 16 * (n % 2);
      d = (d & ~(0xffffU << shift)) | static_cast<uint32_t>(cell) << shift;
    } else {
      c.at<uint32_t>(s.slot(0, n))[lane] = static_cast<uint32_t>(cell);
    }
  });
}

void mma(Context& c, const Step& s) {
  const ir::MatrixShape& shape = s.source->modifiers.shape;
  Matrices m;
  m.rows = shape.m;
  m.columns = shape.n;
  m.depth = shape.k;
  for (int lane = 0; lane < kLanes; ++lane)
    gather(c, s, m, lane);
  multiply(*s.source, m);
  each_active(c, [&](int lane) { scatter(c, s, m, lane); });
}

// --- m8n8k4 of f16: four products of 8 x 8 x 4, each by eight lanes: four, and four 16 further ---

constexpr int kQuarters = 4, kQuarterDepth = 4;
constexpr int lane_of(int quarter, int n) { return quarter * 4 + n % 4 + (n >= 4 ? 16 : 0); }

// Which element of C or D the n-th of a lane is. `upper`: the lane is one of the four further on.
struct Cell {
  int row, column;
};
Cell cell_of(Type type, int lane, bool upper, int n) {
  if (type == Type::kF16) return {lane % 4 + (upper ? 4 : 0), n};
  return {(lane & 1) + (n & 2) + (upper ? 4 : 0), (n & 4) + (lane & 2) + (n & 1)};
}

void mma_of_quarters(Context& c, const Step& s) {
  const ir::Instruction& i = *s.source;
  const ir::MatrixShape& shape = i.modifiers.shape;
  auto half = [&](int operand, int n, int lane) {
    return part_of(c.at<uint32_t>(s.slot(operand, n / 2))[lane], Type::kF16, n % 2);
  };
  for (int quarter = 0; quarter < kQuarters; ++quarter) {
    Matrices m;
    m.rows = m.columns = 8;
    m.depth = kQuarterDepth;
    for (int of = 0; of < 8; ++of) {
      const int lane = lane_of(quarter, of), four = of & 4;
      for (int n = 0; n < 4; ++n) {  // along k where the layout is the usual one
        const int a = shape.a_column ? (n + four) * 4 + of % 4 : of * 4 + n;
        const int b = shape.b_row ? of % 4 * 8 + n + four : n * 8 + of;
        m.a[a] = half(1, n, lane);
        m.b[b] = half(2, n, lane);
      }
      for (int n = 0; n < 8; ++n) {
        const Cell cell = cell_of(i.type4, lane, of >= 4, n);
        m.c[cell.row * 8 + cell.column] =
            i.type4 == Type::kF16 ? half(3, n, lane) : c.at<uint32_t>(s.slot(3, n))[lane];
      }
    }
    multiply(i, m);
    for (int of = 0; of < 8; ++of) {
      const int lane = lane_of(quarter, of);
      if (!c.has(lane)) continue;
      for (int n = 0; n < 8; ++n) {
        const Cell cell = cell_of(i.type, lane, of >= 4, n);
        const auto value = static_cast<uint32_t>(m.c[cell.row * 8 + cell.column]);
        uint32_t& d = c.at<uint32_t>(s.slot(0, i.type == Type::kF16 ? n / 2 : n))[lane];
        if (i.type != Type::kF16)
          d = value;
        else
          d = n % 2 == 0 ? (d & 0xffff'0000) | value : (d & 0xffff) | value << 16;
      }
    }
  }
}

bool is_of_quarters(const ir::Instruction& i) {
  const ir::MatrixShape& shape = i.modifiers.shape;
  return shape.m == 8 && shape.k == 4 && i.type2 == Type::kF16;
}

bool is_mma_shape(const ir::Instruction& i) {
  const ir::MatrixShape& shape = i.modifiers.shape;
  if (shape.a_column || shape.b_row || shape.n != 8 || (shape.m != 8 && shape.m != 16))
    return false;
  return true;
}

// --- ldmatrix and its like: matrices of 8 rows of 16 bytes ---

constexpr int kSide = 8;
using Tile = uint16_t[kSide][kSide];

// Lane t has two neighbours of row t / 4, or with .trans of column t / 4.
uint32_t pair_of(const Tile& tile, int lane, bool transposed) {
  const int outer = lane >> 2, inner = (lane & 3) * 2;
  const uint16_t low = transposed ? tile[inner][outer] : tile[outer][inner];
  const uint16_t high = transposed ? tile[inner + 1][outer] : tile[outer][inner + 1];
  return low | uint32_t{high} << 16;
}
void put_pair(Tile& tile, int lane, bool transposed, uint32_t pair) {
  const int outer = lane >> 2, inner = (lane & 3) * 2;
  (transposed ? tile[inner][outer] : tile[outer][inner]) = static_cast<uint16_t>(pair);
  (transposed ? tile[inner + 1][outer] : tile[outer][inner + 1]) =
      static_cast<uint16_t>(pair >> 16);
}

void ldmatrix(Context& c, const Step& s) {
  const ir::Modifiers& m = s.source->modifiers;
  Tile tiles[4];
  const int count = s.count[0];
  for (int row = 0; row < count * kSide; ++row)
    std::memcpy(tiles[row / kSide][row % kSide],
                place_of(c, s, s.slot(1), row, m.space, 16, Access::kRead), 16);
  for (int n = 0; n < count; ++n)
    each_active(c, [&](int lane) {
      c.at<uint32_t>(s.slot(0, n))[lane] = pair_of(tiles[n], lane, m.transposed);
    });
}

void stmatrix(Context& c, const Step& s) {
  const ir::Modifiers& m = s.source->modifiers;
  Tile tiles[4];
  const int count = s.count[1];
  for (int n = 0; n < count; ++n)
    for (int lane = 0; lane < kLanes; ++lane)
      put_pair(tiles[n], lane, m.transposed, c.at<uint32_t>(s.slot(1, n))[lane]);
  for (int row = 0; row < count * kSide; ++row)
    std::memcpy(place_of(c, s, s.slot(0), row, m.space, 16, Access::kWrite),
                tiles[row / kSide][row % kSide], 16);
}

void movmatrix(Context& c, const Step& s) {
  Tile tile;
  for (int lane = 0; lane < kLanes; ++lane)
    put_pair(tile, lane, false, c.at<uint32_t>(s.slot(1))[lane]);
  each_active(c, [&](int lane) { c.at<uint32_t>(s.slot(0))[lane] = pair_of(tile, lane, true); });
}

}  // namespace

Handler select_Mma(const ir::Instruction& i) {
  if (is_of_quarters(i)) return &mma_of_quarters;
  return is_mma_shape(i) ? &mma : nullptr;
}
Handler select_Ldmatrix(const ir::Instruction&) { return &ldmatrix; }
Handler select_Stmatrix(const ir::Instruction&) { return &stmatrix; }
Handler select_Movmatrix(const ir::Instruction&) { return &movmatrix; }

}  // namespace longwire::softcuda::interp
