// Programs: from source, with headers, compiled and linked apart, as binaries, and those that fail.
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <thread>

#include "transcript.h"

namespace {

using namespace conformance;

constexpr auto kPatience = std::chrono::seconds(60);

cl_program from_source(const Setup& setup, const char* source) {
  cl_int code = CL_SUCCESS;
  cl_program program = clCreateProgramWithSource(setup.context, 1, &source, nullptr, &code);
  require(code, "clCreateProgramWithSource");
  return program;
}

void say_build(const Setup& setup, cl_program program) {
  cl_build_status status = 99;
  clGetProgramBuildInfo(program, setup.device, CL_PROGRAM_BUILD_STATUS, sizeof status, &status,
                        nullptr);
  cl_program_binary_type type = 99;
  clGetProgramBuildInfo(program, setup.device, CL_PROGRAM_BINARY_TYPE, sizeof type, &type, nullptr);
  char options[512] = "";
  clGetProgramBuildInfo(program, setup.device, CL_PROGRAM_BUILD_OPTIONS, sizeof options, options,
                        nullptr);
  say("  status %d binary type 0x%x options \"%s\"", status, type, options);
}

std::string build_log(const Setup& setup, cl_program program) {
  size_t size = 0;
  require(clGetProgramBuildInfo(program, setup.device, CL_PROGRAM_BUILD_LOG, 0, nullptr, &size),
          "CL_PROGRAM_BUILD_LOG");
  std::string log(size, '\0');
  clGetProgramBuildInfo(program, setup.device, CL_PROGRAM_BUILD_LOG, size, log.data(), nullptr);
  return log;
}

// Runs a kernel `name(global uint*)` over four items and prints what it wrote.
void run(const Setup& setup, cl_program program, const char* name) {
  cl_int code = CL_SUCCESS;
  cl_kernel kernel = clCreateKernel(program, name, &code);
  if (code != CL_SUCCESS) {
    say("  kernel %s: %s", name, error_name(code).c_str());
    return;
  }
  cl_uint numbers[4] = {1, 2, 3, 4};
  cl_mem buffer = setup.buffer(sizeof numbers, CL_MEM_COPY_HOST_PTR, numbers);
  clSetKernelArg(kernel, 0, sizeof buffer, &buffer);
  size_t items = 4;
  code =
      clEnqueueNDRangeKernel(setup.queue, kernel, 1, nullptr, &items, nullptr, 0, nullptr, nullptr);
  clEnqueueReadBuffer(setup.queue, buffer, CL_TRUE, 0, sizeof numbers, numbers, 0, nullptr,
                      nullptr);
  say("  %s: %s: %u %u %u %u", name, error_name(code).c_str(), numbers[0], numbers[1], numbers[2],
      numbers[3]);
  clReleaseMemObject(buffer);
  clReleaseKernel(kernel);
}

// Builds a program whose kernels have been released. PoCL lets go of a command's kernel a moment
// after the command is seen to be complete, and refuses to build until then.
cl_int build_again(const Setup& setup, cl_program program, const char* options) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    cl_int code = clBuildProgram(program, 1, &setup.device, options, nullptr, nullptr);
    if (code != CL_INVALID_OPERATION || std::chrono::steady_clock::now() > deadline) return code;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void sources(const Setup& setup) {
  say("-- sources in several pieces, with and without lengths");
  const char* pieces[] = {"kernel void twice(global uint* a) { XXXX", "a[get_global_id(0)]",
                          " *= FACTOR; }GARBAGE"};
  const size_t lengths[] = {36, 0, 13};
  cl_int code = CL_SUCCESS;
  cl_program program = clCreateProgramWithSource(setup.context, 3, pieces, lengths, &code);
  say_code("create", code);
  say_code("build", clBuildProgram(program, 0, nullptr, "-DFACTOR=2", nullptr, nullptr));
  say_build(setup, program);
  run(setup, program, "twice");
  char source[256] = "";
  clGetProgramInfo(program, CL_PROGRAM_SOURCE, sizeof source, source, nullptr);
  say("  source: %s", source);
  say_code("build again with other options",
           build_again(setup, program, "-D FACTOR=5 -cl-mad-enable"));
  say_build(setup, program);
  run(setup, program, "twice");
  run(setup, program, "missing");
  cl_kernel kernel = setup.kernel(program, "twice");
  say_code("build while a kernel lives",
           clBuildProgram(program, 1, &setup.device, "-DFACTOR=6", nullptr, nullptr));
  clReleaseKernel(kernel);
  clReleaseProgram(program);
}

void failures(const Setup& setup) {
  say("-- builds that fail");
  cl_program program = from_source(setup, "kernel void broken(global int* a) { a[0] = nothing; }");
  say_code("build", clBuildProgram(program, 1, &setup.device, "", nullptr, nullptr));
  cl_build_status status = 99;
  clGetProgramBuildInfo(program, setup.device, CL_PROGRAM_BUILD_STATUS, sizeof status, &status,
                        nullptr);
  say("  status %d", status);
  std::string log = build_log(setup, program);
  say("  the log names the culprit: %d, ends in a null: %d",
      log.find("nothing") != std::string::npos, !log.empty() && log.back() == '\0');
  cl_int code = CL_SUCCESS;
  clCreateKernel(program, "broken", &code);
  say_code("a kernel of it", code);
  clReleaseProgram(program);

  program = from_source(setup, "kernel void fine(global int* a) { a[0] = 1; }");
  clCreateKernel(program, "fine", &code);
  say_code("a kernel before the build", code);
  say_build(setup, program);
  say("  unknown option is refused: %d",
      clBuildProgram(program, 1, &setup.device, "-nonsense", nullptr, nullptr) != CL_SUCCESS);
  clReleaseProgram(program);
}

struct Done {
  std::mutex mutex;
  std::condition_variable changed;
  int calls = 0;
  cl_program program = nullptr;
};

void CL_CALLBACK on_built(cl_program program, void* user) {
  auto* done = static_cast<Done*>(user);
  std::lock_guard lock(done->mutex);
  ++done->calls;
  done->program = program;
  done->changed.notify_all();
}

void with_callback(const Setup& setup) {
  say("-- a build with a callback");
  for (const char* source : {"kernel void one(global uint* a) { a[get_global_id(0)] += 1; }",
                             "kernel void one(global uint* a) { nonsense }"}) {
    cl_program program = from_source(setup, source);
    Done done;
    cl_int code = clBuildProgram(program, 1, &setup.device, nullptr, on_built, &done);
    std::unique_lock lock(done.mutex);
    bool came = done.changed.wait_for(lock, kPatience, [&] { return done.calls > 0; });
    // A failing build may be told at once or only to the callback.
    cl_build_status status = 99;
    clGetProgramBuildInfo(program, setup.device, CL_PROGRAM_BUILD_STATUS, sizeof status, &status,
                          nullptr);
    say("  came %d, calls %d, the same program %d, built %d", came, done.calls,
        done.program == program, status == CL_BUILD_SUCCESS);
    expect(status == CL_BUILD_SUCCESS ? code == CL_SUCCESS : true, "code of the call");
    lock.unlock();
    if (status == CL_BUILD_SUCCESS) run(setup, program, "one");
    clReleaseProgram(program);
  }
}

void headers_as_programs(const Setup& setup) {
  say("-- compile with headers, then link");
  cl_program header = from_source(setup, "#define STEP 10\nuint step(uint x);\n");
  cl_program inner = from_source(setup,
                                 "#include \"deep/part.h\"\n"
                                 "uint step(uint x) { return x + STEP; }");
  cl_program outer = from_source(setup,
                                 "#include \"deep/part.h\"\n"
                                 "kernel void walk(global uint* a) {"
                                 " size_t i = get_global_id(0); a[i] = step(a[i]) * SCALE; }");
  const char* name = "deep/part.h";
  say_code("compile inner",
           clCompileProgram(inner, 1, &setup.device, "", 1, &header, &name, nullptr, nullptr));
  say_build(setup, inner);
  say_code("compile outer", clCompileProgram(outer, 1, &setup.device, "-DSCALE=3", 1, &header,
                                             &name, nullptr, nullptr));
  say_build(setup, outer);
  cl_program parts[] = {inner, outer};
  cl_int code = CL_SUCCESS;
  cl_program linked =
      clLinkProgram(setup.context, 1, &setup.device, "", 2, parts, nullptr, nullptr, &code);
  say_code("link", code);
  if (linked) {
    say_build(setup, linked);
    run(setup, linked, "walk");
    clReleaseProgram(linked);
  }
  cl_program library = clLinkProgram(setup.context, 1, &setup.device, "-create-library", 1, &inner,
                                     nullptr, nullptr, &code);
  say_code("link a library", code);
  if (library) {
    // Not its options: PoCL 3.1 forgets those of clLinkProgram.
    cl_program with_library[] = {library, outer};
    linked = clLinkProgram(setup.context, 1, &setup.device, "", 2, with_library, nullptr, nullptr,
                           &code);
    say_code("link with the library", code);
    if (linked) run(setup, linked, "walk");
    if (linked) clReleaseProgram(linked);
    clReleaseProgram(library);
  }
  cl_program lost = from_source(setup, "#include \"not/there.h\"\nkernel void k() {}");
  say("  a header that is missing: %d", clCompileProgram(lost, 1, &setup.device, "", 0, nullptr,
                                                         nullptr, nullptr, nullptr) != CL_SUCCESS);
  for (cl_program each : {header, inner, outer, lost})
    clReleaseProgram(each);
}

// A folder of headers on this machine, removed at the end.
struct Headers {
  Headers() {
    char pattern[] = "/tmp/longwire-headers-XXXXXX";
    folder = mkdtemp(pattern);
    std::string inner = folder + "/inner";
    require(std::system(("mkdir '" + inner + "'").c_str()) == 0 ? CL_SUCCESS : CL_OUT_OF_RESOURCES,
            "mkdir");
    std::ofstream(folder + "/outer.h") << "#include \"inner/value.h\"\n#define VALUE INNER(4)\n";
    std::ofstream(inner + "/value.h") << "#define INNER(x) ((x) * 100)\n";
  }
  ~Headers() { expect(std::system(("rm -r '" + folder + "'").c_str()) == 0, "rm"); }
  std::string folder;
};

void headers_on_disk(const Setup& setup) {
  say("-- headers of this machine by -I");
  Headers headers;
  const char* source =
      "#include \"outer.h\"\nkernel void take(global uint* a) { a[get_global_id(0)] += VALUE; }";
  const std::string spellings[] = {"-I" + headers.folder, "-I " + headers.folder,
                                   "-DUNUSED=1 -I" + headers.folder + " -Werror"};
  for (const std::string& options : spellings) {
    cl_program program = from_source(setup, source);
    say_code("build", clBuildProgram(program, 1, &setup.device, options.c_str(), nullptr, nullptr));
    run(setup, program, "take");
    clReleaseProgram(program);
  }
  cl_program program = from_source(setup, source);
  say("  without -I it fails: %d",
      clBuildProgram(program, 1, &setup.device, "", nullptr, nullptr) != CL_SUCCESS);
  clReleaseProgram(program);
  std::string absolute = "#include \"" + headers.folder +
                         "/inner/value.h\"\n"
                         "kernel void take(global uint* a) { a[get_global_id(0)] = INNER(7); }";
  program = from_source(setup, absolute.c_str());
  say_code("an absolute path", clBuildProgram(program, 1, &setup.device, "", nullptr, nullptr));
  run(setup, program, "take");
  clReleaseProgram(program);
  std::string computed =
      "#define TEXT_(x) #x\n#define TEXT(x) TEXT_(x)\n"
      "#include TEXT(PLACE/inner/value.h)\n"
      "kernel void take(global uint* a) { a[get_global_id(0)] = INNER(8); }";
  program = from_source(setup, computed.c_str());
  say_code("a computed path",
           clBuildProgram(program, 1, &setup.device, ("-D PLACE=" + headers.folder).c_str(),
                          nullptr, nullptr));
  run(setup, program, "take");
  clReleaseProgram(program);
}

void binaries(const Setup& setup) {
  say("-- binaries");
  cl_program program = setup.build(
      "kernel void cube(global uint* a) {"
      " uint v = a[get_global_id(0)];"
      " a[get_global_id(0)] = v * v * v; }");
  size_t size = 0;
  say_code("size", clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, nullptr));
  std::vector<unsigned char> binary(size);
  unsigned char* pointer = binary.data();
  say_code("binary",
           clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof pointer, &pointer, nullptr));
  clReleaseProgram(program);
  const unsigned char* bytes = binary.data();
  cl_int per_device = 99, code = CL_SUCCESS;
  program =
      clCreateProgramWithBinary(setup.context, 1, &setup.device, &size, &bytes, &per_device, &code);
  say_code("create", code);
  say_code("for the device", per_device);
  say_code("build", clBuildProgram(program, 1, &setup.device, nullptr, nullptr, nullptr));
  run(setup, program, "cube");
  size_t again = 0;
  clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof again, &again, nullptr);
  say("  the same size again: %d", again == size);
  clReleaseProgram(program);

  const unsigned char garbage[64] = "this is no program at all";
  bytes = garbage;
  size = sizeof garbage;
  program =
      clCreateProgramWithBinary(setup.context, 1, &setup.device, &size, &bytes, &per_device, &code);
  say_code("garbage", code);
  size = 0;
  clCreateProgramWithBinary(setup.context, 1, &setup.device, &size, &bytes, &per_device, &code);
  say_code("no bytes", code);
}

void arguments(const Setup& setup) {
  say("-- kernel arguments");
  struct Pair {
    cl_uint factor;
    cl_uchar tail[12];
  };
  cl_program program = setup.build(R"(
typedef struct { uint factor; uchar tail[12]; } Pair;
kernel void combine(global uint* a, Pair pair, local uint* scratch, uint4 v, constant uint* table,
                global uint* absent) {
  size_t i = get_local_id(0);
  scratch[i] = a[get_global_id(0)];
  barrier(CLK_LOCAL_MEM_FENCE);
  size_t n = get_local_size(0);
  a[get_global_id(0)] = scratch[n - 1 - i] * pair.factor + pair.tail[3] + v.z + table[i]
                        + (absent ? 1000000 : 0);
})");
  cl_kernel kernel = setup.kernel(program, "combine");
  cl_uint numbers[16], table[8] = {0, 100, 200, 300, 400, 500, 600, 700};
  for (cl_uint i = 0; i < 16; ++i)
    numbers[i] = i;
  cl_mem buffer = setup.buffer(sizeof numbers, CL_MEM_COPY_HOST_PTR, numbers);
  cl_mem constant = setup.buffer(sizeof table, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, table);
  Pair pair = {1000, {0, 0, 0, 7}};
  cl_uint vector[4] = {1, 2, 30, 4};
  size_t items = 16, group = 8;
  auto enqueue = [&] {
    return clEnqueueNDRangeKernel(setup.queue, kernel, 1, nullptr, &items, &group, 0, nullptr,
                                  nullptr);
  };
  say_code("no arguments yet", enqueue());
  say_code("buffer", clSetKernelArg(kernel, 0, sizeof buffer, &buffer));
  say_code("struct", clSetKernelArg(kernel, 1, sizeof pair, &pair));
  say_code("local", clSetKernelArg(kernel, 2, group * sizeof(cl_uint), nullptr));
  say_code("vector", clSetKernelArg(kernel, 3, sizeof vector, vector));
  say_code("constant", clSetKernelArg(kernel, 4, sizeof constant, &constant));
  say_code("one is missing", enqueue());
  say_code("a null buffer", clSetKernelArg(kernel, 5, sizeof(cl_mem), nullptr));
  say_code("index too large", clSetKernelArg(kernel, 6, 4, vector));
  say_code("vector too large", clSetKernelArg(kernel, 3, sizeof vector + 4, vector));
  say_code("value without a pointer", clSetKernelArg(kernel, 3, sizeof vector, nullptr));
  say_code("local with a pointer", clSetKernelArg(kernel, 2, 32, vector));
  say_code("local of no size", clSetKernelArg(kernel, 2, 0, nullptr));
  say_code("buffer of a wrong size", clSetKernelArg(kernel, 0, 4, &buffer));
  // What was refused has changed nothing, and what was set is a copy.
  pair.factor = 5;
  vector[2] = 0;
  say_code("run", enqueue());
  clEnqueueReadBuffer(setup.queue, buffer, CL_TRUE, 0, sizeof numbers, numbers, 0, nullptr,
                      nullptr);
  for (cl_uint number : numbers)
    say("  %u", number);
  say_code("clone", [&] {
    cl_int code = CL_SUCCESS;
    cl_kernel clone = clCloneKernel(kernel, &code);
    if (clone) clReleaseKernel(clone);
    return code;
  }());
  clReleaseKernel(kernel);
  clReleaseProgram(program);
  clReleaseMemObject(buffer);
  clReleaseMemObject(constant);
}

}  // namespace

int main() {
  Setup setup;
  sources(setup);
  failures(setup);
  with_callback(setup);
  headers_as_programs(setup);
  headers_on_disk(setup);
  binaries(setup);
  arguments(setup);
  say_code("unload the compiler", clUnloadPlatformCompiler(setup.platform));
  return finish();
}
