// Buffers: how they are made, sub-buffers, mapping, rectangles, fills, copies and reference counts.
#include <chrono>
#include <cstring>
#include <mutex>
#include <numeric>
#include <thread>

#include "transcript.h"

namespace {

// When the queue has finished: "immediately stale" (specification, clGetMemObjectInfo), and PoCL
// counts an unmap a moment after its command is complete.
cl_uint map_count_at_rest(cl_mem buffer) {
  cl_uint count = 0;
  for (int tries = 0; tries < 1000; ++tries) {
    clGetMemObjectInfo(buffer, CL_MEM_MAP_COUNT, sizeof count, &count, nullptr);
    if (count == 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return count;
}

using namespace conformance;

constexpr size_t kSize = 4096;
constexpr int kCallbackPatience = 1000;  // times 10 ms

std::vector<unsigned char> ramp(size_t size, unsigned first = 0) {
  std::vector<unsigned char> bytes(size);
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<unsigned char>(first + i * 7 + i / 256);
  return bytes;
}

void say_contents(const Setup& setup, const char* what, cl_mem buffer, size_t size = kSize) {
  auto bytes = contents(setup.queue, buffer, size);
  say("%s: %016llx", what, checksum(bytes.data(), bytes.size()));
}

void creation(const Setup& setup) {
  say("-- creation: every pair of flags, without and with a host pointer");
  struct Flag {
    cl_mem_flags bits;
    const char* name;
  };
  const Flag access[] = {{0, "-"},
                         {CL_MEM_READ_WRITE, "rw"},
                         {CL_MEM_READ_ONLY, "ro"},
                         {CL_MEM_WRITE_ONLY, "wo"},
                         {CL_MEM_READ_WRITE | CL_MEM_WRITE_ONLY, "rw|wo"}};
  const Flag host[] = {{0, "-"},
                       {CL_MEM_USE_HOST_PTR, "use"},
                       {CL_MEM_ALLOC_HOST_PTR, "alloc"},
                       {CL_MEM_COPY_HOST_PTR, "copy"},
                       {CL_MEM_ALLOC_HOST_PTR | CL_MEM_COPY_HOST_PTR, "alloc|copy"},
                       {CL_MEM_USE_HOST_PTR | CL_MEM_COPY_HOST_PTR, "use|copy"},
                       {CL_MEM_USE_HOST_PTR | CL_MEM_ALLOC_HOST_PTR, "use|alloc"},
                       {CL_MEM_HOST_NO_ACCESS, "noaccess"},
                       {CL_MEM_HOST_READ_ONLY | CL_MEM_HOST_WRITE_ONLY, "hro|hwo"}};
  auto bytes = ramp(kSize);
  for (const Flag& first : access)
    for (const Flag& second : host)
      for (bool pointer : {false, true}) {
        cl_int code = 1;
        cl_mem made = clCreateBuffer(setup.context, first.bits | second.bits, kSize,
                                     pointer ? bytes.data() : nullptr, &code);
        say("%s %s %s: %s", first.name, second.name, pointer ? "pointer" : "null",
            error_name(code).c_str());
        expect((made != nullptr) == (code == CL_SUCCESS), "object and code disagree");
        if (made) clReleaseMemObject(made);
      }
  cl_int code = 1;
  clCreateBuffer(setup.context, CL_MEM_READ_WRITE, 0, nullptr, &code);
  say_code("size 0", code);
  clCreateBuffer(setup.context, CL_MEM_READ_WRITE, size_t{1} << 60, nullptr, &code);
  say_code("size 2^60", code);
  clCreateBuffer(setup.context, cl_mem_flags{1} << 40, kSize, nullptr, &code);
  say_code("unknown flag", code);
}

void initial_contents(const Setup& setup) {
  say("-- initial contents");
  auto bytes = ramp(kSize);
  for (cl_mem_flags flags : {cl_mem_flags{CL_MEM_COPY_HOST_PTR}, cl_mem_flags{CL_MEM_USE_HOST_PTR},
                             cl_mem_flags{CL_MEM_COPY_HOST_PTR | CL_MEM_ALLOC_HOST_PTR}}) {
    cl_mem buffer = setup.buffer(kSize, flags, bytes.data());
    auto got = contents(setup.queue, buffer, kSize);
    expect(got == bytes, "contents with flags 0x%llx", static_cast<unsigned long long>(flags));
    say_contents(setup, "initial", buffer);
    clReleaseMemObject(buffer);
  }
}

void host_access_rules(const Setup& setup) {
  say("-- what the host may do to a buffer");
  unsigned char bytes[16] = {};
  for (cl_mem_flags flags :
       {cl_mem_flags{CL_MEM_HOST_NO_ACCESS}, cl_mem_flags{CL_MEM_HOST_READ_ONLY},
        cl_mem_flags{CL_MEM_HOST_WRITE_ONLY}}) {
    cl_mem buffer = setup.buffer(kSize, flags);
    say("flags 0x%llx", static_cast<unsigned long long>(flags));
    say_code("read", clEnqueueReadBuffer(setup.queue, buffer, CL_TRUE, 0, sizeof bytes, bytes, 0,
                                         nullptr, nullptr));
    say_code("write", clEnqueueWriteBuffer(setup.queue, buffer, CL_TRUE, 0, sizeof bytes, bytes, 0,
                                           nullptr, nullptr));
    for (cl_map_flags map : {cl_map_flags{CL_MAP_READ}, cl_map_flags{CL_MAP_WRITE},
                             cl_map_flags{CL_MAP_WRITE_INVALIDATE_REGION}}) {
      cl_int code = CL_SUCCESS;
      void* mapped =
          clEnqueueMapBuffer(setup.queue, buffer, CL_TRUE, map, 0, 16, 0, nullptr, nullptr, &code);
      say_code("map", code);
      if (mapped) clEnqueueUnmapMemObject(setup.queue, buffer, mapped, 0, nullptr, nullptr);
    }
    clFinish(setup.queue);
    clReleaseMemObject(buffer);
  }
}

void sub_buffers(const Setup& setup) {
  say("-- sub-buffers");
  cl_uint align_bits = 0;
  clGetDeviceInfo(setup.device, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof align_bits, &align_bits,
                  nullptr);
  const size_t align = align_bits / 8;
  auto bytes = ramp(kSize);
  cl_mem parent = setup.buffer(kSize, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, bytes.data());
  auto attempt = [&](const char* what, cl_mem of, cl_mem_flags flags, size_t origin, size_t size) {
    cl_buffer_region region = {origin, size};
    cl_int code = 1;
    cl_mem made = clCreateSubBuffer(of, flags, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    say_code(what, code);
    return made;
  };
  cl_mem part = attempt("good", parent, 0, align * 2, 1024);
  attempt("size 0", parent, 0, 0, 0);
  attempt("past the end", parent, 0, align, kSize);
  attempt("misaligned", parent, 0, 3, 64);
  attempt("of a sub-buffer", part, 0, 0, 64);
  attempt("with a host-pointer flag", parent, CL_MEM_USE_HOST_PTR, 0, 64);
  cl_int code = 1;
  clCreateSubBuffer(parent, 0, CL_BUFFER_CREATE_TYPE_REGION, nullptr, &code);
  say_code("no region", code);
  cl_buffer_region region = {0, 64};
  clCreateSubBuffer(parent, 0, 0x1234, &region, &code);
  say_code("unknown type", code);
  cl_mem read_only = setup.buffer(kSize, CL_MEM_READ_ONLY);
  attempt("writable part of a read-only buffer", read_only, CL_MEM_READ_WRITE, 0, 64);
  if (cl_mem made = attempt("inherits", read_only, 0, 0, 64)) {
    cl_mem_flags flags = 0;
    clGetMemObjectInfo(made, CL_MEM_FLAGS, sizeof flags, &flags, nullptr);
    say("inherited flags: 0x%llx", static_cast<unsigned long long>(flags));
    clReleaseMemObject(made);
  }

  auto fresh = ramp(512, 99);
  require(clEnqueueWriteBuffer(setup.queue, part, CL_TRUE, 256, fresh.size(), fresh.data(), 0,
                               nullptr, nullptr),
          "write to a sub-buffer");
  std::memcpy(bytes.data() + align * 2 + 256, fresh.data(), fresh.size());
  expect(contents(setup.queue, parent, kSize) == bytes, "a write to a part shows in the whole");
  say_code("write past the end of a part",
           clEnqueueWriteBuffer(setup.queue, part, CL_TRUE, 600, 512, fresh.data(), 0, nullptr,
                                nullptr));
  say_contents(setup, "parent", parent);

  cl_mem twin = attempt("overlapping", parent, 0, align * 2, 512);
  cl_program program =
      setup.build("__kernel void add(__global uint* a, uint by) { a[get_global_id(0)] += by; }");
  cl_kernel kernel = setup.kernel(program, "add");
  cl_uint by = 0x01010101;
  clSetKernelArg(kernel, 0, sizeof twin, &twin);
  clSetKernelArg(kernel, 1, sizeof by, &by);
  size_t items = 128;
  require(
      clEnqueueNDRangeKernel(setup.queue, kernel, 1, nullptr, &items, nullptr, 0, nullptr, nullptr),
      "kernel on a sub-buffer");
  for (size_t i = 0; i < 512; ++i)
    bytes[align * 2 + i] += 1;
  auto seen = contents(setup.queue, part, 1024);
  say("through the other part: %016llx", checksum(seen.data(), seen.size()));
  say_contents(setup, "parent", parent);
  say_code("release the parent first", clReleaseMemObject(parent));
  seen = contents(setup.queue, part, 1024);
  say("part outlives its parent: %016llx", checksum(seen.data(), seen.size()));
  clReleaseKernel(kernel);
  clReleaseProgram(program);
  for (cl_mem object : {part, twin, read_only})
    clReleaseMemObject(object);
}

void map_one(const Setup& setup, cl_mem buffer, cl_map_flags flags, bool blocking,
             std::vector<unsigned char>& model, unsigned seed) {
  const size_t offset = 128, size = 1000;
  cl_int code = CL_SUCCESS;
  cl_event event = nullptr;
  auto* at = static_cast<unsigned char*>(clEnqueueMapBuffer(
      setup.queue, buffer, blocking, flags, offset, size, 0, nullptr, &event, &code));
  say("map flags %llu blocking %d: %s", static_cast<unsigned long long>(flags), blocking,
      error_name(code).c_str());
  if (!at) return;
  clWaitForEvents(1, &event);
  clReleaseEvent(event);
  cl_uint count = 0;
  clGetMemObjectInfo(buffer, CL_MEM_MAP_COUNT, sizeof count, &count, nullptr);
  say("  map count %u", count);
  if (flags & (CL_MAP_READ | CL_MAP_WRITE))
    expect(std::memcmp(at, model.data() + offset, size) == 0, "mapped contents");
  if (flags & (CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION)) {
    auto fresh = ramp(size, seed);
    std::memcpy(at, fresh.data(), size);
    std::memcpy(model.data() + offset, fresh.data(), size);
  }
  say_code("  unmap", clEnqueueUnmapMemObject(setup.queue, buffer, at, 0, nullptr, nullptr));
  clFinish(setup.queue);
  say("  map count %u", map_count_at_rest(buffer));
  expect(contents(setup.queue, buffer, kSize) == model, "contents after unmap");
}

void mapping(const Setup& setup) {
  say("-- mapping");
  for (cl_mem_flags made_with :
       {cl_mem_flags{0}, cl_mem_flags{CL_MEM_ALLOC_HOST_PTR}, cl_mem_flags{CL_MEM_USE_HOST_PTR},
        cl_mem_flags{CL_MEM_COPY_HOST_PTR}}) {
    auto model = ramp(kSize, 5);
    auto host = model;
    const bool pointer = made_with & (CL_MEM_USE_HOST_PTR | CL_MEM_COPY_HOST_PTR);
    cl_mem buffer = setup.buffer(kSize, made_with, pointer ? host.data() : nullptr);
    say("buffer flags 0x%llx", static_cast<unsigned long long>(made_with));
    clEnqueueWriteBuffer(setup.queue, buffer, CL_TRUE, 0, kSize, model.data(), 0, nullptr, nullptr);
    unsigned seed = 50;
    for (cl_map_flags flags :
         {cl_map_flags{CL_MAP_READ}, cl_map_flags{CL_MAP_WRITE},
          cl_map_flags{CL_MAP_READ | CL_MAP_WRITE}, cl_map_flags{CL_MAP_WRITE_INVALIDATE_REGION}})
      for (bool blocking : {true, false})
        map_one(setup, buffer, flags, blocking, model, seed++);
    say_contents(setup, "after all maps", buffer);
    clReleaseMemObject(buffer);
  }
}

void mapping_errors(const Setup& setup) {
  say("-- mapping: errors and several maps at once");
  cl_mem buffer = setup.buffer(kSize);
  clEnqueueWriteBuffer(setup.queue, buffer, CL_TRUE, 0, kSize, ramp(kSize).data(), 0, nullptr,
                       nullptr);
  auto attempt = [&](const char* what, cl_map_flags flags, size_t offset, size_t size) {
    cl_int code = 1;
    void* at = clEnqueueMapBuffer(setup.queue, buffer, CL_TRUE, flags, offset, size, 0, nullptr,
                                  nullptr, &code);
    say_code(what, code);
    return at;
  };
  attempt("size 0", CL_MAP_READ, 0, 0);
  attempt("past the end", CL_MAP_READ, 1, kSize);
  void* one = attempt("one", CL_MAP_READ, 0, 256);
  void* two = attempt("two", CL_MAP_READ, 128, 256);
  void* three = attempt("three", CL_MAP_READ, 0, kSize);
  cl_uint count = 0;
  clGetMemObjectInfo(buffer, CL_MEM_MAP_COUNT, sizeof count, &count, nullptr);
  say("map count %u", count);
  expect(one && two && std::memcmp(static_cast<char*>(one) + 128, two, 128) == 0, "two views");
  for (void* at : {two, three, one})
    say_code("unmap", clEnqueueUnmapMemObject(setup.queue, buffer, at, 0, nullptr, nullptr));
  clFinish(setup.queue);
  say("map count %u", map_count_at_rest(buffer));
  int local = 0;
  say_code("unmap what was never mapped",
           clEnqueueUnmapMemObject(setup.queue, buffer, &local, 0, nullptr, nullptr));
  clReleaseMemObject(buffer);
}

void use_host_pointer(const Setup& setup) {
  say("-- CL_MEM_USE_HOST_PTR: the program's memory is the buffer's whenever it is mapped");
  std::vector<cl_uint> host(1024);
  std::iota(host.begin(), host.end(), 0u);
  const size_t bytes = host.size() * sizeof(cl_uint);
  cl_mem buffer = setup.buffer(bytes, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, host.data());
  cl_program program = setup.build(
      "__kernel void square(__global uint* a) { size_t i = get_global_id(0);"
      " a[i] = a[i] * a[i]; }");
  cl_kernel kernel = setup.kernel(program, "square");
  clSetKernelArg(kernel, 0, sizeof buffer, &buffer);
  size_t items = host.size();
  require(
      clEnqueueNDRangeKernel(setup.queue, kernel, 1, nullptr, &items, nullptr, 0, nullptr, nullptr),
      "square");
  cl_int code = CL_SUCCESS;
  void* at = clEnqueueMapBuffer(setup.queue, buffer, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 400, 800,
                                0, nullptr, nullptr, &code);
  require(code, "map");
  expect(at == reinterpret_cast<char*>(host.data()) + 400, "the map is not in the host memory");
  for (size_t i = 100; i < 300; ++i)
    expect(host[i] == i * i, "host[%zu]", i);
  for (size_t i = 100; i < 300; ++i)
    host[i] += 1;
  clEnqueueUnmapMemObject(setup.queue, buffer, at, 0, nullptr, nullptr);
  clEnqueueNDRangeKernel(setup.queue, kernel, 1, nullptr, &items, nullptr, 0, nullptr, nullptr);
  at = clEnqueueMapBuffer(setup.queue, buffer, CL_TRUE, CL_MAP_READ, 0, bytes, 0, nullptr, nullptr,
                          &code);
  require(code, "map all");
  say("host memory: %016llx", checksum(host.data(), bytes));
  clEnqueueUnmapMemObject(setup.queue, buffer, at, 0, nullptr, nullptr);
  clFinish(setup.queue);
  clReleaseKernel(kernel);
  clReleaseProgram(program);
  clReleaseMemObject(buffer);
}

// Writes from memory that a read before them will fill, all of them behind a user event.
void reads_under_writes(const Setup& setup) {
  say("-- writes from memory that is still being read");
  auto bytes = ramp(kSize, 21);
  cl_mem from = setup.buffer(kSize, CL_MEM_COPY_HOST_PTR, bytes.data());
  cl_mem to = setup.buffer(kSize);
  std::vector<unsigned char> host(kSize, 0xEE);
  cl_event gate = clCreateUserEvent(setup.context, nullptr);
  cl_event mapped_event = nullptr;
  cl_int code = CL_SUCCESS;
  say_code("read", clEnqueueReadBuffer(setup.queue, from, CL_FALSE, 0, kSize / 2, host.data(), 1,
                                       &gate, nullptr));
  say_code("write", clEnqueueWriteBuffer(setup.queue, to, CL_FALSE, 0, kSize, host.data(), 0,
                                         nullptr, nullptr));
  say_code("read again", clEnqueueReadBuffer(setup.queue, from, CL_FALSE, kSize / 2, kSize / 2,
                                             host.data(), 0, nullptr, nullptr));
  void* mapped = clEnqueueMapBuffer(setup.queue, from, CL_FALSE, CL_MAP_READ | CL_MAP_WRITE, 16, 64,
                                    0, nullptr, &mapped_event, &code);
  say_code("map", code);
  say_code("unmap", clEnqueueUnmapMemObject(setup.queue, from, mapped, 0, nullptr, nullptr));
  say_code("open the gate", clSetUserEventStatus(gate, CL_COMPLETE));
  say_code("finish", clFinish(setup.queue));
  say("host: %016llx", checksum(host.data(), host.size()));
  say_contents(setup, "written", to);
  say_contents(setup, "mapped", from);
  clReleaseEvent(mapped_event);
  clReleaseEvent(gate);
  clReleaseMemObject(to);
  clReleaseMemObject(from);
}

void rectangles(const Setup& setup) {
  say("-- rectangles");
  auto bytes = ramp(kSize, 3);
  cl_mem from = setup.buffer(kSize, CL_MEM_COPY_HOST_PTR, bytes.data());
  cl_mem to = setup.buffer(kSize, CL_MEM_COPY_HOST_PTR, bytes.data());
  const size_t at_buffer[3] = {5, 2, 1}, at_host[3] = {3, 1, 0}, region[3] = {17, 6, 3};
  std::vector<unsigned char> host(2048, 0xEE);
  say_code("read", clEnqueueReadBufferRect(setup.queue, from, CL_TRUE, at_buffer, at_host, region,
                                           32, 512, 24, 240, host.data(), 0, nullptr, nullptr));
  say("host: %016llx", checksum(host.data(), host.size()));
  say_code("write", clEnqueueWriteBufferRect(setup.queue, to, CL_TRUE, at_buffer, at_host, region,
                                             40, 600, 24, 240, host.data(), 0, nullptr, nullptr));
  say_contents(setup, "written", to);
  say_code("copy", clEnqueueCopyBufferRect(setup.queue, from, to, at_host, at_buffer, region, 32,
                                           512, 40, 600, 0, nullptr, nullptr));
  say_contents(setup, "copied", to);
  say_code("default pitches", clEnqueueCopyBufferRect(setup.queue, from, to, at_host, at_buffer,
                                                      region, 0, 0, 0, 0, 0, nullptr, nullptr));
  say_contents(setup, "copied", to);
  const size_t up[3] = {0, 4, 0}, none[3] = {0, 6, 3}, origin[3] = {0, 0, 0};
  const size_t flat[3] = {16, 8, 1};
  say_code("within one buffer", clEnqueueCopyBufferRect(setup.queue, to, to, origin, up, flat, 64,
                                                        0, 64, 0, 0, nullptr, nullptr));
  const size_t aside[3] = {32, 0, 0};
  say_code("side by side in one buffer",
           clEnqueueCopyBufferRect(setup.queue, to, to, origin, aside, flat, 64, 0, 64, 0, 0,
                                   nullptr, nullptr));
  say_contents(setup, "copied", to);
  say_code("empty region",
           clEnqueueReadBufferRect(setup.queue, from, CL_TRUE, at_buffer, at_host, none, 32, 512,
                                   24, 240, host.data(), 0, nullptr, nullptr));
  say_code("row pitch too small",
           clEnqueueReadBufferRect(setup.queue, from, CL_TRUE, at_buffer, at_host, region, 8, 512,
                                   24, 240, host.data(), 0, nullptr, nullptr));
  say_code("slice pitch too small",
           clEnqueueReadBufferRect(setup.queue, from, CL_TRUE, at_buffer, at_host, region, 32, 64,
                                   24, 240, host.data(), 0, nullptr, nullptr));
  const size_t far[3] = {0, 0, 9};
  say_code("out of bounds",
           clEnqueueReadBufferRect(setup.queue, from, CL_TRUE, far, at_host, region, 32, 512, 24,
                                   240, host.data(), 0, nullptr, nullptr));
  clReleaseMemObject(from);
  clReleaseMemObject(to);
}

void fills(const Setup& setup) {
  say("-- fills");
  cl_mem buffer = setup.buffer(kSize, CL_MEM_COPY_HOST_PTR, ramp(kSize).data());
  auto pattern = ramp(256, 31);
  for (size_t size : {1, 2, 4, 8, 16, 32, 64, 128}) {
    cl_int code = clEnqueueFillBuffer(setup.queue, buffer, pattern.data(), size, 128, 1024, 0,
                                      nullptr, nullptr);
    say("pattern of %zu: %s", size, error_name(code).c_str());
    say_contents(setup, "  contents", buffer);
  }
  auto attempt = [&](const char* what, const void* from, size_t size, size_t offset, size_t bytes) {
    say_code(what, clEnqueueFillBuffer(setup.queue, buffer, from, size, offset, bytes, 0, nullptr,
                                       nullptr));
  };
  attempt("no pattern", nullptr, 4, 0, 64);
  attempt("pattern of 0", pattern.data(), 0, 0, 64);
  attempt("pattern of 3", pattern.data(), 3, 0, 63);
  attempt("pattern of 256", pattern.data(), 256, 0, 256);
  attempt("offset misaligned", pattern.data(), 8, 4, 64);
  attempt("size misaligned", pattern.data(), 8, 8, 60);
  attempt("past the end", pattern.data(), 8, kSize - 8, 16);
  clFinish(setup.queue);
  say_contents(setup, "in the end", buffer);
  clReleaseMemObject(buffer);
}

void copies(const Setup& setup) {
  say("-- copies");
  cl_mem one = setup.buffer(kSize, CL_MEM_COPY_HOST_PTR, ramp(kSize, 1).data());
  cl_mem two = setup.buffer(kSize, CL_MEM_COPY_HOST_PTR, ramp(kSize, 2).data());
  auto copy = [&](const char* what, cl_mem from, cl_mem to, size_t source, size_t target,
                  size_t size) {
    say_code(what,
             clEnqueueCopyBuffer(setup.queue, from, to, source, target, size, 0, nullptr, nullptr));
  };
  copy("between buffers", one, two, 100, 777, 1234);
  say_contents(setup, "copied", two);
  copy("apart in one buffer", one, one, 0, 2048, 1024);
  copy("overlapping forward", one, one, 0, 512, 1024);
  copy("overlapping backward", one, one, 512, 0, 1024);
  copy("onto itself", one, one, 0, 0, 1024);
  copy("past the source's end", one, two, kSize - 4, 0, 8);
  copy("past the target's end", one, two, 0, kSize - 4, 8);
  copy("size 0", one, two, 0, 0, 0);
  say_contents(setup, "one", one);
  cl_mem both[] = {one, two};
  say_code("migrate to the device",
           clEnqueueMigrateMemObjects(setup.queue, 2, both, 0, 0, nullptr, nullptr));
  say_code("migrate to the host",
           clEnqueueMigrateMemObjects(setup.queue, 2, both, CL_MIGRATE_MEM_OBJECT_HOST, 0, nullptr,
                                      nullptr));
  say_code("migrate nothing",
           clEnqueueMigrateMemObjects(setup.queue, 0, nullptr, 0, 0, nullptr, nullptr));
  clFinish(setup.queue);
  say_contents(setup, "two", two);
  clReleaseMemObject(one);
  clReleaseMemObject(two);
}

std::mutex destroyed_mutex;
std::vector<int> destroyed;

void CL_CALLBACK on_destroyed(cl_mem, void* user) {
  std::lock_guard lock(destroyed_mutex);
  destroyed.push_back(static_cast<int>(reinterpret_cast<intptr_t>(user)));
}

void lifetimes(const Setup& setup) {
  say("-- lifetimes");
  cl_mem buffer = setup.buffer(kSize);
  auto references = [&] {
    cl_uint count = 0;
    clGetMemObjectInfo(buffer, CL_MEM_REFERENCE_COUNT, sizeof count, &count, nullptr);
    say("references %u", count);
  };
  references();
  clRetainMemObject(buffer);
  clRetainMemObject(buffer);
  references();
  for (intptr_t i = 1; i <= 3; ++i)
    say_code("destructor callback",
             clSetMemObjectDestructorCallback(buffer, on_destroyed, reinterpret_cast<void*>(i)));
  say_code("no callback", clSetMemObjectDestructorCallback(buffer, nullptr, nullptr));
  clReleaseMemObject(buffer);
  clReleaseMemObject(buffer);
  references();
  {
    std::lock_guard lock(destroyed_mutex);
    expect(destroyed.empty(), "a callback came early");
  }
  clReleaseMemObject(buffer);
  clFinish(setup.queue);
  // Nothing says when the callbacks come; only that they do, the last registered first.
  for (int i = 0; i < kCallbackPatience; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::lock_guard lock(destroyed_mutex);
    if (destroyed.size() == 3) break;
  }
  std::lock_guard lock(destroyed_mutex);
  for (int which : destroyed)
    say("destroyed %d", which);
  expect(destroyed == std::vector<int>({3, 2, 1}), "order of destructor callbacks");
}

}  // namespace

int main() {
  Setup setup;
  creation(setup);
  initial_contents(setup);
  host_access_rules(setup);
  sub_buffers(setup);
  mapping(setup);
  mapping_errors(setup);
  use_host_pointer(setup);
  reads_under_writes(setup);
  rectangles(setup);
  fills(setup);
  copies(setup);
  lifetimes(setup);
  return finish();
}
