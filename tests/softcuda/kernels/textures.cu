// Textures and surfaces: filtering, address modes, formats, images.
#include "device_builtins.h"

// An image turned about its middle, between texels as the filter gives them.
extern "C" __global__ void rotate(cudaTextureObject_t image, float* out, int width, int height,
                                  float sine, float cosine) {
  const int x = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const int y = static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y);
  if (x >= width || y >= height) return;
  const float u = (static_cast<float>(x) + 0.5f) / static_cast<float>(width) - 0.5f;
  const float v = (static_cast<float>(y) + 0.5f) / static_cast<float>(height) - 0.5f;
  out[y * width + x] =
      tex2D<float>(image, u * cosine - v * sine + 0.5f, v * cosine + u * sine + 0.5f);
}

extern "C" __global__ void at_coordinates(cudaTextureObject_t texture, const float* x, float* out) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = tex1D<float>(texture, x[i]);
}

extern "C" __global__ void sum_linear(cudaTextureObject_t texture, const int* index, int* out) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  const int2 pair = tex1Dfetch<int2>(texture, index[i]);
  out[i] = pair.x + 1000 * pair.y;
}

extern "C" __global__ void colours(cudaTextureObject_t bytes, cudaTextureObject_t floats,
                                   uchar4* raw, float4* scaled) {
  const unsigned x = threadIdx.x, y = threadIdx.y, i = y * blockDim.x + x;
  const float u = static_cast<float>(x), v = static_cast<float>(y);
  raw[i] = tex2D<uchar4>(bytes, u, v);
  scaled[i] = tex2D<float4>(floats, u, v);
}

extern "C" __global__ void volume(cudaTextureObject_t texture, float* out, int size) {
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
  const int z = static_cast<int>(blockIdx.x);
  out[(z * size + y) * size + x] =
      tex3D<float>(texture, static_cast<float>(x) + 0.75f, static_cast<float>(y) + 1.0f,
                   static_cast<float>(z) + 0.5f);
}

extern "C" __global__ void layers(cudaTextureObject_t texture, float* out) {
  const int layer = static_cast<int>(blockIdx.x), x = static_cast<int>(threadIdx.x);
  out[layer * static_cast<int>(blockDim.x) + x] =
      tex2DLayered<float>(texture, static_cast<float>(x), 1.0f, layer);
}

extern "C" __global__ void corners(cudaTextureObject_t texture, float4* out) {
  *out = tex2Dgather<float4>(texture, 1.0f, 1.0f);
}

// Each element is doubled in place; what is outside reads as zero and is not written.
extern "C" __global__ void twice(cudaSurfaceObject_t surface, int width) {
  const int x = static_cast<int>(threadIdx.x) - 1, y = static_cast<int>(blockIdx.x);
  const int at = x * static_cast<int>(sizeof(float4));
  float4 value = surf2Dread<float4>(surface, at, y, cudaBoundaryModeZero);
  if (x < 0 || x >= width) value.x += 1;  // it was zero
  value = make_float4(2 * value.x, 2 * value.y, 2 * value.z, 2 * value.w);
  surf2Dwrite(value, surface, at, y, cudaBoundaryModeZero);
}

extern "C" __global__ void halves(cudaSurfaceObject_t surface, unsigned short* out) {
  const int x = static_cast<int>(threadIdx.x);
  out[x] = surf1Dread<unsigned short>(surface, 2 * x);
  surf1Dwrite<unsigned char>(static_cast<unsigned char>(x), surface, 2 * x);
}

// What CUDA C++ has no function for: PTX ISA, "txq" and "suq".
extern "C" __global__ void queries(cudaTextureObject_t texture, cudaSurfaceObject_t surface,
                                   unsigned* out) {
#define ASK(instruction, of) asm volatile(instruction " %0, [%1];" : "=r"(*out++) : "l"(of))
  ASK("txq.width.b32", texture);
  ASK("txq.height.b32", texture);
  ASK("txq.depth.b32", texture);
  ASK("txq.array_size.b32", texture);
  ASK("txq.channel_data_type.b32", texture);
  ASK("txq.channel_order.b32", texture);
  ASK("txq.normalized_coords.b32", texture);
  ASK("txq.num_mipmap_levels.b32", texture);
  ASK("txq.num_samples.b32", texture);
  ASK("txq.filter_mode.b32", texture);
  ASK("txq.addr_mode_1.b32", texture);
  ASK("suq.width.b32", surface);
  ASK("suq.height.b32", surface);
  ASK("suq.channel_data_type.b32", surface);
  ASK("suq.channel_order.b32", surface);
  ASK("suq.array_size.b32", surface);
  ASK("suq.memory_layout.b32", surface);
#undef ASK
}

extern "C" __global__ void levels(cudaTextureObject_t texture, const float* level, float* by_level,
                                  float* by_gradient) {
  const unsigned i = threadIdx.x;
  by_level[i] = tex2DLod<float>(texture, 0.9f, 0.9f, level[i]);
  const float step = exp2f(level[i]) / 8;  // of eight texels
  by_gradient[i] =
      tex2DGrad<float>(texture, 0.9f, 0.9f, make_float2(step, 0), make_float2(0, step / 2));
}

extern "C" __global__ void faces(cudaTextureObject_t cube, cudaTextureObject_t cubes,
                                 const float3* directions, float* out, float* second) {
  const unsigned i = threadIdx.x;
  const float3 d = directions[i];
  out[i] = texCubemap<float>(cube, d.x, d.y, d.z);
  second[i] = texCubemapLayered<float>(cubes, d.x, d.y, d.z, 1);
}
