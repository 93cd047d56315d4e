// caged: what a worker in the hands of an attacker could do. Locks itself into the cage of
// longwire-worker, by the same code, and then tries one thing.
//
//     caged [worker's options] --try ACTION ARGUMENT
//     caged --list
//
// --list prints the filter of system calls, which syscalls.txt pins.
// Prints "done", or "refused" with the name of the errno; exits 0 either way, 2 when there is no
// such action or no cage. programs/test_cage.py says what must come of each.
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "app/worker_main/options.h"
#include "app/worker_main/sandbox.h"
#include "app/worker_main/syscall_filter.h"
#include "app/worker_main/syscalls.h"
#include "base/log.h"
#include "base/unique_fd.h"

namespace longwire::app {
namespace {

using base::UniqueFd;
using Argument = const std::string&;

// The errno of a call that returns -1 on failure; 0 when it was done.
int tried(long result) { return result == -1 ? errno : 0; }
int opened(Argument path, int flags) {
  return tried(UniqueFd(::open(path.c_str(), flags | O_CLOEXEC, 0600)).get());
}
int made_socket(int family, int type) { return tried(UniqueFd(::socket(family, type, 0)).get()); }
int system_call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
  return tried(::syscall(number, a, b, c, d, e));
}
pid_t process_of(Argument number) { return static_cast<pid_t>(std::atol(number.c_str())); }

// --- what must go on working, or PoCL would not ---

int threads(Argument) {
  bool ran = false;
  std::thread([&ran] { ran = true; }).join();
  return ran ? 0 : ECHILD;
}
int child(Argument) {
  const pid_t process = ::fork();
  if (process == 0) ::execl("/bin/true", "true", nullptr), ::_exit(1);
  int status = -1;
  ::waitpid(process, &status, 0);
  return status == 0 ? 0 : ECHILD;
}
int own_file(Argument) {
  const int error = opened("mine", O_RDWR | O_CREAT);
  return error != 0 ? error : tried(::unlink("mine"));
}
int own_temporary(Argument) {
  const std::string path = std::string(std::getenv("TMPDIR")) + "/mine";
  return opened(path, O_RDWR | O_CREAT);
}
// Until it is killed, with a file in its temporary folder.
int linger(Argument argument) {
  const int error = own_temporary(argument);
  std::puts(error == 0 ? "done" : "not done");
  std::fflush(stdout);
  return tried(::pause());
}
int made_code(Argument) {
  void* const page =
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return errno;
  return tried(::mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

// --- files ---

int read_file(Argument path) { return opened(path, O_RDONLY); }
int write_file(Argument path) { return opened(path, O_WRONLY | O_CREAT); }
int use_device(Argument path) { return opened(path, O_RDWR); }
int list_folder(Argument path) { return opened(path, O_RDONLY | O_DIRECTORY); }
int change_mode(Argument path) { return tried(::chmod(path.c_str(), 0666)); }
int truncate_file(Argument path) { return tried(::truncate(path.c_str(), 0)); }
int remove_file(Argument path) { return tried(::unlink(path.c_str())); }
int rename_file(Argument path) { return tried(::rename(path.c_str(), "taken")); }
int link_file(Argument path) { return tried(::link(path.c_str(), "taken")); }
int set_attribute(Argument path) { return tried(::setxattr(path.c_str(), "user.x", "x", 1, 0)); }
int back_date(Argument path) {
  const std::array<timespec, 2> times{};
  return tried(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0));
}
int make_device(Argument) { return tried(::mknod("sda", S_IFBLK | 0600, makedev(8, 0))); }
int read_by_handle(Argument) { return system_call(SYS_open_by_handle_at, AT_FDCWD, 0, 0); }

// --- other processes ---

int signal_process(Argument number) { return tried(::kill(process_of(number), 0)); }
int signal_all(Argument) { return tried(::kill(-1, 0)); }
int signal_thread(Argument number) {
  return system_call(SYS_tgkill, process_of(number), process_of(number), 0);
}
int signal_queued(Argument number) {
  siginfo_t info{};
  info.si_code = SI_QUEUE;
  return tried(::syscall(SYS_rt_sigqueueinfo, process_of(number), 0, &info));
}
int signal_by_descriptor(Argument number) {
  return system_call(SYS_pidfd_open, process_of(number), 0);
}
// The kernel sends for whoever owns a descriptor that becomes readable.
int signal_by_owner(Argument number) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) != 0) return errno;
  return tried(::fcntl(pair[0], F_SETOWN, process_of(number)));
}
int signal_by_ioctl(Argument number) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) != 0) return errno;
  const int process = process_of(number);
  return tried(::ioctl(pair[0], FIOSETOWN, &process));
}
int trace_process(Argument number) {
  return tried(::ptrace(PTRACE_SEIZE, process_of(number), nullptr, nullptr));
}
int read_memory(Argument number) {
  char byte = 0;
  const iovec here{&byte, 1};
  const iovec there{const_cast<char*>("x"), 1};
  return tried(::process_vm_readv(process_of(number), &here, 1, &there, 1, 0));
}
int take_descriptor(Argument number) {
  return system_call(SYS_pidfd_getfd, process_of(number), 0, 0);
}
int slow_process(Argument number) {
  return tried(::setpriority(PRIO_PROCESS, static_cast<id_t>(process_of(number)), 19));
}
int limit_process(Argument number) {
  rlimit limit{};
  return tried(::prlimit(process_of(number), RLIMIT_NOFILE, nullptr, &limit));
}
int leave_group(Argument) { return tried(::setsid()); }

// --- the network ---

int datagram_pair(Argument) {
  std::array<int, 2> pair{};
  return tried(::socketpair(AF_UNIX, SOCK_DGRAM, 0, pair.data()));
}
int send_elsewhere(Argument) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) != 0) return errno;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  return tried(::sendto(pair[0], "x", 1, 0, reinterpret_cast<sockaddr*>(&address), sizeof address));
}
int fast_open(Argument) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) != 0) return errno;
  iovec part{const_cast<char*>("x"), 1};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  return tried(::sendmsg(pair[0], &header, MSG_FASTOPEN));
}

// --- the kernel ---

int type_on_terminal(Argument) { return tried(::ioctl(0, TIOCSTI, "x")); }
int new_namespace(Argument) { return tried(::unshare(CLONE_NEWUSER)); }
int clone_namespace(Argument) {
  const long child = ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) ::_exit(0);
  return tried(child);
}
int clone_three(Argument) { return system_call(SYS_clone3, 0, 0); }
int mount_something(Argument) { return tried(::mount("none", "/mnt", "tmpfs", 0, nullptr)); }
int change_user(Argument) { return tried(::setuid(0)); }
int change_root(Argument) { return tried(::chroot("/")); }
int huge_memory(Argument bytes) {
  const std::size_t size = std::strtoull(bytes.c_str(), nullptr, 10);
  void* const at =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return at == MAP_FAILED ? errno : 0;
}
int many_descriptors(Argument) {
  while (::dup(0) >= 0)
    continue;
  return errno;
}
int huge_file(Argument bytes) {
  ::signal(SIGXFSZ, SIG_IGN);
  const UniqueFd file(::open("huge", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) return errno;
  const int error = tried(::ftruncate(file.get(), std::atoll(bytes.c_str())));
  ::unlink("huge");
  return error;
}
int raise_limit(Argument) {
  const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
  return tried(::setrlimit(RLIMIT_FSIZE, &all));
}
int run_shell(Argument command) {
  const pid_t process = ::fork();
  if (process == 0) ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr), ::_exit(1);
  int status = -1;
  ::waitpid(process, &status, 0);
  return status == 0 ? 0 : EACCES;
}
int privileges(Argument) { return ::geteuid() == 0 ? 0 : EPERM; }
int capabilities(Argument) {
  std::array<std::uint32_t, 2> header{0x20080522, 0};
  std::array<std::uint32_t, 6> sets{};
  ::syscall(SYS_capget, header.data(), sets.data());
  for (const std::uint32_t set : sets) {
    if (set != 0) return 0;
  }
  return EPERM;
}

// --- the list of system calls ---

constexpr long kMostCalls = 512;  // of x86-64; the numbers behind those known are refused, too

// uretprobe and uprobe: traps of the kernel's own, which pass every filter and kill who calls them.
constexpr std::array<long, 2> kTraps = {335, 336};

// Every call that the list does not have, with arguments that no call could do anything with. Names
// what the filter has let through.
int outside_the_list(Argument) {
  std::set<int> listed(kTraps.begin(), kTraps.end());
  for (const char* name : kAllowedCalls)
    listed.insert(::seccomp_syscall_resolve_name(name));
  for (const ArgumentRule& rule : conditional_calls())
    listed.insert(::seccomp_syscall_resolve_name(rule.call));
  int answer = EPERM;
  for (long call = 0; call < kMostCalls; ++call) {
    if (listed.contains(static_cast<int>(call))) continue;
    const int error = tried(::syscall(call, -1, -1, -1, -1, -1, -1));
    if (error == (call == SYS_clone3 ? ENOSYS : EPERM)) continue;
    std::fprintf(stderr, "let through: %ld\n", call);
    answer = error;
  }
  return answer;
}

void print(const char* word, const ArgumentRule& rule) {
  std::printf("%s %s: ", word, rule.call);
  if (rule.mask == ~std::uint64_t{0}) {
    std::printf("argument %u", rule.argument);
  } else {
    std::printf("argument %u & 0x%llx", rule.argument, static_cast<unsigned long long>(rule.mask));
  }
  std::printf(rule.differs ? " != " : " == ");
  if (rule.value == kOwnPid) {
    std::printf("own process\n");
  } else {
    std::printf("0x%llx\n", static_cast<unsigned long long>(rule.value));
  }
}

int list() {
  const std::set<std::string> names(std::begin(kAllowedCalls), std::end(kAllowedCalls));
  for (const std::string& name : names)
    std::printf("%s\n", name.c_str());
  for (const ArgumentRule& rule : conditional_calls())
    print("allowed where", rule);
  for (const ArgumentRule& rule : refused_uses())
    print("refused where", rule);
  return 0;
}

struct Action {
  const char* name;
  int (*run)(Argument);
};

constexpr Action kActions[] = {
    {"threads", threads},
    {"child", child},
    {"own-file", own_file},
    {"own-temporary", own_temporary},
    {"made-code", made_code},
    {"linger", linger},
    {"read", read_file},
    {"write", write_file},
    {"use", use_device},
    {"list", list_folder},
    {"chmod", change_mode},
    {"truncate", truncate_file},
    {"unlink", remove_file},
    {"rename", rename_file},
    {"link", link_file},
    {"setxattr", set_attribute},
    {"utimes", back_date},
    {"mknod", make_device},
    {"open-by-handle", read_by_handle},
    {"kill", signal_process},
    {"kill-all", signal_all},
    {"tgkill", signal_thread},
    {"sigqueue", signal_queued},
    {"pidfd", signal_by_descriptor},
    {"setown", signal_by_owner},
    {"setown-ioctl", signal_by_ioctl},
    {"ptrace", trace_process},
    {"read-memory", read_memory},
    {"take-descriptor", take_descriptor},
    {"renice", slow_process},
    {"prlimit", limit_process},
    {"renice-user", [](Argument) { return tried(::setpriority(PRIO_USER, 0, 19)); }},
    {"setsid", leave_group},
    {"tcp", [](Argument) { return made_socket(AF_INET, SOCK_STREAM); }},
    {"tcp6", [](Argument) { return made_socket(AF_INET6, SOCK_STREAM); }},
    {"udp", [](Argument) { return made_socket(AF_INET, SOCK_DGRAM); }},
    {"unix", [](Argument) { return made_socket(AF_UNIX, SOCK_STREAM); }},
    {"netlink", [](Argument) { return made_socket(AF_NETLINK, SOCK_RAW); }},
    {"vsock", [](Argument) { return made_socket(AF_VSOCK, SOCK_STREAM); }},
    {"packet", [](Argument) { return made_socket(AF_PACKET, SOCK_RAW); }},
    {"connect", [](Argument) { return system_call(SYS_connect, 0, 0, 0); }},
    {"bind", [](Argument) { return system_call(SYS_bind, 0, 0, 0); }},
    {"listen", [](Argument) { return system_call(SYS_listen, 0, 1); }},
    {"accept", [](Argument) { return system_call(SYS_accept, 0, 0, 0); }},
    {"accept-elsewhere", [](Argument) { return system_call(SYS_accept4, 0, 0, 0, 0); }},
    {"datagram-pair", datagram_pair},
    {"send-elsewhere", send_elsewhere},
    {"fast-open", fast_open},
    {"tiocsti", type_on_terminal},
    {"unshare", new_namespace},
    {"clone-namespace", clone_namespace},
    {"clone3", clone_three},
    {"setns", [](Argument) { return system_call(SYS_setns, 0, 0); }},
    {"mount", mount_something},
    {"setuid", change_user},
    {"chroot", change_root},
    {"io_uring", [](Argument) { return system_call(SYS_io_uring_setup, 1, 0); }},
    {"bpf", [](Argument) { return system_call(SYS_bpf, 0, 0, 0); }},
    {"perf", [](Argument) { return system_call(SYS_perf_event_open, 0, 0, -1, -1); }},
    {"keyctl", [](Argument) { return system_call(SYS_keyctl, 0, -3, 0); }},
    {"add_key", [](Argument) { return system_call(SYS_add_key, 0, 0, 0, 0, -2); }},
    {"userfaultfd", [](Argument) { return system_call(SYS_userfaultfd, 0); }},
    {"modules", [](Argument) { return system_call(SYS_init_module, 0, 0, 0); }},
    {"reboot", [](Argument) { return system_call(SYS_reboot, 0, 0, 0, 0); }},
    {"shared-memory", [](Argument) { return system_call(SYS_shmget, 0, 4096, 0600 | IPC_CREAT); }},
    {"message-queue", [](Argument) { return system_call(SYS_msgget, 0, 0600 | IPC_CREAT); }},
    {"huge-memory", huge_memory},
    {"many-descriptors", many_descriptors},
    {"huge-file", huge_file},
    {"raise-limit", raise_limit},
    {"outside-the-list", outside_the_list},
    {"shell", run_shell},
    {"be-root", privileges},
    {"capabilities", capabilities},
};

int usage(const char* why) {
  std::fprintf(stderr, "caged: %s\n", why);
  return 2;
}

int caged_main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--list") return list();
  if (argc < 4 || std::string_view(argv[argc - 3]) != "--try") return usage("--try is missing");
  const std::string_view name = argv[argc - 2];
  const auto options = parse_worker_options(argc - 3, argv);
  if (!options) return usage(options.error().message().c_str());
  base::StderrLogger logger(base::LogLevel::kWarning);
  for (const Action& action : kActions) {
    if (name != action.name) continue;
    const auto place = enter_cage(options->cage, "prisoner", logger);
    if (!place) return usage(place.error().message().c_str());
    const int error = action.run(argv[argc - 1]);
    std::printf(error == 0 ? "done\n" : "refused %s\n", ::strerrorname_np(error));
    return 0;
  }
  return usage("no such action");
}

}  // namespace
}  // namespace longwire::app

int main(int argc, char** argv) { return longwire::app::caged_main(argc, argv); }
