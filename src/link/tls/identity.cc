#include "link/tls/identity.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "link/tls/tls_context.h"

namespace longwire::link {
namespace {

using base::ErrorCode;

constexpr int kX509Version3 = 2;
constexpr std::size_t kMaxCommonName = 64;
constexpr const char* kNeverExpires = "99991231235959Z";  // RFC 5280, 4.1.2.5

bool add_note(X509* certificate, std::span<const std::byte> note) {
  if (note.empty()) return true;
  const std::unique_ptr<ASN1_OBJECT, OpensslFree<ASN1_OBJECT_free>> oid(::OBJ_txt2obj(kNoteOid, 1));
  const std::unique_ptr<ASN1_OCTET_STRING, OpensslFree<ASN1_OCTET_STRING_free>> value(
      ::ASN1_OCTET_STRING_new());
  if (!oid || !value ||
      ::ASN1_OCTET_STRING_set(value.get(), reinterpret_cast<const unsigned char*>(note.data()),
                              static_cast<int>(note.size())) != 1) {
    return false;
  }
  const std::unique_ptr<X509_EXTENSION, OpensslFree<X509_EXTENSION_free>> extension(
      ::X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), 0, value.get()));
  return extension && ::X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool fill_in(X509* certificate, EVP_PKEY* key, std::string_view name,
             std::span<const std::byte> note) {
  X509_NAME* subject = ::X509_get_subject_name(certificate);
  const std::string_view cn = name.substr(0, kMaxCommonName);
  return ::X509_set_version(certificate, kX509Version3) == 1 &&
         ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate), 1) == 1 &&
         ::X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != nullptr &&
         ::ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), kNeverExpires) == 1 &&
         ::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(cn.data()),
                                      static_cast<int>(cn.size()), -1, 0) == 1 &&
         ::X509_set_issuer_name(certificate, subject) == 1 &&
         ::X509_set_pubkey(certificate, key) == 1 && add_note(certificate, note) &&
         ::X509_sign(certificate, key, nullptr) > 0;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

base::Result<TlsIdentity> certify(const PkeyPtr& key, std::string_view name,
                                  std::span<const std::byte> note) {
  const auto fail = [] { return openssl_error(ErrorCode::kInternal, "cannot make a key"); };
  const X509Ptr certificate(::X509_new());
  if (!key || !certificate || !fill_in(certificate.get(), key.get(), name, note)) return fail();
  const BioPtr certificate_text(::BIO_new(::BIO_s_mem()));
  const BioPtr key_text(::BIO_new(::BIO_s_secmem()));  // wiped when freed
  if (::PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1 ||
      ::PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                      nullptr) != 1) {
    return fail();
  }
  return TlsIdentity{text_of(certificate_text.get()), text_of(key_text.get())};
}

}  // namespace

base::Result<TlsIdentity> make_identity(std::string_view name) {
  return certify(PkeyPtr(::EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")), name, {});
}

base::Result<TlsIdentity> with_note(const TlsIdentity& identity, std::string_view name,
                                    std::span<const std::byte> note) {
  if (note.size() > kMaxCertificateNoteBytes) {
    return base::Error(ErrorCode::kLimit, "too long a note for a certificate");
  }
  LW_ASSIGN(const PkeyPtr key, parse_private_key(identity.private_key_pem));
  return certify(key, name, note);
}

base::Result<std::vector<std::byte>> note_of_certificate(std::string_view pem) {
  LW_ASSIGN(const X509Ptr certificate, parse_certificate(pem));
  return note_of(certificate.get());
}

}  // namespace longwire::link
