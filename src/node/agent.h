// Agent: the node's front door. Listens, lets connections through the gate, and hands them to
// Connection; stops when told to. One thread, one event loop.
#pragma once

#include <asio.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "node/audit.h"
#include "node/config.h"
#include "node/connection.h"
#include "node/gate.h"
#include "node/journal.h"
#include "node/secure_channel.h"
#include "node/sessions.h"
#include "node/trust_watch.h"

namespace longwire::node {

inline constexpr int kListenBacklog = 1024;  // a flood must not cost others a lost SYN
inline constexpr int kAcceptRetryMs = 200;   // after running out of descriptors

// Where the agent can be reached, after start(): port 0 has become a number.
struct Endpoint {
  Transport transport = Transport::kTls;
  Address address;             // of TCP
  std::filesystem::path path;  // of a unix socket
};
std::string to_string(const Endpoint& endpoint);

class Agent {
 public:
  // All arguments outlive the agent.
  Agent(asio::io_context& io, const base::Clock& clock, base::Random& random, Journal& journal,
        Audit& audit, Authority& authority, const NodeConfig& config, WorkerCommand worker);
  ~Agent();

  // Opens every listener that the configuration names, or none. A wildcard IPv6 address that this
  // machine has no IPv6 for is skipped with a warning.
  base::Status start();
  const std::vector<Endpoint>& endpoints() const noexcept { return endpoints_; }

  // Begins no session more; those that run get limits.drain_ms, in which links that they lose may
  // come back. `ended` is called once none is left.
  void drain(std::function<void()> ended);
  // Ends every session now.
  void stop_now();
  std::size_t sessions() const noexcept { return sessions_.live(); }
  NodeReport report() const { return sessions_.report(); }

 private:
  struct Listener;

  base::Status listen_tcp(Transport transport, const Address& address);
  base::Status listen_unix(const std::filesystem::path& path);
  base::Status open_acceptor(Listener& listener,
                             const asio::generic::stream_protocol::endpoint& at);
  void add(std::unique_ptr<Listener> listener, Endpoint endpoint);
  void accept(Listener& listener);
  void on_accepted(Transport transport, Connection::Socket socket);
  Gate::Verdict admit(const std::string& address);
  bool make_room(const std::string& for_address);
  base::Result<Peer> identify(Transport transport, Connection::Socket& socket);

  asio::io_context& io_;
  Journal& journal_;
  const NodeConfig& config_;
  Gate gate_;
  Sessions sessions_;
  TrustWatch trust_;
  ConnectionServices services_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<Endpoint> endpoints_;
  std::map<std::uint64_t, std::shared_ptr<Connection>> connections_;  // in order of arrival
  std::uint64_t last_connection_ = 0;
  std::string last_refusal_;  // the gate's, so that a flood makes one line
};

}  // namespace longwire::node
