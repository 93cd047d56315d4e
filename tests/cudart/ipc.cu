// Two processes, one memory: a ring of two kernels that add to each other's sums, in turns that an
// event of both orders. They part before either has begun with CUDA.
#include <cuda_runtime.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

__global__ void add(int* sums, int value) { atomicAdd(&sums[threadIdx.x], value); }

struct Handles {
  cudaIpcMemHandle_t memory;
  cudaIpcEventHandle_t event;
};

static void pass(int socket) { CHECK(write(socket, "x", 1) == 1); }
static void wait_for(int socket) {
  char byte = 0;
  CHECK(read(socket, &byte, 1) == 1);
}

constexpr int kRounds = 20, kThreads = 64;

static int other(int socket) {
  Handles handles;
  CHECK(read(socket, &handles, sizeof handles) == sizeof handles);
  int* sums = nullptr;
  cudaEvent_t event = nullptr;
  OK(cudaIpcOpenMemHandle(reinterpret_cast<void**>(&sums), handles.memory,
                          cudaIpcMemLazyEnablePeerAccess));
  OK(cudaIpcOpenEventHandle(&event, handles.event));
  cudaPointerAttributes attributes;
  OK(cudaPointerGetAttributes(&attributes, sums));
  CHECK(attributes.type == cudaMemoryTypeDevice);
  for (int round = 0; round < kRounds; ++round) {
    wait_for(socket);
    OK(cudaStreamWaitEvent(nullptr, event, 0));
    add<<<1, kThreads>>>(sums, 100);
    OK(cudaEventRecord(event));
    pass(socket);
  }
  OK(cudaDeviceSynchronize());
  OK(cudaIpcCloseMemHandle(sums));
  EXPECT_ERROR(cudaErrorInvalidValue, cudaIpcCloseMemHandle(sums));
  OK(cudaEventDestroy(event));
  return 0;
}

static void one(int socket) {
  int* sums = nullptr;
  cudaEvent_t event = nullptr;
  Handles handles;
  OK(cudaMalloc(&sums, kThreads * sizeof(int)));
  OK(cudaEventCreateWithFlags(&event, cudaEventInterprocess | cudaEventDisableTiming));
  OK(cudaIpcGetMemHandle(&handles.memory, sums));
  OK(cudaIpcGetEventHandle(&handles.event, event));
  OK(cudaMemset(sums, 0, kThreads * sizeof(int)));
  CHECK(write(socket, &handles, sizeof handles) == sizeof handles);
  for (int round = 0; round < kRounds; ++round) {
    OK(cudaStreamWaitEvent(nullptr, event, 0));
    add<<<1, kThreads>>>(sums, 1);
    OK(cudaEventRecord(event));
    pass(socket);
    wait_for(socket);
  }
  OK(cudaEventSynchronize(event));
  int back[kThreads];
  OK(cudaMemcpy(back, sums, sizeof back, cudaMemcpyDeviceToHost));
  for (int sum : back)
    CHECK(sum == kRounds * 101);
  OK(cudaEventDestroy(event));
  OK(cudaFree(sums));
}

int main() {
  int ends[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const pid_t child = fork();
  close(ends[child == 0 ? 0 : 1]);
  if (child == 0) return other(ends[1]);
  one(ends[0]);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  return 0;
}
