#include "app/tls_channel.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "session/auth/fingerprint.h"

namespace longwire::app {

using base::Error;
using base::ErrorCode;
using base::Status;

base::Result<std::unique_ptr<TlsChannel>> TlsChannel::create(link::TlsContext::Ptr context) {
  LW_ASSIGN(std::unique_ptr<link::TlsEngine> engine, link::TlsEngine::create(std::move(context)));
  return std::unique_ptr<TlsChannel>(new TlsChannel(std::move(engine)));
}

Status TlsChannel::feed(std::span<const std::byte> wire) {
  while (!wire.empty()) {
    const std::span<std::byte> space = engine_->receive_space();
    if (space.empty()) return Error(ErrorCode::kLimit, "too much before a session");
    const std::size_t count = std::min(space.size(), wire.size());
    std::memcpy(space.data(), wire.data(), count);
    engine_->received(count);
    wire = wire.subspan(count);
  }
  if (established_) return {};
  LW_ASSIGN(established_, engine_->handshake());
  return {};
}

std::vector<std::byte> TlsChannel::take_output() {
  const std::span<const std::byte> waiting = engine_->to_send();
  std::vector<std::byte> output(waiting.begin(), waiting.end());
  engine_->sent(output.size());
  return output;
}

Status TlsChannel::read(std::vector<std::byte>& plain, std::size_t limit) {
  std::array<std::byte, 4096> chunk;
  while (true) {
    LW_ASSIGN(const std::size_t got, engine_->read(chunk));
    if (got == 0) return {};
    if (plain.size() + got > limit) return Error(ErrorCode::kLimit, "too much before a session");
    plain.insert(plain.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(got));
  }
}

Status TlsChannel::write(std::span<const std::byte> plain) {
  while (!plain.empty()) {
    LW_ASSIGN(const std::size_t taken, engine_->write(plain));
    if (taken == 0) return Error(ErrorCode::kInternal, "an answer larger than a TLS buffer");
    plain = plain.subspan(taken);
  }
  return {};
}

std::string TlsChannel::peer_fingerprint() const {
  const auto fingerprint = engine_->peer_fingerprint();
  return fingerprint ? session::to_hex(*fingerprint) : std::string();
}

}  // namespace longwire::app
