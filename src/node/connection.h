// Connection: one accepted socket until it belongs to a worker or is closed: preamble, TLS, Hello,
// Welcome or Refusal, as src/session/handshake.h says. Everything that a stranger can make the
// agent do is in here, within one time-out and a few kilobytes.
//
// Threads: everything on the io_context's thread. Shared by the agent's table and by its own
// pending handlers; the last to let go destroys it.
#pragma once

#include <asio.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "node/audit.h"
#include "node/journal.h"
#include "node/secure_channel.h"
#include "node/sessions.h"
#include "node/trust_watch.h"
#include "session/handshake.h"

namespace longwire::node {

enum class Transport : std::uint8_t { kTls, kPlain, kUnix };
std::string_view name_of(Transport transport) noexcept;

// Where a connection comes from.
struct Peer {
  Transport transport = Transport::kTls;
  std::string address;   // for people: "192.168.1.7:50122", "unix:uid=1000,pid=4711"
  std::string gate_key;  // whom the gate counts
  std::string user;      // unix: the tenant that a local user is

  // Who may join a session: with TLS its secret proves the rest, and on a unix socket the user is
  // known. In clear whoever knows the session's number may: he reads and writes all of it anyway.
  std::string origin() const { return std::string(name_of(transport)) + ":" + user; }
};

// What connections share; outlives them.
struct ConnectionServices {
  asio::io_context& io;
  Journal& journal;
  Audit& audit;
  Authority& authority;
  Sessions& sessions;
  TrustWatch& trust;
  const NodeConfig& config;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = asio::generic::stream_protocol::socket;
  // Called once, at the end; `fruitful` when it came to a session, a lane or a pairing.
  using Closed = std::function<void(bool fruitful)>;

  Connection(const ConnectionServices& services, Socket socket, Peer peer, Closed closed);
  ~Connection();

  void start();
  // At once, without a word.
  void close();
  const std::string& gate_key() const noexcept { return peer_.gate_key; }
  // Has neither a session that starts nor a client paired: closing it costs nobody anything.
  bool is_stranger() const noexcept { return !opened_ && !paired_; }

 private:
  using Next = void (Connection::*)();

  // Calls `next` once plain_in_ holds `bytes` bytes. Never reads more than that from a socket
  // without TLS: what follows is the worker's.
  void need(std::size_t bytes, Next next);
  void receive(Next next);
  void on_received(std::size_t bytes, Next next);
  void send(std::vector<std::byte> plain, Next next);
  void transmit(Next next);
  void transmit_later(Next next);
  void step(Next next);

  void on_preamble();
  void begin_tls();
  void continue_tls();
  void on_secure();
  void on_hello_header();
  void on_hello();
  void request_session(const session::Hello& hello);
  void on_session(base::Result<session::Welcome> welcome);
  void on_welcome_sent();
  void begin_pairing(const session::Hello& hello);
  void await_pairing_message();
  void on_pairing_header();
  void on_pairing_message();

  base::Result<ClientIdentity> identify(const session::Hello& hello);
  void record_rotation(const ClientIdentity& identity);
  void join_session();
  void refuse_to_join(const base::Error& why);
  base::UniqueFd take_socket();
  void refuse(const base::Error& why);
  void log_refusal(const base::Error& why);
  void on_refusal_sent();
  void await_end();
  void fail(const base::Error& why);
  void finish(bool fruitful);

  ConnectionServices services_;
  Socket socket_;
  Peer peer_;
  Closed closed_;
  asio::steady_timer timer_;
  std::unique_ptr<SecureChannel> channel_;  // null before TLS and without
  std::unique_ptr<PairingTurn> pairing_;
  session::Preamble preamble_;
  std::vector<std::byte> wire_in_;
  std::vector<std::byte> plain_in_;
  std::vector<std::byte> wire_out_;
  std::size_t wanted_ = 0;                    // of plain_in_
  std::size_t received_ = 0;                  // bytes of the wire, in all
  std::optional<session::SessionId> opened_;  // a session that waits for this connection
  bool paired_ = false;
};

}  // namespace longwire::node
