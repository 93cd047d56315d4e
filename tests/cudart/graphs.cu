// A captured graph and one made of nodes. Skipped while the driver has none.
#include <cuda_runtime.h>

#include "check.h"

__global__ void add(int* p, int n) { *p += n; }

static int read(const int* p) {
  int value = 0;
  OK(cudaMemcpy(&value, p, sizeof value, cudaMemcpyDeviceToHost));
  return value;
}

static void captured(cudaStream_t stream, int* p) {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  add<<<1, 1, 0, stream>>>(p, 2);
  add<<<1, 1, 0, stream>>>(p, 3);
  OK(cudaStreamEndCapture(stream, &graph));
  CHECK(read(p) == 0);
  OK(cudaGraphInstantiate(&exec, graph, 0));
  for (int i = 0; i < 3; ++i)
    OK(cudaGraphLaunch(exec, stream));
  OK(cudaStreamSynchronize(stream));
  CHECK(read(p) == 15);
  OK(cudaGraphExecDestroy(exec));
  OK(cudaGraphDestroy(graph));
}

static void of_nodes(cudaStream_t stream, int* p) {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  cudaGraphNode_t clear = nullptr, kernel = nullptr, back = nullptr;
  int n = 7, value = 0;
  void* arguments[] = {&p, &n};
  OK(cudaGraphCreate(&graph, 0));
  cudaMemsetParams memset = {p, 0, 0, 4, 1, 1};
  OK(cudaGraphAddMemsetNode(&clear, graph, nullptr, 0, &memset));
  cudaKernelNodeParams parameters = {};
  parameters.func = reinterpret_cast<void*>(add);
  parameters.gridDim = parameters.blockDim = dim3(1);
  parameters.kernelParams = arguments;
  OK(cudaGraphAddKernelNode(&kernel, graph, &clear, 1, &parameters));
  OK(cudaGraphAddMemcpyNode1D(&back, graph, &kernel, 1, &value, p, sizeof value,
                              cudaMemcpyDeviceToHost));
  OK(cudaGraphInstantiate(&exec, graph, 0));
  OK(cudaGraphLaunch(exec, stream));
  OK(cudaStreamSynchronize(stream));
  CHECK(value == 7);
  OK(cudaGraphExecDestroy(exec));
  OK(cudaGraphDestroy(graph));
}

int main() {
  cudaGraph_t graph = nullptr;
  const cudaError_t error = cudaGraphCreate(&graph, 0);
  if (error == cudaErrorNotSupported) {
    EXPECT_ERROR(cudaErrorNotSupported, cudaGetLastError());
    return 77;
  }
  OK(error);
  OK(cudaGraphDestroy(graph));
  cudaStream_t stream = nullptr;
  int* p = nullptr;
  OK(cudaStreamCreate(&stream));
  OK(cudaMalloc(&p, sizeof(int)));
  OK(cudaMemset(p, 0, sizeof(int)));
  OK(cudaDeviceSynchronize());
  captured(stream, p);
  of_nodes(stream, p);
  OK(cudaFree(p));
  OK(cudaStreamDestroy(stream));
  return 0;
}
