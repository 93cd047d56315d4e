// A worker that behaves as its first argument says, for the agent's tests.
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "session/handover.h"

namespace {

using namespace longwire::session;

constexpr int kSocket = 3;
constexpr int kDoor = 4;

// Answers every byte of the connection with the same byte plus one, until its end.
void echo(int connection) {
  ::fcntl(connection, F_SETFL, 0);  // the agent's event loop leaves it non-blocking
  char c = 0;
  while (::recv(connection, &c, 1, 0) == 1) {
    ++c;
    if (::send(connection, &c, 1, MSG_NOSIGNAL) != 1) break;
  }
}

[[noreturn]] void end_in_order() {
  [[maybe_unused]] auto ended =
      send_handover(kSocket, Ended{longwire::base::ErrorCode::kClosed, "done", {1, 2, 3, 4}});
  ::_exit(0);
}

// Waits for the next agent, as the real worker does. False: there is no door, or who came is none.
bool wait_at_door(const ReclaimSecret& secret) {
  const int visitor = ::accept4(kDoor, nullptr, nullptr, SOCK_CLOEXEC);
  if (visitor < 0) return false;
  const auto received = receive_handover(visitor);
  if (!received || !received->has_value()) return false;
  const auto* reclaim = std::get_if<Reclaim>(&(*received)->message);
  if (reclaim == nullptr || reclaim->secret != secret) return false;
  ::dup2((*received)->connection.get(), STDOUT_FILENO);
  ::dup2(visitor, kSocket);
  std::puts("found again");
  std::fflush(stdout);
  return true;
}

// `stays`: takes no notice of a drain; its session ends with the client.
int serve(bool stays = false) {
  [[maybe_unused]] auto ready = send_handover(kSocket, Ready{"fake"});
  bool outlives = false;
  ReclaimSecret secret{};
  while (true) {
    auto received = receive_handover(kSocket);
    if (!received && outlives && wait_at_door(secret)) continue;
    if (!received || !received->has_value()) return 0;
    auto* adopt = std::get_if<Adopt>(&(*received)->message);
    if (adopt == nullptr && stays) continue;
    if (adopt == nullptr) return 0;
    if (adopt->purpose == Purpose::kNewSession) {
      outlives = adopt->outlives_agent;
      secret = adopt->reclaim;
    }
    if (::fork() == 0) {
      echo((*received)->connection.get());
      if (adopt->purpose == Purpose::kNewSession) {
        ::kill(::getppid(), SIGUSR1);  // whose socket it is, with whichever agent
      }
      ::_exit(0);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  ::signal(SIGTERM, [](int) { ::_exit(0); });
  ::signal(SIGUSR1, [](int) { end_in_order(); });  // it only ever waits
  ::signal(SIGCHLD, SIG_IGN);
  if (mode == "serve") return serve();
  if (mode == "stay") return serve(true);
  if (mode == "no-door") {  // and does not end with its agent
    ::close(kDoor);
    serve();
    return ::pause();
  }
  if (mode == "die") return 5;
  if (mode == "silent") return ::pause();
  if (mode == "shout") {
    for (int i = 0; i < 5'000; ++i)
      std::puts("all work and no play");
    std::fflush(stdout);
    return serve();
  }
  if (mode == "nonsense") {
    [[maybe_unused]] const auto n = ::send(kSocket, "nonsense", 8, 0);
    return ::pause();
  }
  if (mode == "crash") {
    [[maybe_unused]] auto ready = send_handover(kSocket, Ready{});
    [[maybe_unused]] auto received = receive_handover(kSocket);
    std::abort();
  }
  if (mode == "limits") {
    const bool three = ::fcntl(3, F_GETFD) >= 0 && ::fcntl(4, F_GETFD) < 0;
    std::printf("descriptors=%d\n", three);
    std::fflush(stdout);
    return serve();
  }
  return 9;
}
