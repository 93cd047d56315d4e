// A program that forks before its first OpenCL call: parent and children all may use it afterwards.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "transcript.h"

namespace {

using namespace conformance;

// Squares 1024 numbers on the device and returns their sum, or 0 when something went wrong.
unsigned long long compute(unsigned seed) {
  Setup setup;
  cl_program program = setup.build(
      "kernel void square(global uint* a) {"
      " size_t i = get_global_id(0); a[i] = a[i] * a[i]; }");
  cl_kernel kernel = setup.kernel(program, "square");
  std::vector<cl_uint> data(1024);
  for (cl_uint i = 0; i < data.size(); ++i)
    data[i] = i + seed;
  cl_mem buffer = setup.buffer(data.size() * 4, CL_MEM_USE_HOST_PTR, data.data());
  clSetKernelArg(kernel, 0, sizeof buffer, &buffer);
  size_t items = data.size();
  require(
      clEnqueueNDRangeKernel(setup.queue, kernel, 1, nullptr, &items, nullptr, 0, nullptr, nullptr),
      "square");
  std::vector<cl_uint> back(data.size());
  require(clEnqueueReadBuffer(setup.queue, buffer, CL_TRUE, 0, back.size() * 4, back.data(), 0,
                              nullptr, nullptr),
          "read");
  clReleaseMemObject(buffer);
  clReleaseKernel(kernel);
  clReleaseProgram(program);
  unsigned long long sum = 0;
  for (cl_uint value : back)
    sum += value;
  return sum;
}

struct Child {
  pid_t pid;
  int result;  // a pipe from which one number is read
};

Child start_child(unsigned seed) {
  int ends[2];
  require(pipe(ends) == 0 ? CL_SUCCESS : CL_OUT_OF_RESOURCES, "pipe");
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    unsigned long long sum = compute(seed);
    ssize_t written = write(ends[1], &sum, sizeof sum);
    std::exit(written == sizeof sum ? 0 : 3);
  }
  close(ends[1]);
  return {pid, ends[0]};
}

void end_child(const char* what, const Child& child) {
  unsigned long long sum = 0;
  ssize_t got = read(child.result, &sum, sizeof sum);
  int status = 0;
  waitpid(child.pid, &status, 0);
  say("%s: %llu, exited %d with %d", what, got == sizeof sum ? sum : 0, WIFEXITED(status),
      WEXITSTATUS(status));
  close(child.result);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "again") == 0) {
    say("after exec: %llu", compute(30));
    return finish();
  }
  Child one = start_child(10), two = start_child(20);
  say("parent: %llu", compute(1));
  end_child("first child", one);
  end_child("second child", two);

  // A child of a program that has used OpenCL, and does not use it itself, does no harm.
  std::fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) _exit(7);
  int status = 0;
  waitpid(pid, &status, 0);
  say("idle child: %d", WEXITSTATUS(status));
  say("parent again: %llu", compute(2));

  // A new program has its own.
  std::fflush(stdout);
  pid = fork();
  if (pid == 0) {
    execl("/proc/self/exe", argv[0], "again", nullptr);
    _exit(127);
  }
  waitpid(pid, &status, 0);
  say("exec: %d", WEXITSTATUS(status));
  return finish();
}
