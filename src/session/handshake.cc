#include "session/handshake.h"

#include <algorithm>
#include <limits>

namespace longwire::session {
namespace {

using base::Deadline;
using base::Error;
using base::ErrorCode;

constexpr std::uint16_t kPreambleVersion = 1;

// --- bodies: every field is 8 bytes or a string, new ones only at the end ---

template <class Out, std::size_t N>
void put_array(Out& out, const std::array<std::uint8_t, N>& value) {
  out.raw(std::as_bytes(std::span(value)));
}

template <std::size_t N>
void get_array(wire::Reader& r, std::array<std::uint8_t, N>& value, const char* what) {
  const auto bytes = r.raw(N, what);
  if (bytes.size() == N) {
    std::ranges::transform(bytes, value.begin(),
                           [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  }
}

std::string_view shortened(std::string_view text) { return text.substr(0, kMaxHelloTextBytes); }

// A field that has fewer bits here than the 8 bytes it has on the wire.
template <class T>
T get_narrow(wire::Reader& r, const char* what) {
  const std::uint64_t value = r.scalar(what);
  if (value > std::numeric_limits<T>::max()) r.fail(what);
  return r.ok() ? static_cast<T>(value) : T{};
}

std::uint32_t get_payload_limit(wire::Reader& r) {
  constexpr const char* kWhat = "max_payload_bytes";
  const auto limit = get_narrow<std::uint32_t>(r, kWhat);
  if (limit != 0 && limit < kLeastPayloadBytes) r.fail(kWhat);
  return limit;
}

std::uint64_t get_grace(wire::Reader& r) {
  const std::uint64_t grace_ms = r.scalar("grace_ms");
  if (grace_ms > kMaxGraceMs) r.fail("grace_ms");
  return grace_ms;
}

template <class Out>
void put(Out& out, const Hello& m) {
  out.scalar(m.version_min);
  out.scalar(m.version_max);
  out.scalar(static_cast<std::uint64_t>(m.purpose));
  out.scalar(m.features);
  put_array(out, m.session);
  out.scalar(m.received);
  out.scalar(m.lane);
  out.scalar(m.max_payload_bytes);
  out.string(shortened(m.tenant));
  out.string(shortened(m.program));
  out.string(shortened(m.host));
  out.scalar(m.process_id);
  out.string(shortened(m.software));
  LW_CHECK(m.token.size() <= kMaxHelloTokenBytes);
  out.bytes(m.token);
}

Purpose get_purpose(wire::Reader& r, std::uint64_t value) {
  const bool known = value >= static_cast<std::uint64_t>(Purpose::kNewSession) &&
                     value <= static_cast<std::uint64_t>(Purpose::kPairing);
  if (!known) r.fail("purpose");
  return known ? static_cast<Purpose>(value) : Purpose::kNewSession;
}

void get(wire::Reader& r, Hello& m) {
  m.version_min = get_narrow<std::uint16_t>(r, "version_min");
  m.version_max = get_narrow<std::uint16_t>(r, "version_max");
  m.purpose = get_purpose(r, r.scalar("purpose"));
  m.features = r.scalar("features");
  get_array(r, m.session, "session");
  m.received = r.scalar("received");
  m.lane = get_narrow<std::uint32_t>(r, "lane");
  m.max_payload_bytes = get_payload_limit(r);
  m.tenant = read_peer_text(r, "tenant");
  m.program = read_peer_text(r, "program");
  m.host = read_peer_text(r, "host");
  m.process_id = r.scalar("process_id");
  m.software = read_peer_text(r, "software");
  if (!r.ok() || r.remaining() == 0) return;  // an older client
  const auto token = r.bytes("token");
  if (token.size() > kMaxHelloTokenBytes) r.fail("token");
  if (r.ok()) m.token.assign(token.begin(), token.end());
}

template <class Out>
void put(Out& out, const Welcome& m) {
  out.scalar(m.version);
  out.scalar(m.features);
  put_array(out, m.session);
  put_array(out, m.secret);
  out.scalar(m.received);
  out.scalar(m.lanes_wanted);
  out.scalar(m.max_payload_bytes);
  out.scalar(m.eager_credit_bytes);
  out.scalar(m.grace_ms);
  out.string(shortened(m.tenant));
  out.string(shortened(m.node));
  out.string(shortened(m.software));
  out.scalar(m.time_ms);
}

void get(wire::Reader& r, Welcome& m) {
  m.version = get_narrow<std::uint16_t>(r, "version");
  m.features = r.scalar("features");
  get_array(r, m.session, "session");
  get_array(r, m.secret, "secret");
  m.received = r.scalar("received");
  m.lanes_wanted = get_narrow<std::uint32_t>(r, "lanes_wanted");
  m.max_payload_bytes = get_payload_limit(r);
  m.eager_credit_bytes = r.scalar("eager_credit_bytes");
  m.grace_ms = get_grace(r);
  m.tenant = read_peer_text(r, "tenant");
  m.node = read_peer_text(r, "node");
  m.software = read_peer_text(r, "software");
  if (r.remaining() != 0) m.time_ms = r.scalar("time");
}

template <class Out>
void put(Out& out, const Refusal& m) {
  out.scalar(static_cast<std::uint64_t>(m.code));
  out.string(shortened(m.message));
}

void get(wire::Reader& r, Refusal& m) {
  const std::uint64_t code = r.scalar("code");
  const bool known = code <= static_cast<std::uint64_t>(ErrorCode::kInternal);
  m.code = known ? static_cast<ErrorCode>(code) : ErrorCode::kPermissionDenied;
  m.message = read_peer_text(r, "message");
}

// --- framing ---

struct MessageHeader {
  std::size_t body_bytes;
  std::uint32_t kind;
};

base::Result<MessageHeader> decode_header(std::span<const std::byte> bytes) {
  wire::Reader r(bytes);
  const std::uint32_t size = r.u32("handshake size");
  const std::uint32_t kind = r.u32("handshake kind");
  if (size > kMaxHelloBytes || size % 8 != 0) r.fail("handshake size");
  LW_TRY(r.finish());
  return MessageHeader{size, kind};
}

template <class Message>
base::Result<Message> decode_body(std::span<const std::byte> body) {
  wire::Reader r(body);
  Message message;
  get(r, message);
  LW_TRY(r.finish());
  return message;
}

base::Status wait_for(link::Link& link, link::Interest interest, Deadline deadline) {
  LW_ASSIGN(const link::Readiness ready, link.wait(interest, deadline));
  if (ready.timed_out()) return Error(ErrorCode::kTimeout, "no answer in time");
  return {};
}

}  // namespace

// --- codecs ---

std::array<std::byte, kPreambleBytes> encode(const Preamble& preamble) {
  std::array<std::byte, kPreambleBytes> bytes;
  wire::Writer w(bytes);
  w.raw(std::as_bytes(std::span(kMagic)));
  w.u16(kPreambleVersion);
  w.u16(static_cast<std::uint16_t>(preamble.purpose));
  w.u32(0);
  put_array(w, preamble.session);
  return bytes;
}

base::Result<Preamble> decode_preamble(std::span<const std::byte> bytes) {
  wire::Reader r(bytes);
  const auto magic = r.raw(kMagic.size(), "magic");
  if (!std::ranges::equal(magic, std::as_bytes(std::span(kMagic)))) r.fail("magic");
  if (r.u16("preamble version") != kPreambleVersion) r.fail("preamble version");
  Preamble preamble;
  preamble.purpose = get_purpose(r, r.u16("purpose"));
  if (r.u32("reserved") != 0) r.fail("reserved");
  get_array(r, preamble.session, "session");
  LW_TRY(r.finish());
  return preamble;
}

std::vector<std::byte> encode(const Hello& hello) {
  return encode_handshake_message(HandshakeKind::kHello, [&](auto& out) { put(out, hello); });
}
std::vector<std::byte> encode(const Welcome& welcome) {
  return encode_handshake_message(HandshakeKind::kWelcome, [&](auto& out) { put(out, welcome); });
}
std::vector<std::byte> encode(const Refusal& refusal) {
  return encode_handshake_message(HandshakeKind::kRefusal, [&](auto& out) { put(out, refusal); });
}

base::Result<std::size_t> handshake_message_bytes(std::span<const std::byte> received) {
  if (received.size() < kHandshakeHeaderBytes) return kHandshakeHeaderBytes;
  LW_ASSIGN(const MessageHeader header, decode_header(received.first(kHandshakeHeaderBytes)));
  return kHandshakeHeaderBytes + header.body_bytes;
}

base::Result<std::span<const std::byte>> handshake_body(std::span<const std::byte> message,
                                                        HandshakeKind expected) {
  LW_ASSIGN(const MessageHeader header, decode_header(message));
  const auto body = message.subspan(kHandshakeHeaderBytes);
  if (body.size() != header.body_bytes) {
    return Error(ErrorCode::kWireFault, "a handshake message has another size than it says");
  }
  if (header.kind == static_cast<std::uint32_t>(expected)) return body;
  if (header.kind != static_cast<std::uint32_t>(HandshakeKind::kRefusal)) {
    return Error(ErrorCode::kWireFault,
                 "unexpected handshake message " + std::to_string(header.kind));
  }
  LW_ASSIGN(const Refusal refusal, decode_body<Refusal>(body));
  return Error(refusal.code, "refused: " + refusal.message);
}

base::Result<Hello> decode_hello(std::span<const std::byte> message) {
  LW_ASSIGN(const auto body, handshake_body(message, HandshakeKind::kHello));
  return decode_body<Hello>(body);
}

base::Result<Welcome> decode_answer(std::span<const std::byte> message) {
  LW_ASSIGN(const auto body, handshake_body(message, HandshakeKind::kWelcome));
  return decode_body<Welcome>(body);
}

std::string read_peer_text(wire::Reader& r, const char* what) {
  const std::string_view text = r.string(what);
  if (text.size() > kMaxHelloTextBytes) r.fail(what);
  if (!r.ok()) return {};
  std::string clean(text);
  std::ranges::replace_if(
      clean, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return clean;
}

// --- blocking exchange ---

base::Status send_all(link::Link& link, std::span<const std::byte> bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const link::ConstBuffer part = bytes;
    LW_ASSIGN(const std::size_t sent, link.write_some({&part, 1}));
    bytes = bytes.subspan(sent);
    if (sent == 0) LW_TRY(wait_for(link, {.readable = false, .writable = true}, deadline));
  }
  return {};
}

base::Status receive_all(link::Link& link, std::span<std::byte> bytes, Deadline deadline) {
  while (!bytes.empty()) {
    LW_ASSIGN(const std::size_t received, link.read_some(bytes));
    bytes = bytes.subspan(received);
    if (received == 0) LW_TRY(wait_for(link, {.readable = true, .writable = false}, deadline));
  }
  return {};
}

base::Result<std::vector<std::byte>> receive_handshake_message(link::Link& link,
                                                               Deadline deadline) {
  std::vector<std::byte> message(kHandshakeHeaderBytes);
  LW_TRY(receive_all(link, message, deadline));
  LW_ASSIGN(const std::size_t bytes, handshake_message_bytes(message));
  message.resize(bytes);
  LW_TRY(receive_all(link, std::span(message).subspan(kHandshakeHeaderBytes), deadline));
  return message;
}

base::Result<Welcome> hello_and_welcome(link::Link& link, const Hello& hello, Deadline deadline) {
  LW_TRY(send_all(link, encode(hello), deadline));
  LW_ASSIGN(const std::vector<std::byte> message, receive_handshake_message(link, deadline));
  LW_ASSIGN(const Welcome welcome, decode_answer(message));
  if (welcome.version < hello.version_min || welcome.version > hello.version_max) {
    return Error(ErrorCode::kUnsupported, "the other side chose protocol version " +
                                              std::to_string(welcome.version) +
                                              ", which was not offered");
  }
  return welcome;
}

base::Result<Hello> receive_hello(link::Link& link, Deadline deadline) {
  LW_ASSIGN(const std::vector<std::byte> message, receive_handshake_message(link, deadline));
  return decode_hello(message);
}

base::Result<std::uint16_t> choose_version(const Hello& hello) {
  const std::uint16_t best = std::min(hello.version_max, kProtocolVersionMax);
  if (hello.version_min <= hello.version_max && best >= hello.version_min &&
      best >= kProtocolVersionMin) {
    return best;
  }
  const auto range = [](unsigned low, unsigned high) {
    return std::to_string(low) + " to " + std::to_string(high);
  };
  return Error(ErrorCode::kUnsupported, "this side speaks protocol versions " +
                                            range(kProtocolVersionMin, kProtocolVersionMax) +
                                            ", the client (" + hello.software + ") " +
                                            range(hello.version_min, hello.version_max) +
                                            ": update the older of the two");
}

}  // namespace longwire::session
