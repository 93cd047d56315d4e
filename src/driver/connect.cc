#include "driver/connect.h"

#include <errno.h>  // program_invocation_short_name
#include <unistd.h>

#include <array>
#include <utility>

#include "link/tcp/tcp.h"
#include "link/unix/unix.h"
#include "session/handshake.h"

namespace longwire::driver {
namespace {

using base::Deadline;
using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using client::core::Connector;
using client::core::NodeAddress;
using link::Link;
using session::Purpose;

constexpr std::uint64_t kFeatures = session::kFeatureOpenCl | session::kFeatureLanes;

session::Hello make_hello(Purpose purpose) {
  session::Hello hello;
  hello.purpose = purpose;
  hello.features = kFeatures;
  hello.max_payload_bytes = wire::kMaxPayloadBytes;
  hello.program = program_invocation_short_name;
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0) hello.host = host.data();
  hello.process_id = static_cast<std::uint64_t>(::getpid());
  hello.software = "longwire " LONGWIRE_VERSION;
  return hello;
}

// A connection without TLS: a unix socket, or TCP where a person has said so by name.
class PlainConnector final : public Connector {
 public:
  explicit PlainConnector(NodeAddress address) : address_(std::move(address)) {}

  Result<Opened> open_session(Deadline deadline) override {
    return open(make_hello(Purpose::kNewSession), deadline);
  }
  Result<Opened> open_lane(const session::Welcome& session, std::uint32_t lane,
                           Deadline deadline) override {
    session::Hello hello = make_hello(Purpose::kLane);
    hello.session = session.session;
    hello.lane = lane;
    return open(hello, deadline);
  }
  std::string node_name() const override { return address_.to_string(); }

 private:
  Result<Opened> open(const session::Hello& hello, Deadline deadline) {
    Opened opened;
    LW_ASSIGN(opened.link, connect(deadline));
    const auto preamble = session::encode(session::Preamble{hello.purpose, hello.session});
    LW_TRY(session::send_all(*opened.link, preamble, deadline));
    LW_ASSIGN(opened.welcome, session::hello_and_welcome(*opened.link, hello, deadline));
    return opened;
  }

  Result<std::unique_ptr<Link>> connect(Deadline deadline) {
    if (address_.transport == NodeAddress::Transport::kUnix) {
      LW_ASSIGN(base::UniqueFd socket, link::connect_unix(address_.place, deadline));
      LW_ASSIGN(std::unique_ptr<Link> link, link::make_unix_link(std::move(socket)));
      return link;
    }
    LW_ASSIGN(const link::HostPort place,
              link::parse_host_port(address_.place, client::core::kDefaultPort));
    LW_ASSIGN(base::UniqueFd socket, link::connect_tcp(place, deadline));
    LW_ASSIGN(std::unique_ptr<Link> link, link::make_tcp_link(std::move(socket)));
    return link;
  }

  const NodeAddress address_;
};

}  // namespace

std::unique_ptr<Connector> make_connector(NodeAddress address, std::string home) {
  (void)home;
  return std::make_unique<PlainConnector>(std::move(address));
}

}  // namespace longwire::driver
