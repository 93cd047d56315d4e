// The library as a program meets it: loaded by dlopen(), in processes of its own, since it keeps
// one state per process. What it does over a wire is tested in tests/.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include <CL/cl.h>
#include <CL/cl_ext.h>
#include <CL/cl_icd.h>

#include "link/unix/unix.h"

namespace longwire {
namespace {

using ::testing::HasSubstr;

std::string library() {
  const char* const build = std::getenv("LONGWIRE_BUILD_DIR");
  return std::string(build == nullptr ? "." : build) + "/lib/liblongwire_opencl.so";
}

// The library, once loaded.
struct Driver {
  explicit Driver(void* handle)
      : get_platforms(
            reinterpret_cast<decltype(get_platforms)>(dlsym(handle, "clIcdGetPlatformIDsKHR"))),
        get_function(reinterpret_cast<decltype(get_function)>(
            dlsym(handle, "clGetExtensionFunctionAddress"))) {}
  cl_int(CL_API_CALL* get_platforms)(cl_uint, cl_platform_id*, cl_uint*);
  void*(CL_API_CALL* get_function)(const char*);
};

std::size_t threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

struct Outcome {
  int status = -1;  // as waitpid() says
  std::string out;
  std::string err;
};

std::string read_all(int fd) {
  std::string text;
  std::array<char, 1024> part{};
  for (ssize_t got = 0; (got = ::read(fd, part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  return text;
}

// Runs `body` in a child with that environment; it returns the exit status.
Outcome in_child(const std::string& nodes, const std::function<int()>& body) {
  int out[2];
  int err[2];
  EXPECT_EQ(::pipe(out), 0);
  EXPECT_EQ(::pipe(err), 0);
  std::fflush(nullptr);  // what is buffered is this process's to print
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(out[1], 1);
    ::dup2(err[1], 2);
    for (const int fd : {out[0], out[1], err[0], err[1]})
      ::close(fd);
    ::setenv("LONGWIRE_CONFIG_HOME", "/nonexistent", 1);
    ::unsetenv("LONGWIRE_DISABLE");
    ::unsetenv("LONGWIRE_NODES");
    if (!nodes.empty()) ::setenv("LONGWIRE_NODES", nodes.c_str(), 1);
    ::setenv("LONGWIRE_CONNECT_TIMEOUT_MS", "2000", 1);
    ::exit(body());  // with destructors, as a program ends
  }
  ::close(out[1]);
  ::close(err[1]);
  Outcome outcome;
  outcome.out = read_all(out[0]);
  outcome.err = read_all(err[0]);
  EXPECT_EQ(::waitpid(child, &outcome.status, 0), child);
  return outcome;
}

void* load() { return dlopen(library().c_str(), RTLD_NOW | RTLD_LOCAL); }

// 0 where the platform is there and has no devices.
int ask_for_devices(const Driver& driver) {
  cl_platform_id platform = nullptr;
  if (driver.get_platforms(1, &platform, nullptr) != CL_SUCCESS) return 10;
  const auto* const dispatch = *reinterpret_cast<cl_icd_dispatch* const*>(platform);
  cl_uint count = 7;
  const cl_int status = dispatch->clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &count);
  return status == CL_DEVICE_NOT_FOUND && count == 0 ? 0 : 11;
}

TEST(Driver, WithoutConfigurationItIsNotThere) {
  const Outcome outcome = in_child("", [] {
    void* const handle = load();
    if (handle == nullptr) return 1;
    const Driver driver(handle);
    cl_uint count = 7;
    if (driver.get_platforms(0, nullptr, &count) != CL_PLATFORM_NOT_FOUND_KHR) return 2;
    return count == 0 && threads() == 1 ? 0 : 3;
  });
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST(Driver, NoThreadAndNoWordBeforeFirstUse) {
  const Outcome outcome = in_child("unix:/nonexistent/socket", [] {
    const Driver driver(load());
    cl_platform_id platform = nullptr;
    if (driver.get_platforms(1, &platform, nullptr) != CL_SUCCESS) return 1;
    return threads() == 1 ? 0 : 2;
  });
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST(Driver, ADeadNodeIsOneLineOnStderr) {
  const Outcome outcome = in_child("unix:/nonexistent/socket", [] {
    const Driver driver(load());
    const int first = ask_for_devices(driver);
    return first != 0 ? first : ask_for_devices(driver);
  });
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("no devices from unix:/nonexistent/socket"));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
}

TEST(Driver, BadConfigurationIsSaidAndHarmless) {
  const Outcome outcome = in_child("unix:not-absolute", [] {
    const Driver driver(load());
    return driver.get_platforms(0, nullptr, nullptr) == CL_INVALID_VALUE &&
                   driver.get_function("clNoSuchFunction") == nullptr &&
                   driver.get_function(nullptr) == nullptr &&
                   driver.get_function("clIcdGetPlatformIDsKHR") != nullptr
               ? 0
               : 1;
  });
  EXPECT_EQ(outcome.status, 0);
}

// The other side hangs up at once: an error, not a SIGPIPE.
TEST(Driver, ANodeThatHangsUp) {
  const std::string path = ::testing::TempDir() + "/hang-up-" + std::to_string(::getpid());
  auto listener = link::UnixListener::listen(path);
  ASSERT_TRUE(listener.ok());
  std::thread node([&] {
    const auto deadline = base::Deadline::in(base::monotonic_clock(), 20 * base::kSecond);
    const auto connection = listener->accept(deadline);
    EXPECT_TRUE(connection.ok());
  });
  const Outcome outcome = in_child("unix:" + path, [] { return ask_for_devices(Driver(load())); });
  node.join();
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.err, HasSubstr("no devices from unix:"));
}

TEST(Driver, SurvivesDlclose) {
  const Outcome outcome = in_child("unix:/nonexistent/socket", [] {
    void* const handle = load();
    const Driver driver(handle);
    if (ask_for_devices(driver) != 0 || dlclose(handle) != 0) return 1;
    return ask_for_devices(Driver(load()));
  });
  EXPECT_EQ(outcome.status, 0);
}

// A fork before the first use is as if it had not been.
TEST(Driver, ForkBeforeUse) {
  const Outcome outcome = in_child("unix:/nonexistent/socket", [] {
    const Driver driver(load());
    const pid_t child = ::fork();
    if (child == 0) ::exit(ask_for_devices(driver));
    int status = -1;
    ::waitpid(child, &status, 0);
    return status == 0 ? ask_for_devices(driver) : 20;
  });
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 2);  // one per process
}

TEST(Driver, ForkAfterUse) {
  const Outcome outcome = in_child("unix:/nonexistent/socket", [] {
    const Driver driver(load());
    if (ask_for_devices(driver) != 0) return 1;
    const pid_t child = ::fork();
    if (child == 0) ::exit(ask_for_devices(driver));
    int status = -1;
    ::waitpid(child, &status, 0);
    return status == 0 ? 0 : 2;
  });
  EXPECT_EQ(outcome.status, 0);
}

}  // namespace
}  // namespace longwire
