// Fuzzer: a node that may say anything, against the whole client library while a program makes
// calls. Whatever comes, the program gets an error or an answer; nothing crashes, hangs or is
// written where it does not belong.
//
// Input: u32 sections of the program (program.h) and kDescribed (the node first describes its
// devices as a real one does: a program goes no further without) or kIntroduces (the client waits
// for an Introduction instead), then the node's messages one after the other: u16 opcode, u16 mode,
// u32 payload bytes, payload. The framing is made right (fuzz_frames is for that); with mode bit 0
// a reply answers the oldest request that waits, whatever token it has.
#include <pthread.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "fuzz/program.h"
#include "fuzz/recording.h"
#include "opencl/message_visit.h"
#include "wire/frame_codec.h"
#include "wire/opcodes.h"
#include "wire/reader.h"
#include "wire/reply.h"

namespace longwire::fuzz {
namespace {

constexpr std::uint16_t kAnswersOldest = 1;       // mode bit
constexpr std::uint32_t kDescribed = 0x80000000;  // beside the sections
constexpr std::uint32_t kIntroduces = 0x40000000;
constexpr std::size_t kMostMessages = 512;
// Only if the program does not get on otherwise: what comes while nobody asks.
constexpr auto kStall = std::chrono::milliseconds(20);

// The token of a client's message; 0: it wants no reply, or is none of ours.
wire::Token token_of(wire::Opcode opcode, std::span<const std::byte> payload) {
  using Decode = wire::Token (*)(std::span<const std::byte>);
  static const auto* const decoders = [] {
    auto* all = new std::map<wire::Opcode, Decode>;
    opencl::for_each_message([&](auto message) {
      using M = decltype(message);
      if constexpr (requires { message.token; }) {
        (*all)[M::kOpcode] = [](std::span<const std::byte> bytes) {
          wire::Reader in(bytes);
          M decoded;
          decode(in, decoded);
          return static_cast<wire::Token>(decoded.token);
        };
      }
    });
    return all;
  }();
  const auto found = decoders->find(opcode);
  return found == decoders->end() ? 0 : found->second(payload);
}

// Where the pump's own thread waits: it reads what nobody has asked for, and must not take the
// answers to what the program is about to ask.
bool on_background_thread() {
  static thread_local const bool is = [] {
    std::array<char, 16> name{};
    pthread_getname_np(pthread_self(), name.data(), name.size());
    return std::string_view(name.data()) == "lw-pump";
  }();
  return is;
}

// The node's end. A message is sent whenever somebody waits for one; after the last the link ends.
class HostileNode final : public link::Link {
 public:
  explicit HostileNode(std::span<const std::byte> input) : input_(input) {}

  base::Result<std::size_t> read_some(std::span<std::byte> out) override {
    const std::lock_guard lock(mutex_);
    const std::size_t n = std::min(out.size(), ready_.size());
    std::copy_n(ready_.begin(), n, out.begin());
    ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(n));
    if (n == 0 && over_) return base::Error(base::ErrorCode::kClosed, "the node has gone");
    return n;
  }
  base::Result<std::size_t> write_some(std::span<const link::ConstBuffer> parts) override {
    const std::lock_guard lock(mutex_);
    std::size_t total = 0;
    for (const link::ConstBuffer part : parts) {
      append(sent_, part);
      total += part.size();
    }
    take_frames();
    return total;
  }
  base::Result<link::Readiness> wait(link::Interest interest, base::Deadline) override {
    std::unique_lock lock(mutex_);
    const auto something = [&] { return woken_ || over_ || !ready_.empty() || interest.writable; };
    if (!something() && on_background_thread()) changed_.wait_for(lock, kStall, something);
    if (!something()) say_next();
    link::Readiness found;
    found.readable = interest.readable && (over_ || !ready_.empty());
    found.writable = interest.writable;
    found.woken = std::exchange(woken_, false);
    return found;
  }
  void wake() noexcept override {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_all();
  }
  void close() noexcept override {
    const std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }
  link::LinkInfo info() const override { return {}; }

 private:
  void take_frames() {
    std::span<const std::byte> rest = sent_;
    while (rest.size() >= wire::kFrameHeaderBytes) {
      const auto header = wire::decode_frame_header(rest.first<wire::kFrameHeaderBytes>());
      if (rest.size() < wire::kFrameHeaderBytes + header.payload_bytes) break;
      const auto payload = rest.subspan(wire::kFrameHeaderBytes, header.payload_bytes);
      if ((header.flags & wire::kFrameUnnumbered) == 0) received_ = header.sequence;
      if (const wire::Token token = token_of(header.opcode, payload)) asked_.push_back(token);
      rest = rest.subspan(wire::kFrameHeaderBytes + header.payload_bytes);
    }
    sent_.erase(sent_.begin(), sent_.end() - static_cast<std::ptrdiff_t>(rest.size()));
  }

  void say_next() {
    wire::Reader in(input_);
    const auto opcode = in.u16();
    const auto mode = in.u16();
    const std::size_t size = std::min<std::size_t>(in.u32(), in.remaining());
    if (!in.ok() || ++said_ > kMostMessages) {
      over_ = true;
      return;
    }
    const auto view = in.raw(size);
    Bytes payload(wire::round_up_8(size));
    std::copy(view.begin(), view.end(), payload.begin());
    input_ = input_.subspan(in.position());
    if (opcode == wire::kOpReply && (mode & kAnswersOldest) != 0) put_token(payload);
    say(opcode, payload);
  }

  void put_token(Bytes& payload) {
    if (asked_.empty() || payload.size() < sizeof(wire::Token)) return;
    std::memcpy(payload.data(), &asked_.front(), sizeof(wire::Token));
    asked_.pop_front();
  }

  void say(wire::Opcode opcode, std::span<const std::byte> payload) {
    std::array<std::byte, wire::kFrameHeaderBytes> header{};
    // An acknowledgement and the like are for fuzz_frames.
    const wire::Opcode said = opcode < wire::kOpReply && opcode != wire::kOpGoodbye
                                  ? static_cast<wire::Opcode>(wire::kOpReply)
                                  : opcode;
    wire::encode_frame_header(
        {static_cast<std::uint32_t>(payload.size()), said, 0, ++sequence_, received_}, header);
    ready_.insert(ready_.end(), header.begin(), header.end());
    ready_.insert(ready_.end(), payload.begin(), payload.end());
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::span<const std::byte> input_;
  std::size_t said_ = 0;
  Bytes sent_;  // by the client, not a whole frame yet
  std::deque<wire::Token> asked_;
  std::deque<std::byte> ready_;
  wire::Sequence sequence_ = 0;
  wire::Sequence received_ = 0;
  bool woken_ = false;
  bool over_ = false;
};

class HostileConnector final : public client::core::Connector {
 public:
  HostileConnector(std::span<const std::byte> input, bool introduces)
      : input_(input), introduces_(introduces) {}
  base::Result<Opened> open_session(base::Deadline) override {
    Opened opened;
    opened.link = std::make_unique<HostileNode>(input_);
    opened.welcome.eager_credit_bytes = std::uint64_t{1} << 20;
    if (introduces_) opened.welcome.features |= session::kFeatureIntroduction;
    return opened;
  }
  base::Result<Opened> open_lane(const session::Welcome&, std::uint32_t, base::Deadline) override {
    return base::Error(base::ErrorCode::kUnsupported, "no lanes here");
  }
  std::string node_name() const override { return "hostile"; }

 private:
  std::span<const std::byte> input_;
  const bool introduces_;
};

void add(Bytes& input, const Message& message) {
  append(input, written([&](auto& out) {
           out.u16(message.opcode);
           out.u16(message.opcode == wire::kOpReply ? kAnswersOldest : 0);
           out.u32(static_cast<std::uint32_t>(message.payload.size()));
         }));
  append(input, message.payload);
}

// A real node's first answer, as input.
const Bytes& description() {
  static const auto* const one = [] {
    auto* bytes = new Bytes;
    add(*bytes, record_session(0).from_worker.front());
    return bytes;
  }();
  return *one;
}

Bytes input_of(std::uint32_t sections, bool described = true) {
  Bytes input = written([&](auto& out) { out.u32(sections | (described ? kDescribed : 0)); });
  const auto messages = record_session(sections).from_worker;
  for (std::size_t i = described ? 1 : 0; i < messages.size(); ++i)
    add(input, messages[i]);
  return input;
}

// The same answer, as a node says it unasked.
Bytes introduced_input(std::uint32_t sections) {
  Bytes input = written([&](auto& out) { out.u32(sections | kIntroduces); });
  auto messages = record_session(sections).from_worker;
  Message& first = messages.front();
  first.opcode = wire::kOpIntroduction;
  first.payload.erase(first.payload.begin(), first.payload.begin() + wire::kReplyHeaderBytes);
  for (const Message& message : messages)
    add(input, message);
  return input;
}

}  // namespace

std::vector<Seed> seeds() {
  return {{"infos", input_of(kInfos)},
          {"buffers", input_of(kBuffers)},
          {"images", input_of(kImages)},
          {"programs", input_of(kPrograms)},
          {"events", input_of(kEvents)},
          {"bulk", input_of(kBulk)},
          {"everything", input_of(kAllSections)},
          {"description", input_of(kInfos, false)},
          {"introduction", introduced_input(kInfos)},
          {"introduction_everything", introduced_input(kAllSections)},
          {"silent", Bytes(4)}};
}

}  // namespace longwire::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace longwire::fuzz;
  std::uint32_t sections = 0;
  if (size < sizeof sections) return 0;
  std::memcpy(&sections, data, sizeof sections);
  Bytes input;
  if ((sections & kDescribed) != 0) append(input, description());
  append(input, std::as_bytes(std::span(data, size)).subspan(sizeof sections));
  const bool introduces = (sections & kIntroduces) != 0;
  run_program_on(std::make_unique<HostileConnector>(input, introduces), sections);
  return 0;
}
