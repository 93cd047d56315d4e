// Calls any function of the API with arguments that a test chooses one by one: a good argument for
// each parameter by its type and name, and the one that is to be wrong in its place.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "opencl/function_list.h"
#include "session_fixture.h"

namespace longwire::inproc {

// One object of each kind, and what a program could pass beside them.
class Arguments {
  template <class T>
  struct Held {
    std::array<T, 2> list{};
  };

 public:
  static constexpr std::size_t kScratchBytes = 1 << 16;

  template <class T>
  T& of() {
    return std::get<Held<T>>(handles_).list[0];
  }
  // {object, NULL}.
  template <class T>
  T* list_of() {
    return std::get<Held<T>>(handles_).list.data();
  }
  // Before every call, since the one before may have written what it could reach.
  void reset();

  void* scratch() { return scratch_.data(); }
  std::size_t* sizes(std::string_view parameter);
  const char** sources() { return sources_.data(); }
  const unsigned char** binaries() { return binaries_.data(); }
  cl_image_format* format() { return &format_; }
  cl_image_desc* desc() { return &desc_; }
  cl_int errcode = CL_SUCCESS;
  cl_mem image = nullptr;  // for parameters of that name

 private:
  std::tuple<Held<cl_platform_id>, Held<cl_device_id>, Held<cl_context>, Held<cl_command_queue>,
             Held<cl_mem>, Held<cl_sampler>, Held<cl_program>, Held<cl_kernel>, Held<cl_event>>
      handles_;
  std::vector<std::uint64_t> scratch_ = std::vector<std::uint64_t>(kScratchBytes / 8);
  std::vector<std::array<std::size_t, 4>> sizes_;
  std::array<const char*, 2> sources_{};
  std::array<const unsigned char*, 2> binaries_{};
  cl_image_format format_{};
  cl_image_desc desc_{};
};

// CL_INVALID_… of that kind of object.
template <class T>
constexpr cl_int invalid() {
  if constexpr (std::is_same_v<T, cl_platform_id>) return CL_INVALID_PLATFORM;
  if constexpr (std::is_same_v<T, cl_device_id>) return CL_INVALID_DEVICE;
  if constexpr (std::is_same_v<T, cl_context>) return CL_INVALID_CONTEXT;
  if constexpr (std::is_same_v<T, cl_command_queue>) return CL_INVALID_COMMAND_QUEUE;
  if constexpr (std::is_same_v<T, cl_mem>) return CL_INVALID_MEM_OBJECT;
  if constexpr (std::is_same_v<T, cl_sampler>) return CL_INVALID_SAMPLER;
  if constexpr (std::is_same_v<T, cl_program>) return CL_INVALID_PROGRAM;
  if constexpr (std::is_same_v<T, cl_kernel>) return CL_INVALID_KERNEL;
  return CL_INVALID_EVENT;
}

template <class T>
inline constexpr bool is_handle =
    std::is_same_v<T, cl_platform_id> || std::is_same_v<T, cl_device_id> ||
    std::is_same_v<T, cl_context> || std::is_same_v<T, cl_command_queue> ||
    std::is_same_v<T, cl_mem> || std::is_same_v<T, cl_sampler> || std::is_same_v<T, cl_program> ||
    std::is_same_v<T, cl_kernel> || std::is_same_v<T, cl_event>;
template <class T>
inline constexpr bool is_handle_list =
    std::is_pointer_v<T>&& std::is_const_v<std::remove_pointer_t<T>>&&
        is_handle<std::remove_const_t<std::remove_pointer_t<T>>>;

// A good argument of type T for the parameter of that name.
template <class T>
T good_argument(Arguments& arguments, std::string_view name) {
  if constexpr (is_handle<T>) {
    if constexpr (std::is_same_v<T, cl_mem>)
      if (name.find("image") != name.npos) return arguments.image;
    return arguments.of<T>();
  } else if constexpr (is_handle_list<T>) {
    return arguments.list_of<std::remove_const_t<std::remove_pointer_t<T>>>();
  } else if constexpr (std::is_integral_v<T>) {
    return name == "origin" || name.find("offset") != name.npos ? T{0} : T{1};
  } else if constexpr (std::is_floating_point_v<T>) {
    return T{1};
  } else if constexpr (std::is_same_v<T, const char*>) {
    return name.find("options") != name.npos ? "" : "k";
  } else if constexpr (std::is_same_v<T, const char**>) {
    return arguments.sources();
  } else if constexpr (std::is_same_v<T, const unsigned char**>) {
    return arguments.binaries();
  } else if constexpr (std::is_same_v<T, const size_t*>) {
    return arguments.sizes(name);
  } else if constexpr (std::is_same_v<T, const cl_image_format*>) {
    return arguments.format();
  } else if constexpr (std::is_same_v<T, const cl_image_desc*>) {
    return arguments.desc();
  } else if constexpr (std::is_function_v<std::remove_pointer_t<T>>) {
    return nullptr;
  } else if constexpr (std::is_same_v<T, cl_int*>) {
    return name == "errcode_ret" ? &arguments.errcode : static_cast<T>(arguments.scratch());
  } else {
    static_assert(std::is_pointer_v<T>);
    return name == "user_data" || name == "svm_pointer" ? nullptr
                                                        : static_cast<T>(arguments.scratch());
  }
}

// One function with its arguments.
template <class R, class... A>
class AnyCall {
 public:
  using Function = R (*)(A...) noexcept;
  AnyCall(Function function, const client::opencl::ParamNames& names, Arguments& arguments)
      : AnyCall(function, names, arguments, std::index_sequence_for<A...>()) {}
  template <std::size_t I>
  auto& argument() {
    return std::get<I>(arguments_of_call_);
  }
  // What the function says by its result, or in errcode_ret. What it made is released.
  cl_int operator()() {
    arguments_.errcode = CL_SUCCESS;
    if constexpr (std::is_void_v<R>) {
      std::apply(function_, arguments_of_call_);
      return CL_SUCCESS;
    } else {
      const R result = std::apply(function_, arguments_of_call_);
      if constexpr (std::is_same_v<R, cl_int>) return result;
      if constexpr (is_handle<R>) release(result);
      return arguments_.errcode;
    }
  }

 private:
  template <std::size_t... I>
  AnyCall(Function function, const client::opencl::ParamNames& names, Arguments& arguments,
          std::index_sequence<I...>)
      : function_(function), arguments_(arguments) {
    arguments_.reset();
    arguments_of_call_ = std::tuple<A...>(good_argument<A>(arguments_, names[I])...);
  }
  static void release(cl_context made) { api::ReleaseContext(made); }
  static void release(cl_command_queue made) { api::ReleaseCommandQueue(made); }
  static void release(cl_mem made) { api::ReleaseMemObject(made); }
  static void release(cl_sampler made) { api::ReleaseSampler(made); }
  static void release(cl_program made) { api::ReleaseProgram(made); }
  static void release(cl_kernel made) { api::ReleaseKernel(made); }
  static void release(cl_event made) { api::ReleaseEvent(made); }

  const Function function_;
  Arguments& arguments_;
  std::tuple<A...> arguments_of_call_;
};

}  // namespace longwire::inproc
