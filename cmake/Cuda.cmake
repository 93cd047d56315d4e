# Programs in CUDA C++ for tests, built by Debian's clang 19 and no toolkit of NVIDIA's:
#
#   longwire_cuda_program(NAME FILE.cu [RUNTIME 12|13] [ARCH sm_80] [OPTIONS ...]
#                         [FOLDER tests] [LIBRARIES TARGET...])
#       <build>/FOLDER/NAME, linked with our libcudart.so.RUNTIME (13), and with static libraries
#   longwire_cuda_test(NAME FILE.cu [the same] [ENVIRONMENT ...] [TIMEOUT s] [LABELS ...])
#       the same, and a test that runs it on the soft device
#
# clang compiles the device's side to PTX, longwire-fatbin packs that into a fat binary, and the
# host's side carries it. Where clang 19 is missing, nothing is built. In a build with sanitizers the
# tree's own compiler links the program, so that it has the runtime that our libraries want; its own
# code is watched by AddressSanitizer or ThreadSanitizer, not by UBSan, whose calls differ between
# the two versions of clang.
include_guard(GLOBAL)
find_program(LONGWIRE_CUDA_CLANG clang++-19)
# The newest version that clang 19 knows: it says which calls <<<...>>> becomes.
set(LONGWIRE_CUDA_FLAGS
    -x cuda -nocudainc -nocudalib --cuda-path=/nonexistent -Xclang -target-sdk-version=12.3
    -include cuda_runtime.h -std=c++17 -O2 -Wall -Wno-unused-command-line-argument)
set(LONGWIRE_CUDA_HOST_FLAGS)
set(LONGWIRE_CUDA_LINK "${LONGWIRE_CUDA_CLANG}")
if(LONGWIRE_SANITIZE)
  string(REPLACE ",undefined" "" host_sanitizer "${LONGWIRE_SANITIZE}")
  set(LONGWIRE_CUDA_HOST_FLAGS -fsanitize=${host_sanitizer} -g1)
  if(LONGWIRE_SANITIZE MATCHES "thread") # clang 14's runtime lacks __tsan_memset() and its like
    list(APPEND LONGWIRE_CUDA_HOST_FLAGS -mllvm -tsan-instrument-memintrinsics=0)
  endif()
  set(LONGWIRE_CUDA_LINK "${CMAKE_CXX_COMPILER}" -fsanitize=${LONGWIRE_SANITIZE})
endif()

function(longwire_cuda_program name file)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "RUNTIME;ARCH;FOLDER" "OPTIONS;LIBRARIES")
  if(NOT LONGWIRE_CUDA_CLANG OR LONGWIRE_FUZZ OR NOT BUILD_TESTING)
    return()
  endif()
  if(NOT arg_RUNTIME)
    set(arg_RUNTIME 13)
  endif()
  if(NOT arg_ARCH)
    set(arg_ARCH sm_80)
  endif()
  if(NOT arg_FOLDER)
    set(arg_FOLDER tests)
  endif()
  set(version 13000)
  if(arg_RUNTIME EQUAL 12)
    set(version 12080)
  endif()
  cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  set(made "${CMAKE_CURRENT_BINARY_DIR}/${name}")
  set(program "${CMAKE_BINARY_DIR}/${arg_FOLDER}/${name}")
  list(TRANSFORM LONGWIRE_CUDART_INCLUDE PREPEND -I OUTPUT_VARIABLE include)
  set(compile "${LONGWIRE_CUDA_CLANG}" ${LONGWIRE_CUDA_FLAGS} --cuda-gpu-arch=${arg_ARCH}
              -DCUDART_VERSION=${version} ${include} ${arg_OPTIONS})
  add_custom_command(
    OUTPUT "${made}.ptx" DEPFILE "${made}.ptx.d" DEPENDS "${file}"
    COMMAND ${compile} --cuda-feature=+ptx80 --cuda-device-only -S "${file}" -o "${made}.ptx" -MD
            -MF "${made}.ptx.d" -MT "${made}.ptx"
    COMMENT "Compiling ${name} for the device" VERBATIM)
  add_custom_command(
    OUTPUT "${made}.fatbin" DEPENDS "${made}.ptx" longwire-fatbin
    COMMAND longwire-fatbin pack "${made}.ptx" -o "${made}.fatbin" VERBATIM)
  add_custom_command(
    OUTPUT "${made}.o" DEPFILE "${made}.o.d" DEPENDS "${file}" "${made}.fatbin"
    COMMAND ${compile} --cuda-host-only -Xclang -fcuda-include-gpubinary -Xclang "${made}.fatbin"
            ${LONGWIRE_CUDA_HOST_FLAGS} -fPIE -c "${file}" -o "${made}.o" -MD -MF "${made}.o.d"
            -MT "${made}.o"
    COMMENT "Compiling ${name} for the host" VERBATIM)
  set(libraries)
  foreach(library IN LISTS arg_LIBRARIES)
    list(APPEND libraries $<TARGET_FILE:${library}>)
  endforeach()
  add_custom_command(
    OUTPUT "${program}" DEPENDS "${made}.o" cudart${arg_RUNTIME} ${arg_LIBRARIES}
    COMMAND ${CMAKE_COMMAND} -E make_directory "${CMAKE_BINARY_DIR}/${arg_FOLDER}"
    COMMAND ${LONGWIRE_CUDA_LINK} "${made}.o" ${libraries} -o "${program}"
            $<TARGET_FILE:cudart${arg_RUNTIME}> -pthread VERBATIM)
  add_custom_target(${name} ALL DEPENDS "${program}")
  add_dependencies(${name} softcuda)
endfunction()

function(longwire_cuda_test name file)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "TIMEOUT" "LABELS;ENVIRONMENT")
  longwire_cuda_program(${name} "${file}" ${arg_UNPARSED_ARGUMENTS})
  if(TARGET ${name})
    longwire_script_test(
      ${name} COMMAND "${CMAKE_BINARY_DIR}/tests/${name}" TIMEOUT "${arg_TIMEOUT}"
      LABELS ${arg_LABELS}
      ENVIRONMENT "LD_LIBRARY_PATH=${CMAKE_BINARY_DIR}/lib/softcuda" ${arg_ENVIRONMENT})
  endif()
endfunction()
