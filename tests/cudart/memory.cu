// Memory of every kind, copies of every dimension, pools, what is behind pointers.
#include <cuda_runtime.h>

#include <vector>

#include "check.h"

static void planes() {
  constexpr size_t kWidth = 100, kHeight = 7, kDepth = 3;
  std::vector<unsigned char> from(kWidth * kHeight), to(kWidth * kHeight);
  for (size_t i = 0; i < from.size(); ++i)
    from[i] = static_cast<unsigned char>(i * 7);
  unsigned char* p = nullptr;
  size_t pitch = 0;
  OK(cudaMallocPitch(&p, &pitch, kWidth, kHeight));
  CHECK(pitch >= kWidth);
  OK(cudaMemcpy2D(p, pitch, from.data(), kWidth, kWidth, kHeight, cudaMemcpyHostToDevice));
  OK(cudaMemcpy2D(to.data(), kWidth, p, pitch, kWidth, kHeight, cudaMemcpyDefault));
  CHECK(from == to);
  OK(cudaMemset2D(p, pitch, 9, 50, 2));
  OK(cudaMemcpy2DAsync(to.data(), kWidth, p, pitch, kWidth, kHeight, cudaMemcpyDeviceToHost, 0));
  OK(cudaStreamSynchronize(0));
  CHECK(to[49] == 9 && to[50] == from[50] && to[2 * kWidth] == from[2 * kWidth]);
  OK(cudaFree(p));

  cudaPitchedPtr box;
  OK(cudaMalloc3D(&box, make_cudaExtent(kWidth, kHeight, kDepth)));
  OK(cudaMemset3D(box, 1, make_cudaExtent(kWidth, kHeight, kDepth)));
  OK(cudaMemset3D(box, 5, make_cudaExtent(10, 2, kDepth)));
  std::vector<unsigned char> all(kWidth * kHeight * kDepth);
  cudaMemcpy3DParms copy = {};
  copy.srcPtr = box;
  copy.dstPtr = make_cudaPitchedPtr(all.data(), kWidth, kWidth, kHeight);
  copy.extent = make_cudaExtent(kWidth, kHeight, kDepth);
  copy.kind = cudaMemcpyDeviceToHost;
  OK(cudaMemcpy3D(&copy));
  CHECK(all[0] == 5 && all[10] == 1 && all[2 * kWidth] == 1);
  CHECK(all[2 * kWidth * kHeight + kWidth + 9] == 5 && all.back() == 1);
  OK(cudaFree(box.ptr));
}

static void host_memory() {
  int* pinned = nullptr;
  int* of_device = nullptr;
  OK(cudaMallocHost(&pinned, 4096));
  OK(cudaHostGetDevicePointer(&of_device, pinned, 0));
  cudaPointerAttributes attributes;
  OK(cudaPointerGetAttributes(&attributes, pinned));
  CHECK(attributes.type == cudaMemoryTypeHost && attributes.hostPointer == pinned);
  int local = 0;
  OK(cudaPointerGetAttributes(&attributes, &local));
  CHECK(attributes.type == cudaMemoryTypeUnregistered && attributes.devicePointer == nullptr);
  OK(cudaGetLastError());
  OK(cudaFreeHost(pinned));
  std::vector<char> own(1 << 16);
  OK(cudaHostRegister(own.data(), own.size(), cudaHostRegisterDefault));
  OK(cudaHostUnregister(own.data()));
  int* managed = nullptr;
  OK(cudaMallocManaged(&managed, sizeof(int)));
  *managed = 3;
  OK(cudaPointerGetAttributes(&attributes, managed));
  CHECK(attributes.type == cudaMemoryTypeManaged && attributes.device == 0);
  cudaMemLocation here = {cudaMemLocationTypeDevice, 0};
#if CUDART_VERSION < 13000
  OK(cudaMemAdvise(managed, sizeof(int), cudaMemAdviseSetReadMostly, 0));
  OK(cudaMemPrefetchAsync(managed, sizeof(int), 0, nullptr));
#else
  OK(cudaMemAdvise(managed, sizeof(int), cudaMemAdviseSetReadMostly, here));
  OK(cudaMemPrefetchAsync(managed, sizeof(int), here, 0, nullptr));
#endif
  int read_mostly = 0;
  OK(cudaMemRangeGetAttribute(&read_mostly, sizeof read_mostly, cudaMemRangeAttributeReadMostly,
                              managed, sizeof(int)));
  CHECK(read_mostly == 1);
  OK(cudaFree(managed));
  cudaMemPool_t pool = nullptr, same = nullptr;
  OK(cudaDeviceGetDefaultMemPool(&pool, 0));
  OK(cudaMemGetDefaultMemPool(&same, &here, cudaMemAllocationTypePinned));
  CHECK(pool == same);
}

static void pools() {
  cudaStream_t stream = nullptr;
  OK(cudaStreamCreate(&stream));
  int* p = nullptr;
  int value = 0;
  OK(cudaMallocAsync(&p, sizeof(int), stream));
  OK(cudaMemsetAsync(p, 1, sizeof(int), stream));
  OK(cudaMemcpyAsync(&value, p, sizeof value, cudaMemcpyDeviceToHost, stream));
  OK(cudaFreeAsync(p, stream));
  OK(cudaStreamSynchronize(stream));
  CHECK(value == 0x01010101);
  cudaMemPool_t pool = nullptr;
  unsigned long long threshold = 1 << 20;
  OK(cudaDeviceGetDefaultMemPool(&pool, 0));
  OK(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &threshold));
  OK(cudaMemPoolTrimTo(pool, 0));
  cudaMemPoolProps properties = {};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location.type = cudaMemLocationTypeDevice;
  OK(cudaMemPoolCreate(&pool, &properties));
  OK(cudaMallocAsync(&p, 4096, pool, stream));
  OK(cudaFreeAsync(p, stream));
  OK(cudaStreamSynchronize(stream));
  OK(cudaMemPoolDestroy(pool));
  OK(cudaStreamDestroy(stream));
}

int main() {
  size_t free = 0, total = 0;
  OK(cudaMemGetInfo(&free, &total));
  CHECK(free > 0 && free <= total);
  void* nothing = &free;
  OK(cudaMalloc(&nothing, 0));
  CHECK(nothing == nullptr);
  OK(cudaFree(nullptr));
  EXPECT_ERROR(cudaErrorMemoryAllocation, cudaMalloc(&nothing, size_t{1} << 50));
  cudaGetLastError();
  planes();
  host_memory();
  pools();
  return 0;
}
