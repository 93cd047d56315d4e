// Images of every dimension: formats, creation, transfers, maps, fills, copies and kernels.
#include <algorithm>
#include <cstring>
#include <string>

#include "transcript.h"

#include <CL/cl_ext.h>

namespace {

using namespace conformance;

struct Shape {
  const char* name;
  cl_mem_object_type type;
  size_t width, height, depth, layers;

  cl_image_desc description() const {
    cl_image_desc desc = {};
    desc.image_type = type;
    desc.image_width = width;
    desc.image_height = height;
    desc.image_depth = depth;
    desc.image_array_size = layers;
    return desc;
  }
  // The whole image as a region: an array's layers take the place of the next dimension.
  void region(size_t out[3]) const {
    out[0] = width;
    out[1] = std::max<size_t>(1, type == CL_MEM_OBJECT_IMAGE1D_ARRAY ? layers : height);
    out[2] = std::max<size_t>(1, type == CL_MEM_OBJECT_IMAGE2D_ARRAY ? layers : depth);
  }
  size_t pixels() const {
    size_t all[3];
    region(all);
    return all[0] * all[1] * all[2];
  }
};

const Shape kShapes[] = {
    {"1D", CL_MEM_OBJECT_IMAGE1D, 37, 0, 0, 0},
    {"1D array", CL_MEM_OBJECT_IMAGE1D_ARRAY, 21, 0, 0, 5},
    {"2D", CL_MEM_OBJECT_IMAGE2D, 19, 11, 0, 0},
    {"2D array", CL_MEM_OBJECT_IMAGE2D_ARRAY, 9, 7, 0, 3},
    {"3D", CL_MEM_OBJECT_IMAGE3D, 8, 6, 5, 0},
};
constexpr cl_image_format kRgba8 = {CL_RGBA, CL_UNSIGNED_INT8};
constexpr cl_image_format kRgbaFloat = {CL_RGBA, CL_FLOAT};
constexpr size_t kZero[3] = {0, 0, 0};

std::vector<unsigned char> ramp(size_t size, unsigned first) {
  std::vector<unsigned char> bytes(size);
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<unsigned char>(first + i * 5 + i / 251);
  return bytes;
}

cl_mem make(const Setup& setup, const Shape& shape, const cl_image_format& format,
            cl_mem_flags flags = CL_MEM_READ_WRITE, void* host = nullptr) {
  cl_image_desc desc = shape.description();
  cl_int code = CL_SUCCESS;
  cl_mem image = clCreateImage(setup.context, flags, &format, &desc, host, &code);
  require(code, shape.name);
  return image;
}

std::vector<unsigned char> read_all(const Setup& setup, cl_mem image, const Shape& shape,
                                    size_t pixel_bytes) {
  std::vector<unsigned char> bytes(shape.pixels() * pixel_bytes);
  size_t region[3];
  shape.region(region);
  require(clEnqueueReadImage(setup.queue, image, CL_TRUE, kZero, region, 0, 0, bytes.data(), 0,
                             nullptr, nullptr),
          "clEnqueueReadImage");
  return bytes;
}

void say_image(const Setup& setup, const char* what, cl_mem image, const Shape& shape,
               size_t pixel_bytes) {
  auto bytes = read_all(setup, image, shape, pixel_bytes);
  say("%s: %016llx", what, checksum(bytes.data(), bytes.size()));
}

void formats(const Setup& setup) {
  say("-- formats");
  for (cl_mem_object_type type :
       {CL_MEM_OBJECT_IMAGE1D, CL_MEM_OBJECT_IMAGE1D_ARRAY, CL_MEM_OBJECT_IMAGE1D_BUFFER,
        CL_MEM_OBJECT_IMAGE2D, CL_MEM_OBJECT_IMAGE2D_ARRAY, CL_MEM_OBJECT_IMAGE3D})
    for (cl_mem_flags flags : {cl_mem_flags{CL_MEM_READ_ONLY}, cl_mem_flags{CL_MEM_WRITE_ONLY},
                               cl_mem_flags{CL_MEM_READ_WRITE}}) {
      cl_uint count = 0;
      cl_int code = clGetSupportedImageFormats(setup.context, flags, type, 0, nullptr, &count);
      say("type 0x%x flags %llu: %s, %u", type, static_cast<unsigned long long>(flags),
          error_name(code).c_str(), count);
      std::vector<cl_image_format> list(count);
      clGetSupportedImageFormats(setup.context, flags, type, count, list.data(), nullptr);
      for (const auto& format : list)
        say("  0x%x 0x%x", format.image_channel_order, format.image_channel_data_type);
      std::vector<cl_image_format> few(2, cl_image_format{1, 2});
      code = clGetSupportedImageFormats(setup.context, flags, type, 1, few.data(), &count);
      say("  room for one: %s, %u, 0x%x; the second is %s", error_name(code).c_str(), count,
          few[0].image_channel_order, few[1].image_channel_order == 1 ? "untouched" : "WRITTEN");
    }
}

void creation_errors(const Setup& setup) {
  say("-- creation errors");
  auto create = [&](const cl_image_format& format, const cl_image_desc& desc, void* host,
                    cl_mem_flags flags) {
    cl_int code = 1;
    cl_mem made = clCreateImage(setup.context, flags, &format, &desc, host, &code);
    expect((made != nullptr) == (code == CL_SUCCESS), "object and code disagree");
    if (made) clReleaseMemObject(made);
    return code;
  };
  auto attempt = [&](const char* what, cl_image_format format, const cl_image_desc& desc,
                     void* host = nullptr, cl_mem_flags flags = CL_MEM_READ_WRITE) {
    say_code(what, create(format, desc, host, flags));
  };
  // PoCL 3.1 refuses these, but not with the specification's code. Mip levels abort the process.
  auto refused = [&](const char* what, const cl_image_format& format, const cl_image_desc& desc) {
    say("%s: %s", what,
        create(format, desc, nullptr, CL_MEM_READ_WRITE) == CL_SUCCESS ? "ACCEPTED" : "refused");
  };
  const cl_image_desc good = kShapes[2].description();
  attempt("good", kRgba8, good);
  auto with = [&](auto change) {
    cl_image_desc desc = good;
    change(desc);
    return desc;
  };
  refused("width 0", kRgba8, with([](auto& desc) { desc.image_width = 0; }));
  refused("height 0", kRgba8, with([](auto& desc) { desc.image_height = 0; }));
  refused("far too wide", kRgba8, with([](auto& desc) { desc.image_width = size_t{1} << 40; }));
  refused("unknown type", kRgba8, with([](auto& desc) { desc.image_type = 0x7777; }));
  refused("unknown order", {0x7777, CL_FLOAT}, good);
  refused("unknown channel type", {CL_RGBA, 0x7777}, good);
  refused("order and type that do not go together", {CL_RGB, CL_FLOAT}, good);
  std::vector<unsigned char> host(4096, 1);
  attempt("pointer without a flag", kRgba8, good, host.data());
  attempt("flag without a pointer", kRgba8, good, nullptr, CL_MEM_COPY_HOST_PTR);
  attempt("row pitch good", kRgba8, with([](auto& desc) { desc.image_row_pitch = 128; }),
          host.data(), CL_MEM_COPY_HOST_PTR);
  attempt("read-write and write-only", kRgba8, good, nullptr,
          CL_MEM_READ_WRITE | CL_MEM_WRITE_ONLY);
}

// Forbidden by the specification, taken by some drivers: what they do with it is the same.
void layout_without_contents(const Setup& setup) {
  say("-- pitches without contents");
  cl_image_desc desc = kShapes[2].description();
  for (const size_t pitch : {size_t{1}, size_t{75}, size_t{76}, size_t{128}}) {
    desc.image_row_pitch = pitch;
    cl_int code = CL_SUCCESS;
    cl_mem image = clCreateImage(setup.context, CL_MEM_READ_WRITE, &kRgba8, &desc, nullptr, &code);
    say("pitch %zu: %s", pitch, code == CL_SUCCESS ? "taken" : "refused");
    if (image == nullptr) continue;
    size_t told = 0, size = 0, mapped = 0;
    clGetImageInfo(image, CL_IMAGE_ROW_PITCH, sizeof told, &told, nullptr);
    clGetMemObjectInfo(image, CL_MEM_SIZE, sizeof size, &size, nullptr);
    size_t region[3];
    kShapes[2].region(region);
    const auto bytes = ramp(kShapes[2].pixels() * 4, 9);
    say_code("write", clEnqueueWriteImage(setup.queue, image, CL_TRUE, kZero, region, 0, 0,
                                          bytes.data(), 0, nullptr, nullptr));
    void* at = clEnqueueMapImage(setup.queue, image, CL_TRUE, CL_MAP_READ, kZero, region, &mapped,
                                 nullptr, 0, nullptr, nullptr, &code);
    say_code("map", code);
    clEnqueueUnmapMemObject(setup.queue, image, at, 0, nullptr, nullptr);
    say("row pitch %zu, mapped %zu, bytes %zu", told, mapped, size);
    expect(read_all(setup, image, kShapes[2], 4) == bytes, "what was written is read");
    clReleaseMemObject(image);
  }
}

void transfers(const Setup& setup, const Shape& shape) {
  say("-- transfers: %s", shape.name);
  cl_mem image = make(setup, shape, kRgba8);
  auto bytes = ramp(shape.pixels() * 4, 1);
  size_t region[3];
  shape.region(region);
  say_code("write all", clEnqueueWriteImage(setup.queue, image, CL_TRUE, kZero, region, 0, 0,
                                            bytes.data(), 0, nullptr, nullptr));
  expect(read_all(setup, image, shape, 4) == bytes, "what was written is read");
  size_t origin[3] = {3, region[1] > 1 ? size_t{1} : 0, region[2] > 1 ? size_t{1} : 0};
  size_t part[3] = {4, region[1] > 2 ? region[1] - 2 : 1, region[2] > 1 ? region[2] - 1 : 1};
  const size_t row = 48, slice = region[2] > 1 ? row * (part[1] + 1) : 0;
  std::vector<unsigned char> host(8192, 0xDD);
  say_code("read a part", clEnqueueReadImage(setup.queue, image, CL_TRUE, origin, part, row, slice,
                                             host.data(), 0, nullptr, nullptr));
  say("host: %016llx", checksum(host.data(), host.size()));
  auto fresh = ramp(8192, 77);
  say_code("write a part", clEnqueueWriteImage(setup.queue, image, CL_TRUE, origin, part, row,
                                               slice, fresh.data(), 0, nullptr, nullptr));
  say_image(setup, "image", image, shape, 4);

  size_t beyond[3] = {region[0] - 2, 0, 0};
  say_code("out of bounds", clEnqueueReadImage(setup.queue, image, CL_TRUE, beyond, part, 0, 0,
                                               host.data(), 0, nullptr, nullptr));
  say_code("no pointer", clEnqueueReadImage(setup.queue, image, CL_TRUE, kZero, region, 0, 0,
                                            nullptr, 0, nullptr, nullptr));
  clReleaseMemObject(image);
}

void mapped(const Setup& setup, const Shape& shape, cl_mem_flags made_with) {
  say("-- map: %s, flags 0x%llx", shape.name, static_cast<unsigned long long>(made_with));
  auto bytes = ramp(shape.pixels() * 4, 9);
  auto host = bytes;
  const bool pointer = made_with & (CL_MEM_USE_HOST_PTR | CL_MEM_COPY_HOST_PTR);
  cl_mem image =
      make(setup, shape, kRgba8, CL_MEM_READ_WRITE | made_with, pointer ? host.data() : nullptr);
  size_t region[3];
  shape.region(region);
  if (!pointer)
    clEnqueueWriteImage(setup.queue, image, CL_TRUE, kZero, region, 0, 0, bytes.data(), 0, nullptr,
                        nullptr);
  size_t origin[3] = {2, 0, region[2] > 1 ? size_t{1} : 0};
  size_t part[3] = {5, region[1], std::max<size_t>(1, region[2] - 1)};
  for (cl_map_flags flags : {cl_map_flags{CL_MAP_READ}, cl_map_flags{CL_MAP_READ | CL_MAP_WRITE},
                             cl_map_flags{CL_MAP_WRITE_INVALIDATE_REGION}}) {
    size_t row = 0, slice = 0;
    cl_int code = CL_SUCCESS;
    auto* at = static_cast<unsigned char*>(clEnqueueMapImage(setup.queue, image, CL_TRUE, flags,
                                                             origin, part, &row, &slice, 0, nullptr,
                                                             nullptr, &code));
    say("map flags %llu: %s, rows %s", static_cast<unsigned long long>(flags),
        error_name(code).c_str(), row >= part[0] * 4 ? "fit" : "DO NOT FIT");
    if (!at) continue;
    if (shape.type == CL_MEM_OBJECT_IMAGE1D_ARRAY) row = slice;
    for (size_t z = 0; z < part[2]; ++z)
      for (size_t y = 0; y < part[1]; ++y) {
        unsigned char* line = at + z * slice + y * row;
        size_t model = (((z + origin[2]) * region[1] + y + origin[1]) * region[0] + origin[0]) * 4;
        if (flags & CL_MAP_READ)
          expect(std::memcmp(line, bytes.data() + model, part[0] * 4) == 0, "line %zu of %zu", y,
                 z);
        if (!(flags & (CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION))) continue;
        for (size_t i = 0; i < part[0] * 4; ++i)
          bytes[model + i] = line[i] = static_cast<unsigned char>(flags * 16 + i + y * 3 + z);
      }
    say_code("unmap", clEnqueueUnmapMemObject(setup.queue, image, at, 0, nullptr, nullptr));
    expect(read_all(setup, image, shape, 4) == bytes, "contents after unmap");
  }
  clReleaseMemObject(image);
}

void fill(const Setup& setup, const Shape& shape) {
  say("-- fill: %s", shape.name);
  size_t region[3];
  shape.region(region);
  size_t origin[3] = {1, 0, 0};
  size_t part[3] = {region[0] - 2, std::max<size_t>(1, region[1] / 2), region[2]};
  const cl_uint integers[4] = {1, 2, 300, 4};
  const cl_float reals[4] = {0.25f, -1.5f, 1e10f, 1.0f};
  cl_mem image = make(setup, shape, kRgba8);
  auto zeros = std::vector<unsigned char>(shape.pixels() * 4);
  clEnqueueWriteImage(setup.queue, image, CL_TRUE, kZero, region, 0, 0, zeros.data(), 0, nullptr,
                      nullptr);
  say_code("integers",
           clEnqueueFillImage(setup.queue, image, integers, origin, part, 0, nullptr, nullptr));
  say_image(setup, "image", image, shape, 4);
  say_code("no color",
           clEnqueueFillImage(setup.queue, image, nullptr, origin, part, 0, nullptr, nullptr));
  clReleaseMemObject(image);
  for (cl_image_format format : {kRgbaFloat, cl_image_format{CL_RGBA, CL_UNORM_INT8}}) {
    const size_t pixel = format.image_channel_data_type == CL_FLOAT ? 16 : 4;
    image = make(setup, shape, format);
    zeros.assign(shape.pixels() * pixel, 0);
    clEnqueueWriteImage(setup.queue, image, CL_TRUE, kZero, region, 0, 0, zeros.data(), 0, nullptr,
                        nullptr);
    say_code("reals",
             clEnqueueFillImage(setup.queue, image, reals, origin, part, 0, nullptr, nullptr));
    say_image(setup, "image", image, shape, pixel);
    clReleaseMemObject(image);
  }
}

void copies(const Setup& setup) {
  say("-- copies");
  const Shape& flat = kShapes[2];
  const Shape& deep = kShapes[4];
  auto bytes = ramp(flat.pixels() * 4, 13);
  cl_mem two = make(setup, flat, kRgba8, CL_MEM_COPY_HOST_PTR, bytes.data());
  bytes = ramp(deep.pixels() * 4, 200);
  cl_mem three = make(setup, deep, kRgba8, CL_MEM_COPY_HOST_PTR, bytes.data());
  const size_t from[3] = {2, 1, 0}, to[3] = {1, 2, 3}, region[3] = {6, 4, 1};
  say_code("2D to 3D",
           clEnqueueCopyImage(setup.queue, two, three, from, to, region, 0, nullptr, nullptr));
  say_image(setup, "3D", three, deep, 4);
  say_code("3D to 2D",
           clEnqueueCopyImage(setup.queue, three, two, to, from, region, 0, nullptr, nullptr));
  say_image(setup, "2D", two, flat, 4);
  const size_t apart[3] = {10, 6, 0};
  say_code("within one",
           clEnqueueCopyImage(setup.queue, two, two, from, apart, region, 0, nullptr, nullptr));
  say_image(setup, "2D", two, flat, 4);
  const size_t close[3] = {3, 2, 0};
  say_code("overlapping",
           clEnqueueCopyImage(setup.queue, two, two, from, close, region, 0, nullptr, nullptr));
  cl_mem other = make(setup, flat, kRgbaFloat);
  say_code("other format",
           clEnqueueCopyImage(setup.queue, two, other, from, from, region, 0, nullptr, nullptr));
  cl_mem buffer = setup.buffer(4096, CL_MEM_COPY_HOST_PTR, ramp(4096, 3).data());
  say_code("image to buffer", clEnqueueCopyImageToBuffer(setup.queue, three, buffer, to, region,
                                                         100, 0, nullptr, nullptr));
  auto seen = contents(setup.queue, buffer, 4096);
  say("buffer: %016llx", checksum(seen.data(), seen.size()));
  say_code("buffer to image", clEnqueueCopyBufferToImage(setup.queue, buffer, two, 64, from, region,
                                                         0, nullptr, nullptr));
  say_image(setup, "2D", two, flat, 4);
  say_code("past the buffer's end", clEnqueueCopyBufferToImage(setup.queue, buffer, two, 4090, from,
                                                               region, 0, nullptr, nullptr));
  clFinish(setup.queue);
  for (cl_mem object : {two, three, other, buffer})
    clReleaseMemObject(object);
}

constexpr char kSource[] = R"(
constant sampler_t exact = CLK_NORMALIZED_COORDS_FALSE | CLK_ADDRESS_CLAMP | CLK_FILTER_NEAREST;
kernel void sample(read_only image2d_t in, sampler_t how, global float4* out, float sx, float sy) {
  int x = get_global_id(0), y = get_global_id(1);
  out[y * get_global_size(0) + x] = read_imagef(in, how, (float2)(x * sx + 0.3f, y * sy - 0.2f));
}
kernel void invert(read_only image2d_t in, write_only image2d_t out) {
  int2 at = (int2)(get_global_id(0), get_global_id(1));
  write_imageui(out, at, 255 - read_imageui(in, exact, at));
}
kernel void sizes(read_only image3d_t a, read_only image2d_array_t b, read_only image1d_t c,
                  global int* out) {
  out[0] = get_image_width(a); out[1] = get_image_height(a); out[2] = get_image_depth(a);
  out[3] = get_image_width(b); out[4] = get_image_height(b); out[5] = (int)get_image_array_size(b);
  out[6] = get_image_width(c); out[7] = get_image_channel_order(c) - CLK_RGBA;
}
kernel void flatten(read_only image3d_t in, global uint4* out) {
  int4 at = (int4)(get_global_id(0), get_global_id(1), get_global_id(2), 0);
  out[(at.z * get_global_size(1) + at.y) * get_global_size(0) + at.x] = read_imageui(in, exact, at);
}
kernel void from_buffer(read_only image1d_buffer_t in, global uint4* out) {
  out[get_global_id(0)] = read_imageui(in, (int)get_global_id(0));
}
)";

void samplers(const Setup& setup, cl_program program) {
  say("-- samplers");
  const Shape& shape = kShapes[2];
  std::vector<float> pixels(shape.pixels() * 4);
  for (size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<float>(i % 97) / 8;
  cl_mem image = make(setup, shape, kRgbaFloat, CL_MEM_COPY_HOST_PTR, pixels.data());
  cl_mem out = setup.buffer(24 * 16 * 16);
  cl_kernel kernel = setup.kernel(program, "sample");
  for (cl_filter_mode filter : {CL_FILTER_NEAREST, CL_FILTER_LINEAR})
    for (cl_addressing_mode mode : {CL_ADDRESS_CLAMP, CL_ADDRESS_CLAMP_TO_EDGE, CL_ADDRESS_REPEAT,
                                    CL_ADDRESS_MIRRORED_REPEAT}) {
      const bool normalized = mode == CL_ADDRESS_REPEAT || mode == CL_ADDRESS_MIRRORED_REPEAT;
      cl_int code = CL_SUCCESS;
      cl_sampler sampler = clCreateSampler(setup.context, normalized, mode, filter, &code);
      say("filter 0x%x mode 0x%x: %s", filter, mode, error_name(code).c_str());
      float step_x = normalized ? 0.13f : 0.9f, step_y = normalized ? 0.21f : 0.8f;
      clSetKernelArg(kernel, 0, sizeof image, &image);
      clSetKernelArg(kernel, 1, sizeof sampler, &sampler);
      clSetKernelArg(kernel, 2, sizeof out, &out);
      clSetKernelArg(kernel, 3, sizeof step_x, &step_x);
      clSetKernelArg(kernel, 4, sizeof step_y, &step_y);
      size_t items[2] = {24, 16};
      say_code("run", clEnqueueNDRangeKernel(setup.queue, kernel, 2, nullptr, items, nullptr, 0,
                                             nullptr, nullptr));
      auto bytes = contents(setup.queue, out, 24 * 16 * 16);
      say("sampled: %016llx", checksum(bytes.data(), bytes.size()));
      clReleaseSampler(sampler);
    }
  clReleaseKernel(kernel);
  clReleaseMemObject(out);
  clReleaseMemObject(image);
}

void kernels(const Setup& setup, cl_program program) {
  say("-- kernels");
  const Shape& flat = kShapes[2];
  const Shape& deep = kShapes[4];
  auto bytes = ramp(flat.pixels() * 4, 1);
  cl_mem in = make(setup, flat, kRgba8, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, bytes.data());
  cl_mem out = make(setup, flat, kRgba8, CL_MEM_WRITE_ONLY);
  cl_kernel kernel = setup.kernel(program, "invert");
  clSetKernelArg(kernel, 0, sizeof in, &in);
  clSetKernelArg(kernel, 1, sizeof out, &out);
  size_t items[3] = {flat.width, flat.height, 1};
  say_code("invert", clEnqueueNDRangeKernel(setup.queue, kernel, 2, nullptr, items, nullptr, 0,
                                            nullptr, nullptr));
  for (auto& byte : bytes)
    byte = 255 - byte;
  expect(read_all(setup, out, flat, 4) == bytes, "inverted image");
  clReleaseKernel(kernel);

  auto volume = ramp(deep.pixels() * 4, 40);
  cl_mem solid = make(setup, deep, kRgba8, CL_MEM_COPY_HOST_PTR, volume.data());
  cl_mem layers = make(setup, kShapes[3], kRgba8);
  cl_mem line = make(setup, kShapes[0], kRgba8);
  cl_mem numbers = setup.buffer(deep.pixels() * 16);
  kernel = setup.kernel(program, "sizes");
  clSetKernelArg(kernel, 0, sizeof solid, &solid);
  clSetKernelArg(kernel, 1, sizeof layers, &layers);
  clSetKernelArg(kernel, 2, sizeof line, &line);
  clSetKernelArg(kernel, 3, sizeof numbers, &numbers);
  size_t one = 1;
  say_code("sizes", clEnqueueNDRangeKernel(setup.queue, kernel, 1, nullptr, &one, nullptr, 0,
                                           nullptr, nullptr));
  auto told = contents(setup.queue, numbers, 8 * sizeof(cl_int));
  say("sizes: %s", hex(told.data(), told.size()).c_str());
  clReleaseKernel(kernel);

  kernel = setup.kernel(program, "flatten");
  clSetKernelArg(kernel, 0, sizeof solid, &solid);
  clSetKernelArg(kernel, 1, sizeof numbers, &numbers);
  size_t cube[3] = {deep.width, deep.height, deep.depth};
  say_code("flatten", clEnqueueNDRangeKernel(setup.queue, kernel, 3, nullptr, cube, nullptr, 0,
                                             nullptr, nullptr));
  told = contents(setup.queue, numbers, deep.pixels() * 16);
  say("flattened: %016llx", checksum(told.data(), told.size()));
  clReleaseKernel(kernel);
  for (cl_mem object : {in, out, solid, layers, line, numbers})
    clReleaseMemObject(object);
}

void from_buffers(const Setup& setup, cl_program program) {
  say("-- images from buffers");
  const size_t pixels = 64;
  cl_mem buffer = setup.buffer(pixels * 4, CL_MEM_COPY_HOST_PTR, ramp(pixels * 4, 8).data());
  cl_image_desc desc = {};
  desc.image_type = CL_MEM_OBJECT_IMAGE1D_BUFFER;
  desc.image_width = pixels;
  desc.buffer = buffer;
  cl_int code = CL_SUCCESS;
  cl_mem image = clCreateImage(setup.context, CL_MEM_READ_ONLY, &kRgba8, &desc, nullptr, &code);
  if (say_code("1D from a buffer", code) == CL_SUCCESS) {
    cl_mem parent = nullptr;
    clGetImageInfo(image, CL_IMAGE_BUFFER, sizeof parent, &parent, nullptr);
    expect(parent == buffer, "CL_IMAGE_BUFFER");
    cl_mem out = setup.buffer(pixels * 16);
    cl_kernel kernel = setup.kernel(program, "from_buffer");
    clSetKernelArg(kernel, 0, sizeof image, &image);
    clSetKernelArg(kernel, 1, sizeof out, &out);
    size_t items = pixels;
    for (unsigned round = 0; round < 2; ++round) {
      say_code("run", clEnqueueNDRangeKernel(setup.queue, kernel, 1, nullptr, &items, nullptr, 0,
                                             nullptr, nullptr));
      auto seen = contents(setup.queue, out, pixels * 16);
      say("seen through the image: %016llx", checksum(seen.data(), seen.size()));
      clEnqueueWriteBuffer(setup.queue, buffer, CL_TRUE, 0, pixels * 4, ramp(pixels * 4, 99).data(),
                           0, nullptr, nullptr);
    }
    clReleaseKernel(kernel);
    clReleaseMemObject(out);
    clReleaseMemObject(image);
  }
  desc.image_width = pixels + 1;
  clCreateImage(setup.context, CL_MEM_READ_ONLY, &kRgba8, &desc, nullptr, &code);
  say("larger than its buffer: %s", code == CL_SUCCESS ? "ACCEPTED" : "refused");
  clReleaseMemObject(buffer);
}

// cl_ext_image_requirements_info: of the platform's function, as programs get it.
void requirements(const Setup& setup) {
  say("-- requirements");
  size_t size = 0;
  clGetDeviceInfo(setup.device, CL_DEVICE_EXTENSIONS, 0, nullptr, &size);
  std::string extensions(size, ' ');
  clGetDeviceInfo(setup.device, CL_DEVICE_EXTENSIONS, size, extensions.data(), nullptr);
  const bool listed =
      (" " + extensions).find(" cl_ext_image_requirements_info") != std::string::npos;
  say("cl_ext_image_requirements_info: %s", listed ? "listed" : "not listed");
  if (!listed) return;
  const auto ask = reinterpret_cast<clGetImageRequirementsInfoEXT_fn>(
      clGetExtensionFunctionAddressForPlatform(setup.platform, "clGetImageRequirementsInfoEXT"));
  expect(ask != nullptr, "a listed extension has its function");
  if (ask == nullptr) return;
  for (const Shape& shape : kShapes)
    for (cl_image_requirements_info_ext what :
         {CL_IMAGE_REQUIREMENTS_ROW_PITCH_ALIGNMENT_EXT,
          CL_IMAGE_REQUIREMENTS_BASE_ADDRESS_ALIGNMENT_EXT, CL_IMAGE_REQUIREMENTS_SIZE_EXT,
          CL_IMAGE_REQUIREMENTS_MAX_WIDTH_EXT, CL_IMAGE_REQUIREMENTS_MAX_HEIGHT_EXT,
          CL_IMAGE_REQUIREMENTS_MAX_DEPTH_EXT, CL_IMAGE_REQUIREMENTS_MAX_ARRAY_SIZE_EXT}) {
      const cl_image_desc desc = shape.description();
      cl_ulong value = 0;
      const cl_int code = ask(setup.context, nullptr, CL_MEM_READ_WRITE, &kRgba8, &desc, what,
                              sizeof value, &value, &size);
      if (code != CL_SUCCESS) size = 0;
      say("%s 0x%x: %s, %zu bytes: %llu", shape.name, what, error_name(code).c_str(), size,
          static_cast<unsigned long long>(value));
    }
}

}  // namespace

int main() {
  Setup setup;
  formats(setup);
  creation_errors(setup);
  layout_without_contents(setup);
  for (const Shape& shape : kShapes)
    transfers(setup, shape);
  for (const Shape& shape : kShapes)
    for (cl_mem_flags flags :
         {cl_mem_flags{0}, cl_mem_flags{CL_MEM_USE_HOST_PTR}, cl_mem_flags{CL_MEM_ALLOC_HOST_PTR},
          cl_mem_flags{CL_MEM_COPY_HOST_PTR}})
      mapped(setup, shape, flags);
  for (const Shape& shape : kShapes)
    fill(setup, shape);
  copies(setup);
  cl_program program = setup.build(kSource);
  samplers(setup, program);
  kernels(setup, program);
  from_buffers(setup, program);
  requirements(setup);
  clReleaseProgram(program);
  return finish();
}
