// Memory and events of two processes, through the exported functions. The other process is this
// program once more: it runs the test that its command line names.
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "softcuda/driver/testing.h"

namespace longwire::softcuda::driver {
namespace {

constexpr const char* kPeerSocket = "LONGWIRE_TEST_PEER_SOCKET";
constexpr unsigned int kLazy = CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS;

// One end of the socket between the two.
class Channel {
 public:
  explicit Channel(int fd = -1) : fd_(fd) {}
  template <class T>
  void send(const T& value) const {
    ASSERT_EQ(::write(fd_, &value, sizeof value), ssize_t{sizeof value});
  }
  template <class T>
  T receive() const {
    T value{};
    EXPECT_EQ(::recv(fd_, &value, sizeof value, MSG_WAITALL), ssize_t{sizeof value});
    return value;
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

class Peer {
 public:
  explicit Peer(const std::string& role) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    process_ = ::fork();
    if (process_ == 0) {
      ::close(ends[0]);
      ::setenv(kPeerSocket, std::to_string(ends[1]).c_str(), 1);
      const std::string filter = "--gtest_filter=IpcPeer.DISABLED_" + role;
      ::execl("/proc/self/exe", "peer", filter.c_str(), "--gtest_also_run_disabled_tests", nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    channel = Channel(ends[0]);
  }
  ~Peer() { EXPECT_EQ(finish(), 0); }
  int finish() {
    if (process_ <= 0) return status_;
    channel.close();
    ::waitpid(process_, &status_, 0);
    process_ = 0;
    return status_;
  }
  Channel channel;

 private:
  pid_t process_ = 0;
  int status_ = 0;
};

CUresult fill(CUdeviceptr address, unsigned int value, CUstream stream = nullptr) {
  CUmodule module = nullptr;
  CUfunction function = nullptr;
  EXPECT_EQ(cuModuleLoadData(&module, kPtx), CUDA_SUCCESS);
  EXPECT_EQ(cuModuleGetFunction(&function, module, "fill"), CUDA_SUCCESS);
  void* parameters[] = {&address, &value};
  EXPECT_EQ(cuLaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, stream, parameters, nullptr),
            CUDA_SUCCESS);
  return CUDA_SUCCESS;
}

unsigned int word_at(CUdeviceptr address) {
  unsigned int word = 0;
  EXPECT_EQ(cuMemcpyDtoH(&word, address, sizeof word), CUDA_SUCCESS);
  return word;
}

// --- what the other process does -------------------------------------------------------------

class IpcPeer : public ContextTest {
 protected:
  void SetUp() override {
    ASSERT_NE(std::getenv(kPeerSocket), nullptr);
    channel_ = Channel(std::atoi(std::getenv(kPeerSocket)));
    ContextTest::SetUp();
  }
  Channel channel_;
};

TEST_F(IpcPeer, DISABLED_uses_memory) {
  const auto handle = channel_.receive<CUipcMemHandle>();
  CUdeviceptr memory = 0, again = 0;
  ASSERT_EQ(cuIpcOpenMemHandle(&memory, handle, kLazy), CUDA_SUCCESS);
  ASSERT_EQ(cuIpcOpenMemHandle(&again, handle, kLazy), CUDA_SUCCESS);
  EXPECT_EQ(again, memory);  // opened once, counted
  EXPECT_EQ(word_at(memory), 5U);
  EXPECT_EQ(word_at(memory + 4996), 6U);
  CUdeviceptr base = 0;
  size_t bytes = 0;
  ASSERT_EQ(cuMemGetAddressRange(&base, &bytes, memory + 100), CUDA_SUCCESS);
  EXPECT_EQ(base, memory);
  EXPECT_EQ(bytes, 5000U);
  EXPECT_EQ(cuMemsetD8(memory, 0, 5200), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(fill(memory, 77), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree(memory), CUDA_ERROR_INVALID_VALUE);
  CUipcMemHandle onwards;
  EXPECT_EQ(cuIpcGetMemHandle(&onwards, memory), CUDA_ERROR_INVALID_VALUE);
  CUcontext own = nullptr;
  ASSERT_EQ(cuCtxCreate_v2(&own, 0, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuIpcOpenMemHandle(&again, handle, kLazy), CUDA_ERROR_INVALID_CONTEXT);
  ASSERT_EQ(cuCtxDestroy(own), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
  channel_.send(true);
  (void)channel_.receive<bool>();  // the exporter has given its memory back
  EXPECT_EQ(word_at(memory), 78U);
  EXPECT_EQ(cuIpcCloseMemHandle(memory + 256), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuIpcCloseMemHandle(memory), CUDA_SUCCESS);
  EXPECT_EQ(word_at(memory), 78U);
  EXPECT_EQ(cuIpcCloseMemHandle(memory), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD8(memory, 0, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuIpcCloseMemHandle(memory), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuIpcOpenMemHandle(&memory, handle, kLazy), CUDA_ERROR_INVALID_HANDLE);  // it is gone
  channel_.send(true);
}

TEST_F(IpcPeer, DISABLED_refuses_handles) {
  CUdeviceptr memory = 0;
  const auto handle = channel_.receive<CUipcMemHandle>();
  EXPECT_EQ(cuIpcOpenMemHandle(&memory, handle, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuIpcOpenMemHandle(&memory, handle, 3), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuIpcOpenMemHandle(nullptr, handle, kLazy), CUDA_ERROR_INVALID_VALUE);
  for (std::size_t at = 0; at < 32; ++at) {  // each byte that says something
    CUipcMemHandle wrong = handle;
    wrong.reserved[at] = static_cast<char>(wrong.reserved[at] ^ 0x11);
    EXPECT_EQ(cuIpcOpenMemHandle(&memory, wrong, kLazy), CUDA_ERROR_INVALID_HANDLE) << at;
  }
  CUipcMemHandle wrong;
  for (int byte : {0, 0xff}) {
    std::memset(&wrong, byte, sizeof wrong);
    EXPECT_EQ(cuIpcOpenMemHandle(&memory, wrong, kLazy), CUDA_ERROR_INVALID_HANDLE);
  }
  CUipcEventHandle of_event;
  std::memcpy(&of_event, &handle, sizeof handle);
  CUevent event = nullptr;
  EXPECT_EQ(cuIpcOpenEventHandle(&event, of_event), CUDA_ERROR_INVALID_HANDLE);
  // A pipe in the place of the file: it would be waited for, were it opened.
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  wrong = handle;
  const std::int32_t place[2] = {::getpid(), ends[0]};
  std::memcpy(wrong.reserved + 8, place, sizeof place);
  EXPECT_EQ(cuIpcOpenMemHandle(&memory, wrong, kLazy), CUDA_ERROR_INVALID_HANDLE);
  ASSERT_EQ(cuIpcOpenMemHandle(&memory, handle, kLazy), CUDA_SUCCESS);  // and left to the context
  channel_.send(true);
}

// Records what comes after the gate, and waits for the other's record.
TEST_F(IpcPeer, DISABLED_uses_events) {
  const auto memory_handle = channel_.receive<CUipcMemHandle>();
  const auto event_handle = channel_.receive<CUipcEventHandle>();
  CUdeviceptr memory = 0;
  CUevent event = nullptr;
  CUstream stream = nullptr;
  ASSERT_EQ(cuIpcOpenMemHandle(&memory, memory_handle, kLazy), CUDA_SUCCESS);
  ASSERT_EQ(cuIpcOpenEventHandle(&event, event_handle), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  EXPECT_EQ(cuEventQuery(event), CUDA_ERROR_NOT_READY);
  ASSERT_EQ(cuStreamWaitEvent(stream, event, 0), CUDA_SUCCESS);
  CUdeviceptr copy = 0;
  ASSERT_EQ(cuMemAlloc(&copy, 4), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyDtoDAsync(copy, memory, 4, stream), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamQuery(stream), CUDA_ERROR_NOT_READY);
  channel_.send(true);
  ASSERT_EQ(cuEventSynchronize(event), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  EXPECT_EQ(word_at(copy), 21U);
  float ms = 0;
  EXPECT_EQ(cuEventElapsedTime(&ms, event, event), CUDA_ERROR_INVALID_HANDLE);
  fill(memory, 22, stream);
  ASSERT_EQ(cuEventRecord(event, stream), CUDA_SUCCESS);
  channel_.send(true);
  (void)channel_.receive<bool>();
  EXPECT_EQ(cuEventDestroy(event), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamDestroy(stream), CUDA_SUCCESS);
}

// Dies with a record that never ends.
TEST_F(IpcPeer, DISABLED_dies) {
  static std::atomic<bool> never{false};
  const auto handle = channel_.receive<CUipcEventHandle>();
  CUevent event = nullptr;
  CUstream stream = nullptr;
  ASSERT_EQ(cuIpcOpenEventHandle(&event, handle), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuLaunchHostFunc(stream, wait_until, &never), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(event, stream), CUDA_SUCCESS);
  channel_.send(true);
  (void)channel_.receive<bool>();
  ::_exit(0);
}

TEST_F(IpcPeer, DISABLED_may_have_no_large_files) {
  const rlimit small{100'000, 100'000};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  CUdeviceptr memory = 0;
  ASSERT_EQ(cuMemAlloc(&memory, 1 << 20), CUDA_SUCCESS);
  CUipcMemHandle handle;
  EXPECT_EQ(cuIpcGetMemHandle(&handle, memory), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cuMemsetD8(memory, 1, 1 << 20), CUDA_SUCCESS);
  CUmemAllocationProp properties{};
  properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  CUmemGenericAllocationHandle created = 0;
  EXPECT_EQ(cuMemCreate(&created, 2 << 20, &properties, 0), CUDA_ERROR_OUT_OF_MEMORY);
  ASSERT_EQ(cuMemAlloc(&memory, 50'000), CUDA_SUCCESS);
  EXPECT_EQ(cuIpcGetMemHandle(&handle, memory), CUDA_SUCCESS);
}

// --- the tests -------------------------------------------------------------------------------

using IpcTest = ContextTest;

TEST_F(IpcTest, another_process_has_the_same_memory) {
  size_t before = 0, after = 0, total = 0;
  ASSERT_EQ(cuMemGetInfo(&before, &total), CUDA_SUCCESS);
  CUdeviceptr memory = 0;
  ASSERT_EQ(cuMemAlloc(&memory, 5000), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32(memory, 5, 1249), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32(memory + 4996, 6, 1), CUDA_SUCCESS);
  CUipcMemHandle handle, again;
  ASSERT_EQ(cuIpcGetMemHandle(&handle, memory), CUDA_SUCCESS);
  ASSERT_EQ(cuIpcGetMemHandle(&again, memory + 8), CUDA_SUCCESS);  // of the allocation
  EXPECT_EQ(std::memcmp(&handle, &again, sizeof handle), 0);
  CUdeviceptr opened = 0;
  EXPECT_EQ(cuIpcOpenMemHandle(&opened, handle, kLazy), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_EQ(cuIpcCloseMemHandle(memory), CUDA_ERROR_INVALID_VALUE);
  Peer peer("uses_memory");
  peer.channel.send(handle);
  (void)peer.channel.receive<bool>();
  EXPECT_EQ(word_at(memory + 124), 77U);
  EXPECT_EQ(word_at(memory + 128), 5U);
  ASSERT_EQ(cuMemsetD32(memory, 78, 1), CUDA_SUCCESS);
  ASSERT_EQ(cuMemFree(memory), CUDA_SUCCESS);
  CUdeviceptr next = 0;
  ASSERT_EQ(cuMemAlloc(&next, 5000), CUDA_SUCCESS);
  EXPECT_EQ(next, memory);
  EXPECT_EQ(word_at(next), 0U);  // the next owner's memory is its own
  ASSERT_EQ(cuIpcGetMemHandle(&again, next), CUDA_SUCCESS);
  EXPECT_NE(std::memcmp(&handle, &again, sizeof handle), 0);
  peer.channel.send(true);
  (void)peer.channel.receive<bool>();
  ASSERT_EQ(cuMemFree(next), CUDA_SUCCESS);
  ASSERT_EQ(cuMemGetInfo(&after, &total), CUDA_SUCCESS);
  EXPECT_EQ(after, before);
}

// Files that stand for memory count, too: what is too large is refused, and ends no process.
TEST_F(IpcTest, a_limit_on_the_size_of_files) { Peer peer("may_have_no_large_files"); }

TEST_F(IpcTest, hostile_handles) {
  CUdeviceptr memory = 0;
  ASSERT_EQ(cuMemAlloc(&memory, 1 << 20), CUDA_SUCCESS);
  CUipcMemHandle handle;
  ASSERT_EQ(cuIpcGetMemHandle(&handle, memory), CUDA_SUCCESS);
  {
    Peer peer("refuses_handles");
    peer.channel.send(handle);
    (void)peer.channel.receive<bool>();
  }
  ASSERT_EQ(cuMemFree(memory), CUDA_SUCCESS);
}

TEST_F(IpcTest, only_memory_of_cuMemAlloc_has_a_handle) {
  CUipcMemHandle handle;
  CUdeviceptr memory = 0, managed = 0;
  void* host = nullptr;
  ASSERT_EQ(cuMemAlloc(&memory, 64), CUDA_SUCCESS);
  ASSERT_EQ(cuMemAllocManaged(&managed, 64, CU_MEM_ATTACH_GLOBAL), CUDA_SUCCESS);
  ASSERT_EQ(cuMemHostAlloc(&host, 64, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuIpcGetMemHandle(nullptr, memory), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuIpcGetMemHandle(&handle, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuIpcGetMemHandle(&handle, managed), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuIpcGetMemHandle(&handle, reinterpret_cast<CUdeviceptr>(host)),
            CUDA_ERROR_INVALID_VALUE);
  unsigned int capable = 9;
  ASSERT_EQ(
      cuPointerGetAttribute(&capable, CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE, memory),
      CUDA_SUCCESS);
  EXPECT_EQ(capable, 1U);
  ASSERT_EQ(
      cuPointerGetAttribute(&capable, CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE, managed),
      CUDA_SUCCESS);
  EXPECT_EQ(capable, 0U);
  for (CUdeviceptr each : {memory, managed})
    EXPECT_EQ(cuMemFree(each), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFreeHost(host), CUDA_SUCCESS);
}

// The memory changes its place behind the address: nothing that is written meanwhile may be lost.
TEST_F(IpcTest, a_handle_is_made_while_kernels_write) {
  constexpr unsigned int kRounds = 200;
  CUmodule module = nullptr;
  CUfunction function = nullptr;
  ASSERT_EQ(cuModuleLoadData(&module, kPtx), CUDA_SUCCESS);
  ASSERT_EQ(cuModuleGetFunction(&function, module, "fill"), CUDA_SUCCESS);
  for (unsigned int round = 0; round < 20; ++round) {
    CUdeviceptr memory = 0;
    ASSERT_EQ(cuMemAlloc(&memory, 128), CUDA_SUCCESS);
    std::thread writer([&] {
      ASSERT_EQ(cuCtxSetCurrent(context_), CUDA_SUCCESS);
      CUstream stream = nullptr;
      ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
      for (unsigned int value = 1; value <= kRounds; ++value) {
        void* parameters[] = {&memory, &value};
        ASSERT_EQ(cuLaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, stream, parameters, nullptr),
                  CUDA_SUCCESS);
        if (value % 16 == 0) {
          ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
        }
      }
      ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
      ASSERT_EQ(cuStreamDestroy(stream), CUDA_SUCCESS);
    });
    CUipcMemHandle handle;
    EXPECT_EQ(cuIpcGetMemHandle(&handle, memory), CUDA_SUCCESS);
    writer.join();
    EXPECT_EQ(word_at(memory + 124), kRounds);
    ASSERT_EQ(cuMemFree(memory), CUDA_SUCCESS);
  }
  ASSERT_EQ(cuModuleUnload(module), CUDA_SUCCESS);
}

CUevent make_shared_event() {
  CUevent event = nullptr;
  EXPECT_EQ(cuEventCreate(&event, CU_EVENT_INTERPROCESS | CU_EVENT_DISABLE_TIMING), CUDA_SUCCESS);
  return event;
}

TEST_F(IpcTest, events_order_the_work_of_two_processes) {
  CUdeviceptr memory = 0;
  ASSERT_EQ(cuMemAlloc(&memory, 128), CUDA_SUCCESS);
  CUipcMemHandle memory_handle;
  ASSERT_EQ(cuIpcGetMemHandle(&memory_handle, memory), CUDA_SUCCESS);
  CUevent event = make_shared_event();
  CUipcEventHandle event_handle;
  ASSERT_EQ(cuIpcGetEventHandle(&event_handle, event), CUDA_SUCCESS);
  EXPECT_EQ(cuEventQuery(event), CUDA_SUCCESS);  // never recorded
  std::atomic<bool> gate{false};
  CUstream stream = nullptr;
  ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuLaunchHostFunc(stream, wait_until, &gate), CUDA_SUCCESS);
  fill(memory, 21, stream);
  ASSERT_EQ(cuEventRecord(event, stream), CUDA_SUCCESS);
  EXPECT_EQ(cuEventQuery(event), CUDA_ERROR_NOT_READY);
  Peer peer("uses_events");
  peer.channel.send(memory_handle);
  peer.channel.send(event_handle);
  (void)peer.channel.receive<bool>();
  open_gate(gate);
  (void)peer.channel.receive<bool>();
  ASSERT_EQ(cuEventSynchronize(event), CUDA_SUCCESS);  // the other's record
  EXPECT_EQ(word_at(memory), 22U);
  peer.channel.send(true);
  EXPECT_EQ(peer.finish(), 0);
  EXPECT_EQ(cuStreamDestroy(stream), CUDA_SUCCESS);
  EXPECT_EQ(cuEventDestroy(event), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree(memory), CUDA_SUCCESS);
}

TEST_F(IpcTest, a_record_of_a_process_that_died_is_an_error) {
  CUevent event = make_shared_event();
  CUipcEventHandle handle;
  ASSERT_EQ(cuIpcGetEventHandle(&handle, event), CUDA_SUCCESS);
  {
    Peer peer("dies");
    peer.channel.send(handle);
    (void)peer.channel.receive<bool>();
    EXPECT_EQ(cuEventQuery(event), CUDA_ERROR_NOT_READY);
    peer.channel.send(true);
  }
  EXPECT_EQ(cuEventSynchronize(event), CUDA_ERROR_OPERATING_SYSTEM);
  ASSERT_EQ(cuEventRecord(event, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuEventSynchronize(event), CUDA_SUCCESS);
  EXPECT_EQ(cuEventDestroy(event), CUDA_SUCCESS);
}

TEST_F(IpcTest, many_records_of_a_shared_event) {
  CUevent event = make_shared_event();
  for (int i = 0; i < 1000; ++i)
    ASSERT_EQ(cuEventRecord(event, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuEventSynchronize(event), CUDA_SUCCESS);
  EXPECT_EQ(cuEventQuery(event), CUDA_SUCCESS);
  EXPECT_EQ(cuEventDestroy(event), CUDA_SUCCESS);
}

TEST_F(IpcTest, wrong_events) {
  CUevent plain = nullptr, shared = make_shared_event();
  CUipcEventHandle handle{};
  EXPECT_EQ(cuEventCreate(&plain, CU_EVENT_INTERPROCESS), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuEventCreate(&plain, CU_EVENT_DISABLE_TIMING), CUDA_SUCCESS);
  EXPECT_EQ(cuIpcGetEventHandle(&handle, plain), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuIpcGetEventHandle(nullptr, shared), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuIpcOpenEventHandle(nullptr, handle), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuIpcOpenEventHandle(&plain, handle), CUDA_ERROR_INVALID_HANDLE);
  CUgraph graph = nullptr;
  CUgraphNode node = nullptr;
  ASSERT_EQ(cuGraphCreate(&graph, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphAddEventRecordNode(&node, graph, nullptr, 0, shared), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
  EXPECT_EQ(cuEventDestroy(plain), CUDA_SUCCESS);
  EXPECT_EQ(cuEventDestroy(shared), CUDA_SUCCESS);
}

}  // namespace
}  // namespace longwire::softcuda::driver
