// Two discs of stars fall through each other: every body is drawn by every other one. The last state
// becomes a picture.     n_body [--bodies N] [--steps N] [--out FILE.png]
//
// What to look at: tiles in shared memory, which a block loads together and then all its threads
// read; atomics, by which many bodies add their light to one pixel; events, which measure time.
#include <png.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "../check.h"

namespace {

constexpr int kTile = 128;  // threads of a block, and bodies that are in shared memory at a time
constexpr int kWidth = 960, kHeight = 540;
constexpr int kGlow = 7;  // pixels from a body that it lights
constexpr float kStep = 0.01f, kSoftening = 0.0025f;

}  // namespace

// x, y, z and mass. Each thread owns one body and sums what all others do to it.
__global__ void accelerate(const float4* bodies, float3* velocities, int n) {
  __shared__ float4 tile[kTile];
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const float4 mine = bodies[i];
  float3 sum = make_float3(0, 0, 0);
  for (int from = 0; from < n; from += kTile) {
    tile[threadIdx.x] = bodies[from + threadIdx.x];
    __syncthreads();  // the tile is there
    for (int j = 0; j < kTile; ++j) {
      const float dx = tile[j].x - mine.x, dy = tile[j].y - mine.y, dz = tile[j].z - mine.z;
      const float inverse = rsqrtf(dx * dx + dy * dy + dz * dz + kSoftening);
      const float pull = tile[j].w * inverse * inverse * inverse;
      sum.x += dx * pull;
      sum.y += dy * pull;
      sum.z += dz * pull;
    }
    __syncthreads();  // nobody reads it any more
  }
  velocities[i].x += sum.x * kStep;
  velocities[i].y += sum.y * kStep;
  velocities[i].z += sum.z * kStep;
}

__global__ void move(float4* bodies, const float3* velocities) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  bodies[i].x += velocities[i].x * kStep;
  bodies[i].y += velocities[i].y * kStep;
  bodies[i].z += velocities[i].z * kStep;
}

// Red, green and blue light of a pixel are counts: sums of integers do not depend on their order.
__global__ void draw(const float4* bodies, const float3* velocities, unsigned* light) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const float4 body = bodies[i];
  const float3 v = velocities[i];
  const float away = 1 / (4 + body.z);
  const float x = kWidth * (0.5f + body.x * away * 1.05f);
  const float y = kHeight * (0.5f + body.y * away * 1.87f);
  const float heat = fminf(1.0f, sqrtf(v.x * v.x + v.y * v.y + v.z * v.z) * 0.45f);
  for (int dy = -kGlow; dy <= kGlow; ++dy) {
    for (int dx = -kGlow; dx <= kGlow; ++dx) {
      const int px = static_cast<int>(x) + dx, py = static_cast<int>(y) + dy;
      if (px < 0 || py < 0 || px >= kWidth || py >= kHeight) continue;
      const float far = (px + 0.5f - x) * (px + 0.5f - x) + (py + 0.5f - y) * (py + 0.5f - y);
      const float glow = 90 * expf(-far * 0.6f) + 8 * expf(-far * 0.06f);
      unsigned* pixel = light + 3 * (py * kWidth + px);
      atomicAdd(pixel, static_cast<unsigned>(glow * (1.3f - 1.0f * heat)));
      atomicAdd(pixel + 1, static_cast<unsigned>(glow * (0.6f + 0.2f * heat)));
      atomicAdd(pixel + 2, static_cast<unsigned>(glow * (0.3f + 1.2f * heat)));
    }
  }
}

// What is bright stays below white.
__global__ void expose(const unsigned* light, unsigned char* pixels, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) pixels[i] = static_cast<unsigned char>(255 * (1 - expf(-0.012f * light[i])));
}

namespace {

struct Options {
  int bodies = 3072, steps = 60;
  std::string out = "particles.png";
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--bodies") == 0) options.bodies = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--steps") == 0) options.steps = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--out") == 0) options.out = argv[i + 1];
  }
  options.bodies = (std::max(options.bodies, 1) + kTile - 1) / kTile * kTile;  // whole blocks
  return options;
}

// Two discs, each turning about a heavy body in its middle; the same in every run.
void place(std::vector<float4>& bodies, std::vector<float3>& velocities) {
  std::mt19937 random(7);
  const auto unit = [&] { return static_cast<float>(random() >> 8) * 0x1p-24f; };
  const size_t half = bodies.size() / 2;
  for (size_t i = 0; i < bodies.size(); ++i) {
    const bool second = i >= half;
    const float side = second ? 1.0f : -1.0f, tilt = second ? 0.9f : 0.3f;
    const float3 middle = make_float3(side * 1.1f, side * 0.25f, 0);
    const bool heavy = i == 0 || i == half;
    const float radius = heavy ? 0 : 0.08f + 0.72f * std::sqrt(unit()), angle = 6.2831853f * unit();
    const float x = radius * std::cos(angle), y = radius * std::sin(angle);
    bodies[i] = make_float4(middle.x + x, middle.y + y * std::cos(tilt), y * std::sin(tilt),
                            heavy ? 0.6f : 0.4f / static_cast<float>(half));
    const float within = 0.6f + 0.4f * radius * radius;  // the mass that it goes round
    const float speed = heavy ? 0 : std::sqrt(within * radius / (radius * radius + kSoftening));
    const float vx = -speed * std::sin(angle), vy = speed * std::cos(angle);
    velocities[i] = make_float3(vx - side * 0.7f, vy * std::cos(tilt), vy * std::sin(tilt));
  }
}

// Bodies pull each other equally, so the momentum of all stays what it was: a check that needs no
// second simulation.
float3 momentum(const std::vector<float4>& bodies, const std::vector<float3>& velocities) {
  double x = 0, y = 0, z = 0;
  for (size_t i = 0; i < bodies.size(); ++i) {
    x += double(bodies[i].w) * velocities[i].x;
    y += double(bodies[i].w) * velocities[i].y;
    z += double(bodies[i].w) * velocities[i].z;
  }
  return make_float3(float(x), float(y), float(z));
}

void write_png(const std::string& path, const std::vector<unsigned char>& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = kWidth;
  image.height = kHeight;
  image.format = PNG_FORMAT_RGB;
  if (png_image_write_to_file(&image, path.c_str(), 0, pixels.data(), 0, nullptr) == 0) {
    std::fprintf(stderr, "cannot write %s: %s\n", path.c_str(), image.message);
    std::exit(1);
  }
}

template <class T>
T* to_device(const std::vector<T>& values) {
  T* there = nullptr;
  CHECK_CUDA(cudaMalloc(&there, values.size() * sizeof(T)));
  CHECK_CUDA(cudaMemcpy(there, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice));
  return there;
}

// All steps are put into the stream at once; the events around them are reached in its order.
float simulate(const Options& options, float4* bodies, float3* velocities) {
  const int blocks = options.bodies / kTile;
  cudaEvent_t begin, end;
  CHECK_CUDA(cudaEventCreate(&begin));
  CHECK_CUDA(cudaEventCreate(&end));
  CHECK_CUDA(cudaEventRecord(begin));
  for (int step = 0; step < options.steps; ++step) {
    accelerate<<<blocks, kTile>>>(bodies, velocities, options.bodies);
    move<<<blocks, kTile>>>(bodies, velocities);
  }
  CHECK_CUDA(cudaEventRecord(end));
  CHECK_CUDA(cudaEventSynchronize(end));
  float ms = 0;
  CHECK_CUDA(cudaEventElapsedTime(&ms, begin, end));
  CHECK_CUDA(cudaEventDestroy(begin));
  CHECK_CUDA(cudaEventDestroy(end));
  return ms;
}

std::vector<unsigned char> picture(const float4* bodies, const float3* velocities, int count) {
  constexpr int kValues = 3 * kWidth * kHeight;
  unsigned* light = to_device(std::vector<unsigned>(kValues));
  unsigned char* on_device = to_device(std::vector<unsigned char>(kValues));
  draw<<<count / kTile, kTile>>>(bodies, velocities, light);
  expose<<<(kValues + 255) / 256, 256>>>(light, on_device, kValues);
  std::vector<unsigned char> pixels(kValues);
  CHECK_CUDA(cudaMemcpy(pixels.data(), on_device, kValues, cudaMemcpyDeviceToHost));
  CHECK_CUDA(cudaFree(light));
  CHECK_CUDA(cudaFree(on_device));
  return pixels;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  std::vector<float4> bodies(static_cast<size_t>(options.bodies));
  std::vector<float3> velocities(bodies.size());
  place(bodies, velocities);
  const float3 before = momentum(bodies, velocities);

  float4* on_device = to_device(bodies);
  float3* speeds = to_device(velocities);
  const float ms = simulate(options, on_device, speeds);
  write_png(options.out, picture(on_device, speeds, options.bodies));
  CHECK_CUDA(cudaMemcpy(velocities.data(), speeds, velocities.size() * sizeof(float3),
                        cudaMemcpyDeviceToHost));
  CHECK_CUDA(cudaFree(on_device));
  CHECK_CUDA(cudaFree(speeds));

  const float3 after = momentum(bodies, velocities);
  const float drift = std::fabs(after.x - before.x) + std::fabs(after.y - before.y) +
                      std::fabs(after.z - before.z);
  const double pairs = double(options.bodies) * options.bodies * options.steps;
  std::printf("%d bodies, %d steps: %.1f ms, %.0f million interactions a second\n", options.bodies,
              options.steps, ms, pairs / ms / 1000);
  std::printf("picture: %s\n", options.out.c_str());
  if (!(drift < 1e-3f)) {
    std::printf("result: wrong, their momentum has changed by %g\n", drift);
    return 1;
  }
  std::printf("result: their momentum has changed by less than 0.001\n");
  return 0;
}
