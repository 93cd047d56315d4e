#include "client/opencl/extensions.h"

#include <algorithm>
#include <array>

namespace longwire::client::opencl {
namespace {

// Host-side extensions that are not offered; a final '*' stands for any rest. What shares objects
// with other APIs of this machine (GL, EGL, Direct3D, VA, file descriptors) cannot work over there.
constexpr std::array kNotOffered = {
    std::string_view("cl_khr_gl_*"),
    std::string_view("cl_khr_egl_*"),
    std::string_view("cl_khr_d3d10_sharing"),
    std::string_view("cl_khr_d3d11_sharing"),
    std::string_view("cl_khr_dx9_media_sharing"),
    std::string_view("cl_khr_terminate_context"),
    std::string_view("cl_khr_command_buffer*"),
    std::string_view("cl_khr_semaphore"),
    std::string_view("cl_khr_external_*"),
    std::string_view("cl_khr_mipmap_image*"),
    std::string_view("cl_khr_unified_svm"),
    std::string_view("cl_ext_device_fission"),
    std::string_view("cl_ext_image_from_buffer"),
    std::string_view("cl_ext_migrate_memobject"),
    std::string_view("cl_ext_buffer_device_address"),
    std::string_view("cl_apple_*"),
    std::string_view("cl_APPLE_*"),
    std::string_view("cl_amd_bus_addressable_memory"),
    std::string_view("cl_amd_copy_buffer_p2p"),
    std::string_view("cl_amd_liquid_flash"),
    std::string_view("cl_amd_svm"),
    std::string_view("cl_arm_controlled_kernel_termination"),
    std::string_view("cl_arm_import_memory*"),
    std::string_view("cl_arm_printf"),
    std::string_view("cl_arm_protected_memory_allocation"),
    std::string_view("cl_arm_shared_virtual_memory"),
    std::string_view("cl_img_*"),
    std::string_view("cl_qcom_*"),
    std::string_view("cl_intel_accelerator"),
    std::string_view("cl_intel_advanced_motion_estimation"),
    std::string_view("cl_intel_create_buffer_with_properties"),
    std::string_view("cl_intel_d3d11_nv12_media_sharing"),
    std::string_view("cl_intel_device_side_avc_motion_estimation"),
    std::string_view("cl_intel_driver_diagnostics"),
    std::string_view("cl_intel_dx9_media_sharing"),
    std::string_view("cl_intel_exec_by_local_thread"),
    std::string_view("cl_intel_mem_*"),
    std::string_view("cl_intel_motion_estimation"),
    std::string_view("cl_intel_program_scope_host_pipe"),
    std::string_view("cl_intel_sharing_format_query*"),
    std::string_view("cl_intel_simultaneous_sharing"),
    std::string_view("cl_intel_unified_shared_memory*"),
    std::string_view("cl_intel_va_api_media_sharing"),
    std::string_view("cl_nv_create_buffer"),
    std::string_view("cl_nv_d3d*"),
    std::string_view("cl_pocl_*"),
};

bool matches(std::string_view pattern, std::string_view name) noexcept {
  if (!pattern.ends_with('*')) return pattern == name;
  return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace

bool is_offered_extension(std::string_view name) noexcept {
  return std::none_of(kNotOffered.begin(), kNotOffered.end(),
                      [&](std::string_view pattern) { return matches(pattern, name); });
}

std::string offered_extensions(std::string_view list) {
  std::string offered;
  for (std::size_t at = 0; at < list.size();) {
    // A name with the spaces that follow it goes or stays as one.
    const std::size_t end = std::min(list.find(' ', at), list.size());
    const std::size_t next = std::min(list.find_first_not_of(' ', end), list.size());
    if (is_offered_extension(list.substr(at, end - at))) offered += list.substr(at, next - at);
    at = next;
  }
  // Where the last name went, the separator before it has no further use.
  if (!list.ends_with(' ')) offered.erase(offered.find_last_not_of(' ') + 1);
  return offered;
}

}  // namespace longwire::client::opencl
