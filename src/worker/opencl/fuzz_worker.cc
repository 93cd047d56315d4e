// Fuzzer: a client that may send anything, against the whole worker on the fake driver. Nothing may
// crash, hang or be left behind.
//
// Input: messages one after the other, each u32 number (as in gen/opencl/fuzz_seeds, which are
// inputs of one message), u32 payload bytes (0: all that is left), payload. Handles 1 to 3 of every
// kind exist before.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "link/inproc/inproc.h"
#include "opencl/message_visit.h"
#include "worker/fake/fake_driver.h"
#include "worker/opencl/raw_client_test.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace longwire::worker::opencl {
namespace {

using testing::RawClient;
namespace msg = longwire::opencl::msg;

constexpr std::size_t kMostMessages = 64;
constexpr std::size_t kMostPayload = 32 << 10;
constexpr int kObjects = 3;

// Opcode by the number of a seed; 0: a reply or a push.
const std::vector<wire::Opcode>& opcodes() {
  static const auto* const all = [] {
    auto* list = new std::vector<wire::Opcode>;
    longwire::opencl::for_each_struct([&](std::string_view, auto value) {
      if constexpr (requires { decltype(value)::kOpcode; })
        list->push_back(decltype(value)::kOpcode);
      else
        list->push_back(0);
    });
    return list;
  }();
  return *all;
}

Handle object(Kind kind, int number) {
  return make_handle(kind, static_cast<std::uint64_t>(number));
}

void make_objects(RawClient& client) {
  constexpr std::string_view kSource =
      "kernel void fill(global uint* to, uint value) {} kernel void noop() {}";
  client.send(msg::DescribePlatforms{.token = 1});
  const std::uint64_t device = object(Kind::kDevice, 1);
  for (int i = 1; i <= kObjects; ++i) {
    client.send(msg::CreateContext{object(Kind::kContext, i), wire::U64View(&device, 1), {}});
    const std::uint64_t properties[] = {CL_QUEUE_PROPERTIES, static_cast<std::uint64_t>(i), 0};
    client.send(msg::CreateCommandQueue{object(Kind::kQueue, i), object(Kind::kContext, 1), device,
                                        wire::U64View(properties, 3)});
    msg::CreateBuffer buffer;
    buffer.mem = object(Kind::kMem, i);
    buffer.context = object(Kind::kContext, 1);
    buffer.size = 4096;
    client.send(buffer);
    client.send(msg::CreateUserEvent{object(Kind::kEvent, i), object(Kind::kContext, 1)});
    client.send(msg::CreateSampler{object(Kind::kSampler, i), object(Kind::kContext, 1), {}, 0});
    client.send(
        msg::CreateProgramWithSource{object(Kind::kProgram, i), object(Kind::kContext, 1),
                                     wire::Blob::inlined(std::as_bytes(std::span(kSource)))});
  }
}

void send_input(RawClient& client, std::span<const std::uint8_t> input) {
  for (std::size_t i = 0; i < kMostMessages && input.size() >= 8; ++i) {
    std::array<std::uint32_t, 2> head{};
    std::memcpy(head.data(), input.data(), sizeof head);
    input = input.subspan(sizeof head);
    const std::size_t size = std::min<std::size_t>(
        head[1] == 0 ? input.size() : std::min<std::size_t>(head[1], input.size()), kMostPayload);
    std::vector<std::byte> payload((size + 7) / 8 * 8);
    std::copy_n(reinterpret_cast<const std::byte*>(input.data()), size, payload.begin());
    input = input.subspan(size);
    const wire::Opcode opcode = head[0] < opcodes().size()
                                    ? opcodes()[head[0]]
                                    : static_cast<wire::Opcode>(head[0] % 0x1100);
    if (opcode >= 4) client.send_raw(opcode, payload);
    (void)client.stream().flush();
  }
}

int run_one(std::span<const std::uint8_t> input) {
  fake::FakeDriver driver({.memory_bytes = std::size_t{8} << 20, .devices = 2});
  {
    auto [ours, theirs] = link::make_inproc_pair(std::size_t{256} << 10);
    RawClient client(std::move(ours));
    core::WorkerLimits limits;
    limits.staging_bytes = std::size_t{64} << 20;
    limits.eager_credit_bytes = std::size_t{1} << 20;
    base::StderrLogger logger(base::LogLevel::kOff);
    core::Worker worker(base::monotonic_clock(), logger, limits,
                        make_backend(driver.api(), nullptr));
    const auto adopted = worker.adopt_main(std::move(theirs));
    LW_CHECK(adopted.ok());
    make_objects(client);
    send_input(client, input);
    client.goodbye();
    if (worker.run() == core::ExitCode::kStuck) std::abort();
  }
  if (driver.live_objects() != 0) std::abort();
  return 0;
}

}  // namespace
}  // namespace longwire::worker::opencl

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return longwire::worker::opencl::run_one({data, size});
}

// Puts handles that exist into the input now and then: nobody guesses 64 bits.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  using namespace longwire::worker::opencl;
  std::minstd_rand random(seed);
  if (random() % 3 != 0 || size < 16) return LLVMFuzzerMutate(data, size, most);
  const auto kind = static_cast<Kind>(2 + random() % 8);
  const Handle handle = make_handle(kind, 1 + random() % 4);
  const std::size_t at = 8 * (1 + random() % (size / 8 - 1));
  std::memcpy(data + at, &handle, sizeof handle);
  return size;
}
