#include "app/private_socket.h"

#include <sys/stat.h>
#include <unistd.h>

namespace longwire::app {

using base::Error;
using base::ErrorCode;
using base::Status;

Status listen_privately(asio::local::stream_protocol::acceptor& acceptor,
                        const std::filesystem::path& path) {
  if (path.string().size() >= sizeof(sockaddr_un::sun_path)) {
    return Error(ErrorCode::kInvalidArgument, "socket path too long: " + path.string());
  }
  ::unlink(path.c_str());  // the directory is ours alone
  const mode_t old_mask = ::umask(0177);
  asio::error_code error;
  acceptor.open(asio::local::stream_protocol(), error);
  if (!error) acceptor.bind({path.string()}, error);
  if (!error) acceptor.listen(kPrivateSocketBacklog, error);
  ::umask(old_mask);
  if (error) return Error(ErrorCode::kUnavailable, path.string() + ": " + error.message());
  return {};
}

}  // namespace longwire::app
