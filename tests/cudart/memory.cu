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

// Textures say how they were made.
static void described() {
  cudaArray_t array = nullptr;
  const cudaChannelFormatDesc bytes = {8, 8, 8, 8, cudaChannelFormatKindUnsigned};
  OK(cudaMallocArray(&array, &bytes, 4, 4, cudaArraySurfaceLoadStore));
  cudaResourceDesc resource = {}, of = {};
  resource.resType = cudaResourceTypeArray;
  resource.res.array.array = array;
  cudaTextureDesc description = {}, as = {};
  description.addressMode[1] = cudaAddressModeMirror;
  description.readMode = cudaReadModeNormalizedFloat;
  description.normalizedCoords = 1;
  description.borderColor[2] = 5;
  cudaTextureObject_t texture = 0;
  cudaSurfaceObject_t surface = 0;
  OK(cudaCreateTextureObject(&texture, &resource, &description, nullptr));
  OK(cudaGetTextureObjectResourceDesc(&of, texture));
  CHECK(of.resType == cudaResourceTypeArray && of.res.array.array == array);
  OK(cudaGetTextureObjectTextureDesc(&as, texture));
  CHECK(as.addressMode[1] == cudaAddressModeMirror && as.normalizedCoords == 1);
  CHECK(as.readMode == cudaReadModeNormalizedFloat && as.borderColor[2] == 5 && as.sRGB == 0);
  OK(cudaDestroyTextureObject(texture));
  EXPECT_ERROR(cudaErrorInvalidValue, cudaGetTextureObjectTextureDesc(&as, texture));
  OK(cudaCreateSurfaceObject(&surface, &resource));
  OK(cudaGetSurfaceObjectResourceDesc(&of, surface));
  CHECK(of.res.array.array == array);
  OK(cudaDestroySurfaceObject(surface));
  OK(cudaFreeArray(array));
  void* memory = nullptr;
  OK(cudaMalloc(&memory, 1 << 12));
  resource = {};
  resource.resType = cudaResourceTypeLinear;
  resource.res.linear.devPtr = memory;
  resource.res.linear.desc = bytes;
  resource.res.linear.sizeInBytes = 1 << 12;
  description = {};
  OK(cudaCreateTextureObject(&texture, &resource, &description, nullptr));
  OK(cudaGetTextureObjectResourceDesc(&of, texture));
  CHECK(of.res.linear.devPtr == memory && of.res.linear.desc.w == 8);
  OK(cudaDestroyTextureObject(texture));
  OK(cudaFree(memory));
  size_t most = 0;
  OK(cudaDeviceGetTexture1DLinearMaxWidth(&most, &bytes, 0));
  CHECK(most > 1 << 20);
}

static void managed() {
  void* memory = nullptr;
  cudaStream_t stream = nullptr;
  OK(cudaStreamCreate(&stream));
  OK(cudaMallocManaged(&memory, 8192));
  size_t bytes = 8192, index = 0;
  cudaMemLocation to = {cudaMemLocationTypeDevice, 0};
  OK(cudaMemPrefetchBatchAsync(&memory, &bytes, 1, &to, &index, 1, 0, stream));
  OK(cudaMemDiscardBatchAsync(&memory, &bytes, 1, 0, stream));
  OK(cudaMemDiscardAndPrefetchBatchAsync(&memory, &bytes, 1, &to, &index, 1, 0, stream));
  OK(cudaStreamSynchronize(stream));
  unsigned can = 0;
  const cudaAtomicOperation add = cudaAtomicOperationIntegerAdd;
  OK(cudaDeviceGetHostAtomicCapabilities(&can, &add, 1, 0));
  CHECK(can != 0);
  OK(cudaFree(memory));
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
  described();
  managed();
  return 0;
}
