// Unix stream sockets: sessions on one machine.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "link/fd/fd_link.h"

namespace longwire::link {

// Errors: kInvalidArgument (path too long), kClosed (nobody listens there), kUnavailable.
base::Result<base::UniqueFd> connect_unix(const std::string& path, base::Deadline deadline);

// A link over a connected socket.
base::Result<std::unique_ptr<FdLink>> make_unix_link(base::UniqueFd socket);

// Two connected sockets (close-on-exec).
base::Result<std::pair<base::UniqueFd, base::UniqueFd>> unix_socket_pair();

// The user on the other side, as the kernel knows it (SO_PEERCRED).
base::Result<uid_t> peer_user(int socket);

class UnixListener {
 public:
  // Makes the socket file (mode 0600), in place of a stale one. Removes it in the end.
  static base::Result<UnixListener> listen(const std::string& path);
  UnixListener(UnixListener&&) noexcept = default;
  UnixListener& operator=(UnixListener&&) = delete;
  ~UnixListener();

  base::Result<base::UniqueFd> accept(base::Deadline deadline);
  const std::string& path() const noexcept { return path_; }
  int fd() const noexcept { return socket_.get(); }

 private:
  UnixListener(base::UniqueFd socket, std::string path)
      : socket_(std::move(socket)), path_(std::move(path)) {}
  base::UniqueFd socket_;
  std::string path_;
};

}  // namespace longwire::link
