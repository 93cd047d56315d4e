// Plain sockets, as any program would use them: what the figures over the wire are held against.
// Whatever goes wrong ends the program.
#pragma once

#include <cstddef>
#include <string>

#include "base/unique_fd.h"

namespace longwire::bench {

// "HOST:PORT" (port 0 takes a free one) or "unix:/path".
base::UniqueFd listen_on(const std::string& address);
base::UniqueFd connect_to(const std::string& address);
// The next connection; TCP_NODELAY where it is TCP, as for connect_to.
base::UniqueFd accept_from(int listener);
// What to connect_to, for a listener of listen_on(address).
std::string address_of(int listener, const std::string& address);

// True when all bytes went over; false when the other side has gone.
bool send_all(int fd, const char* data, std::size_t bytes);
bool receive_all(int fd, char* data, std::size_t bytes);

[[noreturn]] void fail(const char* what);  // with errno

}  // namespace longwire::bench
