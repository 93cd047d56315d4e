/* Texture objects in device code: tex2D<float4>(object, x, y) and its like, of the CUDA C++
   Programming Guide ("Texture Functions"). */
#pragma once
#include "runtime/array.h"
#include "texels.h"

#define LW_FETCH_AS(name, type, ptx, reg, parameters, form, ...)                            \
  LW_DEVICE void name(__lw_four<type>& v, cudaTextureObject_t object, LW_LIST parameters) { \
    __asm__ __volatile__(ptx " {%0, %1, %2, %3}, [%4, " form "; "                           \
                         : reg(v.x), reg(v.y), reg(v.z), reg(v.w)                           \
                         : "l"(object), __VA_ARGS__);                                       \
  }
#define LW_LIST(...) __VA_ARGS__
#define LW_FETCH(name, geometry, coordinate, parameters, form, ...)                             \
  LW_FETCH_AS(name, float, geometry ".v4.f32." coordinate, "=f", parameters, form, __VA_ARGS__) \
  LW_FETCH_AS(name, int, geometry ".v4.s32." coordinate, "=r", parameters, form, __VA_ARGS__)   \
  LW_FETCH_AS(name, unsigned int, geometry ".v4.u32." coordinate, "=r", parameters, form,       \
              __VA_ARGS__)

LW_FETCH(__lw_tex1Dfetch, "tex.1d", "s32", (int x), "{%5}]", "r"(x))
LW_FETCH(__lw_tex1D, "tex.1d", "f32", (float x), "{%5}]", "f"(x))
LW_FETCH(__lw_tex2D, "tex.2d", "f32", (float x, float y), "{%5, %6}]", "f"(x), "f"(y))
LW_FETCH(__lw_tex3D, "tex.3d", "f32", (float x, float y, float z), "{%5, %6, %7, %7}]", "f"(x),
         "f"(y), "f"(z))
LW_FETCH(__lw_tex1DLayered, "tex.a1d", "f32", (float x, int layer), "{%6, %5}]", "f"(x), "r"(layer))
LW_FETCH(__lw_tex2DLayered, "tex.a2d", "f32", (float x, float y, int layer), "{%7, %5, %6, %6}]",
         "f"(x), "f"(y), "r"(layer))
LW_FETCH(__lw_texCube, "tex.cube", "f32", (float x, float y, float z), "{%5, %6, %7, %7}]", "f"(x),
         "f"(y), "f"(z))
LW_FETCH(__lw_texCubeLayered, "tex.acube", "f32", (float x, float y, float z, int layer),
         "{%8, %5, %6, %7}]", "f"(x), "f"(y), "f"(z), "r"(layer))
/* The level comes after the coordinates, as gradients do. */
LW_FETCH(__lw_tex1DLod, "tex.level.1d", "f32", (float x, float lod), "{%5}], %6", "f"(x), "f"(lod))
LW_FETCH(__lw_tex2DLod, "tex.level.2d", "f32", (float x, float y, float lod), "{%5, %6}], %7",
         "f"(x), "f"(y), "f"(lod))
LW_FETCH(__lw_tex3DLod, "tex.level.3d", "f32", (float x, float y, float z, float lod),
         "{%5, %6, %7, %7}], %8", "f"(x), "f"(y), "f"(z), "f"(lod))
LW_FETCH(__lw_tex1DLayeredLod, "tex.level.a1d", "f32", (float x, int layer, float lod),
         "{%6, %5}], %7", "f"(x), "r"(layer), "f"(lod))
LW_FETCH(__lw_tex2DLayeredLod, "tex.level.a2d", "f32", (float x, float y, int layer, float lod),
         "{%7, %5, %6, %6}], %8", "f"(x), "f"(y), "r"(layer), "f"(lod))
LW_FETCH(__lw_texCubeLod, "tex.level.cube", "f32", (float x, float y, float z, float lod),
         "{%5, %6, %7, %7}], %8", "f"(x), "f"(y), "f"(z), "f"(lod))
LW_FETCH(__lw_texCubeLayeredLod, "tex.level.acube", "f32",
         (float x, float y, float z, int layer, float lod), "{%8, %5, %6, %7}], %9", "f"(x), "f"(y),
         "f"(z), "r"(layer), "f"(lod))
LW_FETCH(__lw_tex1DGrad, "tex.grad.1d", "f32", (float x, float dx, float dy), "{%5}], {%6}, {%7}",
         "f"(x), "f"(dx), "f"(dy))
LW_FETCH(__lw_tex2DGrad, "tex.grad.2d", "f32", (float x, float y, float2 dx, float2 dy),
         "{%5, %6}], {%7, %8}, {%9, %10}", "f"(x), "f"(y), "f"(dx.x), "f"(dx.y), "f"(dy.x),
         "f"(dy.y))
LW_FETCH(__lw_tex3DGrad, "tex.grad.3d", "f32", (float x, float y, float z, float4 dx, float4 dy),
         "{%5, %6, %7, %7}], {%8, %9, %10, %10}, {%11, %12, %13, %13}", "f"(x), "f"(y), "f"(z),
         "f"(dx.x), "f"(dx.y), "f"(dx.z), "f"(dy.x), "f"(dy.y), "f"(dy.z))
LW_FETCH(__lw_gather0, "tld4.r.2d", "f32", (float x, float y), "{%5, %6}]", "f"(x), "f"(y))
LW_FETCH(__lw_gather1, "tld4.g.2d", "f32", (float x, float y), "{%5, %6}]", "f"(x), "f"(y))
LW_FETCH(__lw_gather2, "tld4.b.2d", "f32", (float x, float y), "{%5, %6}]", "f"(x), "f"(y))
LW_FETCH(__lw_gather3, "tld4.a.2d", "f32", (float x, float y), "{%5, %6}]", "f"(x), "f"(y))
#undef LW_FETCH
#undef LW_FETCH_AS

/* The value, or to a place. */
#define LW_TEXTURE(name, raw, parameters, ...)                                 \
  template <class T>                                                           \
  LW_DEVICE T name(cudaTextureObject_t object, LW_LIST parameters) {           \
    __lw_four<typename __lw_texel<T>::carrier> texel;                          \
    raw(texel, object, __VA_ARGS__);                                           \
    return __lw_texel<T>::from(texel);                                         \
  }                                                                            \
  template <class T>                                                           \
  LW_DEVICE void name(T* to, cudaTextureObject_t object, LW_LIST parameters) { \
    __lw_four<typename __lw_texel<T>::carrier> texel;                          \
    raw(texel, object, __VA_ARGS__);                                           \
    *to = __lw_texel<T>::from(texel);                                          \
  }
LW_TEXTURE(tex1Dfetch, __lw_tex1Dfetch, (int x), x)
LW_TEXTURE(tex1D, __lw_tex1D, (float x), x)
LW_TEXTURE(tex2D, __lw_tex2D, (float x, float y), x, y)
LW_TEXTURE(tex3D, __lw_tex3D, (float x, float y, float z), x, y, z)
LW_TEXTURE(tex1DLayered, __lw_tex1DLayered, (float x, int layer), x, layer)
LW_TEXTURE(tex2DLayered, __lw_tex2DLayered, (float x, float y, int layer), x, y, layer)
LW_TEXTURE(texCubemap, __lw_texCube, (float x, float y, float z), x, y, z)
LW_TEXTURE(texCubemapLayered, __lw_texCubeLayered, (float x, float y, float z, int layer), x, y, z,
           layer)
LW_TEXTURE(tex1DLod, __lw_tex1DLod, (float x, float lod), x, lod)
LW_TEXTURE(tex2DLod, __lw_tex2DLod, (float x, float y, float lod), x, y, lod)
LW_TEXTURE(tex3DLod, __lw_tex3DLod, (float x, float y, float z, float lod), x, y, z, lod)
LW_TEXTURE(tex1DLayeredLod, __lw_tex1DLayeredLod, (float x, int layer, float lod), x, layer, lod)
LW_TEXTURE(tex2DLayeredLod, __lw_tex2DLayeredLod, (float x, float y, int layer, float lod), x, y,
           layer, lod)
LW_TEXTURE(texCubemapLod, __lw_texCubeLod, (float x, float y, float z, float lod), x, y, z, lod)
LW_TEXTURE(texCubemapLayeredLod, __lw_texCubeLayeredLod,
           (float x, float y, float z, int layer, float lod), x, y, z, layer, lod)
LW_TEXTURE(tex1DGrad, __lw_tex1DGrad, (float x, float dx, float dy), x, dx, dy)
LW_TEXTURE(tex2DGrad, __lw_tex2DGrad, (float x, float y, float2 dx, float2 dy), x, y, dx, dy)
LW_TEXTURE(tex3DGrad, __lw_tex3DGrad, (float x, float y, float z, float4 dx, float4 dy), x, y, z,
           dx, dy)
#undef LW_TEXTURE
#undef LW_LIST

template <class T>
LW_DEVICE T tex2Dgather(cudaTextureObject_t object, float x, float y, int component = 0) {
  __lw_four<typename __lw_texel<T>::carrier> texel;
  switch (component) {
    case 0:
      __lw_gather0(texel, object, x, y);
      break;
    case 1:
      __lw_gather1(texel, object, x, y);
      break;
    case 2:
      __lw_gather2(texel, object, x, y);
      break;
    default:
      __lw_gather3(texel, object, x, y);
      break;
  }
  return __lw_texel<T>::from(texel);
}
