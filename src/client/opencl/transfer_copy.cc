// The errors of copies, fills and migrations, whose enqueues are generated. OpenCL 3.0, sections
// 5.2.3, 5.3.4, 5.3.5 and 5.5.4.
#include <bit>

#include "client/opencl/memory_checks.h"
#include "opencl/client_checks.h"

namespace longwire::client::opencl::check {
namespace {

void note_copy(const EnqueueContext& at, Memory& from, Memory& to) {
  at.note_read(from);
  at.note_write(to);
}

bool is_pattern_size(std::size_t size) noexcept {
  constexpr std::size_t kLargest = 128;  // a vector of 16 doubles
  return std::has_single_bit(size) && size <= kLargest;
}

// Both ends of a copy between a buffer and an image's region.
cl_int check_buffer_and_image(Memory& buffer, std::size_t offset, Image& image,
                              const std::size_t* origin, const std::size_t* region) noexcept {
  if (origin == nullptr || region == nullptr) return CL_INVALID_VALUE;
  LW_CL_TRY(image.shape().check_region(extent3(origin), extent3(region)));
  const std::size_t bytes = region[0] * region[1] * region[2] * image.shape().element;
  return in_bounds(offset, bytes, buffer.size()) ? CL_SUCCESS : CL_INVALID_VALUE;
}

// An image shares the bytes of a buffer that it was made from.
bool same_bytes(const Memory& a, const Memory& b) noexcept { return &a.root() == &b.root(); }

}  // namespace

cl_int EnqueueFillBuffer(const EnqueueContext& at, cl_mem buffer, const void* pattern,
                         size_t pattern_size, size_t offset, size_t size) {
  Memory* memory = nullptr;
  LW_CL_TRY(use_buffer(at, buffer, &memory));
  if (pattern == nullptr || !is_pattern_size(pattern_size)) return CL_INVALID_VALUE;
  if (offset % pattern_size != 0 || size % pattern_size != 0) return CL_INVALID_VALUE;
  if (size == 0 || !in_bounds(offset, size, memory->size())) return CL_INVALID_VALUE;
  at.note_write(*memory);
  return CL_SUCCESS;
}

cl_int EnqueueCopyBuffer(const EnqueueContext& at, cl_mem src_buffer, cl_mem dst_buffer,
                         size_t src_offset, size_t dst_offset, size_t size) {
  Memory* from = nullptr;
  Memory* to = nullptr;
  LW_CL_TRY(use_buffer(at, src_buffer, &from));
  LW_CL_TRY(use_buffer(at, dst_buffer, &to));
  if (size == 0 || !in_bounds(src_offset, size, from->size()) ||
      !in_bounds(dst_offset, size, to->size())) {
    return CL_INVALID_VALUE;
  }
  if (same_bytes(*from, *to)) {
    const std::size_t a = from->origin_in_root() + src_offset;
    const std::size_t b = to->origin_in_root() + dst_offset;
    if (a < b + size && b < a + size) return CL_MEM_COPY_OVERLAP;
  }
  note_copy(at, *from, *to);
  return CL_SUCCESS;
}

cl_int EnqueueCopyBufferRect(const EnqueueContext& at, cl_mem src_buffer, cl_mem dst_buffer,
                             const size_t* src_origin, const size_t* dst_origin,
                             const size_t* region, size_t src_row_pitch, size_t src_slice_pitch,
                             size_t dst_row_pitch, size_t dst_slice_pitch) {
  Memory* from = nullptr;
  Memory* to = nullptr;
  LW_CL_TRY(use_buffer(at, src_buffer, &from));
  LW_CL_TRY(use_buffer(at, dst_buffer, &to));
  BufferRect source;
  BufferRect target;
  LW_CL_TRY(BufferRect::make(src_origin, region, src_row_pitch, src_slice_pitch, &source));
  LW_CL_TRY(BufferRect::make(dst_origin, region, dst_row_pitch, dst_slice_pitch, &target));
  if (source.end() > from->size() || target.end() > to->size()) return CL_INVALID_VALUE;
  const bool same_pitches =
      source.row_pitch == target.row_pitch && source.slice_pitch == target.slice_pitch;
  if (from == to && !same_pitches) return CL_INVALID_VALUE;
  if (same_bytes(*from, *to) && same_pitches &&
      rects_overlap(source, target, from->origin_in_root(), to->origin_in_root())) {
    return CL_MEM_COPY_OVERLAP;
  }
  note_copy(at, *from, *to);
  return CL_SUCCESS;
}

cl_int EnqueueFillImage(const EnqueueContext& at, cl_mem image, const void* fill_color,
                        const size_t* origin, const size_t* region) {
  Image* target = nullptr;
  LW_CL_TRY(use_image(at, image, &target));
  if (fill_color == nullptr || origin == nullptr || region == nullptr) return CL_INVALID_VALUE;
  LW_CL_TRY(target->shape().check_region(extent3(origin), extent3(region)));
  at.note_write(*target);
  return CL_SUCCESS;
}

cl_int EnqueueCopyImage(const EnqueueContext& at, cl_mem src_image, cl_mem dst_image,
                        const size_t* src_origin, const size_t* dst_origin, const size_t* region) {
  Image* from = nullptr;
  Image* to = nullptr;
  LW_CL_TRY(use_image(at, src_image, &from));
  LW_CL_TRY(use_image(at, dst_image, &to));
  const cl_image_format& a = from->image().format;
  const cl_image_format& b = to->image().format;
  if (a.image_channel_order != b.image_channel_order ||
      a.image_channel_data_type != b.image_channel_data_type) {
    return CL_IMAGE_FORMAT_MISMATCH;
  }
  if (src_origin == nullptr || dst_origin == nullptr || region == nullptr) return CL_INVALID_VALUE;
  LW_CL_TRY(from->shape().check_region(extent3(src_origin), extent3(region)));
  LW_CL_TRY(to->shape().check_region(extent3(dst_origin), extent3(region)));
  if (from == to && boxes_overlap(extent3(src_origin), extent3(dst_origin), extent3(region)))
    return CL_MEM_COPY_OVERLAP;
  note_copy(at, *from, *to);
  return CL_SUCCESS;
}

cl_int EnqueueCopyImageToBuffer(const EnqueueContext& at, cl_mem src_image, cl_mem dst_buffer,
                                const size_t* src_origin, const size_t* region, size_t dst_offset) {
  Image* from = nullptr;
  Memory* to = nullptr;
  LW_CL_TRY(use_image(at, src_image, &from));
  LW_CL_TRY(use_buffer(at, dst_buffer, &to));
  if (from->type() == CL_MEM_OBJECT_IMAGE1D_BUFFER && same_bytes(*from, *to))
    return CL_INVALID_MEM_OBJECT;
  LW_CL_TRY(check_buffer_and_image(*to, dst_offset, *from, src_origin, region));
  note_copy(at, *from, *to);
  return CL_SUCCESS;
}

cl_int EnqueueCopyBufferToImage(const EnqueueContext& at, cl_mem src_buffer, cl_mem dst_image,
                                size_t src_offset, const size_t* dst_origin, const size_t* region) {
  Memory* from = nullptr;
  Image* to = nullptr;
  LW_CL_TRY(use_buffer(at, src_buffer, &from));
  LW_CL_TRY(use_image(at, dst_image, &to));
  if (to->type() == CL_MEM_OBJECT_IMAGE1D_BUFFER && same_bytes(*from, *to))
    return CL_INVALID_MEM_OBJECT;
  LW_CL_TRY(check_buffer_and_image(*from, src_offset, *to, dst_origin, region));
  note_copy(at, *from, *to);
  return CL_SUCCESS;
}

cl_int EnqueueMigrateMemObjects(const EnqueueContext& at, cl_uint num_mem_objects,
                                const cl_mem* mem_objects, cl_mem_migration_flags flags) {
  constexpr cl_mem_migration_flags kKnown =
      CL_MIGRATE_MEM_OBJECT_HOST | CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED;
  if (num_mem_objects == 0 || mem_objects == nullptr || (flags & ~kKnown) != 0)
    return CL_INVALID_VALUE;
  for (cl_uint i = 0; i < num_mem_objects; ++i) {
    Memory* memory = nullptr;
    LW_CL_TRY(use_memory(at, mem_objects[i], &memory));
    LW_CL_TRY(memory->check_alignment(at.device));
    at.note_read(*memory);
  }
  return CL_SUCCESS;
}

}  // namespace longwire::client::opencl::check
