#include "session/handover.h"

#include <strings.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "wire/owned.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace longwire::session {
namespace {

using base::Error;
using base::ErrorCode;
using wire::Reader;

enum Kind : std::uint32_t {
  kAdopt = 1,
  kDrain = 2,
  kReady = 3,
  kStats = 4,
  kEnded = 5,
  kReclaim = 6
};
inline constexpr std::size_t kMaxFdsPerMessage = 4;  // taken, so that surplus ones are closed

Kind kind_of(const HandoverMessage& message) { return static_cast<Kind>(message.index() + 1); }

std::span<const std::byte> as_raw(std::span<const std::uint8_t> bytes) {
  return std::as_bytes(bytes);
}

template <class Out>
void put_text(Out& out, std::string_view text) {
  LW_CHECK(text.size() <= kMaxHandoverTextBytes);
  out.string(text);
}

template <class Out>
void put(Out& out, const Adopt& adopt) {
  out.u32(static_cast<std::uint32_t>(adopt.purpose));
  out.u32(adopt.encrypted ? 1 : 0);
  out.raw(as_raw(adopt.session));
  out.raw(as_raw(adopt.secret));
  out.u64(adopt.version);
  out.u64(adopt.features);
  out.u32(adopt.lanes);
  out.u32(adopt.max_payload_bytes);
  out.u64(adopt.eager_credit_bytes);
  out.u64(adopt.grace_ms);
  out.u64(adopt.grace_after_close_ms);
  out.u64(adopt.limits.memory_bytes);
  out.u64(adopt.limits.handles);
  for (const std::string* text : {&adopt.tenant, &adopt.node, &adopt.peer, &adopt.program}) {
    put_text(out, *text);
  }
  LW_CHECK(adopt.limits.devices.size() <= kMaxHandoverDevices);
  out.u64(adopt.limits.devices.size());
  for (const std::string& device : adopt.limits.devices)
    put_text(out, device);
  out.u64(adopt.outlives_agent ? 1 : 0);
  out.raw(as_raw(adopt.reclaim));
}

template <class Out>
void put(Out& out, const Drain& drain) {
  out.u64(drain.within_ms);
}

template <class Out>
void put(Out& out, const Ready& ready) {
  put_text(out, ready.detail);
}

template <class Out>
void put(Out& out, const Stats& stats) {
  out.u64(stats.bytes_in);
  out.u64(stats.bytes_out);
  out.u64(stats.commands);
  out.u64(stats.device_ns);
}

template <class Out>
void put(Out& out, const Ended& ended) {
  out.u64(static_cast<std::uint64_t>(ended.code));
  put(out, ended.stats);
  put_text(out, ended.reason);
}

template <class Out>
void put(Out& out, const Reclaim& reclaim) {
  out.raw(as_raw(reclaim.secret));
}

template <class Out>
void put_message(Out& out, const HandoverMessage& message) {
  out.u32(kind_of(message));
  out.u32(0);
  std::visit([&out](const auto& body) { put(out, body); }, message);
}

std::string take_text(Reader& in, const char* what) {
  return wire::take_text(in, kMaxHandoverTextBytes, what);
}

Purpose take_purpose(Reader& in) {
  const std::uint32_t value = in.u32("purpose");
  const auto purpose = static_cast<Purpose>(value);
  const bool known = value <= 0xffff && (purpose == Purpose::kNewSession ||
                                         purpose == Purpose::kResume || purpose == Purpose::kLane);
  if (!known) in.fail("purpose");
  return purpose;
}

std::uint64_t take_ms(Reader& in, std::uint64_t most, const char* what) {
  const std::uint64_t ms = in.u64(what);
  if (ms > most) in.fail(what);
  return in.ok() ? ms : 0;
}

bool take_flag(Reader& in, const char* what) {
  const std::uint32_t value = in.u32(what);
  if (value > 1) in.fail(what);
  return value == 1;
}

Adopt take_adopt(Reader& in) {
  Adopt adopt;
  adopt.purpose = take_purpose(in);
  adopt.encrypted = take_flag(in, "encrypted");
  adopt.session = wire::take_array<16>(in, "session");
  adopt.secret = wire::take_array<32>(in, "secret");
  const std::uint64_t version = in.u64("version");
  if (version > 0xffff) in.fail("version");
  adopt.version = static_cast<std::uint16_t>(version);
  adopt.features = in.u64("features");
  adopt.lanes = in.u32("lanes");
  adopt.max_payload_bytes = in.u32("max_payload_bytes");
  adopt.eager_credit_bytes = in.u64("eager_credit_bytes");
  adopt.grace_ms = take_ms(in, kMaxGraceMs, "grace_ms");
  adopt.grace_after_close_ms = take_ms(in, kMaxGraceMs, "grace_after_close_ms");
  adopt.limits.memory_bytes = in.u64("memory_bytes");
  adopt.limits.handles = in.u64("handles");
  adopt.tenant = take_text(in, "tenant");
  adopt.node = take_text(in, "node");
  adopt.peer = take_text(in, "peer");
  adopt.program = take_text(in, "program");
  const std::size_t devices = in.count(8, "devices");
  if (devices > kMaxHandoverDevices) in.fail("devices");
  for (std::size_t i = 0; in.ok() && i < devices; ++i)
    adopt.limits.devices.push_back(take_text(in, "device"));
  const std::uint64_t outlives = in.u64("outlives_agent");
  if (outlives > 1) in.fail("outlives_agent");
  adopt.outlives_agent = outlives == 1;
  adopt.reclaim = wire::take_array<32>(in, "reclaim");
  return adopt;
}

Stats take_stats(Reader& in) {
  Stats stats;
  stats.bytes_in = in.u64("bytes_in");
  stats.bytes_out = in.u64("bytes_out");
  stats.commands = in.u64("commands");
  stats.device_ns = in.u64("device_ns");
  return stats;
}

Ended take_ended(Reader& in) {
  Ended ended;
  const std::uint64_t code = in.u64("code");
  if (code > static_cast<std::uint64_t>(ErrorCode::kInternal)) in.fail("code");
  ended.code = static_cast<ErrorCode>(code);
  ended.stats = take_stats(in);
  ended.reason = take_text(in, "reason");
  return ended;
}

HandoverMessage take_message(Reader& in, std::uint32_t kind) {
  switch (kind) {
    case kAdopt:
      return take_adopt(in);
    case kDrain:
      return Drain{take_ms(in, kMaxDrainMs, "within_ms")};
    case kReady:
      return Ready{take_text(in, "detail")};
    case kStats:
      return take_stats(in);
    case kEnded:
      return take_ended(in);
    case kReclaim:
      return Reclaim{wire::take_array<32>(in, "secret")};
    default:
      in.fail("kind");
      return Drain{};
  }
}

// Takes every descriptor of the message, so that none leaks; keeps the only one.
struct TakenFds {
  base::UniqueFd first;
  std::size_t count = 0;
};

TakenFds take_fds(msghdr& header) {
  TakenFds taken;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      base::UniqueFd owned(fd);
      if (taken.count++ == 0) taken.first = std::move(owned);
    }
  }
  return taken;
}

base::Status check_fds(const HandoverMessage& message, const TakenFds& taken) {
  const bool brings =
      std::holds_alternative<Adopt>(message) || std::holds_alternative<Reclaim>(message);
  const std::size_t wanted = brings ? 1 : 0;
  if (taken.count == wanted) return {};
  return Error(ErrorCode::kWireFault, "handover message with the wrong number of descriptors");
}

}  // namespace

std::vector<std::byte> encode_handover(const HandoverMessage& message) {
  wire::Sizer sizer;
  put_message(sizer, message);
  LW_CHECK(sizer.size() <= kMaxHandoverBytes);
  std::vector<std::byte> bytes(sizer.size());
  wire::Writer writer(bytes);
  put_message(writer, message);
  return bytes;
}

base::Result<HandoverMessage> decode_handover(std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxHandoverBytes) {
    return Error(ErrorCode::kWireFault, "handover message too long");
  }
  Reader in(bytes);
  const std::uint32_t kind = in.u32("kind");
  if (in.u32("reserved") != 0) in.fail("reserved");
  HandoverMessage message = take_message(in, kind);
  LW_TRY(in.finish());
  return message;
}

base::Result<HandoverPair> make_handover_pair() {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()) != 0) {
    return Error::from_errno(ErrorCode::kInternal, "socketpair", errno);
  }
  return HandoverPair{base::UniqueFd(fds[0]), base::UniqueFd(fds[1])};
}

base::Status send_handover(int socket, const HandoverMessage& message, int connection) {
  std::vector<std::byte> bytes = encode_handover(message);
  iovec part{bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (connection >= 0) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof connection);
    std::memcpy(CMSG_DATA(c), &connection, sizeof connection);
  }
  ssize_t sent = -1;
  do {
    sent = ::sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  const int error = errno;
  ::explicit_bzero(bytes.data(), bytes.size());  // it may hold a session's secret
  if (sent >= 0) return {};
  if (error == EAGAIN) return Error(ErrorCode::kLimit, "the handover socket is full");
  const bool gone = error == EPIPE || error == ECONNRESET || error == ECONNREFUSED;
  return Error::from_errno(gone ? ErrorCode::kClosed : ErrorCode::kInternal, "handover", error);
}

base::Result<std::optional<ReceivedHandover>> receive_handover(int socket) {
  std::array<std::byte, kMaxHandoverBytes> bytes;
  iovec part{bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxFdsPerMessage * sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t got = -1;
  do {
    got = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    if (errno == EAGAIN) return std::optional<ReceivedHandover>();
    const auto code = errno == ECONNRESET ? ErrorCode::kClosed : ErrorCode::kInternal;
    return Error::from_errno(code, "handover", errno);
  }
  TakenFds taken = take_fds(header);
  if (got == 0) return Error(ErrorCode::kClosed, "the other end of the handover is gone");
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return Error(ErrorCode::kWireFault, "handover message too long");
  }
  auto message = decode_handover(std::span(bytes).first(static_cast<std::size_t>(got)));
  ::explicit_bzero(bytes.data(), bytes.size());
  if (!message) return std::move(message).error();
  LW_TRY(check_fds(*message, taken));
  return std::optional(ReceivedHandover{*std::move(message), std::move(taken.first)});
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

}  // namespace longwire::session
