// printf from kernels must come out of the program's own standard output, in order.
#include <cstdio>

#include "transcript.h"

namespace {

using namespace conformance;

constexpr char kSource[] = R"(
kernel void formats(int i, float f, global const int* data) {
  printf("integer %d, unsigned %u, hexadecimal 0x%08x, octal %o, character %c\n",
         i, (uint)i * 3u, i, i, 'A' + i % 26);
  printf("padded [%8d] [%-8d] [%+d] [%08d] [%.5d]\n", i, i, i, i, i);
  printf("float %f, exponent %e, shortest %g, precise %.3f, wide [%12.4f]\n", f, f, f, f, f);
  printf("long %ld %lu, char %hhd, short %hd\n", (long)i * 10000000000L, (ulong)i, (char)i, (short)i);
  printf("string %s, percent %%, tab\tend\n", "literal");
  printf("vector %v4hld, %v2hlf, %v4hhx\n", (int4)(i, i + 1, i + 2, i + 3), (float2)(f, -f),
         (uchar4)(1, 2, 254, 255));
  printf("from memory %d %d\n", data[0], data[1]);
  printf("no newline at the end");
  printf("\n");
  printf("plain text only\n");
}
kernel void many(uint lines) {
  for (uint n = 0; n < lines; ++n) printf("line %u of %u, a text of some length to fill buffers\n", n, lines);
}
kernel void conditional(uint which) {
  if (get_global_id(0) == which) printf("item %d speaks\n", (int)get_global_id(0));
}
kernel void silent(global int* data) { data[0] = 1; }
)";

void run(const Setup& setup, cl_kernel kernel, size_t items) {
  size_t group = 1;
  require(
      clEnqueueNDRangeKernel(setup.queue, kernel, 1, nullptr, &items, &group, 0, nullptr, nullptr),
      "clEnqueueNDRangeKernel");
  // After clFinish everything that the kernel printed is out, before what the program prints next.
  require(clFinish(setup.queue), "clFinish");
}

}  // namespace

int main() {
  Setup setup;
  cl_program program = setup.build(kSource);
  cl_int numbers[2] = {11, -22};
  cl_mem buffer = setup.buffer(sizeof numbers, CL_MEM_COPY_HOST_PTR, numbers);

  say("-- formats");
  cl_kernel kernel = setup.kernel(program, "formats");
  for (cl_int i : {0, 7, -12345}) {
    cl_float f = static_cast<float>(i) / 8;
    clSetKernelArg(kernel, 0, sizeof i, &i);
    clSetKernelArg(kernel, 1, sizeof f, &f);
    clSetKernelArg(kernel, 2, sizeof buffer, &buffer);
    run(setup, kernel, 1);
  }
  clReleaseKernel(kernel);

  say("-- many lines");
  kernel = setup.kernel(program, "many");
  cl_uint lines = 500;
  clSetKernelArg(kernel, 0, sizeof lines, &lines);
  run(setup, kernel, 1);
  clReleaseKernel(kernel);

  say("-- several kernels, one after the other");
  kernel = setup.kernel(program, "conditional");
  for (cl_uint which : {5u, 0u, 63u, 31u}) {
    clSetKernelArg(kernel, 0, sizeof which, &which);
    run(setup, kernel, 64);
    say("between two kernels");
  }
  clReleaseKernel(kernel);

  say("-- a kernel that prints nothing");
  kernel = setup.kernel(program, "silent");
  clSetKernelArg(kernel, 0, sizeof buffer, &buffer);
  run(setup, kernel, 1);
  clReleaseKernel(kernel);
  clReleaseMemObject(buffer);
  clReleaseProgram(program);
  return finish();
}
