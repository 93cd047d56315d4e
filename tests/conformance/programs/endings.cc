// Programs that end, or live, badly: each case is a process of its own, which a time limit watches.
//
//   endings         every case whose outcome OpenCL and POSIX define; natively and through the wire
//                   the transcript is the same
//   endings CASE    that case alone, in this process
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <thread>

#include "transcript.h"

extern char** environ;

namespace {

using namespace conformance;

constexpr size_t kLarge = size_t{256} << 20;
constexpr size_t kMedium = size_t{16} << 20;
constexpr int kPatienceS = 60;

[[noreturn]] void wait_for_ever() {
  for (;;)
    pause();
}

// Everything that a program can hold, never released.
struct Everything {
  Setup* setup = new Setup();
  cl_program program = setup->build("kernel void k(global uint* a) { a[get_global_id(0)] += 1; }");
  cl_kernel kernel = setup->kernel(program, "k");
  cl_mem buffer = setup->buffer(kMedium);
  cl_event user = clCreateUserEvent(setup->context, nullptr);
  Everything() {
    clCreateSampler(setup->context, CL_TRUE, CL_ADDRESS_CLAMP, CL_FILTER_NEAREST, nullptr);
    clSetKernelArg(kernel, 0, sizeof buffer, &buffer);
    launch();
    cl_int code = CL_SUCCESS;
    clEnqueueMapBuffer(setup->queue, buffer, CL_TRUE, CL_MAP_READ, 0, 64, 0, nullptr, nullptr,
                       &code);
    require(code, "map");
  }
  cl_int launch() {
    const size_t items = 64;
    return clEnqueueNDRangeKernel(setup->queue, kernel, 1, nullptr, &items, nullptr, 0, nullptr,
                                  nullptr);
  }
};

// A transfer of 256 MiB that is under way when this returns.
void start_transfer(const Setup& setup) {
  auto& bytes = *new std::vector<unsigned char>(kLarge, 7);  // no destructor takes it away
  const cl_mem buffer = setup.buffer(kLarge);
  require(clEnqueueWriteBuffer(setup.queue, buffer, CL_FALSE, 0, kLarge, bytes.data(), 0, nullptr,
                               nullptr),
          "write");
  require(clFlush(setup.queue), "flush");
}

int leak_everything() {
  new Everything();
  return 3;
}
int exit_in_a_transfer() {
  start_transfer(*new Setup());
  std::exit(4);
}
int underscore_exit_in_a_transfer() {
  start_transfer(*new Setup());
  _exit(5);
}
int quick_exit_in_a_transfer() {
  start_transfer(*new Setup());
  std::quick_exit(6);
}
int abort_in_a_transfer() {
  start_transfer(*new Setup());
  std::abort();
}

// --- another thread ends the process, or the first one goes ---

int exit_while_another_thread_waits() {
  auto* const all = new Everything();
  std::thread([] {
    usleep(100'000);
    std::exit(7);
  }).detach();
  clWaitForEvents(1, &all->user);  // nobody will complete it
  return 1;
}

void* work_on(void* argument) {
  auto* const all = static_cast<Everything*>(argument);
  usleep(50'000);
  const bool good = all->launch() == CL_SUCCESS && clFinish(all->setup->queue) == CL_SUCCESS;
  std::exit(good ? 8 : 1);
}
int main_thread_goes() {
  pthread_t other;
  pthread_create(&other, nullptr, work_on, new Everything());
  pthread_exit(nullptr);
}

// --- after main ---

Everything* left = nullptr;

struct UsesItLate {
  ~UsesItLate() {
    if (left == nullptr) return;
    char name[256] = {};
    const bool good = clGetDeviceInfo(left->setup->device, CL_DEVICE_NAME, sizeof name, name,
                                      nullptr) == CL_SUCCESS &&
                      left->launch() == CL_SUCCESS && clFinish(left->setup->queue) == CL_SUCCESS &&
                      clReleaseMemObject(left->buffer) == CL_SUCCESS;
    if (!good) _exit(1);
  }
} uses_it_late;

int static_destructor_uses_opencl() {
  left = new Everything();
  return 9;
}
int atexit_handler_releases() {
  static Everything* const all = new Everything();
  std::atexit([] {
    const bool good = all->launch() == CL_SUCCESS && clFinish(all->setup->queue) == CL_SUCCESS &&
                      clReleaseKernel(all->kernel) == CL_SUCCESS &&
                      clReleaseProgram(all->program) == CL_SUCCESS &&
                      clReleaseMemObject(all->buffer) == CL_SUCCESS &&
                      clReleaseCommandQueue(all->setup->queue) == CL_SUCCESS &&
                      clReleaseContext(all->setup->context) == CL_SUCCESS;
    if (!good) _exit(1);
  });
  return 10;
}

// --- callbacks ---

cl_event event_of_a_launch(Everything& all) {
  const size_t items = 64;
  cl_event event = nullptr;
  require(clEnqueueNDRangeKernel(all.setup->queue, all.kernel, 1, nullptr, &items, nullptr, 0,
                                 nullptr, &event),
          "launch");
  return event;
}

int exit_in_a_callback() {
  auto* const all = new Everything();
  const cl_event event = event_of_a_launch(*all);
  clSetEventCallback(
      event, CL_COMPLETE, [](cl_event, cl_int, void*) { std::exit(11); }, nullptr);
  clFlush(all->setup->queue);
  wait_for_ever();
}

// Nothing that a callback is allowed to do harms: queries, enqueues, flushes, releases.
int callback_that_calls_back() {
  auto* const all = new Everything();
  static std::atomic<int> outcome{0};
  const cl_event event = event_of_a_launch(*all);
  clSetEventCallback(
      event, CL_COMPLETE,
      [](cl_event of, cl_int, void* user) {
        auto* const in = static_cast<Everything*>(user);
        cl_int status = 1;
        const bool good = clGetEventInfo(of, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status,
                                         &status, nullptr) == CL_SUCCESS &&
                          status == CL_COMPLETE && in->launch() == CL_SUCCESS &&
                          clFlush(in->setup->queue) == CL_SUCCESS &&
                          clSetUserEventStatus(in->user, CL_COMPLETE) == CL_SUCCESS &&
                          clReleaseEvent(of) == CL_SUCCESS;
        outcome = good ? 12 : 1;
      },
      all);
  clFlush(all->setup->queue);
  if (clWaitForEvents(1, &all->user) != CL_SUCCESS) return 1;
  while (outcome == 0)
    usleep(1000);
  return clFinish(all->setup->queue) == CL_SUCCESS ? outcome.load() : 1;
}

// Undefined natively (OpenCL 3.0, clSetEventCallback: blocking operations): not in the transcript.
int callback_that_blocks() {
  auto* const all = new Everything();
  static std::atomic<int> outcome{0};
  clSetEventCallback(
      event_of_a_launch(*all), CL_COMPLETE,
      [](cl_event, cl_int, void* user) {
        auto* const in = static_cast<Everything*>(user);
        const auto bytes = contents(in->setup->queue, in->buffer, 1 << 20);
        outcome = clFinish(in->setup->queue) == CL_SUCCESS && bytes.size() == 1 << 20 ? 13 : 1;
      },
      all);
  clFlush(all->setup->queue);
  while (outcome == 0)
    usleep(1000);
  return outcome;
}

int callback_that_never_returns() {
  auto* const all = new Everything();
  static std::atomic<bool> there{false};
  clSetEventCallback(
      event_of_a_launch(*all), CL_COMPLETE,
      [](cl_event, cl_int, void*) {
        there = true;
        wait_for_ever();
      },
      nullptr);
  clFlush(all->setup->queue);
  while (!there)
    usleep(1000);
  const Setup another;
  const cl_mem buffer = another.buffer(kMedium);
  const bool good = all->launch() == CL_SUCCESS && clFinish(all->setup->queue) == CL_SUCCESS &&
                    contents(another.queue, buffer, kMedium).size() == kMedium;
  std::exit(good ? 14 : 1);
}

// --- processes ---

int status_of(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int works(Everything& all) {
  return all.launch() == CL_SUCCESS && clFinish(all.setup->queue) == CL_SUCCESS;
}

int child_runs_another_program() {
  Everything all;
  char self[] = "/proc/self/exe", name[] = "endings", which[] = "leak";
  char* const arguments[] = {name, which, nullptr};
  const pid_t forked = fork();
  if (forked == 0) {
    execv(self, arguments);
    _exit(127);
  }
  const int after_fork = status_of(forked);
  const pid_t shared = vfork();
  if (shared == 0) {
    execv(self, arguments);
    _exit(127);
  }
  const int after_vfork = status_of(shared);
  pid_t spawned = 0;
  if (posix_spawn(&spawned, self, nullptr, nullptr, arguments, environ) != 0) return 1;
  const int after_spawn = status_of(spawned);
  return after_fork == 3 && after_vfork == 3 && after_spawn == 3 && works(all) ? 15 : 1;
}

int idle_children_end() {
  Everything all;
  for (const bool in_order : {true, false, true, false}) {
    const pid_t child = fork();
    if (child == 0) {
      if (in_order) std::exit(0);
      _exit(0);
    }
    if (status_of(child) != 0 || !works(all)) return 1;
  }
  return 16;
}

// Undefined natively: every call of the child fails, none hangs, and the parent does not notice.
int child_uses_what_the_parent_has() {
  Everything all;
  for (const bool in_order : {true, false}) {
    const pid_t child = fork();
    if (child == 0) {
      std::vector<unsigned char> bytes(4096);
      const bool fails =
          clFinish(all.setup->queue) != CL_SUCCESS &&
          clEnqueueReadBuffer(all.setup->queue, all.buffer, CL_TRUE, 0, bytes.size(), bytes.data(),
                              0, nullptr, nullptr) != CL_SUCCESS &&
          clCreateContext(nullptr, 1, &all.setup->device, nullptr, nullptr, nullptr) == nullptr &&
          clBuildProgram(all.program, 0, nullptr, "", nullptr, nullptr) != CL_SUCCESS;
      clReleaseMemObject(all.buffer);
      clReleaseCommandQueue(all.setup->queue);
      if (in_order) std::exit(fails ? 0 : 1);
      _exit(fails ? 0 : 1);
    }
    if (status_of(child) != 0 || !works(all)) return 1;
  }
  return 17;
}

// As above, while other threads are in the middle of calls on the same objects: what they held when
// the process was copied, nobody lets go of in the child.
int child_of_a_busy_parent() {
  constexpr int kChildren = 60;
  static Everything all;
  static std::atomic<bool> stop{false};
  std::vector<std::thread> busy;
  for (int i = 0; i < 3; ++i)
    busy.emplace_back([] {
      std::vector<unsigned char> bytes(1 << 16);
      while (!stop) {
        clSetKernelArg(all.kernel, 0, sizeof all.buffer, &all.buffer);
        const cl_event event = event_of_a_launch(all);
        clEnqueueReadBuffer(all.setup->queue, all.buffer, CL_TRUE, 0, bytes.size(), bytes.data(), 1,
                            &event, nullptr);
        clReleaseEvent(event);
      }
    });
  int bad = 0;
  for (int i = 0; i < kChildren && bad == 0; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(kPatienceS / 6);
      unsigned char byte = 0;
      cl_int status = 0;
      clSetKernelArg(all.kernel, 0, sizeof all.buffer, &all.buffer);
      clEnqueueReadBuffer(all.setup->queue, all.buffer, CL_TRUE, 0, 1, &byte, 0, nullptr, nullptr);
      clGetEventInfo(all.user, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, nullptr);
      clSetUserEventStatus(all.user, CL_COMPLETE);
      clReleaseEvent(all.user);
      clReleaseMemObject(all.buffer);
      clReleaseKernel(all.kernel);
      clFinish(all.setup->queue);
      clReleaseCommandQueue(all.setup->queue);
      std::exit(0);
    }
    if (const int status = status_of(child); status != 0) say("child %d: %d", i, status), ++bad;
  }
  stop = true;
  for (std::thread& one : busy)
    one.join();
  return bad == 0 && works(all) ? 24 : 1;
}

// --- signals, stacks, descriptors ---

std::atomic<int> signals{0};

int storm_of_signals() {
  struct sigaction action = {};
  action.sa_handler = [](int) { ++signals; };  // without SA_RESTART
  sigaction(SIGALRM, &action, nullptr);
  sigaction(SIGCHLD, &action, nullptr);
  Setup setup;
  const itimerval often = {{0, 500}, {0, 500}};
  setitimer(ITIMER_REAL, &often, nullptr);
  const cl_mem buffer = setup.buffer(kMedium);
  std::vector<unsigned char> bytes(kMedium);
  bool good = true;
  for (int round = 0; round < 8; ++round) {
    for (size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<unsigned char>(i * 31 + static_cast<size_t>(round));
    good = good && clEnqueueWriteBuffer(setup.queue, buffer, CL_TRUE, 0, kMedium, bytes.data(), 0,
                                        nullptr, nullptr) == CL_SUCCESS;
    good = good && contents(setup.queue, buffer, kMedium) == bytes;
  }
  const itimerval never = {};
  setitimer(ITIMER_REAL, &never, nullptr);
  return good && signals > 0 ? 18 : 1;
}

int threads_with_small_stacks() {
  Everything all;
  static Everything* shared = &all;
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, static_cast<size_t>(PTHREAD_STACK_MIN) * 4);
  for (int i = 0; i < 4; ++i) {
    pthread_t thread;
    void* outcome = nullptr;
    if (pthread_create(
            &thread, &small,
            [](void*) -> void* {
              static std::vector<unsigned char> bytes(kMedium);
              const bool good =
                  works(*shared) &&
                  clEnqueueReadBuffer(shared->setup->queue, shared->buffer, CL_TRUE, 0, kMedium,
                                      bytes.data(), 0, nullptr, nullptr) == CL_SUCCESS;
              return good ? shared : nullptr;
            },
            nullptr) != 0)
      return 1;
    pthread_join(thread, &outcome);
    if (outcome == nullptr) return 1;
  }
  return 19;
}

int standard_streams_closed() {
  for (const int fd : {0, 1, 2})
    close(fd);
  Everything all;
  return works(all) ? 20 : 1;
}

// As daemons do. What the program opens next must stay the program's: nothing of ours may end up in
// it. What becomes of the calls is a lost device's error, or a session that came back.
int descriptors_closed() {
  Everything all;
  start_transfer(*all.setup);
  for (int fd = 3; fd < 1024; ++fd)
    close(fd);
  char name[] = "/tmp/endings-XXXXXX";
  std::vector<int> files = {mkstemp(name)};
  while (files.size() < 32)
    files.push_back(open(name, O_RDWR | O_APPEND));
  for (int i = 0; i < 100; ++i) {
    all.launch();
    clFinish(all.setup->queue);
  }
  const off_t written = lseek(files[0], 0, SEEK_END);
  unlink(name);
  return written == 0 ? 21 : 1;
}

// Natively the loader or the driver follows what a released handle pointed to.
int released_handles() {
  const Setup setup;
  const cl_program program = setup.build("kernel void k(global uint* a) { a[0] = 1; }");
  const cl_kernel kernel = setup.kernel(program, "k");
  const cl_mem buffer = setup.buffer(64);
  const cl_event event = clCreateUserEvent(setup.context, nullptr);
  const cl_sampler sampler =
      clCreateSampler(setup.context, CL_TRUE, CL_ADDRESS_CLAMP, CL_FILTER_NEAREST, nullptr);
  const cl_command_queue queue = setup.new_queue();
  bool good = clReleaseKernel(kernel) == CL_SUCCESS && clReleaseProgram(program) == CL_SUCCESS &&
              clReleaseMemObject(buffer) == CL_SUCCESS && clReleaseEvent(event) == CL_SUCCESS &&
              clReleaseSampler(sampler) == CL_SUCCESS && clReleaseCommandQueue(queue) == CL_SUCCESS;
  good = good && clReleaseKernel(kernel) == CL_INVALID_KERNEL &&
         clReleaseProgram(program) == CL_INVALID_PROGRAM &&
         clReleaseMemObject(buffer) == CL_INVALID_MEM_OBJECT &&
         clReleaseEvent(event) == CL_INVALID_EVENT &&
         clReleaseSampler(sampler) == CL_INVALID_SAMPLER &&
         clReleaseCommandQueue(queue) == CL_INVALID_COMMAND_QUEUE;
  good = good && clFinish(queue) == CL_INVALID_COMMAND_QUEUE &&
         clWaitForEvents(1, &event) == CL_INVALID_EVENT &&
         clRetainMemObject(buffer) == CL_INVALID_MEM_OBJECT &&
         clEnqueueMarkerWithWaitList(setup.queue, 1, &event, nullptr) == CL_INVALID_EVENT_WAIT_LIST;
  return good ? 25 : 1;
}

// What a program does first, as far as it comes: an error is an outcome, a signal is not.
void as_far_as_it_comes() {
  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
  cl_int code = CL_SUCCESS;
  if (clGetPlatformIDs(1, &platform, nullptr) != CL_SUCCESS) return;
  if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr) != CL_SUCCESS) return;
  const cl_context context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &code);
  if (context == nullptr) return;
  const cl_command_queue queue = clCreateCommandQueue(context, device, 0, &code);
  if (queue == nullptr) return;
  const cl_mem buffer = clCreateBuffer(context, 0, kMedium, nullptr, &code);
  if (buffer == nullptr) return;
  auto* const bytes = static_cast<unsigned char*>(std::calloc(1, kMedium));
  if (bytes != nullptr)
    clEnqueueWriteBuffer(queue, buffer, CL_TRUE, 0, kMedium, bytes, 0, nullptr, nullptr);
  void* const map = clEnqueueMapBuffer(queue, buffer, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0,
                                       kMedium, 0, nullptr, nullptr, &code);
  if (map != nullptr) clEnqueueUnmapMemObject(queue, buffer, map, 0, nullptr, nullptr);
  const char* source = "kernel void k(global uint* a) { a[0] = 1; }";
  const cl_program program = clCreateProgramWithSource(context, 1, &source, nullptr, &code);
  if (program == nullptr) return;
  clBuildProgram(program, 0, nullptr, "", nullptr, nullptr);
  clFinish(queue);
}

// Each step in a child: 0, or the signal that ended it.
int under_limit(int resource, rlim_t limit) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    const rlimit both = {limit, limit};
    setrlimit(resource, &both);
    alarm(kPatienceS);
    as_far_as_it_comes();
    std::exit(0);
  }
  return status_of(child);
}

int no_descriptors_left() {
  for (rlim_t limit = 3; limit < 16; ++limit)
    if (const int status = under_limit(RLIMIT_NOFILE, limit); status != 0) {
      say("with %u descriptors: %d", static_cast<unsigned>(limit), status);
      return 1;
    }
  return 22;
}

// Address space, beside what the program has at its start.
int little_memory() {
  long pages = 0;
  if (FILE* const statm = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(statm, "%ld", &pages) != 1) return 1;
    std::fclose(statm);
  }
  const rlim_t now = static_cast<rlim_t>(pages) * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
  int bad = 0;
  for (rlim_t more = 1 << 20; more <= rlim_t{512} << 20; more += more / 4) {
    const int status = under_limit(RLIMIT_AS, now + more);
    if (status == 0) continue;
    say("with %u KiB more: %d", static_cast<unsigned>(more >> 10), status);
    ++bad;
  }
  return bad == 0 ? 23 : 1;
}

using Case = int (*)();
struct Known {
  const char* name;
  Case run;
  bool defined;  // also natively
};
constexpr Known kCases[] = {
    {"leak", leak_everything, true},
    {"exit", exit_in_a_transfer, true},
    {"_exit", underscore_exit_in_a_transfer, true},
    {"quick_exit", quick_exit_in_a_transfer, true},
    {"abort", abort_in_a_transfer, true},
    {"exit-beside-a-wait", exit_while_another_thread_waits, true},
    {"main-thread-goes", main_thread_goes, true},
    {"static-destructor", static_destructor_uses_opencl, true},
    {"atexit", atexit_handler_releases, true},
    {"exit-in-a-callback", exit_in_a_callback, true},
    {"callback-calls-back", callback_that_calls_back, true},
    {"callback-blocks", callback_that_blocks, false},
    {"callback-never-returns", callback_that_never_returns, false},
    {"exec", child_runs_another_program, true},
    {"idle-children", idle_children_end, true},
    {"fork-after-use", child_uses_what_the_parent_has, false},
    {"fork-of-a-busy-parent", child_of_a_busy_parent, false},
    {"signals", storm_of_signals, true},
    {"small-stacks", threads_with_small_stacks, true},
    {"streams-closed", standard_streams_closed, true},
    {"descriptors-closed", descriptors_closed, false},
    {"released-handles", released_handles, false},
    {"no-descriptors", no_descriptors_left, false},
    {"little-memory", little_memory, false},
};

// In a process of its own, which has not used OpenCL before.
void run_and_say(const Known& one) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    alarm(kPatienceS);     // a hang is a signal; the case that has its own SIGALRM ends in time or
    std::exit(one.run());  // with the test's own time limit
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) {
    say("%s: %s", one.name, WTERMSIG(status) == SIGALRM ? "HANGS" : strsignal(WTERMSIG(status)));
  } else {
    say("%s: exit status %d", one.name, WEXITSTATUS(status));
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (const Known& one : kCases) {
    if (argc > 1 && std::strcmp(argv[1], one.name) == 0) return one.run();
    if (argc == 1 && one.defined) run_and_say(one);
  }
  return argc > 1 ? 2 : finish();
}
