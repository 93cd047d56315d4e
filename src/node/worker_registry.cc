#include "node/worker_registry.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <string_view>

#include "base/random.h"
#include "session/private_file.h"

namespace longwire::node {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using base::LogLevel;
using base::Status;

constexpr std::string_view kRecordEnd = ".session";
constexpr std::string_view kDoorEnd = ".door";
constexpr std::size_t kNameDigits = 16;

bool is_name(std::string_view text) {
  return text.size() == kNameDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string random_name() {
  std::array<std::uint8_t, kNameDigits / 2> bytes{};
  base::SystemRandom().fill(std::as_writable_bytes(std::span(bytes)));
  return session::to_hex(bytes);
}

base::Result<sockaddr_un> address_of(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string text = path.string();
  if (text.size() >= sizeof address.sun_path) {
    return Error(ErrorCode::kInvalidArgument, "socket path too long: " + text);
  }
  std::memcpy(address.sun_path, text.data(), text.size());
  return address;
}

base::Result<base::UniqueFd> listen_at(const fs::path& path) {
  LW_ASSIGN(const sockaddr_un address, address_of(path));
  base::UniqueFd door(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!door.valid()) return Error::from_errno(ErrorCode::kInternal, "socket", errno);
  const mode_t old_mask = ::umask(0177);
  const int bound = ::bind(door.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(old_mask);
  if (bound != 0) return Error::from_errno(ErrorCode::kUnavailable, "bind a worker's door", error);
  if (::listen(door.get(), kDoorBacklog) != 0) {
    return Error::from_errno(ErrorCode::kInternal, "listen", errno);
  }
  return door;
}

// Those of a record that this agent cannot read otherwise.
void end_unknown(const std::string& bytes) {
  const auto process = decode_recorded_process(std::as_bytes(std::span(bytes)));
  if (!process) return;
  if (const auto pidfd = open_process(*process)) signal_group(*process, pidfd->get(), SIGKILL);
  kill_leftovers(*process);
}

}  // namespace

// --- one worker ----------------------------------------------------------------------------------

WorkerEntry::WorkerEntry(WorkerEntry&& other) noexcept
    : registry_(std::exchange(other.registry_, nullptr)), name_(std::move(other.name_)) {}

WorkerEntry& WorkerEntry::operator=(WorkerEntry&& other) noexcept {
  std::swap(registry_, other.registry_);
  std::swap(name_, other.name_);
  return *this;
}

WorkerEntry::~WorkerEntry() {
  if (registry_ == nullptr) return;
  ::unlink(registry_->record_of(name_).c_str());
  ::unlink(registry_->door_of(name_).c_str());
}

Status WorkerEntry::write(const WorkerRecord& record) const {
  LW_ASSIGN(const std::vector<std::byte> bytes, encode_worker_record(record));
  // It is of no use after the machine's next start, so it need not be on the disk.
  return session::write_private_file(registry_->record_of(name_).string(),
                                     {reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                                     session::IfThere::kReplace, session::Durability::kUntilReboot);
}

base::Result<base::UniqueFd> WorkerEntry::knock() const {
  LW_ASSIGN(const sockaddr_un address, address_of(registry_->reachable_door_of(name_)));
  base::UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return Error::from_errno(ErrorCode::kInternal, "socket", errno);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Error::from_errno(ErrorCode::kClosed, "the worker's door", errno);
  }
  return socket;
}

// --- all of them ---------------------------------------------------------------------------------

base::Result<WorkerRegistry> WorkerRegistry::open(const fs::path& state_directory) {
  const fs::path directory = state_directory / "workers";
  for (const fs::path& path : {state_directory, directory})
    LW_TRY(session::ensure_private_directory(path.string()));
  base::UniqueFd lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock.valid()) {
    return Error::from_errno(ErrorCode::kPermissionDenied, directory.string(), errno);
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error(ErrorCode::kUnavailable, "another node uses " + state_directory.string());
  }
  return WorkerRegistry(directory, std::move(lock));
}

fs::path WorkerRegistry::record_of(const std::string& name) const {
  return directory_ / (name + std::string(kRecordEnd));
}

fs::path WorkerRegistry::door_of(const std::string& name) const {
  return directory_ / (name + std::string(kDoorEnd));
}

// By the descriptor of the directory: its own path may be too long for a socket's address.
fs::path WorkerRegistry::reachable_door_of(const std::string& name) const {
  return "/proc/self/fd/" + std::to_string(lock_.get()) + "/" + name + std::string(kDoorEnd);
}

base::Result<WorkerRegistry::NewEntry> WorkerRegistry::make() const {
  const std::string name = random_name();
  LW_ASSIGN(base::UniqueFd door, listen_at(reachable_door_of(name)));
  return NewEntry{WorkerEntry(this, name), std::move(door)};
}

base::Result<FoundWorker> WorkerRegistry::read(const std::string& name) const {
  LW_ASSIGN(const std::string text,
            session::read_private_file(record_of(name).string(), kMaxRecordBytes));
  auto record = decode_worker_record(std::as_bytes(std::span(text)));
  if (!record) {
    if (record.error().code() == ErrorCode::kUnsupported) end_unknown(text);
    return std::move(record).error();
  }
  FoundWorker found{*std::move(record), WorkerEntry(this, name), {}};
  if (auto pidfd = open_process(found.record.process)) {
    found.pidfd = *std::move(pidfd);
  } else {
    kill_leftovers(found.record.process);
  }
  return found;
}

std::vector<FoundWorker> WorkerRegistry::find(Journal& journal) const {
  std::vector<std::string> names;
  std::vector<fs::path> others;
  std::error_code error;
  for (fs::directory_iterator i(directory_, error), end; !error && i != end; i.increment(error)) {
    const fs::path file = i->path().filename();
    const bool is_record = file.extension() == kRecordEnd && is_name(file.stem().string());
    if (is_record && names.size() < kMaxRegisteredWorkers) {
      names.push_back(file.stem().string());
    } else {
      others.push_back(i->path());
    }
  }
  std::vector<FoundWorker> workers;
  std::set<std::string> kept;
  std::set<session::SessionId> sessions;
  for (const std::string& name : names) {
    auto found = read(name);
    // One session is one worker's: a second record is none that an agent has written.
    if (found && !sessions.insert(found->record.session).second) {
      found = Error(ErrorCode::kWireFault, "another record is of the same session");
    }
    if (!found) {
      journal.event(LogLevel::kWarning, "worker.record_refused",
                    {{"record", name}, {"reason", found.error().message()}});
      others.push_back(record_of(name));
      continue;
    }
    kept.insert(door_of(name));
    workers.push_back(*std::move(found));
  }
  for (const fs::path& path : others) {
    if (!kept.contains(path)) fs::remove_all(path, error);
  }
  return workers;
}

}  // namespace longwire::node
