// Copies in batches, between devices in three dimensions, and of bytes to and from arrays; the
// occupancy of clusters.
#include <cuda_runtime.h>

#include <vector>

#include "check.h"

static cudaError_t batch(void** to, void** from, size_t* bytes, size_t count,
                         cudaMemcpyAttributes* attributes, size_t* indices, size_t number,
                         cudaStream_t stream) {
#if CUDART_VERSION < 13000
  size_t failed = 0;
  return cudaMemcpyBatchAsync(to, from, bytes, count, attributes, indices, number, &failed, stream);
#else
  return cudaMemcpyBatchAsync(to, from, bytes, count, attributes, indices, number, stream);
#endif
}

static cudaError_t batch_3d(size_t count, cudaMemcpy3DBatchOp* copies, cudaStream_t stream) {
#if CUDART_VERSION < 13000
  size_t failed = 0;
  return cudaMemcpy3DBatchAsync(count, copies, &failed, 0, stream);
#else
  return cudaMemcpy3DBatchAsync(count, copies, 0, stream);
#endif
}

static void batches() {
  cudaStream_t stream = nullptr;
  int* memory = nullptr;
  OK(cudaStreamCreate(&stream));
  OK(cudaMalloc(&memory, 16 * sizeof(int)));
  OK(cudaMemset(memory, 0, 16 * sizeof(int)));
  int one = 1, two = 2;
  void* to[] = {memory + 3, memory + 5};
  void* from[] = {&one, &two};
  size_t bytes[] = {sizeof(int), sizeof(int)}, index = 0;
  cudaMemcpyAttributes attributes = {};
  attributes.srcAccessOrder = cudaMemcpySrcAccessOrderDuringApiCall;
  OK(batch(to, from, bytes, 2, &attributes, &index, 1, stream));
  one = two = 0;
  EXPECT_ERROR(cudaErrorInvalidValue, batch(to, from, bytes, 2, &attributes, &index, 1, nullptr));
  EXPECT_ERROR(cudaErrorInvalidValue, cudaGetLastError());

  std::vector<int> rows(6);
  cudaMemcpy3DBatchOp copy = {};
  copy.src.type = copy.dst.type = cudaMemcpyOperandTypePointer;
  copy.src.op.ptr.ptr = memory;
  copy.src.op.ptr.rowLength = 4 * sizeof(int);
  copy.dst.op.ptr.ptr = rows.data();
  copy.extent = make_cudaExtent(2 * sizeof(int), 2, 1);
  copy.srcAccessOrder = cudaMemcpySrcAccessOrderStream;
  copy.src.op.ptr.ptr = memory + 2;
  OK(batch_3d(1, &copy, stream));
  OK(cudaStreamSynchronize(stream));
  CHECK((rows == std::vector<int>{0, 1, 0, 0, 0, 0}));
  OK(cudaFree(memory));
  OK(cudaStreamDestroy(stream));
}

static void between_devices() {
  char *from = nullptr, *to = nullptr;
  OK(cudaMalloc(&from, 64));
  OK(cudaMalloc(&to, 64));
  OK(cudaMemset(from, 5, 64));
  OK(cudaMemset(to, 0, 64));
  cudaMemcpy3DPeerParms copy = {};
  copy.srcPtr = make_cudaPitchedPtr(from, 8, 8, 2);
  copy.dstPtr = make_cudaPitchedPtr(to, 16, 16, 2);
  copy.extent = make_cudaExtent(8, 2, 2);
  OK(cudaMemcpy3DPeer(&copy));
  char back[64];
  OK(cudaMemcpy(back, to, sizeof back, cudaMemcpyDeviceToHost));
  for (int i = 0; i < 64; ++i)
    CHECK(back[i] == (i % 16 < 8 ? 5 : 0));
  copy.dstDevice = 99;
  EXPECT_ERROR(cudaErrorInvalidDevice, cudaMemcpy3DPeer(&copy));
  EXPECT_ERROR(cudaErrorInvalidValue, cudaMemcpy3DPeerAsync(nullptr, nullptr));
  cudaGetLastError();
  OK(cudaFree(from));
  OK(cudaFree(to));
}

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
#endif

// Four bytes a row: what is copied begins in the middle of one and ends in the middle of the third.
static void rows_of_arrays() {
  const cudaChannelFormatDesc format = cudaCreateChannelDesc(8, 0, 0, 0, cudaChannelFormatKindSigned);
  cudaArray_t narrow = nullptr, wide = nullptr;
  OK(cudaMallocArray(&narrow, &format, 4, 4));
  OK(cudaMallocArray(&wide, &format, 16, 1));
  char from[16], to[16] = {};
  for (int i = 0; i < 16; ++i)
    from[i] = static_cast<char>(i);
  OK(cudaMemcpyToArray(narrow, 0, 0, from, 16, cudaMemcpyHostToDevice));
  OK(cudaMemcpyFromArray(to, narrow, 2, 0, 7, cudaMemcpyDeviceToHost));
  for (int i = 0; i < 16; ++i)
    CHECK(to[i] == (i < 7 ? i + 2 : 0));
  OK(cudaMemcpyToArrayAsync(narrow, 3, 1, from, 4, cudaMemcpyHostToDevice, nullptr));
  OK(cudaMemcpyArrayToArray(wide, 1, 0, narrow, 2, 0, 12));
  OK(cudaMemcpyFromArrayAsync(to, wide, 1, 0, 12, cudaMemcpyDeviceToHost, nullptr));
  OK(cudaStreamSynchronize(nullptr));
  const char wanted[12] = {2, 3, 4, 5, 6, 0, 1, 2, 3, 11, 12, 13};
  for (int i = 0; i < 12; ++i)
    CHECK(to[i] == wanted[i]);
  EXPECT_ERROR(cudaErrorInvalidValue,
               cudaMemcpyToArray(narrow, 4, 0, from, 1, cudaMemcpyHostToDevice));
  EXPECT_ERROR(cudaErrorInvalidValue,
               cudaMemcpyToArray(narrow, 1, 0, from, 16, cudaMemcpyHostToDevice));
  cudaGetLastError();
  OK(cudaFreeArray(narrow));
  OK(cudaFreeArray(wide));
}

static void levels() {
  const cudaChannelFormatDesc format = cudaCreateChannelDesc(8, 0, 0, 0, cudaChannelFormatKindSigned);
  cudaMipmappedArray_t mipmap = nullptr;
  cudaArray_t level = nullptr;
  OK(cudaMallocMipmappedArray(&mipmap, &format, make_cudaExtent(16, 8, 0), 3));
  OK(cudaGetMipmappedArrayLevel(&level, mipmap, 2));
  cudaExtent extent;
  OK(cudaArrayGetInfo(nullptr, &extent, nullptr, level));
  CHECK(extent.width == 4 && extent.height == 2 && extent.depth == 0);
  EXPECT_ERROR(cudaErrorInvalidValue, cudaGetMipmappedArrayLevel(&level, mipmap, 3));
  cudaGetLastError();
  OK(cudaFreeMipmappedArray(mipmap));
  OK(cudaFreeMipmappedArray(nullptr));
}

__global__ void nothing() {}

static void clusters() {
  int size = 0, number = 0;
  cudaLaunchAttribute attribute = {};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim.x = attribute.val.clusterDim.y = attribute.val.clusterDim.z = 1;
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(1);
  config.blockDim = dim3(128);
  config.attrs = &attribute;
  config.numAttrs = 1;
  const void* kernel = reinterpret_cast<const void*>(&nothing);
  OK(cudaOccupancyMaxPotentialClusterSize(&size, kernel, &config));
  OK(cudaOccupancyMaxActiveClusters(&number, kernel, &config));
  CHECK(size == 1 && number >= 1);
}

int main() {
  batches();
  between_devices();
  rows_of_arrays();
  levels();
  clusters();
  return 0;
}
