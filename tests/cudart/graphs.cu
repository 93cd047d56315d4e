// Graphs: captured, made of nodes, updated, with memory and events of their own.
#include <cuda_runtime.h>

#include "check.h"

__device__ int variable = 42;
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
  cudaKernelNodeParams got = {};
  OK(cudaGraphKernelNodeGetParams(kernel, &got));
  CHECK(got.func == parameters.func && *static_cast<int*>(got.kernelParams[1]) == 7);
  OK(cudaGraphAddMemcpyNode1D(&back, graph, &kernel, 1, &value, p, sizeof value,
                              cudaMemcpyDeviceToHost));
  cudaMemcpy3DParms copied = {};
  OK(cudaGraphMemcpyNodeGetParams(back, &copied));
  CHECK(copied.dstPtr.ptr == &value && copied.srcPtr.ptr == p);
  CHECK(copied.extent.width == sizeof value && copied.kind == cudaMemcpyDeviceToHost);
  OK(cudaGraphInstantiate(&exec, graph, 0));
  OK(cudaGraphLaunch(exec, stream));
  OK(cudaStreamSynchronize(stream));
  CHECK(value == 7);
  OK(cudaGraphExecDestroy(exec));
  OK(cudaGraphDestroy(graph));
}

// The same through the form that all types of nodes share.
static void of_any_nodes(cudaStream_t stream, int* p) {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  cudaGraphNode_t clear = nullptr, kernel = nullptr;
  int n = 8;
  void* arguments[] = {&p, &n};
  cudaGraphNodeParams set = {}, run = {};
  set.type = cudaGraphNodeTypeMemset;
  set.memset = {p, 0, 1, 4, 1, 1};
  run.type = cudaGraphNodeTypeKernel;
  run.kernel.func = reinterpret_cast<void*>(add);
  run.kernel.gridDim = run.kernel.blockDim = dim3(1);
  run.kernel.kernelParams = arguments;
  OK(cudaGraphCreate(&graph, 0));
#if CUDART_VERSION >= 13000
  OK(cudaGraphAddNode(&clear, graph, nullptr, nullptr, 0, &set));
  OK(cudaGraphAddNode(&kernel, graph, &clear, nullptr, 1, &run));
#else
  OK(cudaGraphAddNode(&clear, graph, nullptr, 0, &set));
  OK(cudaGraphAddNode(&kernel, graph, &clear, 1, &run));
#endif
  OK(cudaGraphInstantiate(&exec, graph, 0));
  OK(cudaGraphLaunch(exec, stream));
  OK(cudaStreamSynchronize(stream));
  CHECK(read(p) == 9);
  n = 10;
  OK(cudaGraphExecNodeSetParams(exec, kernel, &run));
  OK(cudaGraphLaunch(exec, stream));
  OK(cudaStreamSynchronize(stream));
  CHECK(read(p) == 11);
  OK(cudaGraphExecDestroy(exec));
  OK(cudaGraphDestroy(graph));
}

// Two streams, whose work the same graph has.
static void forked(cudaStream_t stream, int* p) {
  cudaStream_t other = nullptr;
  cudaEvent_t fork = nullptr, join = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  OK(cudaStreamCreate(&other));
  OK(cudaEventCreate(&fork));
  OK(cudaEventCreate(&join));
  OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  OK(cudaMemsetAsync(p, 0, sizeof(int), stream));
  OK(cudaEventRecord(fork, stream));
  OK(cudaStreamWaitEvent(other, fork, 0));
  add<<<1, 1, 0, other>>>(p, 4);
  OK(cudaEventRecord(join, other));
  OK(cudaStreamWaitEvent(stream, join, 0));
  add<<<1, 1, 0, stream>>>(p, 5);
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  OK(cudaStreamIsCapturing(other, &status));
  CHECK(status == cudaStreamCaptureStatusActive);
  int* memory = nullptr;
  EXPECT_ERROR(cudaErrorStreamCaptureUnsupported, cudaMalloc(&memory, 4));
  EXPECT_ERROR(cudaErrorStreamCaptureInvalidated, cudaStreamEndCapture(stream, &graph));
  CHECK(graph == nullptr);
  (void)cudaGetLastError();

  OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  OK(cudaMemsetAsync(p, 0, sizeof(int), stream));
  OK(cudaEventRecord(fork, stream));
  OK(cudaStreamWaitEvent(other, fork, 0));
  add<<<1, 1, 0, other>>>(p, 4);
  OK(cudaEventRecord(join, other));
  OK(cudaStreamWaitEvent(stream, join, 0));
  add<<<1, 1, 0, stream>>>(p, 5);
  OK(cudaStreamEndCapture(stream, &graph));
  std::size_t count = 0;
  OK(cudaGraphGetNodes(graph, nullptr, &count));
  CHECK(count == 3);
  OK(cudaGraphInstantiate(&exec, graph, 0));
  OK(cudaGraphLaunch(exec, stream));
  OK(cudaStreamSynchronize(stream));
  CHECK(read(p) == 9);
  OK(cudaGraphExecDestroy(exec));
  OK(cudaGraphDestroy(graph));
  OK(cudaEventDestroy(fork));
  OK(cudaEventDestroy(join));
  OK(cudaStreamDestroy(other));
}

// The same work, captured with other arguments, and single nodes.
static void updated(cudaStream_t stream, int* p) {
  cudaGraphExec_t exec = nullptr;
  for (int n = 1; n <= 3; ++n) {
    cudaGraph_t graph = nullptr;
    cudaGraphExecUpdateResultInfo info = {};
    OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed));
    OK(cudaMemsetAsync(p, 0, sizeof(int), stream));
    add<<<1, 1, 0, stream>>>(p, n);
    OK(cudaStreamEndCapture(stream, &graph));
    OK(exec == nullptr ? cudaGraphInstantiate(&exec, graph, 0)
                       : cudaGraphExecUpdate(exec, graph, &info));
    OK(cudaGraphLaunch(exec, stream));
    OK(cudaStreamSynchronize(stream));
    CHECK(read(p) == n);
    OK(cudaGraphDestroy(graph));
  }
  OK(cudaGraphExecDestroy(exec));
}

// Memory of the graph, a variable, a switched-off node.
static void with_memory(cudaStream_t stream, int* p) {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  cudaGraphNode_t alloc = nullptr, set = nullptr, out = nullptr, free = nullptr;
  cudaMemAllocNodeParams asked = {};
  asked.poolProps.allocType = cudaMemAllocationTypePinned;
  asked.poolProps.location.type = cudaMemLocationTypeDevice;
  asked.bytesize = sizeof(int);
  OK(cudaGraphCreate(&graph, 0));
  OK(cudaGraphAddMemAllocNode(&alloc, graph, nullptr, 0, &asked));
  OK(cudaGraphAddMemcpyNodeFromSymbol(&set, graph, &alloc, 1, asked.dptr, variable, sizeof(int), 0,
                                      cudaMemcpyDeviceToDevice));
  OK(cudaGraphAddMemcpyNode1D(&out, graph, &set, 1, p, asked.dptr, sizeof(int),
                              cudaMemcpyDeviceToDevice));
  OK(cudaGraphAddMemFreeNode(&free, graph, &out, 1, asked.dptr));
  OK(cudaGraphInstantiate(&exec, graph, nullptr, nullptr, 0));
  OK(cudaMemset(p, 0, sizeof(int)));
  OK(cudaGraphNodeSetEnabled(exec, out, 0));
  OK(cudaGraphLaunch(exec, stream));
  OK(cudaStreamSynchronize(stream));
  CHECK(read(p) == 0);
  OK(cudaGraphNodeSetEnabled(exec, out, 1));
  OK(cudaGraphLaunch(exec, stream));
  OK(cudaStreamSynchronize(stream));
  CHECK(read(p) == 42);
  OK(cudaGraphExecDestroy(exec));
  OK(cudaGraphDestroy(graph));
}

// A loop whose body decides whether it goes on.
__global__ void count_down(cudaGraphConditionalHandle loop, int* p) {
  cudaGraphSetConditional(loop, --*p > 0);
}

static void looped(cudaStream_t stream, int* p) {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  cudaGraphNode_t loop = nullptr, body = nullptr;
  cudaGraphConditionalHandle handle = 0;
  const int rounds = 9;
  OK(cudaMemcpy(p, &rounds, sizeof rounds, cudaMemcpyHostToDevice));
  OK(cudaGraphCreate(&graph, 0));
  CHECK(cudaGraphConditionalHandleCreate(nullptr, graph, 1, 0) == cudaErrorInvalidValue);
  OK(cudaGraphConditionalHandleCreate(&handle, graph, 1, cudaGraphCondAssignDefault));
  cudaGraphNodeParams node{};
  node.type = cudaGraphNodeTypeConditional;
  node.conditional.handle = handle;
  node.conditional.type = cudaGraphCondTypeWhile;
  node.conditional.size = 1;
#if CUDART_VERSION >= 13000
  OK(cudaGraphAddNode(&loop, graph, nullptr, nullptr, 0, &node));
#else
  OK(cudaGraphAddNode(&loop, graph, nullptr, 0, &node));
#endif
  void* arguments[] = {&handle, &p};
  cudaKernelNodeParams kernel{};
  kernel.func = reinterpret_cast<void*>(count_down);
  kernel.gridDim = kernel.blockDim = dim3(1);
  kernel.kernelParams = arguments;
  OK(cudaGraphAddKernelNode(&body, node.conditional.phGraph_out[0], nullptr, 0, &kernel));
  OK(cudaGraphInstantiate(&exec, graph, 0));
  OK(cudaGraphLaunch(exec, stream));
  OK(cudaStreamSynchronize(stream));
  CHECK(read(p) == 0);
  OK(cudaGraphExecDestroy(exec));
  OK(cudaGraphDestroy(graph));
}

int main() {
  cudaStream_t stream = nullptr;
  int* p = nullptr;
  OK(cudaStreamCreate(&stream));
  OK(cudaMalloc(&p, sizeof(int)));
  OK(cudaMemset(p, 0, sizeof(int)));
  OK(cudaDeviceSynchronize());
  captured(stream, p);
  of_nodes(stream, p);
  of_any_nodes(stream, p);
  forked(stream, p);
  updated(stream, p);
  with_memory(stream, p);
  looped(stream, p);
  OK(cudaFree(p));
  OK(cudaStreamDestroy(stream));
  return 0;
}
