// Threads that do whatever the driver API offers, at random: on contexts of their own and on the
// one that all share, with streams, events, modules and functions that others may destroy at any
// moment. What a thread has for itself must come out right; of what it shares, any answer will do
// that an object which may be gone can give. At the end nothing is left over.
//
//   softcuda_stress [--seed N] [--seconds N] [--threads N]
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cudaapi/cuda.h"

namespace {

constexpr std::size_t kShared = 8;          // objects of each kind that all threads use
constexpr unsigned int kMaxWords = 4096;    // of an allocation
constexpr unsigned int kBlock = 64;         // threads of a block
constexpr std::size_t kPage = 2 << 20;      // of mapped memory
constexpr unsigned int kMaxHeld = 200'000;  // operations in a row without an end
constexpr std::size_t kMaxThreads = 64;

constexpr const char* kCode = R"(
.version 8.0
.target sm_80
.address_size 64
.visible .global .align 4 .b32 touched;
.visible .entry nothing() { ret; }
.visible .entry count()
{
  .reg .b64 %a;
  .reg .b32 %r;
  mov.u64 %a, touched;
  atom.global.add.u32 %r, [%a], 1;
  ret;
}
.visible .entry add(.param .u64 words, .param .u32 count, .param .u32 value)
{
  .reg .pred %p;
  .reg .b32 %r<7>;
  .reg .b64 %a<3>;
  ld.param.u64 %a1, [words];
  ld.param.u32 %r1, [count];
  ld.param.u32 %r2, [value];
  mov.u32 %r3, %ctaid.x;
  mov.u32 %r4, %ntid.x;
  mov.u32 %r5, %tid.x;
  mad.lo.s32 %r3, %r3, %r4, %r5;
  setp.ge.u32 %p, %r3, %r1;
  @%p bra DONE;
  mul.wide.u32 %a2, %r3, 4;
  add.s64 %a1, %a1, %a2;
  ld.global.u32 %r6, [%a1];
  add.u32 %r6, %r6, %r2;
  add.u32 %r6, %r6, %r3;
  st.global.u32 [%a1], %r6;
DONE:
  ret;
}
)";

std::uint64_t the_seed = 1;

[[noreturn]] void fail(const char* what, int line, int status) {
  std::printf("stress.cc:%d: %s: %d (seed %llu)\n", line, what, status,
              static_cast<unsigned long long>(the_seed));
  std::fflush(stdout);
  std::_Exit(1);
}

#define MUST(call)                                                                                \
  do {                                                                                            \
    if (const CUresult status_ = (call); status_ != CUDA_SUCCESS) fail(#call, __LINE__, status_); \
  } while (false)

template <class Handle>
using Slots = std::array<std::atomic<Handle>, kShared>;

struct Shared {
  CUcontext primary = nullptr;
  Slots<CUstream> streams{};
  Slots<CUevent> events{};
  Slots<CUmodule> modules{};
  Slots<CUfunction> functions{};
  Slots<CUcontext> contexts{};  // of the threads, for the others to visit
  std::atomic<std::uint64_t> called{0};
  std::atomic<bool> over{false};
};

// Of one thread.
class Worker {
 public:
  Worker(Shared& shared, std::size_t number)
      : shared_(shared), number_(number), random_(the_seed * kMaxThreads + number) {}

  void run() {
    renew_context();
    for (unsigned int i = 0; !shared_.over && i < kMaxHeld; ++i) {
      MUST(cuCtxSetCurrent(below(2) == 0 ? own_ : shared_.primary));
      one();
      ++done_;
    }
    end_context();
  }
  std::uint64_t done() const noexcept { return done_; }

 private:
  unsigned int below(unsigned int limit) { return static_cast<unsigned int>(random_() % limit); }
  template <class Handle>
  std::atomic<Handle>& any(Slots<Handle>& slots) {
    return slots[below(kShared)];
  }

  void one();
  // What is this thread's own.
  void round_trip();
  void graph();
  void mapped();
  void array();
  void pooled();
  void renew_context();
  void end_context();
  // What is everybody's: the answers depend on what the others do.
  void renew_stream();
  void renew_event();
  void renew_module();
  void record_and_wait();
  void launch_shared();
  void call_shared();
  void ask();
  void visit();

  void add(CUfunction function, CUdeviceptr words, unsigned int count, unsigned int value,
           CUstream stream) {
    void* parameters[] = {&words, &count, &value};
    MUST(cuLaunchKernel(function, (count + kBlock - 1) / kBlock, 1, 1, kBlock, 1, 1, 0, stream,
                        parameters, nullptr));
  }
  // words[i] must be base + i * times.
  void check(const std::vector<unsigned int>& words, unsigned int base, unsigned int times) {
    for (unsigned int i = 0; i < words.size(); ++i)
      if (words[i] != base + i * times) fail("a wrong result", __LINE__, static_cast<int>(i));
  }

  Shared& shared_;
  const std::size_t number_;
  std::mt19937_64 random_;
  CUcontext own_ = nullptr;
  std::uint64_t done_ = 0;
};

// A module, a stream and memory of the thread's own in the current context.
struct Place {
  explicit Place(unsigned int words) : count(words) {
    MUST(cuModuleLoadData(&module, kCode));
    MUST(cuModuleGetFunction(&add, module, "add"));
    MUST(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    MUST(cuMemAlloc(&memory, count * sizeof(unsigned int)));
  }
  ~Place() {
    MUST(cuMemFree(memory));
    MUST(cuStreamDestroy(stream));
    MUST(cuModuleUnload(module));
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  const unsigned int count;
  CUmodule module = nullptr;
  CUfunction add = nullptr;
  CUstream stream = nullptr;
  CUdeviceptr memory = 0;
};

void Worker::round_trip() {
  Place place(1 + below(kMaxWords));
  const unsigned int value = below(1000), times = 1 + below(4);
  std::vector<unsigned int> words(place.count);
  MUST(cuMemsetD32Async(place.memory, value, place.count, place.stream));
  for (unsigned int i = 0; i < times; ++i)
    add(place.add, place.memory, place.count, 1, place.stream);
  MUST(cuMemcpyDtoHAsync(words.data(), place.memory, words.size() * 4, place.stream));
  MUST(cuStreamSynchronize(place.stream));
  check(words, value + times, times);
}

void Worker::graph() {
  Place place(1 + below(kMaxWords));
  CUgraph graph = nullptr;
  CUgraphExec exec = nullptr;
  CUevent event = nullptr;
  std::vector<unsigned int> words(place.count);
  MUST(cuEventCreate(&event, CU_EVENT_DISABLE_TIMING));
  MUST(cuStreamBeginCapture(place.stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  MUST(cuMemsetD32Async(place.memory, 3, place.count, place.stream));
  MUST(cuEventRecord(event, place.stream));
  add(place.add, place.memory, place.count, 2, place.stream);
  MUST(cuStreamWaitEvent(place.stream, event, 0));
  MUST(cuMemcpyDtoHAsync(words.data(), place.memory, words.size() * 4, place.stream));
  MUST(cuStreamEndCapture(place.stream, &graph));
  MUST(cuGraphInstantiateWithFlags(&exec, graph, 0));
  for (unsigned int i = below(3); i < 3; ++i)
    MUST(cuGraphLaunch(exec, place.stream));
  if (below(2) == 0) MUST(cuGraphDestroy(std::exchange(graph, nullptr)));
  MUST(cuStreamSynchronize(place.stream));
  check(words, 5, 1);
  MUST(cuGraphExecDestroy(exec));
  if (graph != nullptr) MUST(cuGraphDestroy(graph));
  MUST(cuEventDestroy(event));
}

void Worker::mapped() {
  CUmemAllocationProp properties{};
  properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  CUmemAccessDesc access{};
  access.location = properties.location;
  access.flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
  CUmemGenericAllocationHandle handle{};
  CUdeviceptr address = 0;
  unsigned int read = 0;
  MUST(cuMemAddressReserve(&address, kPage, 0, 0, 0));
  MUST(cuMemCreate(&handle, kPage, &properties, 0));
  MUST(cuMemMap(address, kPage, 0, handle, 0));
  MUST(cuMemSetAccess(address, kPage, &access, 1));
  MUST(cuMemsetD32(address + kPage - 4, 77, 1));
  MUST(cuMemcpyDtoH(&read, address + kPage - 4, 4));
  if (read != 77) fail("mapped memory", __LINE__, static_cast<int>(read));
  MUST(cuMemUnmap(address, kPage));
  MUST(cuMemRelease(handle));
  MUST(cuMemAddressFree(address, kPage));
}

void Worker::array() {
  constexpr unsigned int kSide = 16;
  CUDA_ARRAY_DESCRIPTOR description{};
  description.Width = description.Height = kSide;
  description.Format = CU_AD_FORMAT_UNSIGNED_INT32;
  description.NumChannels = 1;
  std::vector<unsigned int> in(kSide * kSide), out(kSide * kSide);
  for (unsigned int i = 0; i < in.size(); ++i)
    in[i] = 9 + i;
  CUarray array = nullptr;
  MUST(cuArrayCreate(&array, &description));
  CUDA_MEMCPY2D copy{};
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = in.data();
  copy.srcPitch = copy.WidthInBytes = kSide * 4;
  copy.Height = kSide;
  copy.dstMemoryType = CU_MEMORYTYPE_ARRAY;
  copy.dstArray = array;
  MUST(cuMemcpy2D(&copy));
  CUDA_RESOURCE_DESC resource{};
  resource.resType = CU_RESOURCE_TYPE_ARRAY;
  resource.res.array.hArray = array;
  CUDA_TEXTURE_DESC texture{};
  CUtexObject object{};
  MUST(cuTexObjectCreate(&object, &resource, &texture, nullptr));
  CUDA_MEMCPY2D back{};
  back.srcMemoryType = CU_MEMORYTYPE_ARRAY;
  back.srcArray = array;
  back.dstMemoryType = CU_MEMORYTYPE_HOST;
  back.dstHost = out.data();
  back.dstPitch = back.WidthInBytes = kSide * 4;
  back.Height = kSide;
  MUST(cuMemcpy2D(&back));
  check(out, 9, 1);
  MUST(cuTexObjectDestroy(object));
  MUST(cuArrayDestroy(array));
}

void Worker::pooled() {
  Place place(1);
  CUdeviceptr memory = 0;
  void* host = nullptr;
  const unsigned int count = 1 + below(kMaxWords);
  MUST(cuMemAllocAsync(&memory, count * 4, place.stream));
  MUST(cuMemHostAlloc(&host, count * 4, 0));
  MUST(cuMemsetD32Async(memory, 4, count, place.stream));
  add(place.add, memory, count, 0, place.stream);
  MUST(cuMemcpyDtoHAsync(host, memory, count * 4, place.stream));
  MUST(cuMemFreeAsync(memory, place.stream));
  MUST(cuStreamSynchronize(place.stream));
  const auto* read = static_cast<unsigned int*>(host);
  check({read, read + count}, 4, 1);
  MUST(cuMemFreeHost(host));
}

void Worker::end_context() {
  // Others see it go while they are in it.
  shared_.contexts[number_ % kShared].store(nullptr);
  if (own_ != nullptr) MUST(cuCtxDestroy(own_));
}

void Worker::renew_context() {
  end_context();
  MUST(cuCtxCreate_v2(&own_, 0, 0));
  shared_.contexts[number_ % kShared].store(own_);
}

void Worker::renew_stream() {
  CUstream made = nullptr;
  const unsigned int flags = below(2) == 0 ? CU_STREAM_NON_BLOCKING : CU_STREAM_DEFAULT;
  MUST(cuStreamCreate(&made, flags));
  if (CUstream old = any(shared_.streams).exchange(made)) (void)cuStreamDestroy(old);
}

void Worker::renew_event() {
  CUevent made = nullptr;
  MUST(cuEventCreate(&made, below(2) == 0 ? CU_EVENT_DISABLE_TIMING : CU_EVENT_DEFAULT));
  if (CUevent old = any(shared_.events).exchange(made)) (void)cuEventDestroy(old);
}

void Worker::renew_module() {
  CUmodule made = nullptr;
  CUfunction function = nullptr;
  MUST(cuModuleLoadData(&made, kCode));
  MUST(cuModuleGetFunction(&function, made, below(2) == 0 ? "nothing" : "count"));
  any(shared_.functions).store(function);
  if (CUmodule old = any(shared_.modules).exchange(made)) (void)cuModuleUnload(old);
}

void Worker::record_and_wait() {
  CUevent event = any(shared_.events);
  (void)cuEventRecord(event, any(shared_.streams));
  (void)cuStreamWaitEvent(any(shared_.streams), event, 0);
  if (below(4) == 0) (void)cuEventSynchronize(event);
  float milliseconds = 0;
  (void)cuEventElapsedTime(&milliseconds, event, any(shared_.events));
}

void Worker::launch_shared() {
  CUstream stream = below(4) == 0 ? nullptr : any(shared_.streams).load();
  for (unsigned int i = below(20); i < 20; ++i)
    (void)cuLaunchKernel(any(shared_.functions), 1 + below(4), 1, 1, kBlock, 1, 1, 0, stream,
                         nullptr, nullptr);
}

void Worker::call_shared() {
  auto count = [](void* shared) { ++static_cast<Shared*>(shared)->called; };
  (void)cuLaunchHostFunc(any(shared_.streams), count, &shared_);
}

void Worker::ask() {
  std::size_t free = 0, total = 0;
  unsigned long long id = 0;
  CUcontext context = nullptr;
  MUST(cuMemGetInfo(&free, &total));
  (void)cuStreamQuery(any(shared_.streams));
  (void)cuStreamGetId(any(shared_.streams), &id);
  (void)cuStreamGetCtx(any(shared_.streams), &context);
  (void)cuEventQuery(any(shared_.events));
  MUST(cuCtxGetCurrent(&context));
  if (context == own_ && below(4) == 0) MUST(cuCtxSynchronize());  // nobody captures there
  if (below(8) == 0)
    (void)cuStreamSynchronize(below(2) == 0 ? nullptr : any(shared_.streams).load());
}

// In another thread's context, which may be destroyed meanwhile.
void Worker::visit() {
  CUcontext theirs = any(shared_.contexts);
  if (theirs == nullptr || cuCtxPushCurrent(theirs) != CUDA_SUCCESS) return;
  CUstream stream = nullptr;
  CUevent event = nullptr;
  CUmodule module = nullptr;
  CUfunction function = nullptr;
  (void)cuStreamCreate(&stream, CU_STREAM_DEFAULT);
  (void)cuEventCreate(&event, CU_EVENT_DEFAULT);
  if (cuModuleLoadData(&module, kCode) == CUDA_SUCCESS &&
      cuModuleGetFunction(&function, module, "count") == CUDA_SUCCESS)
    (void)cuLaunchKernel(function, 2, 1, 1, kBlock, 1, 1, 0, stream, nullptr, nullptr);
  (void)cuEventRecord(event, stream);
  (void)cuLaunchKernel(function, 1, 1, 1, kBlock, 1, 1, 0, nullptr, nullptr, nullptr);
  if (below(2) == 0) (void)cuEventSynchronize(event);
  (void)cuEventDestroy(event);
  (void)cuStreamDestroy(stream);
  (void)cuModuleUnload(module);
  MUST(cuCtxPopCurrent(&theirs));
}

void Worker::one() {
  using Do = void (Worker::*)();
  constexpr Do kAll[] = {&Worker::round_trip,    &Worker::graph,
                         &Worker::mapped,        &Worker::array,
                         &Worker::pooled,        &Worker::renew_context,
                         &Worker::renew_stream,  &Worker::renew_event,
                         &Worker::renew_module,  &Worker::record_and_wait,
                         &Worker::launch_shared, &Worker::call_shared,
                         &Worker::ask,           &Worker::visit,
                         &Worker::launch_shared, &Worker::record_and_wait};
  (this->*kAll[below(std::size(kAll))])();
}

std::size_t free_bytes() {
  std::size_t free = 0, total = 0;
  MUST(cuMemGetInfo(&free, &total));
  return free;
}

void clear(Shared& shared) {
  for (auto& each : shared.streams)
    if (each != nullptr) (void)cuStreamDestroy(each);
  for (auto& each : shared.events)
    if (each != nullptr) (void)cuEventDestroy(each);
  for (auto& each : shared.modules)
    if (each != nullptr) (void)cuModuleUnload(each);
}

int run(std::chrono::seconds time, std::size_t threads) {
  Shared shared;
  MUST(cuInit(0));
  MUST(cuDevicePrimaryCtxRetain(&shared.primary, 0));
  MUST(cuCtxSetCurrent(shared.primary));
  const std::size_t before = free_bytes();
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> running;
  for (std::size_t i = 0; i < threads; ++i)
    workers.push_back(std::make_unique<Worker>(shared, i));
  for (auto& worker : workers)
    running.emplace_back([&] { worker->run(); });
  std::this_thread::sleep_for(time);
  shared.over = true;
  for (std::thread& thread : running)
    thread.join();
  MUST(cuCtxSynchronize());
  clear(shared);
  std::uint64_t done = 0;
  for (const auto& worker : workers)
    done += worker->done();
  if (free_bytes() != before) fail("memory is left", __LINE__, 0);
  std::printf("seed %llu: %llu operations of %zu threads\n",
              static_cast<unsigned long long>(the_seed), static_cast<unsigned long long>(done),
              threads);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seconds = 3, threads = 4;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--seed")
      the_seed = value;
    else if (name == "--seconds")
      seconds = value;
    else if (name == "--threads" && value > 0 && value <= kMaxThreads)
      threads = value;
    else
      return 2;
  }
  return run(std::chrono::seconds(seconds), threads);
}
