#include "node/connection.h"

#include <array>

namespace longwire::node {
namespace {

using base::Error;
using base::ErrorCode;
using base::LogLevel;
using session::Purpose;

inline constexpr std::size_t kWireChunkBytes = 4096;
inline constexpr std::size_t kMessageHeaderBytes = 8;
// TLS, Hello and what a refused client still sends: no handshake needs more.
inline constexpr std::size_t kMaxConnectionBytes = std::size_t{64} << 10;

// A record of one fatal alert, unknown_psk_identity (115).
constexpr std::array kUnknownPskIdentity = {std::byte{21}, std::byte{3}, std::byte{3},
                                            std::byte{0},  std::byte{2}, std::byte{2},
                                            std::byte{115}};

std::string_view name_of(Purpose purpose) noexcept {
  switch (purpose) {
    case Purpose::kNewSession:
      return "session";
    case Purpose::kResume:
      return "resume";
    case Purpose::kLane:
      return "lane";
    case Purpose::kPairing:
      return "pairing";
  }
  return "?";
}

std::string client_text(const session::Hello& hello, const std::string& address) {
  std::string text = address;
  if (!hello.host.empty()) text += " " + hello.host.substr(0, 64);
  if (hello.process_id != 0) text += " pid=" + std::to_string(hello.process_id);
  return text;
}

}  // namespace

std::string_view name_of(Transport transport) noexcept {
  switch (transport) {
    case Transport::kTls:
      return "tls";
    case Transport::kPlain:
      return "tcp";
    case Transport::kUnix:
      return "unix";
  }
  return "?";
}

Connection::Connection(const ConnectionServices& services, Socket socket, Peer peer, Closed closed)
    : services_(services),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      closed_(std::move(closed)),
      timer_(services.io),
      wire_in_(kWireChunkBytes) {
  asio::error_code ignored;
  socket_.non_blocking(true, ignored);
}

Connection::~Connection() { finish(false); }

void Connection::start() {
  timer_.expires_after(std::chrono::milliseconds(services_.config.limits.handshake_timeout_ms));
  timer_.async_wait([weak = weak_from_this()](asio::error_code error) {
    const auto self = weak.lock();
    if (!error && self) self->fail(Error(ErrorCode::kTimeout, "the handshake took too long"));
  });
  need(session::kPreambleBytes, &Connection::on_preamble);
}

void Connection::close() { finish(false); }

// --- bytes ---

void Connection::need(std::size_t bytes, Next next) {
  wanted_ = bytes;
  if (plain_in_.size() >= wanted_) return step(next);
  receive(next);
}

void Connection::receive(Next next) {
  // In clear, exactly what is wanted: on a unix socket the next byte is the worker's.
  const std::size_t most = channel_ ? wire_in_.size() : wanted_ - plain_in_.size();
  socket_.async_read_some(
      asio::buffer(wire_in_.data(), std::min(most, wire_in_.size())),
      [self = shared_from_this(), next](asio::error_code error, std::size_t bytes) {
        if (!self->socket_.is_open()) return;
        if (error) {
          return self->fail(Error(ErrorCode::kClosed, "the client went away: " + error.message()));
        }
        self->on_received(bytes, next);
      });
}

void Connection::on_received(std::size_t bytes, Next next) {
  received_ += bytes;
  if (received_ > kMaxConnectionBytes) {
    return fail(Error(ErrorCode::kLimit, "too many bytes before a session"));
  }
  const std::span<const std::byte> wire(wire_in_.data(), bytes);
  if (!channel_) {
    plain_in_.insert(plain_in_.end(), wire.begin(), wire.end());
    return plain_in_.size() >= wanted_ ? step(next) : receive(next);
  }
  auto fed = channel_->feed(wire);
  wire_out_ = channel_->take_output();  // an alert, if it failed
  if (!fed) {
    if (!wire_out_.empty()) {
      asio::error_code ignored;
      socket_.write_some(asio::buffer(wire_out_), ignored);
    }
    return fail(std::move(fed).error());
  }
  transmit(next);
}

// Sends wire_out_, then goes on with `next` if what it needs is there. Small answers are taken by
// the kernel at once; then `next` runs before the client can have them.
void Connection::transmit(Next next) {
  asio::error_code error;
  const std::size_t sent =
      wire_out_.empty() ? 0 : socket_.write_some(asio::buffer(wire_out_), error);
  wire_out_.erase(wire_out_.begin(), wire_out_.begin() + static_cast<std::ptrdiff_t>(sent));
  if (error && error != asio::error::would_block) {
    return fail(Error(ErrorCode::kClosed, error.message()));
  }
  if (!wire_out_.empty()) return transmit_later(next);
  if (channel_ && channel_->established()) {
    auto read = channel_->read(plain_in_, kMaxConnectionBytes);
    if (!read) return fail(std::move(read).error());
  }
  if (plain_in_.size() >= wanted_) return step(next);
  receive(next);
}

void Connection::transmit_later(Next next) {
  socket_.async_wait(Socket::wait_write, [self = shared_from_this(), next](asio::error_code error) {
    if (!self->socket_.is_open()) return;
    if (error) return self->fail(Error(ErrorCode::kClosed, error.message()));
    self->transmit(next);
  });
}

void Connection::send(std::vector<std::byte> plain, Next next) {
  wanted_ = 0;
  if (!channel_) {
    wire_out_ = std::move(plain);
  } else {
    auto written = channel_->write(plain);
    if (!written) return fail(std::move(written).error());
    wire_out_ = channel_->take_output();
  }
  transmit(next);
}

void Connection::step(Next next) { (this->*next)(); }

// --- the handshake ---

void Connection::on_preamble() {
  auto preamble = session::decode_preamble(plain_in_);
  plain_in_.clear();
  if (!preamble) return fail(std::move(preamble).error());
  preamble_ = *preamble;
  switch (preamble_.purpose) {
    case Purpose::kLane:
    case Purpose::kResume:
      return join_session();
    case Purpose::kNewSession:
      if (peer_.transport == Transport::kTls) return begin_tls();
      return need(kMessageHeaderBytes, &Connection::on_hello_header);
    case Purpose::kPairing:
      if (peer_.transport == Transport::kTls) return begin_tls();
      return refuse(Error(ErrorCode::kUnsupported, "pairing needs the node's TLS port"));
  }
}

void Connection::join_session() {
  services_.trust.check();
  if (auto may = services_.sessions.may_join(preamble_.session, peer_.origin()); !may) {
    return refuse_to_join(may.error());
  }
  const base::UniqueFd socket = take_socket();
  auto routed =
      services_.sessions.route(preamble_.purpose, preamble_.session, peer_.address, socket.get());
  if (!routed) return fail(std::move(routed).error());
  finish(true);
}

// A client with TLS waits for the worker's part of the handshake, so it is told in TLS: the alert
// of RFC 8446, 6.2, for a key that nobody knows here.
void Connection::refuse_to_join(const Error& why) {
  if (peer_.transport != Transport::kTls) return refuse(why);
  log_refusal(why);
  wanted_ = 0;
  wire_out_.assign(kUnknownPskIdentity.begin(), kUnknownPskIdentity.end());
  transmit(&Connection::on_refusal_sent);
}

void Connection::begin_tls() {
  auto channel = services_.authority.new_channel();
  if (!channel) return fail(std::move(channel).error());
  channel_ = *std::move(channel);
  wanted_ = 0;
  receive(&Connection::continue_tls);
}

void Connection::continue_tls() {
  if (channel_->established()) return on_secure();
  receive(&Connection::continue_tls);
}

void Connection::on_secure() { need(kMessageHeaderBytes, &Connection::on_hello_header); }

void Connection::on_hello_header() {
  auto size = session::handshake_message_bytes(plain_in_);
  if (!size) return fail(std::move(size).error());
  need(*size, &Connection::on_hello);
}

void Connection::on_hello() {
  auto hello = session::decode_hello(plain_in_);
  const bool more = plain_in_.size() > wanted_;
  plain_in_.clear();
  if (!hello) return fail(std::move(hello).error());
  if (more || hello->purpose != preamble_.purpose) {
    return fail(Error(ErrorCode::kWireFault, "Hello does not fit its connection"));
  }
  if (hello->purpose == Purpose::kPairing) return begin_pairing(*hello);
  request_session(*hello);
}

base::Result<ClientIdentity> Connection::identify(const session::Hello& hello) {
  if (peer_.transport == Transport::kTls) {
    if (!hello.token.empty()) {
      return services_.authority.redeem(channel_->peer_fingerprint(), hello.token);
    }
    LW_ASSIGN(ClientIdentity identity,
              services_.authority.recognise(channel_->peer_fingerprint(), channel_->peer_note()));
    if (!identity.replaces.empty()) record_rotation(identity);
    return identity;
  }
  if (peer_.transport == Transport::kUnix) return ClientIdentity{peer_.user, peer_.user};
  return ClientIdentity{"anonymous", "anonymous"};
}

void Connection::record_rotation(const ClientIdentity& identity) {
  services_.audit.write("key.followed", {{"client", identity.name},
                                         {"tenant", identity.tenant},
                                         {"key", identity.key},
                                         {"replaces", identity.replaces},
                                         {"peer", peer_.address}});
}

void Connection::request_session(const session::Hello& hello) {
  auto version = session::choose_version(hello);
  if (!version) return refuse(std::move(version).error());
  auto identity = identify(hello);
  if (!identity) return refuse(std::move(identity).error());
  if (!hello.tenant.empty() && hello.tenant != identity->tenant) {
    return refuse(Error(ErrorCode::kPermissionDenied,
                        "this client's key belongs to tenant '" + identity->tenant + "'"));
  }
  if (identity->grant) services_.sessions.fence(identity->tenant, *identity->grant);
  NewSession wanted;
  wanted.encrypted = peer_.transport == Transport::kTls;
  wanted.origin = peer_.origin();
  wanted.version = *version;
  wanted.features = hello.features;
  wanted.max_payload_bytes = hello.max_payload_bytes;
  wanted.client = identity->name;
  wanted.key = identity->key;
  wanted.grant = identity->grant;
  wanted.tenant = identity->tenant.substr(0, session::kMaxHandoverTextBytes);
  wanted.peer = client_text(hello, peer_.address);
  wanted.program = hello.program.substr(0, 256);
  const auto id = services_.sessions.open(
      std::move(wanted), [weak = weak_from_this(), &sessions = services_.sessions](auto welcome) {
        const auto self = weak.lock();
        if (self && self->socket_.is_open()) return self->on_session(std::move(welcome));
        if (welcome) sessions.abandon(welcome->session);
      });
  // While its worker starts, this connection answers for the session.
  if (id && socket_.is_open()) opened_ = id;
}

void Connection::on_session(base::Result<session::Welcome> welcome) {
  if (!welcome) {
    opened_.reset();
    return refuse(std::move(welcome).error());
  }
  opened_ = welcome->session;
  welcome->time_ms = static_cast<std::uint64_t>(base::wall_clock().now_ns() / base::kMillisecond);
  send(session::encode(*welcome), &Connection::on_welcome_sent);
}

void Connection::on_welcome_sent() {
  const base::UniqueFd socket = take_socket();
  auto adopted = services_.sessions.adopt(*opened_, socket.get());
  if (!adopted) return fail(std::move(adopted).error());
  opened_.reset();
  finish(true);
}

// --- pairing: the messages of src/session/auth/pairing.h, framed as Hello is ---

void Connection::begin_pairing(const session::Hello& hello) {
  auto version = session::choose_version(hello);
  if (!version) return refuse(std::move(version).error());
  auto turn = services_.authority.begin_pairing(*channel_, peer_.gate_key);
  if (!turn) return refuse(std::move(turn).error());
  pairing_ = *std::move(turn);
  session::Welcome welcome;
  welcome.version = *version;
  welcome.node = services_.config.name;
  welcome.software = "longwire " LONGWIRE_VERSION;
  send(session::encode(welcome), &Connection::await_pairing_message);
}

void Connection::await_pairing_message() {
  if (paired_) return on_refusal_sent();
  need(kMessageHeaderBytes, &Connection::on_pairing_header);
}

void Connection::on_pairing_header() {
  auto size = session::handshake_message_bytes(plain_in_);
  if (!size) return fail(std::move(size).error());
  need(*size, &Connection::on_pairing_message);
}

void Connection::on_pairing_message() {
  auto step = pairing_->on_message(std::span(plain_in_).first(wanted_));
  plain_in_.erase(plain_in_.begin(), plain_in_.begin() + static_cast<std::ptrdiff_t>(wanted_));
  if (!step) return refuse(std::move(step).error());
  paired_ = step->done;
  send(std::move(step->reply), &Connection::await_pairing_message);
}

// Out of the event loop's hands: its epoll set must not watch what a worker owns.
base::UniqueFd Connection::take_socket() {
  asio::error_code error;
  return base::UniqueFd(socket_.release(error));
}

// --- ends ---

void Connection::refuse(const Error& why) {
  log_refusal(why);
  plain_in_.clear();
  send(session::encode(session::Refusal{why.code(), why.message()}), &Connection::on_refusal_sent);
}

void Connection::log_refusal(const Error& why) {
  const auto tell = [&](std::initializer_list<Field> fields) {
    services_.journal.event(LogLevel::kWarning, "connection.refused", fields);
    services_.audit.write_of_stranger("connection.refused", fields);
  };
  const bool secure = channel_ && channel_->established();
  tell({{"peer", peer_.address},
        {"transport", name_of(peer_.transport)},
        {"purpose", name_of(preamble_.purpose)},
        {"key", secure ? channel_->peer_fingerprint() : ""},
        {"code", base::name_of(why.code())},
        {"reason", why.message()}});
}

// Half-close and wait for the client to do the same: closing with unread bytes would reset the
// connection, and the client might never see why.
void Connection::on_refusal_sent() {
  asio::error_code ignored;
  socket_.shutdown(asio::socket_base::shutdown_send, ignored);
  await_end();
}

void Connection::await_end() {
  socket_.async_read_some(asio::buffer(wire_in_),
                          [self = shared_from_this()](asio::error_code error, std::size_t bytes) {
                            self->received_ += bytes;
                            if (error || self->received_ > kMaxConnectionBytes) {
                              return self->finish(self->paired_);
                            }
                            self->await_end();
                          });
}

void Connection::fail(const Error& why) {
  if (!closed_) return;
  services_.journal.event(LogLevel::kWarning, "connection.failed",
                          {{"peer", peer_.address},
                           {"transport", name_of(peer_.transport)},
                           {"code", base::name_of(why.code())},
                           {"reason", why.message()}});
  finish(paired_);
}

void Connection::finish(bool fruitful) {
  asio::error_code ignored;
  socket_.close(ignored);
  if (opened_) services_.sessions.abandon(*std::exchange(opened_, std::nullopt));
  timer_.cancel();
  if (closed_) std::exchange(closed_, nullptr)(fruitful);
}

}  // namespace longwire::node
