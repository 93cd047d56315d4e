// What the conformance programs share: a transcript on stdout, and the few objects each begins
// with.
//
// A program prints what OpenCL told it and nothing else: no addresses, no times, no names of
// platforms. The transcript must then be the same, byte for byte, natively and through the wire.
#pragma once

#define CL_USE_DEPRECATED_OPENCL_1_0_APIS
#define CL_USE_DEPRECATED_OPENCL_1_1_APIS
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#define CL_USE_DEPRECATED_OPENCL_2_0_APIS
#include <CL/cl.h>

#include <cstddef>
#include <string>
#include <vector>

namespace conformance {

// Prints one line.
void say(const char* format, ...) __attribute__((format(printf, 1, 2)));

// Prints a failure and remembers it, or does nothing: what is right natively is not worth a line.
void expect(bool good, const char* format, ...) __attribute__((format(printf, 2, 3)));

// Prints the number of failures; returns the program's exit status.
int finish();

// "CL_INVALID_VALUE" for -30; the number for what the standard does not name.
std::string error_name(cl_int code);

// Prints "what: CL_…" and returns the code.
cl_int say_code(const char* what, cl_int code);

// Prints and ends the program when a step that everything else needs did not work.
void require(cl_int code, const char* what);

// The bytes as text: hexadecimal, shortened with a checksum when they are many.
std::string hex(const void* bytes, size_t size);

// A 64-bit FNV-1a checksum, to compare much data in one line.
unsigned long long checksum(const void* bytes, size_t size);

// The first device of the first platform, a context with it and an in-order profiling queue.
struct Setup {
  explicit Setup(cl_command_queue_properties properties = CL_QUEUE_PROFILING_ENABLE);
  ~Setup();
  Setup(const Setup&) = delete;
  Setup& operator=(const Setup&) = delete;

  cl_command_queue new_queue(cl_command_queue_properties properties = 0) const;
  // Builds or ends the program.
  cl_program build(const char* source, const char* options = "") const;
  cl_kernel kernel(cl_program program, const char* name) const;
  cl_mem buffer(size_t size_bytes, cl_mem_flags flags = CL_MEM_READ_WRITE,
                void* host = nullptr) const;

  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
  cl_context context = nullptr;
  cl_command_queue queue = nullptr;
};

// Reads a whole buffer, blocking.
std::vector<unsigned char> contents(cl_command_queue queue, cl_mem buffer, size_t size_bytes);

}  // namespace conformance
