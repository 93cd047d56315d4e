#include "app/pairing_desk.h"

#include <unistd.h>

#include "app/private_socket.h"
#include "node/local_user.h"

namespace longwire::app {

using base::LogLevel;
using base::Status;

std::filesystem::path pairing_socket(const std::filesystem::path& state_directory) {
  return state_directory / "pairing.sock";
}

PairingDesk::PairingDesk(asio::io_context& io, const base::Clock& clock, base::Random& random,
                         node::Journal& journal, node::Audit& audit)
    : clock_(clock),
      random_(random),
      journal_(journal),
      audit_(audit),
      acceptor_(io),
      command_(io),
      expiry_(io),
      attempts_(clock) {}

PairingDesk::~PairingDesk() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Status PairingDesk::start(const std::filesystem::path& state_directory,
                          const std::vector<std::uint16_t>& ports) {
  for (const std::uint16_t port : ports)
    ports_ += " " + std::to_string(port);
  const std::filesystem::path path = pairing_socket(state_directory);
  LW_TRY(listen_privately(acceptor_, path));
  path_ = path;
  accept();
  return {};
}

void PairingDesk::accept() {
  acceptor_.async_accept([this](asio::error_code error, Socket socket) {
    if (error) return;
    serve(std::move(socket));
    accept();
  });
}

void PairingDesk::serve(Socket socket) {
  asio::error_code ignored;
  const auto user = node::local_user_of(socket.native_handle());
  if (!user || !node::may_connect(*user, "")) return;
  if (command_.is_open()) {
    asio::write(socket, asio::buffer(std::string("closed another pairing is waiting\n")), ignored);
    return;
  }
  command_ = std::move(socket);
  offer_ = std::make_shared<session::PairingOffer>(clock_, random_);
  const auto left_s = (offer_->expires_at_ns() - clock_.now_ns()) / base::kSecond;
  tell("code " + offer_->code() + " " + std::to_string(left_s) + ports_);
  expiry_.expires_after(std::chrono::seconds(left_s));
  expiry_.async_wait([this](asio::error_code error) {
    if (!error) finish("closed the code is too old");
  });
  tell_log(LogLevel::kInfo, "pairing.open", {{"user", user->name}, {"seconds", left_s}});
  await_end();
}

void PairingDesk::tell_log(LogLevel level, std::string_view event,
                           std::initializer_list<node::Field> fields) {
  journal_.event(level, event, fields);
  if (level == LogLevel::kInfo) {
    audit_.write(event, fields);  // somebody at the node, or with its code
  } else {
    audit_.write_of_stranger(event, fields);
  }
}

// The command says nothing; its end withdraws the code.
void PairingDesk::await_end() {
  command_.async_read_some(asio::buffer(&ignored_, 1), [this](asio::error_code error, std::size_t) {
    if (error == asio::error::operation_aborted || !command_.is_open()) return;
    if (error) return finish("");
    await_end();
  });
}

void PairingDesk::tell(const std::string& line) {
  asio::error_code ignored;  // a command that is gone shows in await_end()
  asio::write(command_, asio::buffer(line + "\n"), ignored);
}

void PairingDesk::finish(const std::string& line) {
  if (!command_.is_open()) return;
  if (!line.empty()) tell(line);
  if (offer_) offer_->close();
  offer_.reset();
  expiry_.cancel();
  asio::error_code ignored;
  command_.close(ignored);
}

std::shared_ptr<session::PairingOffer> PairingDesk::offer() const {
  return offer_ && offer_->open() ? offer_ : nullptr;
}

Status PairingDesk::take_try(const std::string& address) {
  if (attempts_.take(address)) return {};
  return base::Error(base::ErrorCode::kPermissionDenied,
                     "too many pairings were tried from this address: wait " +
                         std::to_string(session::kAttemptWindowNs / base::kSecond / 60) +
                         " minutes");
}

void PairingDesk::on_wrong(const std::string& address) {
  tell_log(LogLevel::kWarning, "pairing.wrong", {{"peer", address}});
  if (!command_.is_open()) return;
  tell("wrong " + address);
  if (offer()) return;
  tell_log(LogLevel::kWarning, "pairing.locked", {{"peer", address}});
  finish("closed too many wrong tries");
}

void PairingDesk::on_paired(const session::TrustedPeer& client, const std::string& address) {
  attempts_.forget(address);
  const std::string key = session::to_hex(client.fingerprint);
  tell_log(LogLevel::kInfo, "pairing.done",
           {{"client", client.name}, {"tenant", client.tenant}, {"key", key}, {"peer", address}});
  finish("paired " + client.name + " " + key);
}

}  // namespace longwire::app
