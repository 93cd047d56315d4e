// TlsLink: TLS 1.3 over another link.
//
// Threads: as every link. One lock guards the TLS state; it is never held while waiting.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "link/link.h"
#include "link/tls/tls_engine.h"

namespace longwire::link {

class TlsLink final : public Link {
 public:
  // Does the handshake over `under`. Errors: kTimeout, kUnauthenticated, or the link's.
  static base::Result<std::unique_ptr<TlsLink>> handshake(std::unique_ptr<Link> under,
                                                          TlsContext::Ptr context,
                                                          base::Deadline deadline);

  base::Result<std::size_t> read_some(std::span<std::byte> out) override;
  base::Result<std::size_t> write_some(std::span<const ConstBuffer> parts) override;
  base::Result<Readiness> wait(Interest interest, base::Deadline deadline) override;
  void wake() noexcept override;
  void close() noexcept override;
  bool closed_by_peer() const noexcept override {
    return !closed_ && (ended_by_peer_ || under_.closed_by_peer());
  }
  LinkInfo info() const override;
  std::shared_ptr<const LinkCounters> counters() const override { return under_.counters(); }

  std::optional<Fingerprint> peer_fingerprint() const;
  base::Result<KeyingMaterial> export_keying_material(std::string_view label) const;

  // Gives the bare link back, without telling the peer, which does the same: for starting TLS anew
  // with another key. kWireFault: bytes are left over on this side. REQUIRES: no other thread uses
  // this link; nothing of it may be used afterwards.
  base::Result<std::unique_ptr<Link>> release();

 private:
  TlsLink(std::unique_ptr<Link> under, std::unique_ptr<TlsEngine> engine);
  base::Status handshake_until(base::Deadline deadline);
  base::Result<std::size_t> receive();
  base::Status send_pending();
  base::Result<std::size_t> encrypt(std::span<const ConstBuffer> parts);

  std::unique_ptr<Link> under_owned_;  // null once released
  Link& under_;
  mutable std::mutex mutex_;  // guards engine_, but for its receive space: the reader's
  const std::unique_ptr<TlsEngine> engine_;
  int waiting_ = 0;      // threads in wait(), guarded by mutex_
  bool unsent_ = false;  // guarded by mutex_: encrypted bytes wait for the link
  std::atomic<bool> woken_{false};
  std::atomic<bool> closed_{false};
  std::atomic<bool> ended_by_peer_{false};  // by TLS's own end
};

}  // namespace longwire::link
