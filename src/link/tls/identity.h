// Making a machine's own key: Ed25519, self-signed. Nobody checks the certificate's contents; what
// counts is its public key's fingerprint.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "link/tls/tls_engine.h"

namespace longwire::link {

// `name` is for people who look at the certificate; at most 64 bytes count.
base::Result<TlsIdentity> make_identity(std::string_view name);

// The same key under a new certificate that carries `note` (at most kMaxCertificateNoteBytes) in an
// extension of ours, which is not critical: who does not know it does not notice. Its bytes stand
// there as they are. The key's owner has signed it, as all of the certificate, which nobody checks:
// that the owner is there, TLS proves.
base::Result<TlsIdentity> with_note(const TlsIdentity& identity, std::string_view name,
                                    std::span<const std::byte> note);
base::Result<std::vector<std::byte>> note_of_certificate(std::string_view pem);

}  // namespace longwire::link
