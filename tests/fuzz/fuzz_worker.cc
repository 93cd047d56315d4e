// Fuzzer: a client that may send anything, against the whole worker on the fake driver. Nothing may
// crash, hang or be left behind.
//
// Input: messages one after the other, each u32 number (as for_each_struct counts), u32 payload
// bytes (0: all that is left), payload. Handles 1 to 3 of every kind exist before. Or u32 kRaw,
// then the bytes of the command stream as they are. (Frames that are none:
// src/session/fuzz_frames.cc.)
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "fuzz/program.h"
#include "fuzz/recording.h"
#include "link/inproc/inproc.h"
#include "opencl/message_visit.h"
#include "random_message.h"
#include "worker/fake/fake_driver.h"
#include "worker/opencl/raw_client_test.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace longwire::worker::opencl {
namespace {

using testing::RawClient;
namespace msg = longwire::opencl::msg;

constexpr std::size_t kMostMessages = 256;
constexpr std::uint32_t kRaw = 0xffffffff;
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

void run_worker(fake::FakeDriver& driver, std::unique_ptr<link::Link> link) {
  core::WorkerLimits limits;
  limits.staging_bytes = std::size_t{64} << 20;
  limits.eager_credit_bytes = std::size_t{1} << 20;
  base::StderrLogger logger(base::LogLevel::kOff);
  core::Worker worker(base::monotonic_clock(), logger, limits, make_backend(driver.api(), nullptr));
  const auto adopted = worker.adopt_main(std::move(link));
  LW_CHECK(adopted.ok());
  if (worker.run() == core::ExitCode::kStuck) std::abort();
}

// A client that speaks in frames, and has made some objects.
void run_messages(fake::FakeDriver& driver, std::span<const std::uint8_t> input) {
  auto [ours, theirs] = link::make_inproc_pair(std::size_t{256} << 10);
  RawClient client(std::move(ours));
  make_objects(client);
  send_input(client, input);
  client.goodbye();
  run_worker(driver, std::move(theirs));
}

void run_raw(fake::FakeDriver& driver, std::span<const std::uint8_t> input) {
  auto [ours, theirs] = link::make_inproc_pair(input.size() + 1);
  const link::ConstBuffer bytes = std::as_bytes(input);
  LW_CHECK(ours->write_some(std::span(&bytes, 1)).ok());
  ours->close();
  run_worker(driver, std::move(theirs));
}

void run_one(std::span<const std::uint8_t> input) {
  fake::FakeDriver driver({.memory_bytes = std::size_t{8} << 20, .devices = 2});
  std::uint32_t first = 0;
  if (input.size() >= sizeof first) std::memcpy(&first, input.data(), sizeof first);
  if (first == kRaw) {
    run_raw(driver, input.subspan(sizeof first));
  } else {
    run_messages(driver, input);
  }
  if (driver.live_objects() != 0) std::abort();
}

// --- seeds ---

void add(fuzz::Bytes& input, std::uint64_t number, std::span<const std::byte> payload) {
  fuzz::append(input, fuzz::written([&](auto& out) {
                 out.u32(static_cast<std::uint32_t>(number));
                 out.u32(static_cast<std::uint32_t>(payload.size()));
               }));
  fuzz::append(input, payload);
}

fuzz::Bytes messages_of(const fuzz::Recording& recording) {
  fuzz::Bytes input;
  for (const fuzz::Message& message : recording.from_client) {
    const auto found = std::ranges::find(opcodes(), message.opcode);
    if (message.opcode < wire::kFirstCommand || found == opcodes().end()) continue;
    add(input, static_cast<std::uint64_t>(found - opcodes().begin()), message.payload);
  }
  return input;
}

}  // namespace
}  // namespace longwire::worker::opencl

// Whole sessions of a program, and each message alone.
std::vector<longwire::fuzz::Seed> longwire::fuzz::seeds() {
  using namespace longwire::worker::opencl;
  std::vector<Seed> all;
  for (std::uint32_t section = 1; section < kAllSections; section *= 2) {
    const Recording recording = record_session(section);
    all.push_back({"section_" + std::to_string(section), messages_of(recording)});
    Bytes raw = written([](auto& out) { out.u32(kRaw); });
    all.push_back({"raw_" + std::to_string(section), append(raw, recording.client_bytes)});
  }
  std::uint64_t number = 0;
  longwire::opencl::for_each_struct([&](std::string_view name, auto message) {
    Bytes input;
    longwire::opencl::RandomMessage random(number + 1);
    random.fill(message);
    worker::opencl::add(input, number++, longwire::opencl::encoded(message));
    all.push_back({std::string(name), std::move(input)});
  });
  return all;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  longwire::worker::opencl::run_one({data, size});
  return 0;
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
