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

bool fill_in(X509* certificate, EVP_PKEY* key, std::string_view name) {
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
         ::X509_set_pubkey(certificate, key) == 1 && ::X509_sign(certificate, key, nullptr) > 0;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

base::Result<TlsIdentity> make_identity(std::string_view name) {
  const auto fail = [] { return openssl_error(ErrorCode::kInternal, "cannot make a key"); };
  const PkeyPtr key(::EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const X509Ptr certificate(::X509_new());
  if (!key || !certificate || !fill_in(certificate.get(), key.get(), name)) return fail();
  const BioPtr certificate_text(::BIO_new(::BIO_s_mem()));
  const BioPtr key_text(::BIO_new(::BIO_s_secmem()));  // wiped when freed
  if (::PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1 ||
      ::PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                      nullptr) != 1) {
    return fail();
  }
  return TlsIdentity{text_of(certificate_text.get()), text_of(key_text.get())};
}

}  // namespace longwire::link
