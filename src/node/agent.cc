#include "node/agent.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "node/local_user.h"

namespace longwire::node {

using base::Error;
using base::ErrorCode;
using base::LogLevel;
using base::Status;
using Protocol = asio::generic::stream_protocol;

struct Agent::Listener {
  Listener(asio::io_context& io, Transport kind) : transport(kind), acceptor(io), retry(io) {}
  ~Listener() {
    if (!path.empty()) ::unlink(path.c_str());
  }
  Transport transport;
  asio::basic_socket_acceptor<Protocol> acceptor;
  asio::steady_timer retry;
  std::filesystem::path path;  // of a unix socket, to be removed in the end
};

namespace {

Error asio_error(const std::string& what, const asio::error_code& error) {
  return Error(ErrorCode::kUnavailable, what + ": " + error.message());
}

// What the gate counts together: an IPv4 address, an IPv6 /64 (which one machine may own whole).
std::string gate_key_of(const asio::ip::address& address) {
  if (address.is_v4()) return address.to_string();
  asio::ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string();
  }
  asio::ip::address_v6::bytes_type bytes = v6.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return asio::ip::address_v6(bytes).to_string() + "/64";
}

// A socket file of a node that is no more is in the way; one of a living node is a mistake.
Status clear_stale(const std::filesystem::path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode)) {
    return Error(ErrorCode::kInvalidArgument, path.string() + " exists and is no socket");
  }
  asio::io_context io;
  asio::local::stream_protocol::socket probe(io);
  asio::error_code error;
  probe.connect(asio::local::stream_protocol::endpoint(path.string()), error);
  if (!error) {
    return Error(ErrorCode::kUnavailable, "another node is listening on " + path.string());
  }
  ::unlink(path.c_str());
  return {};
}

// In a folder that others may write to, the socket could be theirs the next moment.
Status check_folder(const std::filesystem::path& folder) {
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) {
    return Error::from_errno(ErrorCode::kUnavailable, folder.string(), errno);
  }
  const bool ours = info.st_uid == ::geteuid() || info.st_uid == 0;
  const bool open = (info.st_mode & S_IWOTH) != 0 && (info.st_mode & S_ISVTX) == 0;
  if (ours && !open) return {};
  return Error(ErrorCode::kPermissionDenied,
               folder.string() + " belongs to another user, or anybody may write to it");
}

Status allow_group(const std::filesystem::path& path, const std::string& group_name) {
  if (group_name.empty()) return {};
  const group* found = ::getgrnam(group_name.c_str());  // start-up: one thread
  if (found == nullptr) {
    return Error(ErrorCode::kInvalidArgument, "listen.unix_group: there is no group " + group_name);
  }
  if (::chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0 ||
      ::chmod(path.c_str(), 0660) != 0) {
    return Error::from_errno(ErrorCode::kPermissionDenied, "chown " + path.string(), errno);
  }
  return {};
}

}  // namespace

std::string to_string(const Endpoint& endpoint) {
  if (endpoint.transport == Transport::kUnix) return "unix:" + endpoint.path.string();
  return std::string(name_of(endpoint.transport)) + "://" + to_string(endpoint.address);
}

Agent::Agent(asio::io_context& io, const base::Clock& clock, base::Random& random, Journal& journal,
             Audit& audit, Authority& authority, const NodeConfig& config, WorkerCommand worker)
    : io_(io),
      journal_(journal),
      config_(config),
      gate_(clock, config.limits),
      sessions_(io, clock, random, journal, audit, config, std::move(worker)),
      trust_(io, authority, sessions_),
      services_{io, journal, audit, authority, sessions_, trust_, config} {}

Agent::~Agent() {
  const auto connections = std::exchange(connections_, {});
  for (const auto& [number, connection] : connections)
    connection->close();
}

// --- listening ---

Status Agent::start() {
  sessions_.find_again();  // or whoever comes back to one would hear that it is over
  for (const Address& address : config_.listen.tls)
    LW_TRY(listen_tcp(Transport::kTls, address));
  for (const Address& address : config_.listen.plain) {
    LW_TRY(listen_tcp(Transport::kPlain, address));
    journal_.event(LogLevel::kWarning, "listen.plain",
                   {{"address", to_string(address)},
                    {"risk", "no encryption and no authentication on this address"}});
  }
  if (!config_.listen.unix_socket.empty()) LW_TRY(listen_unix(config_.listen.unix_socket));
  if (listeners_.empty()) {
    return Error(ErrorCode::kInvalidArgument, "the node listens nowhere: see [listen]");
  }
  for (const auto& listener : listeners_)
    accept(*listener);
  sessions_.start_spares();
  trust_.start();
  return {};
}

Status Agent::open_acceptor(Listener& listener, const Protocol::endpoint& at) {
  asio::error_code error;
  listener.acceptor.open(at.protocol(), error);
  if (!error && at.protocol().family() != AF_UNIX) {
    listener.acceptor.set_option(asio::socket_base::reuse_address(true), error);
  }
  if (!error && at.protocol().family() == AF_INET6) {
    listener.acceptor.set_option(asio::ip::v6_only(true), error);
  }
  if (!error) listener.acceptor.bind(at, error);
  if (!error) listener.acceptor.listen(kListenBacklog, error);
  if (error) return asio_error("listen", error);
  return {};
}

Status Agent::listen_tcp(Transport transport, const Address& address) {
  asio::error_code error;
  const auto ip = asio::ip::make_address(address.host.empty() ? "0.0.0.0" : address.host, error);
  if (error) {
    return Error(ErrorCode::kInvalidArgument,
                 "listen address '" + address.host + "' is not a numeric IP address");
  }
  const asio::ip::tcp::endpoint at(ip, address.port);
  auto listener = std::make_unique<Listener>(io_, transport);
  auto opened = open_acceptor(*listener, Protocol::endpoint(at));
  if (!opened && ip.is_v6() && ip.is_unspecified() && config_.listen.tls.size() > 1) {
    journal_.event(LogLevel::kWarning, "listen.skipped",
                   {{"address", to_string(address)}, {"reason", opened.error().message()}});
    return {};
  }
  if (!opened) return std::move(opened).error().during(to_string(address));
  asio::ip::tcp::endpoint bound;
  const Protocol::endpoint local = listener->acceptor.local_endpoint(error);
  std::memcpy(bound.data(), local.data(), std::min(local.size(), bound.capacity()));
  add(std::move(listener), {transport, {address.host, bound.port()}, {}});
  return {};
}

Status Agent::listen_unix(const std::filesystem::path& path) {
  std::error_code failed;
  std::filesystem::create_directories(path.parent_path(), failed);
  if (path.string().size() >= sizeof(sockaddr_un::sun_path)) {
    return Error(ErrorCode::kInvalidArgument, "socket path too long: " + path.string());
  }
  LW_TRY(check_folder(path.parent_path().empty() ? "." : path.parent_path()));
  LW_TRY(clear_stale(path));
  auto listener = std::make_unique<Listener>(io_, Transport::kUnix);
  const mode_t old_mask = ::umask(0177);
  auto opened = open_acceptor(
      *listener, Protocol::endpoint(asio::local::stream_protocol::endpoint(path.string())));
  ::umask(old_mask);
  if (!opened) return std::move(opened).error().during(path.string());
  listener->path = path;
  LW_TRY(allow_group(path, config_.listen.unix_group));
  add(std::move(listener), {Transport::kUnix, {}, path});
  return {};
}

void Agent::add(std::unique_ptr<Listener> listener, Endpoint endpoint) {
  listeners_.push_back(std::move(listener));
  endpoints_.push_back(std::move(endpoint));
}

// --- accepting ---

void Agent::accept(Listener& listener) {
  listener.acceptor.async_accept(
      io_, [this, &listener](asio::error_code error, Connection::Socket socket) {
        if (error == asio::error::operation_aborted) return;
        if (!error) {
          on_accepted(listener.transport, std::move(socket));
          return accept(listener);
        }
        journal_.event(LogLevel::kError, "accept.failed", {{"error", error.message()}});
        listener.retry.expires_after(std::chrono::milliseconds(kAcceptRetryMs));
        listener.retry.async_wait([this, &listener](asio::error_code cancelled) {
          if (!cancelled) accept(listener);
        });
      });
}

void Agent::on_accepted(Transport transport, Connection::Socket socket) {
  auto peer = identify(transport, socket);
  if (!peer) {
    journal_.event(LogLevel::kWarning, "connection.refused",
                   {{"transport", name_of(transport)}, {"reason", peer.error().message()}});
    return;
  }
  const Gate::Verdict verdict = admit(peer->gate_key);
  if (verdict != Gate::Verdict::kAdmitted) {
    const std::string line = peer->gate_key + std::string(name_of(verdict));
    if (std::exchange(last_refusal_, line) != line) {
      journal_.event(LogLevel::kWarning, "connection.turned_away",
                     {{"peer", peer->address}, {"reason", name_of(verdict)}});
    }
    return;
  }
  last_refusal_.clear();
  const std::uint64_t number = ++last_connection_;
  auto closed = [this, key = peer->gate_key, number](bool fruitful) {
    gate_.leave(key, fruitful);
    connections_.erase(number);
  };
  auto connection = std::make_shared<Connection>(services_, std::move(socket), *std::move(peer),
                                                 std::move(closed));
  connections_.emplace(number, connection);
  connection->start();
}

Gate::Verdict Agent::admit(const std::string& address) {
  const Gate::Verdict verdict = gate_.enter(address);
  if (verdict != Gate::Verdict::kFull || !make_room(address)) return verdict;
  return gate_.enter(address);
}

// Whoever takes all places from a few addresses must not keep everybody else out: of the address
// that has the most, the oldest connection goes that has not got anywhere yet.
bool Agent::make_room(const std::string& for_address) {
  const std::string crowd = gate_.most_crowded();
  if (gate_.in_flight(crowd) <= gate_.in_flight(for_address)) return false;
  const auto victim = std::ranges::find_if(connections_, [&](const auto& entry) {
    return entry.second->gate_key() == crowd && entry.second->is_stranger();
  });
  if (victim == connections_.end()) return false;
  const std::shared_ptr<Connection> connection = victim->second;
  connection->close();
  return true;
}

base::Result<Peer> Agent::identify(Transport transport, Connection::Socket& socket) {
  asio::error_code error;
  if (transport == Transport::kUnix) {
    LW_ASSIGN(const LocalUser user, local_user_of(socket.native_handle()));
    LW_TRY(may_connect(user, config_.listen.unix_group));
    const std::string address = "unix:user=" + user.name + ",pid=" + std::to_string(user.process);
    return Peer{transport, address, "unix:" + std::to_string(user.user), user.name};
  }
  const Protocol::endpoint remote = socket.remote_endpoint(error);
  if (error) return asio_error("accept", error);
  asio::ip::tcp::endpoint tcp;
  std::memcpy(tcp.data(), remote.data(), std::min(remote.size(), tcp.capacity()));
  socket.set_option(asio::ip::tcp::no_delay(true), error);
  const std::string address = to_string(Address{tcp.address().to_string(), tcp.port()});
  return Peer{transport, address, gate_key_of(tcp.address()), ""};
}

// --- the end ---

void Agent::drain(std::function<void()> ended) {
  // The listeners stay, for links that come back; whoever wants a session is refused.
  const auto connections = std::exchange(connections_, {});
  for (const auto& [number, connection] : connections)
    connection->close();
  sessions_.drain(config_.limits.drain_ms, std::move(ended));
}

void Agent::stop_now() { sessions_.kill_all(); }

}  // namespace longwire::node
