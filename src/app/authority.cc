#include "app/authority.h"

namespace longwire::app {
namespace {

using base::Error;
using base::ErrorCode;

// For nodes that listen on a unix socket (or, by name, in clear) only.
class NoAuthority final : public node::Authority {
 public:
  base::Result<std::unique_ptr<node::SecureChannel>> new_channel() override { return no(); }
  base::Result<node::ClientIdentity> recognise(const std::string&) override { return no(); }
  base::Result<std::unique_ptr<node::PairingTurn>> begin_pairing(const node::SecureChannel&,
                                                                 const std::string&) override {
    return no();
  }

 private:
  static Error no() { return Error(ErrorCode::kUnsupported, "this node has no TLS"); }
};

}  // namespace

base::Result<std::unique_ptr<node::Authority>> open_authority(const node::NodeConfig& config) {
  if (config.listen.tls.empty()) return std::unique_ptr<node::Authority>(new NoAuthority());
  return Error(ErrorCode::kUnsupported, "TLS is not wired in yet");
}

}  // namespace longwire::app
