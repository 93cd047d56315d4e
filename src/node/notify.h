// What systemd's Type=notify wants to hear, without its library: one datagram to $NOTIFY_SOCKET.
#pragma once

#include <string_view>

namespace longwire::node {

// "READY=1", "STOPPING=1", "STATUS=...". Does nothing where nobody listens.
void notify_service_manager(std::string_view state) noexcept;

}  // namespace longwire::node
