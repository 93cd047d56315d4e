#include "app/worker_main/links.h"

#include <sys/socket.h>

#include "link/tcp/tcp.h"
#include "link/tls/tls_link.h"
#include "link/unix/unix.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;

int family_of(int socket) {
  int family = AF_UNSPEC;
  socklen_t size = sizeof family;
  if (::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0) return AF_UNSPEC;
  return family;
}

base::Result<std::unique_ptr<link::Link>> make_clear_link(base::UniqueFd socket) {
  if (family_of(socket.get()) == AF_UNIX) {
    LW_ASSIGN(std::unique_ptr<link::Link> link, link::make_unix_link(std::move(socket)));
    return link;
  }
  LW_TRY(link::tune_tcp(socket.get()));
  LW_ASSIGN(std::unique_ptr<link::Link> link, link::make_tcp_link(std::move(socket)));
  return link;
}

base::Status check_hello(const session::Hello& hello, const session::Adopt& session) {
  const bool resume = hello.purpose == session::Purpose::kResume;
  if ((!resume && hello.purpose != session::Purpose::kLane) || hello.session != session.session) {
    return Error(ErrorCode::kPermissionDenied, "this link does not belong to the session");
  }
  if (resume && (session.features & session::kFeatureResume) == 0) {
    return Error(ErrorCode::kUnsupported, "this session cannot be resumed");
  }
  // Of a session that is resumed more come with time; the port says how many there may be at once.
  const bool repairs = (session.features & session::kFeatureResume) != 0;
  if (!resume && (repairs ? session.lanes == 0 : hello.lane >= session.lanes)) {
    return Error(ErrorCode::kLimit,
                 "the session may have " + std::to_string(session.lanes) + " lanes");
  }
  return {};
}

session::Welcome inner_welcome(const session::Adopt& session) {
  session::Welcome welcome;
  welcome.version = session.version;
  welcome.features = session.features;
  welcome.session = session.session;
  welcome.max_payload_bytes = session.max_payload_bytes;
  welcome.node = session.node;
  welcome.software = "longwire " LONGWIRE_VERSION;
  return welcome;
}

}  // namespace

base::Result<std::unique_ptr<link::Link>> make_session_link(base::UniqueFd socket,
                                                            const session::Adopt& session,
                                                            base::Deadline deadline) {
  LW_ASSIGN(std::unique_ptr<link::Link> clear, make_clear_link(std::move(socket)));
  if (!session.encrypted) return clear;
  LW_ASSIGN(link::TlsContext::Ptr context,
            link::TlsContext::with_pre_shared_key(
                link::TlsRole::kServer, session::to_hex(session.session), session.secret));
  LW_ASSIGN(std::unique_ptr<link::Link> secure,
            link::TlsLink::handshake(std::move(clear), std::move(context), deadline));
  return secure;
}

base::Result<session::Hello> meet_client(link::Link& link, const session::Adopt& session,
                                         base::Deadline deadline) {
  LW_ASSIGN(session::Hello hello, session::receive_hello(link, deadline));
  if (const auto fits = check_hello(hello, session); !fits) {
    LW_TRY(refuse_client(link, fits.error(), deadline));
    return fits.error();
  }
  return hello;
}

base::Status welcome_client(link::Link& link, const session::Adopt& session,
                            wire::Sequence received, base::Deadline deadline) {
  session::Welcome welcome = inner_welcome(session);
  welcome.received = received;
  return session::send_all(link, session::encode(welcome), deadline);
}

base::Status refuse_client(link::Link& link, const Error& why, base::Deadline deadline) {
  return session::send_all(link, session::encode(session::Refusal{why.code(), why.message()}),
                           deadline);
}

}  // namespace longwire::app
