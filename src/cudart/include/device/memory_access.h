/* Loads and stores with a cache hint: the Programming Guide's __ldcg() and its like. The hints mean
 * nothing here; the instructions are those that compilers emit. */
#pragma once
#include "define.h"

#define LW_LOAD(name, type, ptx, reg, carrier)                                  \
  LW_DEVICE type name(const type* from) {                                       \
    carrier value;                                                              \
    __asm__ __volatile__(ptx " %0, [%1];" : reg(value) : "l"(from) : "memory"); \
    return static_cast<type>(value);                                            \
  }
#define LW_STORE(name, type, ptx, reg, carrier)                      \
  LW_DEVICE void name(type* to, type value) {                        \
    __asm__ __volatile__(ptx " [%0], %1;"                            \
                         :                                           \
                         : "l"(to), reg(static_cast<carrier>(value)) \
                         : "memory");                                \
  }
#define LW_LOADS(name, hint)                                                    \
  LW_LOAD(name, char, "ld" hint ".s8", "=r", int)                               \
  LW_LOAD(name, signed char, "ld" hint ".s8", "=r", int)                        \
  LW_LOAD(name, unsigned char, "ld" hint ".u8", "=r", unsigned int)             \
  LW_LOAD(name, short, "ld" hint ".s16", "=h", short)                           \
  LW_LOAD(name, unsigned short, "ld" hint ".u16", "=h", unsigned short)         \
  LW_LOAD(name, int, "ld" hint ".s32", "=r", int)                               \
  LW_LOAD(name, unsigned int, "ld" hint ".u32", "=r", unsigned int)             \
  LW_LOAD(name, long, "ld" hint ".s64", "=l", long)                             \
  LW_LOAD(name, unsigned long, "ld" hint ".u64", "=l", unsigned long)           \
  LW_LOAD(name, long long, "ld" hint ".s64", "=l", long long)                   \
  LW_LOAD(name, unsigned long long, "ld" hint ".u64", "=l", unsigned long long) \
  LW_LOAD(name, float, "ld" hint ".f32", "=f", float)                           \
  LW_LOAD(name, double, "ld" hint ".f64", "=d", double)
#define LW_STORES(name, hint)                                                   \
  LW_STORE(name, char, "st" hint ".s8", "r", int)                               \
  LW_STORE(name, signed char, "st" hint ".s8", "r", int)                        \
  LW_STORE(name, unsigned char, "st" hint ".u8", "r", unsigned int)             \
  LW_STORE(name, short, "st" hint ".s16", "h", short)                           \
  LW_STORE(name, unsigned short, "st" hint ".u16", "h", unsigned short)         \
  LW_STORE(name, int, "st" hint ".s32", "r", int)                               \
  LW_STORE(name, unsigned int, "st" hint ".u32", "r", unsigned int)             \
  LW_STORE(name, long, "st" hint ".s64", "l", long)                             \
  LW_STORE(name, unsigned long, "st" hint ".u64", "l", unsigned long)           \
  LW_STORE(name, long long, "st" hint ".s64", "l", long long)                   \
  LW_STORE(name, unsigned long long, "st" hint ".u64", "l", unsigned long long) \
  LW_STORE(name, float, "st" hint ".f32", "f", float)                           \
  LW_STORE(name, double, "st" hint ".f64", "d", double)

LW_LOADS(__ldca, ".global.ca")
LW_LOADS(__ldcg, ".global.cg")
LW_LOADS(__ldcs, ".global.cs")
LW_LOADS(__ldlu, ".global.lu")
LW_LOADS(__ldcv, ".global.cv")
LW_STORES(__stwb, ".global.wb")
LW_STORES(__stcg, ".global.cg")
LW_STORES(__stcs, ".global.cs")
LW_STORES(__stwt, ".global.wt")
#undef LW_LOAD
#undef LW_STORE
#undef LW_LOADS
#undef LW_STORES

/* Vectors of four words, the widest that one instruction moves. */
#define LW_WIDE(type, part, letter)                                                           \
  LW_DEVICE type __ldcg(const type* from) {                                                   \
    type v;                                                                                   \
    __asm__ __volatile__("ld.global.cg.v4." part " {%0, %1, %2, %3}, [%4];"                   \
                         : "=" letter(v.x), "=" letter(v.y), "=" letter(v.z), "=" letter(v.w) \
                         : "l"(from)                                                          \
                         : "memory");                                                         \
    return v;                                                                                 \
  }                                                                                           \
  LW_DEVICE void __stcg(type* to, type v) {                                                   \
    __asm__ __volatile__("st.global.cg.v4." part " [%0], {%1, %2, %3, %4};"                   \
                         :                                                                    \
                         : "l"(to), letter(v.x), letter(v.y), letter(v.z), letter(v.w)        \
                         : "memory");                                                         \
  }
LW_WIDE(int4, "s32", "r")
LW_WIDE(uint4, "u32", "r")
LW_WIDE(float4, "f32", "f")
#undef LW_WIDE
