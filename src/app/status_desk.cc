#include "app/status_desk.h"

#include <unistd.h>

#include <memory>

#include "app/private_socket.h"
#include "node/journal.h"
#include "node/local_user.h"
#include "session/private_file.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

std::string line_of(const node::SessionReport& s) {
  return node::format_event("session",
                            {{"session", s.session},
                             {"tenant", s.tenant},
                             {"peer", s.peer},
                             {"program", s.program},
                             {"encrypted", s.encrypted ? 1 : 0},
                             {"pid", s.worker},
                             {"age_ms", s.age_ns / base::kMillisecond},
                             {"bytes_in", s.total.bytes_in},
                             {"bytes_out", s.total.bytes_out},
                             {"commands", s.total.commands},
                             {"device_ms", s.total.device_ns / base::kMillisecond},
                             {"bytes_in_per_s", s.per_second.bytes_in},
                             {"bytes_out_per_s", s.per_second.bytes_out},
                             {"commands_per_s", s.per_second.commands},
                             {"device_ms_per_s", s.per_second.device_ns / base::kMillisecond},
                             {"resident_bytes", s.resident_bytes}},
                            true) +
         "\n";
}

// A node that lives answers; what one that died has left is in the way.
bool is_alive(asio::io_context& io, const std::filesystem::path& path) {
  asio::local::stream_protocol::socket probe(io);
  asio::error_code error;
  probe.connect(asio::local::stream_protocol::endpoint(path.string()), error);
  return !error;
}

}  // namespace

std::filesystem::path status_socket(const std::filesystem::path& state_directory) {
  return state_directory / "status.sock";
}

StatusDesk::StatusDesk(asio::io_context& io, const base::Clock& clock, const node::Agent& agent,
                       const node::NodeConfig& config)
    : clock_(clock), agent_(agent), config_(config), began_at_ns_(clock.now_ns()), acceptor_(io) {}

StatusDesk::~StatusDesk() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Status StatusDesk::start() {
  const std::filesystem::path path = status_socket(config_.state.directory);
  if (path.string().size() >= sizeof(sockaddr_un::sun_path)) {
    return Error(ErrorCode::kInvalidArgument, "socket path too long: " + path.string());
  }
  LW_TRY(session::ensure_private_directory(config_.state.directory.string()));
  asio::io_context io;
  if (is_alive(io, path)) {
    return Error(ErrorCode::kUnavailable, "another node uses " + config_.state.directory.string());
  }
  LW_TRY(listen_privately(acceptor_, path));
  path_ = path;
  accept();
  return {};
}

void StatusDesk::accept() {
  acceptor_.async_accept([this](asio::error_code error, Socket socket) {
    if (error) return;
    serve(std::move(socket));
    accept();
  });
}

void StatusDesk::serve(Socket socket) {
  const auto user = node::local_user_of(socket.native_handle());
  if (!user || !node::may_connect(*user, "") || readers_ >= kMaxStatusReaders) return;
  // Shared by the write under way and its handler.
  struct Answer {
    Socket socket;
    std::string text;
  };
  const auto answer = std::make_shared<Answer>(Answer{std::move(socket), text()});
  ++readers_;
  asio::async_write(answer->socket, asio::buffer(answer->text),
                    [this, answer](asio::error_code, std::size_t) { --readers_; });
}

std::string StatusDesk::text() const {
  const node::NodeReport report = agent_.report();
  std::string local;
  for (const node::Endpoint& endpoint : agent_.endpoints()) {
    if (endpoint.transport == node::Transport::kUnix) local = endpoint.path.string();
  }
  std::string text =
      node::format_event("node",
                         {{"node", config_.name},
                          {"software", "longwire " LONGWIRE_VERSION},
                          {"unix", local},
                          {"uptime_ms", (clock_.now_ns() - began_at_ns_) / base::kMillisecond},
                          {"sessions", report.sessions.size()},
                          {"max_sessions", config_.limits.sessions},
                          {"spare_workers", report.spares},
                          {"ended_sessions", report.ended},
                          {"ended_bytes_in", report.of_ended.bytes_in},
                          {"ended_bytes_out", report.of_ended.bytes_out},
                          {"ended_commands", report.of_ended.commands},
                          {"ended_device_ms", report.of_ended.device_ns / base::kMillisecond}},
                         true) +
      "\n";
  for (const node::SessionReport& session : report.sessions)
    text += line_of(session);
  return text;
}

}  // namespace longwire::app
