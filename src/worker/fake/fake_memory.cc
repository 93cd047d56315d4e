// Buffers, images, samplers, and the commands that move bytes.
#include <algorithm>
#include <limits>
#include <memory>
#include <string_view>

#include "worker/fake/fake_objects.h"

namespace longwire::worker::fake {

FakeMem::~FakeMem() {
  state().memory -= bytes.size();
  if (state().options.recycle && !bytes.empty()) {
    state().freed[bytes.size()].push_back(std::move(bytes));
  }
  for (auto one = destructors.rbegin(); one != destructors.rend(); ++one) {
    state().callbacks.push_back([function = one->first, user = one->second,
                                 self = native<cl_mem>(this)] { function(self, user); });
  }
}

namespace {

using longwire::opencl::NativeApi;
using Triple = std::array<std::size_t, 3>;

constexpr std::size_t kMostExtent = 65536;  // of an image

// A box of bytes: rows of `row_bytes`, `rows` of them in each of `slices`.
struct Box {
  std::size_t row_bytes;
  std::size_t rows;
  std::size_t slices;
};
struct Place {
  std::size_t start;
  std::size_t row_pitch;
  std::size_t slice_pitch;
};

Triple triple(const std::size_t* values) { return {values[0], values[1], values[2]}; }

// False where the box at that place leaves `size`.
bool fits(const Box& box, const Place& place, std::size_t size) {
  if (box.row_bytes == 0 || box.rows == 0 || box.slices == 0) return false;
  using Wide = unsigned __int128;
  const Wide end = Wide(place.start) + Wide(box.slices - 1) * place.slice_pitch +
                   Wide(box.rows - 1) * place.row_pitch + box.row_bytes;
  return end <= size;
}

void copy_box(const Box& box, const std::byte* from, const Place& at, std::byte* to,
              const Place& there) {
  for (std::size_t slice = 0; slice < box.slices; ++slice) {
    for (std::size_t row = 0; row < box.rows; ++row) {
      std::memmove(to + there.start + slice * there.slice_pitch + row * there.row_pitch,
                   from + at.start + slice * at.slice_pitch + row * at.row_pitch, box.row_bytes);
    }
  }
}

Place rect_place(const Triple& origin, const Box& box, std::size_t row_pitch,
                 std::size_t slice_pitch) {
  if (row_pitch == 0) row_pitch = box.row_bytes;
  if (slice_pitch == 0) slice_pitch = row_pitch * box.rows;
  return {origin[2] * slice_pitch + origin[1] * row_pitch + origin[0], row_pitch, slice_pitch};
}
Place tight(const Box& box) { return {0, box.row_bytes, box.row_bytes * box.rows}; }

Box image_box(const FakeMem& image, const Triple& region) {
  return {region[0] * image.element, region[1], region[2]};
}
Place image_place(const FakeMem& image, const Triple& origin) {
  const std::size_t row = image.extent[0] * image.element;
  const std::size_t slice = row * image.extent[1];
  return {origin[2] * slice + origin[1] * row + origin[0] * image.element, row, slice};
}
bool inside(const FakeMem& image, const Triple& origin, const Triple& region) {
  for (std::size_t i = 0; i < 3; ++i) {
    if (region[i] == 0 || origin[i] > image.extent[i] || region[i] > image.extent[i] - origin[i])
      return false;
  }
  return true;
}

// --- creation ---

FakeMem* allocate(cl_context context, std::size_t size, const void* host, cl_int* status) {
  FakeState& s = state();
  if (size == 0 || size > s.options.memory_bytes / 2) {
    set(status, CL_INVALID_BUFFER_SIZE);
    return nullptr;
  }
  if (size > s.options.memory_bytes - s.memory || size == s.options.unlucky_bytes) {
    set(status, CL_MEM_OBJECT_ALLOCATION_FAILURE);
    return nullptr;
  }
  auto* mem = new FakeMem;
  mem->context = Use<FakeContext>(fake<FakeContext>(context));
  mem->size = size;
  if (const auto freed = s.freed.find(size); freed != s.freed.end() && !freed->second.empty()) {
    mem->bytes = std::move(freed->second.back());
    freed->second.pop_back();
  }
  mem->bytes.resize(size);
  s.memory += size;
  if (host != nullptr) std::memcpy(mem->bytes.data(), host, size);
  set(status, CL_SUCCESS);
  return mem;
}

cl_mem CL_API_CALL create_buffer(cl_context context, cl_mem_flags flags, std::size_t size,
                                 void* host, cl_int* status) {
  const Guard guard;
  FakeMem* const mem = allocate(context, size, host, status);
  if (mem != nullptr && (flags & CL_MEM_USE_HOST_PTR) != 0)
    mem->host = static_cast<std::byte*>(host);
  return native<cl_mem>(mem);
}

// In the host's memory, and counted as an object.
void* CL_API_CALL svm_alloc(cl_context, cl_svm_mem_flags, std::size_t size, cl_uint) {
  const Guard guard;
  if (!state().options.shares_memory || size == 0 || size > state().options.memory_bytes / 2)
    return nullptr;
  std::vector<std::byte> bytes(size);
  void* const at = bytes.data();
  state().shared.emplace(at, std::move(bytes));
  ++state().live;
  return at;
}
void CL_API_CALL svm_free(cl_context, void* at) {
  const Guard guard;
  state().live -= state().shared.erase(at);
}

cl_mem CL_API_CALL create_sub_buffer(cl_mem parent, cl_mem_flags, cl_buffer_create_type,
                                     const void* info, cl_int* status) {
  const Guard guard;
  const auto& region = *static_cast<const cl_buffer_region*>(info);
  FakeMem& whole = *fake<FakeMem>(parent);
  if (whole.parent || whole.element != 0) {
    set(status, CL_INVALID_MEM_OBJECT);
    return nullptr;
  }
  if (region.size == 0 || region.origin > whole.size || region.size > whole.size - region.origin) {
    set(status, CL_INVALID_VALUE);
    return nullptr;
  }
  auto* mem = new FakeMem;
  mem->context = whole.context;
  mem->parent = Use<FakeMem>(&whole);
  mem->offset = region.origin;
  mem->size = region.size;
  set(status, CL_SUCCESS);
  return native<cl_mem>(mem);
}

std::size_t element_of(const cl_image_format& format) {
  const std::size_t channels = format.image_channel_order == CL_R      ? 1
                               : format.image_channel_order == CL_RG   ? 2
                               : format.image_channel_order == CL_RGBA ? 4
                                                                       : 0;
  switch (format.image_channel_data_type) {
    case CL_UNORM_INT8:
    case CL_UNSIGNED_INT8:
    case CL_SIGNED_INT8:
      return channels;
    case CL_UNSIGNED_INT16:
    case CL_SIGNED_INT16:
    case CL_HALF_FLOAT:
      return 2 * channels;
    case CL_UNSIGNED_INT32:
    case CL_SIGNED_INT32:
    case CL_FLOAT:
      return 4 * channels;
    default:
      return 0;
  }
}

Triple extent_of(const cl_image_desc& desc) {
  switch (desc.image_type) {
    case CL_MEM_OBJECT_IMAGE1D:
    case CL_MEM_OBJECT_IMAGE1D_BUFFER:
      return {desc.image_width, 1, 1};
    case CL_MEM_OBJECT_IMAGE1D_ARRAY:
      return {desc.image_width, desc.image_array_size, 1};
    case CL_MEM_OBJECT_IMAGE2D:
      return {desc.image_width, desc.image_height, 1};
    case CL_MEM_OBJECT_IMAGE2D_ARRAY:
      return {desc.image_width, desc.image_height, desc.image_array_size};
    case CL_MEM_OBJECT_IMAGE3D:
      return {desc.image_width, desc.image_height, desc.image_depth};
    default:
      return {0, 0, 0};
  }
}

cl_mem CL_API_CALL create_image(cl_context context, cl_mem_flags, const cl_image_format* format,
                                const cl_image_desc* desc, void* host, cl_int* status) {
  const Guard guard;
  const std::size_t element = element_of(*format);
  if (element == 0) {
    set(status, CL_IMAGE_FORMAT_NOT_SUPPORTED);
    return nullptr;
  }
  const Triple extent = extent_of(*desc);
  if (std::any_of(extent.begin(), extent.end(),
                  [](std::size_t one) { return one == 0 || one > kMostExtent; })) {
    set(status, CL_INVALID_IMAGE_DESCRIPTOR);
    return nullptr;
  }
  FakeMem* const from = fake<FakeMem>(desc->mem_object);
  const std::size_t size = element * extent[0] * extent[1] * extent[2];
  if (from != nullptr && (from->element != 0 || from->size < size)) {
    set(status, CL_INVALID_IMAGE_DESCRIPTOR);
    return nullptr;
  }
  FakeMem* image = from == nullptr ? allocate(context, size, host, status) : new FakeMem;
  if (image == nullptr) return nullptr;
  if (from != nullptr) {
    image->parent = Use<FakeMem>(from);
    image->size = size;
  }
  image->context = Use<FakeContext>(fake<FakeContext>(context));
  image->type = desc->image_type;
  image->format = *format;
  image->element = element;
  image->extent = extent;
  set(status, CL_SUCCESS);
  return native<cl_mem>(image);
}

cl_int CL_API_CALL image_info(cl_mem handle, cl_image_info param, std::size_t room, void* value,
                              std::size_t* size) {
  const Guard guard;
  const FakeMem& image = *fake<FakeMem>(handle);
  switch (param) {
    case CL_IMAGE_ELEMENT_SIZE:
      return give_value(image.element, room, value, size);
    case CL_IMAGE_FORMAT:
      return give_value(image.format, room, value, size);
    default:
      return CL_INVALID_VALUE;
  }
}

cl_int CL_API_CALL image_formats(cl_context, cl_mem_flags, cl_mem_object_type, cl_uint room,
                                 cl_image_format* formats, cl_uint* count) {
  constexpr cl_image_format kAll[] = {
      {CL_RGBA, CL_UNORM_INT8}, {CL_RGBA, CL_FLOAT}, {CL_R, CL_FLOAT}};
  for (cl_uint i = 0; formats != nullptr && i < std::min<cl_uint>(room, std::size(kAll)); ++i)
    formats[i] = kAll[i];
  if (count != nullptr) *count = static_cast<cl_uint>(std::size(kAll));
  return CL_SUCCESS;
}

// Of images from a buffer: what that has. Of others: tight. Alignments are one element of the
// largest format, unless a format is given.
cl_int CL_API_CALL image_requirements(cl_context, const cl_mem_properties*, cl_mem_flags,
                                      const cl_image_format* format, const cl_image_desc* desc,
                                      cl_image_requirements_info_ext param, std::size_t room,
                                      void* value, std::size_t* size) {
  const Guard guard;
  const std::size_t element = format == nullptr ? 16 : element_of(*format);
  switch (param) {
    case CL_IMAGE_REQUIREMENTS_BASE_ADDRESS_ALIGNMENT_EXT:
    case CL_IMAGE_REQUIREMENTS_ROW_PITCH_ALIGNMENT_EXT:
      return give_value(element, room, value, size);
    case CL_IMAGE_REQUIREMENTS_SIZE_EXT: {
      if (format == nullptr || desc == nullptr) return CL_INVALID_VALUE;
      const Triple extent = extent_of(*desc);
      const FakeMem* const from = fake<FakeMem>(desc->mem_object);
      return give_value(from != nullptr ? from->size : element * extent[0] * extent[1] * extent[2],
                        room, value, size);
    }
    case CL_IMAGE_REQUIREMENTS_MAX_WIDTH_EXT:
      return give_value<cl_uint>(static_cast<cl_uint>(kMostExtent), room, value, size);
    default:
      return CL_INVALID_VALUE;
  }
}

void* CL_API_CALL extension_function(cl_platform_id, const char* name) {
  return std::string_view(name) == "clGetImageRequirementsInfoEXT"
             ? reinterpret_cast<void*>(image_requirements)
             : nullptr;
}

cl_int CL_API_CALL set_destructor(cl_mem handle, void(CL_CALLBACK* function)(cl_mem, void*),
                                  void* user) {
  const Guard guard;
  fake<FakeMem>(handle)->destructors.emplace_back(function, user);
  return CL_SUCCESS;
}

cl_sampler CL_API_CALL create_sampler(cl_context context, cl_bool, cl_addressing_mode,
                                      cl_filter_mode, cl_int* status) {
  const Guard guard;
  auto* sampler = new FakeSampler;
  sampler->context = Use<FakeContext>(fake<FakeContext>(context));
  set(status, CL_SUCCESS);
  return native<cl_sampler>(sampler);
}
cl_sampler CL_API_CALL create_sampler_with(cl_context context, const cl_sampler_properties*,
                                           cl_int* status) {
  return create_sampler(context, CL_TRUE, CL_ADDRESS_NONE, CL_FILTER_NEAREST, status);
}

// --- commands ---

using MemUse = Use<FakeMem>;

cl_int transfer(cl_command_queue queue, FakeMem* mem, const Box& box, const Place& in_mem,
                const Place& in_host, void* to, const void* from, cl_uint count,
                const cl_event* wait, cl_event* event) {
  if (!fits(box, in_mem, mem->size)) return CL_INVALID_VALUE;
  return enqueue(queue, count, wait, event, [=, use = MemUse(mem)] {
    if (to != nullptr)
      copy_box(box, use->data(), in_mem, static_cast<std::byte*>(to), in_host);
    else
      copy_box(box, static_cast<const std::byte*>(from), in_host, use->data(), in_mem);
    return CL_COMPLETE;
  });
}

cl_int CL_API_CALL read_buffer(cl_command_queue queue, cl_mem mem, cl_bool, std::size_t offset,
                               std::size_t size, void* to, cl_uint count, const cl_event* wait,
                               cl_event* event) {
  const Guard guard;
  const Box box{size, 1, 1};
  return transfer(queue, fake<FakeMem>(mem), box, {offset, size, size}, tight(box), to, nullptr,
                  count, wait, event);
}
cl_int CL_API_CALL write_buffer(cl_command_queue queue, cl_mem mem, cl_bool, std::size_t offset,
                                std::size_t size, const void* from, cl_uint count,
                                const cl_event* wait, cl_event* event) {
  const Guard guard;
  const Box box{size, 1, 1};
  return transfer(queue, fake<FakeMem>(mem), box, {offset, size, size}, tight(box), nullptr, from,
                  count, wait, event);
}
cl_int CL_API_CALL read_rect(cl_command_queue queue, cl_mem mem, cl_bool, const std::size_t* origin,
                             const std::size_t* host_origin, const std::size_t* region,
                             std::size_t row, std::size_t slice, std::size_t host_row,
                             std::size_t host_slice, void* to, cl_uint count, const cl_event* wait,
                             cl_event* event) {
  const Guard guard;
  const Box box{region[0], region[1], region[2]};
  return transfer(queue, fake<FakeMem>(mem), box, rect_place(triple(origin), box, row, slice),
                  rect_place(triple(host_origin), box, host_row, host_slice), to, nullptr, count,
                  wait, event);
}
cl_int CL_API_CALL write_rect(cl_command_queue queue, cl_mem mem, cl_bool,
                              const std::size_t* origin, const std::size_t* host_origin,
                              const std::size_t* region, std::size_t row, std::size_t slice,
                              std::size_t host_row, std::size_t host_slice, const void* from,
                              cl_uint count, const cl_event* wait, cl_event* event) {
  const Guard guard;
  const Box box{region[0], region[1], region[2]};
  return transfer(queue, fake<FakeMem>(mem), box, rect_place(triple(origin), box, row, slice),
                  rect_place(triple(host_origin), box, host_row, host_slice), nullptr, from, count,
                  wait, event);
}
cl_int image_transfer(cl_command_queue queue, cl_mem mem, const std::size_t* origin,
                      const std::size_t* region, void* to, const void* from, cl_uint count,
                      const cl_event* wait, cl_event* event) {
  FakeMem& image = *fake<FakeMem>(mem);
  if (image.element == 0) return CL_INVALID_MEM_OBJECT;
  if (!inside(image, triple(origin), triple(region))) return CL_INVALID_VALUE;
  const Box box = image_box(image, triple(region));
  return transfer(queue, &image, box, image_place(image, triple(origin)), tight(box), to, from,
                  count, wait, event);
}
cl_int CL_API_CALL read_image(cl_command_queue queue, cl_mem mem, cl_bool,
                              const std::size_t* origin, const std::size_t* region, std::size_t,
                              std::size_t, void* to, cl_uint count, const cl_event* wait,
                              cl_event* event) {
  const Guard guard;
  return image_transfer(queue, mem, origin, region, to, nullptr, count, wait, event);
}
cl_int CL_API_CALL write_image(cl_command_queue queue, cl_mem mem, cl_bool,
                               const std::size_t* origin, const std::size_t* region, std::size_t,
                               std::size_t, const void* from, cl_uint count, const cl_event* wait,
                               cl_event* event) {
  const Guard guard;
  return image_transfer(queue, mem, origin, region, nullptr, from, count, wait, event);
}

cl_int copy(cl_command_queue queue, FakeMem* from, FakeMem* to, const Box& box, const Place& at,
            const Place& there, cl_uint count, const cl_event* wait, cl_event* event) {
  if (!fits(box, at, from->size) || !fits(box, there, to->size)) return CL_INVALID_VALUE;
  return enqueue(queue, count, wait, event, [=, source = MemUse(from), target = MemUse(to)] {
    copy_box(box, source->data(), at, target->data(), there);
    return CL_COMPLETE;
  });
}
cl_int CL_API_CALL copy_buffer(cl_command_queue queue, cl_mem from, cl_mem to, std::size_t at,
                               std::size_t there, std::size_t size, cl_uint count,
                               const cl_event* wait, cl_event* event) {
  const Guard guard;
  return copy(queue, fake<FakeMem>(from), fake<FakeMem>(to), {size, 1, 1}, {at, size, size},
              {there, size, size}, count, wait, event);
}
cl_int CL_API_CALL copy_rect(cl_command_queue queue, cl_mem from, cl_mem to, const std::size_t* at,
                             const std::size_t* there, const std::size_t* region,
                             std::size_t from_row, std::size_t from_slice, std::size_t to_row,
                             std::size_t to_slice, cl_uint count, const cl_event* wait,
                             cl_event* event) {
  const Guard guard;
  const Box box{region[0], region[1], region[2]};
  return copy(queue, fake<FakeMem>(from), fake<FakeMem>(to), box,
              rect_place(triple(at), box, from_row, from_slice),
              rect_place(triple(there), box, to_row, to_slice), count, wait, event);
}
cl_int CL_API_CALL copy_image(cl_command_queue queue, cl_mem from, cl_mem to, const std::size_t* at,
                              const std::size_t* there, const std::size_t* region, cl_uint count,
                              const cl_event* wait, cl_event* event) {
  const Guard guard;
  FakeMem& source = *fake<FakeMem>(from);
  FakeMem& target = *fake<FakeMem>(to);
  if (source.element == 0 || target.element == 0) return CL_INVALID_MEM_OBJECT;
  if (source.element != target.element) return CL_IMAGE_FORMAT_MISMATCH;
  if (!inside(source, triple(at), triple(region)) || !inside(target, triple(there), triple(region)))
    return CL_INVALID_VALUE;
  return copy(queue, &source, &target, image_box(source, triple(region)),
              image_place(source, triple(at)), image_place(target, triple(there)), count, wait,
              event);
}
cl_int CL_API_CALL copy_image_to_buffer(cl_command_queue queue, cl_mem from, cl_mem to,
                                        const std::size_t* at, const std::size_t* region,
                                        std::size_t offset, cl_uint count, const cl_event* wait,
                                        cl_event* event) {
  const Guard guard;
  FakeMem& image = *fake<FakeMem>(from);
  if (image.element == 0) return CL_INVALID_MEM_OBJECT;
  if (!inside(image, triple(at), triple(region))) return CL_INVALID_VALUE;
  const Box box = image_box(image, triple(region));
  Place there = tight(box);
  there.start = offset;
  return copy(queue, &image, fake<FakeMem>(to), box, image_place(image, triple(at)), there, count,
              wait, event);
}
cl_int CL_API_CALL copy_buffer_to_image(cl_command_queue queue, cl_mem from, cl_mem to,
                                        std::size_t offset, const std::size_t* there,
                                        const std::size_t* region, cl_uint count,
                                        const cl_event* wait, cl_event* event) {
  const Guard guard;
  FakeMem& image = *fake<FakeMem>(to);
  if (image.element == 0) return CL_INVALID_MEM_OBJECT;
  if (!inside(image, triple(there), triple(region))) return CL_INVALID_VALUE;
  const Box box = image_box(image, triple(region));
  Place at = tight(box);
  at.start = offset;
  return copy(queue, fake<FakeMem>(from), &image, box, at, image_place(image, triple(there)), count,
              wait, event);
}

cl_int CL_API_CALL fill_buffer(cl_command_queue queue, cl_mem mem, const void* pattern,
                               std::size_t pattern_size, std::size_t offset, std::size_t size,
                               cl_uint count, const cl_event* wait, cl_event* event) {
  const Guard guard;
  FakeMem* const target = fake<FakeMem>(mem);
  if (pattern_size == 0 || pattern_size > 128 || size % pattern_size != 0 ||
      offset > target->size || size > target->size - offset)
    return CL_INVALID_VALUE;
  const auto* first = static_cast<const std::byte*>(pattern);
  return enqueue(
      queue, count, wait, event,
      [=, use = MemUse(target), bytes = std::vector<std::byte>(first, first + pattern_size)] {
        for (std::size_t i = 0; i < size; ++i)
          use->data()[offset + i] = bytes[i % bytes.size()];
        return CL_COMPLETE;
      });
}

// Only of four channels of 32 bits: the rest becomes zeros.
cl_int CL_API_CALL fill_image(cl_command_queue queue, cl_mem mem, const void* color,
                              const std::size_t* origin, const std::size_t* region, cl_uint count,
                              const cl_event* wait, cl_event* event) {
  const Guard guard;
  FakeMem& image = *fake<FakeMem>(mem);
  if (image.element == 0) return CL_INVALID_MEM_OBJECT;
  if (!inside(image, triple(origin), triple(region))) return CL_INVALID_VALUE;
  std::array<std::byte, 16> pixel{};
  if (image.element == pixel.size()) std::memcpy(pixel.data(), color, pixel.size());
  const Box box = image_box(image, triple(region));
  const Place place = image_place(image, triple(origin));
  return enqueue(queue, count, wait, event, [=, use = MemUse(&image)] {
    for (std::size_t slice = 0; slice < box.slices; ++slice)
      for (std::size_t row = 0; row < box.rows; ++row)
        for (std::size_t i = 0; i < box.row_bytes; ++i)
          use->data()[place.start + slice * place.slice_pitch + row * place.row_pitch + i] =
              pixel[i % pixel.size()];
    return CL_COMPLETE;
  });
}

// The host's memory is the device's.
void* CL_API_CALL map_buffer(cl_command_queue queue, cl_mem mem, cl_bool, cl_map_flags,
                             std::size_t offset, std::size_t size, cl_uint count,
                             const cl_event* wait, cl_event* event, cl_int* status) {
  const Guard guard;
  FakeMem& buffer = *fake<FakeMem>(mem);
  if (offset > buffer.size || size > buffer.size - offset) {
    set(status, CL_INVALID_VALUE);
    return nullptr;
  }
  set(status, enqueue(queue, count, wait, event,
                      [use = MemUse(&buffer)]() -> cl_int { return CL_COMPLETE; }));
  return buffer.data() + offset;
}

cl_int CL_API_CALL unmap(cl_command_queue queue, cl_mem mem, void*, cl_uint count,
                         const cl_event* wait, cl_event* event) {
  const Guard guard;
  return enqueue(queue, count, wait, event,
                 [use = MemUse(fake<FakeMem>(mem))]() -> cl_int { return CL_COMPLETE; });
}

cl_int CL_API_CALL migrate(cl_command_queue queue, cl_uint, const cl_mem*, cl_mem_migration_flags,
                           cl_uint count, const cl_event* wait, cl_event* event) {
  const Guard guard;
  return enqueue(queue, count, wait, event, nullptr);
}

}  // namespace

void fill_memory_functions(NativeApi& api) {
  api.clCreateBuffer = create_buffer;
  api.clSVMAlloc = svm_alloc;
  api.clSVMFree = svm_free;
  api.clCreateSubBuffer = create_sub_buffer;
  api.clCreateImage = create_image;
  api.clGetImageInfo = image_info;
  api.clGetSupportedImageFormats = image_formats;
  api.clGetExtensionFunctionAddressForPlatform = extension_function;
  api.clSetMemObjectDestructorCallback = set_destructor;
  api.clRetainMemObject = retain<FakeMem, cl_mem>;
  api.clReleaseMemObject = release<FakeMem, cl_mem>;
  api.clCreateSampler = create_sampler;
  api.clCreateSamplerWithProperties = create_sampler_with;
  api.clRetainSampler = retain<FakeSampler, cl_sampler>;
  api.clReleaseSampler = release<FakeSampler, cl_sampler>;
  api.clEnqueueReadBuffer = read_buffer;
  api.clEnqueueWriteBuffer = write_buffer;
  api.clEnqueueReadBufferRect = read_rect;
  api.clEnqueueWriteBufferRect = write_rect;
  api.clEnqueueReadImage = read_image;
  api.clEnqueueWriteImage = write_image;
  api.clEnqueueCopyBuffer = copy_buffer;
  api.clEnqueueCopyBufferRect = copy_rect;
  api.clEnqueueCopyImage = copy_image;
  api.clEnqueueCopyImageToBuffer = copy_image_to_buffer;
  api.clEnqueueCopyBufferToImage = copy_buffer_to_image;
  api.clEnqueueFillBuffer = fill_buffer;
  api.clEnqueueFillImage = fill_image;
  api.clEnqueueMapBuffer = map_buffer;
  api.clEnqueueUnmapMemObject = unmap;
  api.clEnqueueMigrateMemObjects = migrate;
}

}  // namespace longwire::worker::fake
