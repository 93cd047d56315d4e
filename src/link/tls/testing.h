// For tests: two links, put under TLS.
#pragma once

#include <memory>
#include <thread>
#include <utility>

#include "link/link.h"
#include "link/tls/identity.h"
#include "link/tls/tls_link.h"

namespace longwire::link::testing {

enum class TlsKind { kCertificates, kPreSharedKey };

inline TlsContext::Ptr make_context(TlsRole role, TlsKind kind) {
  if (kind == TlsKind::kPreSharedKey) {
    return TlsContext::with_pre_shared_key(role, "00112233", PreSharedKey{1, 2, 3}).value();
  }
  return TlsContext::with_certificate(role, make_identity("test").value(),
                                      [](const PeerCertificate&) { return true; })
      .value();
}

inline std::pair<std::unique_ptr<Link>, std::unique_ptr<Link>> make_tls_pair(
    std::pair<std::unique_ptr<Link>, std::unique_ptr<Link>> under, TlsKind kind) {
  const auto deadline = base::Deadline::in(base::monotonic_clock(), 20 * base::kSecond);
  std::unique_ptr<Link> server;
  std::thread accepting([&] {
    server =
        TlsLink::handshake(std::move(under.second), make_context(TlsRole::kServer, kind), deadline)
            .value();
  });
  std::unique_ptr<Link> client =
      TlsLink::handshake(std::move(under.first), make_context(TlsRole::kClient, kind), deadline)
          .value();
  accepting.join();
  return {std::move(client), std::move(server)};
}

}  // namespace longwire::link::testing
