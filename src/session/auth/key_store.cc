#include "session/auth/key_store.h"

#include <utility>

#include "link/tls/identity.h"
#include "session/private_file.h"

namespace longwire::session {
namespace {

using base::Error;
using base::ErrorCode;

// From "-----BEGIN label-----" to the end of "-----END label-----"; empty if there is none.
std::string_view pem_block(std::string_view file, const std::string& label) {
  const std::string begin = "-----BEGIN " + label + "-----";
  const std::string end = "-----END " + label + "-----";
  const std::size_t from = file.find(begin);
  if (from == std::string_view::npos) return {};
  const std::size_t to = file.find(end, from);
  if (to == std::string_view::npos) return {};
  return file.substr(from, to + end.size() - from);
}

}  // namespace

base::Result<link::TlsIdentity> parse_identity(std::string_view file) {
  const std::string_view key = pem_block(file, "PRIVATE KEY");
  const std::string_view certificate = pem_block(file, "CERTIFICATE");
  if (key.empty() || certificate.empty()) {
    return Error(ErrorCode::kInvalidArgument, "no private key and certificate in PEM form");
  }
  link::TlsIdentity identity{std::string(certificate) + "\n", std::string(key) + "\n"};
  // Making a context checks that they can be read and belong together.
  LW_TRY(link::TlsContext::with_certificate(link::TlsRole::kServer, identity, nullptr));
  return identity;
}

base::Result<KeyStore> KeyStore::open_or_create(const std::string& directory,
                                                std::string_view name) {
  LW_TRY(ensure_private_directory(directory));
  const std::string path = directory + "/" + kIdentityFile;
  auto file = read_private_file(path, kMaxIdentityBytes);
  if (!file.ok() && file.error().code() == ErrorCode::kNotFound) {
    LW_ASSIGN(const link::TlsIdentity made, link::make_identity(name));
    LW_TRY(write_private_file(path, made.private_key_pem + made.certificate_pem, IfThere::kKeep));
    file = read_private_file(path, kMaxIdentityBytes);
  }
  LW_TRY(file);
  auto identity = parse_identity(*file);
  if (!identity.ok()) return std::move(identity).error().during(path);
  LW_ASSIGN(const Fingerprint fingerprint,
            link::fingerprint_of_certificate(identity->certificate_pem));
  return KeyStore(std::move(identity).value(), fingerprint);
}

}  // namespace longwire::session
