// Programs call when they, or their threads, are nearly gone: from exit handlers, from destructors
// of static and of thread-local objects, and from those that pthread_key_create() was given. What a
// thread has here must still be there.
#include <cuda_runtime.h>
#include <pthread.h>

#include <cstdlib>
#include <thread>

#include "check.h"

__global__ void store(int* place, int value) { *place = value; }

namespace {

int ended = 0;  // objects that have seen to their memory

// What a destructor may do: exit() in it would be too late for the program's status.
#define MUST(call)                                                                     \
  do {                                                                                     \
    if (const cudaError_t error_ = (call); error_ != cudaSuccess) {                    \
      std::printf("%s:%d: %s: %s\n", __FILE__, __LINE__, #call, cudaGetErrorName(error_)); \
      std::fflush(stdout);                                                             \
      std::_Exit(1);                                                                       \
    }                                                                                  \
  } while (false)

// Memory that its destructor uses once more, by a kernel where those may still be launched.
class Held {
 public:
  explicit Held(bool launches) : launches_(launches) {}
  void take() { MUST(cudaMalloc(&place_, sizeof(int))); }
  ~Held() {
    int read = 0;
    const int written = ++ended;
    if (launches_) {
      store<<<1, 1>>>(place_, written);
      MUST(cudaGetLastError());
    } else {
      MUST(cudaMemcpy(place_, &written, sizeof written, cudaMemcpyHostToDevice));
    }
    MUST(cudaMemcpy(&read, place_, sizeof read, cudaMemcpyDeviceToHost));
    if (read != written) std::_Exit(1);
    MUST(cudaFree(place_));
  }

 private:
  const bool launches_;
  int* place_ = nullptr;
};

// Kernels may have been unregistered when it ends, not so for what main() makes.
Held of_program(false);

void at_key_end(void* held) { delete static_cast<Held*>(held); }

void thread_with_objects(pthread_key_t key) {
  thread_local Held own(true);
  own.take();
  auto* of_key = new Held(true);
  of_key->take();
  CHECK(pthread_setspecific(key, of_key) == 0);
}

}  // namespace

int main() {
  of_program.take();
  static Held local(true);
  local.take();
  CHECK(std::atexit([] {
          Held own(true);
          own.take();
        }) == 0);
  thread_local Held of_main(true);
  of_main.take();
  // The library's own key exists before this one, and may end before it does.
  pthread_key_t key{};
  CHECK(pthread_key_create(&key, &at_key_end) == 0);
  std::thread(thread_with_objects, key).join();
  CHECK(ended == 2);
  return 0;
}
