/* nvcuda::wmma of the Programming Guide, "Warp Matrix Functions": products of small matrices by a
   warp, of halves, bfloat16 and bytes. Not here: tf32, double and the types below a byte. */
#ifndef LONGWIRE_MMA_H
#define LONGWIRE_MMA_H

#include "cuda_bf16.h"
#include "cuda_fp16.h"

#if defined(__CUDA__) && defined(__clang__)

namespace nvcuda {
namespace wmma {

#define LW_WMMA static inline __attribute__((device, always_inline))

struct row_major {};
struct col_major {};
struct matrix_a {};
struct matrix_b {};
struct accumulator {};
enum layout_t { mem_row_major, mem_col_major };

/* What the builtins call the layouts. */
template <class Layout>
struct lw_layout;
template <>
struct lw_layout<row_major> {
  static constexpr int kColumns = 0;
};
template <>
struct lw_layout<col_major> {
  static constexpr int kColumns = 1;
};

/* A lane's part of a matrix; which elements those are is not said. */
template <class Use, int m, int n, int k, class T, class Layout = void>
struct fragment;

#define LW_FRAGMENT_MEMBERS(type, count)     \
  typedef type element_type;                 \
  static constexpr int num_elements = count; \
  __attribute__((aligned(4))) type x[count];

#define LW_FRAGMENT(m, n, k, use, type, count)  \
  template <class Layout>                       \
  struct fragment<use, m, n, k, type, Layout> { \
    LW_FRAGMENT_MEMBERS(type, count)            \
  };

#define LW_INTS(fragment) reinterpret_cast<int*>((fragment).x)
#define LW_CONST_INTS(fragment) reinterpret_cast<const int*>((fragment).x)

#define LW_LOAD(m, n, k, use, type, builtin)                                                       \
  template <class Layout>                                                                          \
  LW_WMMA void load_matrix_sync(fragment<use, m, n, k, type, Layout>& to, const type* from,        \
                                unsigned int stride) {                                             \
    builtin(LW_INTS(to), reinterpret_cast<const int*>(from), stride, lw_layout<Layout>::kColumns); \
  }
/* The layout is a number at run time, which the builtins want to know before. */
#define LW_ACCUMULATOR(m, n, k, type, carrier, load, store)                                  \
  LW_WMMA void load_matrix_sync(fragment<accumulator, m, n, k, type>& to, const type* from,  \
                                unsigned int stride, layout_t layout) {                      \
    carrier* const parts = reinterpret_cast<carrier*>(to.x);                                 \
    const carrier* const memory = reinterpret_cast<const carrier*>(from);                    \
    if (layout == mem_row_major)                                                             \
      load(parts, memory, stride, 0);                                                        \
    else                                                                                     \
      load(parts, memory, stride, 1);                                                        \
  }                                                                                          \
  LW_WMMA void store_matrix_sync(type* to, const fragment<accumulator, m, n, k, type>& from, \
                                 unsigned int stride, layout_t layout) {                     \
    const carrier* const parts = reinterpret_cast<const carrier*>(from.x);                   \
    if (layout == mem_row_major)                                                             \
      store(reinterpret_cast<carrier*>(to), parts, stride, 0);                               \
    else                                                                                     \
      store(reinterpret_cast<carrier*>(to), parts, stride, 1);                               \
  }
#define LW_MULTIPLY(m, n, k, type, sum, carrier, builtin)                        \
  template <class LayoutA, class LayoutB>                                        \
  LW_WMMA void mma_sync(fragment<accumulator, m, n, k, sum>& d,                  \
                        const fragment<matrix_a, m, n, k, type, LayoutA>& a,     \
                        const fragment<matrix_b, m, n, k, type, LayoutB>& b,     \
                        const fragment<accumulator, m, n, k, sum>& c) {          \
    builtin(reinterpret_cast<carrier*>(d.x), LW_CONST_INTS(a), LW_CONST_INTS(b), \
            reinterpret_cast<const carrier*>(c.x),                               \
            lw_layout<LayoutA>::kColumns * 2 + lw_layout<LayoutB>::kColumns, 0); \
  }

/* Accumulators are of one type whatever is multiplied. */
#define LW_SHAPE(m, n, k, shape)                                                              \
  template <>                                                                                 \
  struct fragment<accumulator, m, n, k, float> {                                              \
    LW_FRAGMENT_MEMBERS(float, 8)                                                             \
  };                                                                                          \
  template <>                                                                                 \
  struct fragment<accumulator, m, n, k, __half> {                                             \
    LW_FRAGMENT_MEMBERS(__half, 8)                                                            \
  };                                                                                          \
  template <>                                                                                 \
  struct fragment<accumulator, m, n, k, int> {                                                \
    LW_FRAGMENT_MEMBERS(int, 8)                                                               \
  };                                                                                          \
  LW_FRAGMENT(m, n, k, matrix_a, __half, 16)                                                  \
  LW_FRAGMENT(m, n, k, matrix_b, __half, 16)                                                  \
  LW_LOAD(m, n, k, matrix_a, __half, __hmma_##shape##_ld_a)                                   \
  LW_LOAD(m, n, k, matrix_b, __half, __hmma_##shape##_ld_b)                                   \
  LW_ACCUMULATOR(m, n, k, float, float, __hmma_##shape##_ld_c_f32, __hmma_##shape##_st_c_f32) \
  LW_ACCUMULATOR(m, n, k, __half, int, __hmma_##shape##_ld_c_f16, __hmma_##shape##_st_c_f16)  \
  LW_ACCUMULATOR(m, n, k, int, int, __imma_##shape##_ld_c, __imma_##shape##_st_c_i32)         \
  LW_MULTIPLY(m, n, k, __half, float, float, __hmma_##shape##_mma_f32f32)                     \
  LW_MULTIPLY(m, n, k, __half, __half, int, __hmma_##shape##_mma_f16f16)
LW_SHAPE(16, 16, 16, m16n16k16)
LW_SHAPE(32, 8, 16, m32n8k16)
LW_SHAPE(8, 32, 16, m8n32k16)

#define LW_SMALL_SHAPE(m, n, k, type, sum, carrier, a_count, b_count, builtin, load, multiply) \
  LW_FRAGMENT(m, n, k, matrix_a, type, a_count)                                                \
  LW_FRAGMENT(m, n, k, matrix_b, type, b_count)                                                \
  LW_LOAD(m, n, k, matrix_a, type, builtin##_ld_a##load)                                       \
  LW_LOAD(m, n, k, matrix_b, type, builtin##_ld_b##load)                                       \
  LW_MULTIPLY(m, n, k, type, sum, carrier, builtin##_mma_##multiply)
#define LW_BYTES(m, n, k, shape, a_count, b_count)                                            \
  LW_SMALL_SHAPE(m, n, k, signed char, int, int, a_count, b_count, __imma_##shape, _s8, s8)   \
  LW_SMALL_SHAPE(m, n, k, unsigned char, int, int, a_count, b_count, __imma_##shape, _u8, u8) \
  LW_SMALL_SHAPE(m, n, k, __nv_bfloat16, float, float, a_count, b_count, __mma_bf16_##shape, , f32)
LW_BYTES(16, 16, 16, m16n16k16, 8, 8)
LW_BYTES(32, 8, 16, m32n8k16, 16, 4)
LW_BYTES(8, 32, 16, m8n32k16, 4, 16)

template <class Use, int m, int n, int k, class T, class Layout>
LW_WMMA void fill_fragment(fragment<Use, m, n, k, T, Layout>& fragment, const T& value) {
  for (int i = 0; i < fragment.num_elements; ++i)
    fragment.x[i] = value;
}

#undef LW_BYTES
#undef LW_SMALL_SHAPE
#undef LW_SHAPE
#undef LW_MULTIPLY
#undef LW_ACCUMULATOR
#undef LW_LOAD
#undef LW_CONST_INTS
#undef LW_INTS
#undef LW_FRAGMENT
#undef LW_FRAGMENT_MEMBERS
#undef LW_WMMA

}  // namespace wmma
}  // namespace nvcuda

#endif
#endif
