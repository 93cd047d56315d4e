#include "link/tls/tls_link.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace longwire::link {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::Status;

base::Result<std::unique_ptr<TlsLink>> TlsLink::handshake(std::unique_ptr<Link> under,
                                                          TlsContext::Ptr context,
                                                          Deadline deadline) {
  LW_ASSIGN(std::unique_ptr<TlsEngine> engine, TlsEngine::create(std::move(context)));
  std::unique_ptr<TlsLink> link(new TlsLink(std::move(under), std::move(engine)));
  LW_TRY(link->handshake_until(deadline));
  return link;
}

TlsLink::TlsLink(std::unique_ptr<Link> under, std::unique_ptr<TlsEngine> engine)
    : under_owned_(std::move(under)), under_(*under_owned_), engine_(std::move(engine)) {}

Status TlsLink::handshake_until(Deadline deadline) {
  for (;;) {
    const auto done = engine_->handshake();
    // Also after a failure: the peer wants to know why. And to the last byte, since the next thing
    // that this side does may be to wait for something else.
    const Status sent = send_pending();
    LW_TRY(done);
    LW_TRY(sent);
    if (*done && !unsent_) return {};
    LW_ASSIGN(const Readiness ready,
              under_.wait({.readable = !*done, .writable = unsent_}, deadline));
    if (ready.timed_out()) return Error(ErrorCode::kTimeout, "TLS handshake: no answer in time");
    if (!ready.readable) continue;
    LW_ASSIGN(const std::size_t bytes, under_.read_some(engine_->receive_space()));
    engine_->received(bytes);
  }
}

// Sends what is encrypted, as far as the link takes it. REQUIRES: mutex_, or the handshake.
Status TlsLink::send_pending() {
  while (!engine_->to_send().empty()) {
    const ConstBuffer pending = engine_->to_send();
    LW_ASSIGN(const std::size_t sent, under_.write_some({&pending, 1}));
    engine_->sent(sent);
    if (sent == 0) break;
  }
  unsent_ = !engine_->to_send().empty();
  return {};
}

base::Result<std::size_t> TlsLink::read_some(std::span<std::byte> out) {
  std::size_t total = 0;
  while (total < out.size()) {
    if (closed_) return Error(ErrorCode::kClosed, "link closed");
    {
      const std::lock_guard lock(mutex_);
      const auto n = engine_->read(out.subspan(total));
      if (!n.ok() && n.error().code() == ErrorCode::kClosed) ended_by_peer_ = true;
      if (!n.ok() && total > 0) break;  // it will fail again
      LW_TRY(n);
      total += *n;
    }
    if (total == out.size()) break;
    const auto received = receive();
    if (!received.ok() && total > 0) break;
    LW_TRY(received);
    if (*received == 0) break;
  }
  return total;
}

// Bytes of the network into the engine.
base::Result<std::size_t> TlsLink::receive() {
  std::span<std::byte> space;
  {
    const std::lock_guard lock(mutex_);
    space = engine_->receive_space();
  }
  auto bytes = under_.read_some(space);  // nobody else touches that space
  if (!bytes.ok()) {
    if (bytes.error().code() != ErrorCode::kClosed || closed_) return bytes;
    return Error(ErrorCode::kLinkLost, "the connection was cut without the peer's end of TLS");
  }
  const std::lock_guard lock(mutex_);
  engine_->received(*bytes);
  return bytes;
}

base::Result<std::size_t> TlsLink::write_some(std::span<const ConstBuffer> parts) {
  if (closed_) return Error(ErrorCode::kClosed, "link closed");
  const std::lock_guard lock(mutex_);
  LW_TRY(send_pending());
  if (unsent_) return 0;
  LW_ASSIGN(const std::size_t taken, encrypt(parts));
  LW_TRY(send_pending());
  // Who waits to read must now also wait to write; otherwise the rest would stay here.
  if (unsent_ && waiting_ > 0) under_.wake();
  return taken;
}

// Small parts (a chunk's header) share a record with what follows.
base::Result<std::size_t> TlsLink::encrypt(std::span<const ConstBuffer> parts) {
  constexpr std::size_t kSmallPart = 1024;
  std::size_t taken = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    ConstBuffer part = parts[i];
    if (part.empty()) continue;
    std::array<std::byte, kTlsRecordBytes> record;
    if (part.size() < kSmallPart && i + 1 < parts.size()) {
      const std::size_t more = std::min(parts[i + 1].size(), record.size() - part.size());
      std::memcpy(record.data(), part.data(), part.size());
      if (more > 0) std::memcpy(record.data() + part.size(), parts[i + 1].data(), more);
      const std::size_t first = part.size();
      LW_ASSIGN(const std::size_t n, engine_->write(std::span(record).first(first + more)));
      taken += n;
      if (n < first + more) break;
      part = parts[++i].subspan(more);
    }
    LW_ASSIGN(const std::size_t n, engine_->write(part));
    taken += n;
    if (n < part.size()) break;
  }
  return taken;
}

base::Result<Readiness> TlsLink::wait(Interest interest, Deadline deadline) {
  for (;;) {
    bool unsent = false;
    {
      const std::lock_guard lock(mutex_);
      if (interest.readable && engine_->readable()) return Readiness{.readable = true};
      unsent = unsent_;
      ++waiting_;
    }
    const auto under = under_.wait({interest.readable, interest.writable || unsent}, deadline);
    Readiness found;
    {
      const std::lock_guard lock(mutex_);
      --waiting_;
      LW_TRY(under);
      if (under->writable && unsent_ && !closed_ && !send_pending().ok()) {
        return Readiness{interest.readable, interest.writable, true};  // it fails there, too
      }
      found.readable = under->readable;
      found.writable = interest.writable && under->writable && !unsent_;
      found.woken = woken_.exchange(false) || closed_;
    }
    if (!found.timed_out() || under->timed_out()) return found;
    // Only this loop was meant: there is something to send now, or no more.
  }
}

void TlsLink::wake() noexcept {
  woken_ = true;
  under_.wake();
}

void TlsLink::close() noexcept {
  if (closed_.exchange(true)) return;
  {
    const std::lock_guard lock(mutex_);
    engine_->close();
    (void)send_pending();  // one try
  }
  under_.close();
}

LinkInfo TlsLink::info() const {
  LinkInfo info = under_.info();
  info.kind = "tls";
  info.encrypted = true;
  return info;
}

std::optional<Fingerprint> TlsLink::peer_fingerprint() const {
  const std::lock_guard lock(mutex_);
  return engine_->peer_fingerprint();
}

base::Result<KeyingMaterial> TlsLink::export_keying_material(std::string_view label) const {
  const std::lock_guard lock(mutex_);
  return engine_->export_keying_material(label);
}

base::Result<std::unique_ptr<Link>> TlsLink::release() {
  const std::lock_guard lock(mutex_);
  if (engine_->readable() || unsent_) {
    return Error(ErrorCode::kWireFault, "bytes are left over at the end of TLS");
  }
  closed_ = true;
  return std::move(under_owned_);
}

}  // namespace longwire::link
