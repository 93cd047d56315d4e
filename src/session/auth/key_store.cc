#include "session/auth/key_store.h"

#include <filesystem>
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

std::vector<std::byte> KeyStore::note() const {
  auto note = link::note_of_certificate(identity_.certificate_pem);
  return note.ok() ? std::move(note).value() : std::vector<std::byte>();
}

base::Result<KeyStore> KeyStore::of(link::TlsIdentity identity) {
  LW_ASSIGN(const Fingerprint fingerprint,
            link::fingerprint_of_certificate(identity.certificate_pem));
  return KeyStore(std::move(identity), fingerprint);
}

base::Result<KeyStore> KeyStore::rotate(const std::string& directory, std::string_view name,
                                        KeyRole role, std::int64_t now_s, std::int64_t validity_s) {
  const std::string path = directory + "/" + kIdentityFile;
  if (!std::filesystem::exists(path)) {
    return Error(ErrorCode::kNotFound, "there is no key in " + directory + " yet");
  }
  LW_TRY(ensure_private_directory(directory));
  // Of two that vouch for different heirs, others would follow the first that they meet.
  LW_ASSIGN(const base::UniqueFd lock, lock_beside(path));
  LW_ASSIGN(const std::string file, read_private_file(path, kMaxIdentityBytes));
  auto old = parse_identity(file);
  if (!old.ok()) return std::move(old).error().during(path);
  LW_ASSIGN(link::TlsIdentity made, make_successor(*old, name, role, now_s, validity_s));
  LW_TRY(write_private_file(path, made.private_key_pem + made.certificate_pem, IfThere::kReplace));
  return of(std::move(made));
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
  return of(std::move(identity).value());
}

}  // namespace longwire::session
