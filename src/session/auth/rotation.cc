#include "session/auth/rotation.h"

#include <algorithm>
#include <utility>

#include "link/tls/identity.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace longwire::session {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kMagic = "LWROTAT1";
// Signed ahead of a statement, so that no signature for another purpose is one for this.
constexpr std::string_view kSignedFor = "longwire rotation 1";
constexpr std::int64_t kYear9999 = 253'402'300'799;

struct Statement {
  KeyRole role = KeyRole::kClient;
  SigningKey old_key{};
  Rotation says;
  Signature signature{};
};
constexpr std::size_t kSignedBytes = 8 + 32 + 32 + 32 + 8 + 8;
constexpr std::size_t kStatementBytes = kSignedBytes + kSignatureBytes;
static_assert(kMagic.size() + 8 + kMaxRotations * kStatementBytes <=
              link::kMaxCertificateNoteBytes);

template <std::size_t N>
std::span<const std::byte> bytes_of(const std::array<std::uint8_t, N>& value) {
  return std::as_bytes(std::span(value));
}

void put_signed(wire::Writer& out, const Statement& its) {
  out.u64(static_cast<std::uint64_t>(its.role));
  out.raw(bytes_of(its.old_key));
  out.raw(bytes_of(its.says.from));
  out.raw(bytes_of(its.says.to));
  out.u64(static_cast<std::uint64_t>(its.says.issued_at_s));
  out.u64(static_cast<std::uint64_t>(its.says.expires_at_s));
}

std::vector<std::byte> signed_part(const Statement& its) {
  std::vector<std::byte> bytes(kSignedBytes);
  wire::Writer out(bytes);
  put_signed(out, its);
  return bytes;
}

template <std::size_t N>
void get(wire::Reader& in, std::array<std::uint8_t, N>& value, const char* what) {
  const auto view = in.raw(N, what);
  for (std::size_t i = 0; i < view.size(); ++i)
    value[i] = std::to_integer<std::uint8_t>(view[i]);
}

std::int64_t get_time(wire::Reader& in, const char* what) {
  const std::uint64_t value = in.u64(what);
  if (value > static_cast<std::uint64_t>(kYear9999)) in.fail(what);
  return in.ok() ? static_cast<std::int64_t>(value) : 0;
}

Statement get_statement(wire::Reader& in) {
  Statement its;
  const std::uint64_t role = in.u64("role");
  if (role != std::uint64_t{1} && role != std::uint64_t{2}) in.fail("role");
  its.role = role == 2 ? KeyRole::kNode : KeyRole::kClient;
  get(in, its.old_key, "old key");
  get(in, its.says.from, "old fingerprint");
  get(in, its.says.to, "new fingerprint");
  its.says.issued_at_s = get_time(in, "issued_at");
  its.says.expires_at_s = get_time(in, "expires_at");
  const auto signature = in.raw(kSignatureBytes, "signature");
  std::ranges::copy(signature, its.signature.begin());
  return its;
}

// What the bytes say, believed or not.
base::Result<std::vector<Statement>> get_statements(std::span<const std::byte> note) {
  if (note.empty()) return std::vector<Statement>();
  wire::Reader in(note);
  const auto magic = in.raw(kMagic.size(), "rotation");
  if (!std::ranges::equal(magic, std::as_bytes(std::span(kMagic)))) {
    return Error(ErrorCode::kUnsupported, "a note in a certificate that this version cannot read");
  }
  const std::size_t count = in.count(kStatementBytes, "rotations");
  if (count == 0 || count > kMaxRotations) in.fail("rotations");
  std::vector<Statement> statements;
  for (std::size_t i = 0; in.ok() && i < count; ++i)
    statements.push_back(get_statement(in));
  if (in.remaining() != 0) in.fail("end of rotations");
  LW_TRY(in.finish());
  return statements;
}

std::vector<std::byte> put_statements(std::span<const Statement> statements) {
  std::vector<std::byte> note(kMagic.size() + 8 + statements.size() * kStatementBytes);
  wire::Writer out(note);
  out.raw(std::as_bytes(std::span(kMagic)));
  out.u64(statements.size());
  for (const Statement& its : statements) {
    put_signed(out, its);
    out.raw(its.signature);
  }
  return note;
}

bool is_genuine(const Statement& its) {
  const auto from = fingerprint_of(its.old_key);
  return from.ok() && *from == its.says.from && its.says.from != its.says.to &&
         is_signed(its.old_key, kSignedFor, signed_part(its), its.signature);
}

bool holds(const Rotation& says, std::int64_t now_s) {
  const std::int64_t validity_s = says.expires_at_s - says.issued_at_s;
  return validity_s > 0 && validity_s <= kMaxRotationValidityS &&
         now_s >= says.issued_at_s - kRotationSkewS && now_s < says.expires_at_s;
}

base::Result<Statement> vouch(const link::TlsIdentity& old, const link::TlsIdentity& fresh,
                              KeyRole role, std::int64_t now_s, std::int64_t validity_s) {
  Statement its;
  its.role = role;
  LW_ASSIGN(its.old_key, signing_key_of(old.private_key_pem));
  LW_ASSIGN(its.says.from, fingerprint_of(its.old_key));
  LW_ASSIGN(its.says.to, link::fingerprint_of_certificate(fresh.certificate_pem));
  its.says.issued_at_s = now_s;
  its.says.expires_at_s = now_s + validity_s;
  if (!holds(its.says, now_s)) {
    return Error(ErrorCode::kInvalidArgument,
                 "a key can vouch for the next one for at most " +
                     std::to_string(kMaxRotationValidityS / (24 * 3600)) + " days");
  }
  LW_ASSIGN(its.signature, sign(old.private_key_pem, kSignedFor, signed_part(its)));
  return its;
}

}  // namespace

base::Result<link::TlsIdentity> make_successor(const link::TlsIdentity& old, std::string_view name,
                                               KeyRole role, std::int64_t now_s,
                                               std::int64_t validity_s) {
  LW_ASSIGN(const link::TlsIdentity fresh, link::make_identity(name));
  LW_ASSIGN(Statement newest, vouch(old, fresh, role, now_s, validity_s));
  LW_ASSIGN(const std::vector<std::byte> note, link::note_of_certificate(old.certificate_pem));
  LW_ASSIGN(std::vector<Statement> statements, get_statements(note));
  // The newest that has ended makes all before it useless.
  const auto useless = std::find_if(statements.rbegin(), statements.rend(), [&](const auto& its) {
    return its.role != role || !holds(its.says, now_s);
  });
  statements.erase(statements.begin(), useless.base());
  if (statements.size() >= kMaxRotations) statements.erase(statements.begin());
  statements.push_back(std::move(newest));
  return link::with_note(fresh, name, put_statements(statements));
}

base::Result<std::vector<Rotation>> read_rotations(std::span<const std::byte> note, KeyRole role,
                                                   const Fingerprint& shown, std::int64_t now_s) {
  LW_ASSIGN(const std::vector<Statement> statements, get_statements(note));
  std::vector<Rotation> rotations;
  const Fingerprint* leads_to = &shown;
  for (auto its = statements.rbegin(); its != statements.rend(); ++its) {
    if (its->role != role) {
      return Error(ErrorCode::kUnauthenticated, "a key vouches for one of another kind");
    }
    if (its->says.to != *leads_to || !is_genuine(*its)) {
      return Error(ErrorCode::kUnauthenticated, "what vouches for a new key is not genuine");
    }
    if (!holds(its->says, now_s)) break;  // and nothing before it leads here any more
    rotations.insert(rotations.begin(), its->says);
    leads_to = &its->says.from;
  }
  return rotations;
}

}  // namespace longwire::session
