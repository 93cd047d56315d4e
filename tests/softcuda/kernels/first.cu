// Elementwise kernels, divergence, recursion, calls through pointers.
#include "device_builtins.h"

static __device__ int global_index() { return blockIdx.x * blockDim.x + threadIdx.x; }

extern "C" __global__ void vector_add(const float* a, const float* b, float* c, int n) {
  const int i = global_index();
  if (i < n) c[i] = a[i] + b[i];
}

extern "C" __global__ void saxpy(float a, const float* x, float* y, int n) {
  for (int i = global_index(); i < n; i += gridDim.x * blockDim.x) y[i] = a * x[i] + y[i];
}

// Four numbers at a time, as bandwidth tests do.
extern "C" __global__ void triad(const float4* a, const float4* b, float4* c, float scale, int n) {
  const int i = global_index();
  if (i >= n) return;
  const float4 left = a[i], right = b[i];
  c[i] = make_float4(left.x + scale * right.x, left.y + scale * right.y, left.z + scale * right.z,
                     left.w + scale * right.w);
}

extern "C" __global__ void mandelbrot(int* out, int width, int height, int most) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;
  const double cr = -2.0 + 3.0 * x / width, ci = -1.5 + 3.0 * y / height;
  double zr = 0, zi = 0;
  int i = 0;
  while (i < most && __dadd_rn(__dmul_rn(zr, zr), __dmul_rn(zi, zi)) <= 4) {
    const double next = __dadd_rn(__dsub_rn(__dmul_rn(zr, zr), __dmul_rn(zi, zi)), cr);
    zi = __dadd_rn(__dmul_rn(2 * zr, zi), ci);
    zr = next;
    ++i;
  }
  out[y * width + x] = i;
}

extern "C" __global__ void collatz(const unsigned* from, unsigned* steps, int n) {
  const int i = global_index();
  if (i >= n) return;
  unsigned count = 0;
  for (unsigned long long value = from[i]; value != 1; ++count)
    value = value % 2 == 0 ? value / 2 : 3 * value + 1;
  steps[i] = count;
}

__attribute__((noinline)) __device__ int ackermann(int m, int n) {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}
extern "C" __global__ void recursion(int* out, int m) {
  out[threadIdx.x] = ackermann(m, threadIdx.x & 3);
}

// Lanes call different functions.
typedef int (*Operation)(int, int);
__attribute__((noinline)) __device__ int add(int a, int b) { return a + b; }
__attribute__((noinline)) __device__ int subtract(int a, int b) { return a - b; }
__attribute__((noinline)) __device__ int multiply(int a, int b) { return a * b; }
__attribute__((noinline)) __device__ int remainder_of(int a, int b) { return a % b; }
__device__ Operation operations[4] = {add, subtract, multiply, remainder_of};
extern "C" __global__ void virtual_calls(const int* a, const int* b, int* out, int n) {
  const int i = global_index();
  if (i < n) out[i] = operations[a[i] & 3](a[i], b[i]);
}

struct Shape {
  __device__ virtual float area() const = 0;
};
struct Square : Shape {
  float side;
  __device__ explicit Square(float s) : side(s) {}
  __device__ float area() const override { return side * side; }
};
struct Box : Shape {
  float a, b;
  __device__ Box(float x, float y) : a(x), b(y) {}
  __device__ float area() const override { return a * b; }
};
extern "C" __global__ void virtual_methods(float* out) {
  const float x = static_cast<float>(threadIdx.x);
  Square square(x);
  Box box(x, x + 1);
  const Shape* shape = threadIdx.x % 3 == 0 ? static_cast<const Shape*>(&square) : &box;
  out[threadIdx.x] = shape->area();
}

// A switch of many cases, some of which fall through.
extern "C" __global__ void interpreter(const unsigned char* program, int length, int* out) {
  int stack[8], top = 0;
  for (int at = 0; at < length; ++at) {
    switch (program[at]) {
      case 0: stack[top++] = threadIdx.x; break;
      case 1: stack[top++] = at; break;
      case 2: --top; stack[top - 1] += stack[top]; break;
      case 3: --top; stack[top - 1] *= stack[top]; break;
      case 4: --top; stack[top - 1] ^= stack[top]; break;
      case 5: stack[top] = stack[top - 1]; ++top; break;
      case 6: at += stack[top - 1] & 1; break;
      default: stack[top - 1] = -stack[top - 1];
    }
  }
  out[threadIdx.x] = stack[top - 1];
}

struct Particle {
  double mass;
  float position[3];
  short charge;
  char tag;
};
extern "C" __global__ void structs(Particle whole, Particle* each) {
  Particle mine = each[threadIdx.x];
  for (int i = 0; i < 3; ++i) mine.position[i] += whole.position[(i + threadIdx.x) % 3];
  mine.mass *= whole.mass;
  mine.charge = static_cast<short>(mine.charge * whole.charge);
  mine.tag = static_cast<char>(mine.tag ^ whole.tag);
  each[threadIdx.x] = mine;
}

// Black and Scholes' price of a call and a put.
static __device__ float cumulative_normal(float d) { return 0.5f * erfcf(-d * 0.70710678f); }
extern "C" __global__ void black_scholes(const float* price, const float* strike, const float* years,
                                         float* call, float* put, float rate, float volatility,
                                         int n) {
  const int i = global_index();
  if (i >= n) return;
  const float root = sqrtf(years[i]);
  const float d1 = (logf(price[i] / strike[i]) +
                    (rate + 0.5f * volatility * volatility) * years[i]) / (volatility * root);
  const float d2 = d1 - volatility * root;
  const float discount = expf(-rate * years[i]);
  call[i] = price[i] * cumulative_normal(d1) - strike[i] * discount * cumulative_normal(d2);
  put[i] = strike[i] * discount * cumulative_normal(-d2) - price[i] * cumulative_normal(-d1);
}

extern "C" __global__ void n_body(const float4* bodies, float4* accelerations, int n, float soft) {
  __shared__ float4 tile[64];
  const int i = global_index();
  const float4 mine = bodies[i];
  float ax = 0, ay = 0, az = 0;
  for (int from = 0; from < n; from += blockDim.x) {
    tile[threadIdx.x] = bodies[from + threadIdx.x];
    __syncthreads();
    for (unsigned j = 0; j < blockDim.x; ++j) {
      const float dx = tile[j].x - mine.x, dy = tile[j].y - mine.y, dz = tile[j].z - mine.z;
      const float inverse = rsqrtf(dx * dx + dy * dy + dz * dz + soft);
      const float force = tile[j].w * inverse * inverse * inverse;
      ax += dx * force;
      ay += dy * force;
      az += dz * force;
    }
    __syncthreads();
  }
  accelerations[i] = make_float4(ax, ay, az, 0);
}

// SHA-256 of one block of 64 bytes each.
__constant__ unsigned sha_constants[64];
static __device__ unsigned rotate(unsigned x, int n) { return __funnelshift_r(x, x, n); }
extern "C" __global__ void sha256(const unsigned* messages, unsigned* digests) {
  const int i = global_index();
  unsigned w[64];
  for (int t = 0; t < 16; ++t) w[t] = __byte_perm(messages[i * 16 + t], 0, 0x0123);
  for (int t = 16; t < 64; ++t) {
    const unsigned a = w[t - 15], b = w[t - 2];
    w[t] = w[t - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ (a >> 3)) + w[t - 7] +
           (rotate(b, 17) ^ rotate(b, 19) ^ (b >> 10));
  }
  unsigned s[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  unsigned v[8];
  for (int k = 0; k < 8; ++k) v[k] = s[k];
  for (int t = 0; t < 64; ++t) {
    const unsigned e = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
    const unsigned t1 = v[7] + e + ((v[4] & v[5]) ^ (~v[4] & v[6])) + sha_constants[t] + w[t];
    const unsigned a = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
    const unsigned t2 = a + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
    for (int k = 7; k > 0; --k) v[k] = v[k - 1];
    v[4] += t1;
    v[0] = t1 + t2;
  }
  for (int k = 0; k < 8; ++k) digests[i * 8 + k] = s[k] + v[k];
}
