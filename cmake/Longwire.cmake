# How every folder declares what it builds. Include root is src/ (#include "base/result.h") and,
# for generated code, <build>/gen. What users run lands in <build>/bin and <build>/lib; tests and
# fuzzers land in <build>/tests and <build>/fuzz.
#
#   longwire_library(NAME SOURCES ... DEPS ... PRIVATE_DEPS ...)   static, alias longwire::NAME
#   longwire_program(NAME SOURCES ... DEPS ... [COMPONENT client|node])    installed executable
#   longwire_driver(NAME SOURCES ... DEPS ... VERSION_SCRIPT FILE [OUTPUT_NAME ...] [SONAME ...]
#                   [FOLDER ...] [COMPONENT ...])
#   longwire_test(NAME SOURCES ... DEPS ... [LABELS ...] [TIMEOUT s] [ENVIRONMENT ...])
#   longwire_script_test(NAME COMMAND ... [DEPS ...] [LABELS ...] [TIMEOUT s])
#   longwire_embed(OUTPUT NAMESPACE NAME FILE...)   text as a C++ constant
#   longwire_fuzzer(NAME SOURCES ... DEPS ... DECODES ... [CANARY ...] [RUNS n])
include_guard(GLOBAL)
include(GNUInstallDirs)
option(BUILD_TESTING "Build the tests" ON)
enable_testing()

option(LONGWIRE_COVERAGE "Count which lines run (needs clang)" OFF)
set(LONGWIRE_SANITIZE "" CACHE STRING "Sanitizers, for example address,undefined or thread")
option(LONGWIRE_FUZZ "Build the libFuzzer targets instead of the tests (needs clang)" OFF)
option(LONGWIRE_WERROR "Warnings are errors" ON)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON) # static libraries are linked into driver .so files
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(LONGWIRE_GEN_DIR "${CMAKE_BINARY_DIR}/gen")
set(LONGWIRE_RESULTS_DIR "${CMAKE_BINARY_DIR}/test-results")
# Debian's interpreter by name: another python3 on PATH may lack jinja2.
set(LONGWIRE_PYTHON /usr/bin/python3 CACHE FILEPATH "Python with jinja2")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
foreach(lang IN ITEMS C CXX)
  set(CMAKE_${lang}_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
endforeach()

find_program(LONGWIRE_CCACHE ccache)
if(LONGWIRE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths relative to the build folder: what one build folder has compiled serves the others.
  set(launcher env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1 "${LONGWIRE_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

find_package(Threads REQUIRED)
# Static everywhere: a driver must not drag another OpenSSL into somebody else's process.
set(OPENSSL_USE_STATIC_LIBS TRUE)
find_package(OpenSSL 3 REQUIRED)
find_package(GTest REQUIRED)

# Compile and link options of everything of ours, kept off imported targets.
add_library(longwire_options INTERFACE)
target_include_directories(longwire_options INTERFACE "${PROJECT_SOURCE_DIR}/src"
                                                      "${LONGWIRE_GEN_DIR}")
target_compile_definitions(
  longwire_options INTERFACE LONGWIRE_VERSION="${PROJECT_VERSION}" _FILE_OFFSET_BITS=64
                             CL_TARGET_OPENCL_VERSION=300)
target_compile_options(longwire_options INTERFACE -Wall -Wextra $<$<BOOL:${LONGWIRE_WERROR}>:-Werror>
                                                  -fno-omit-frame-pointer -ffunction-sections
                                                  -fdata-sections)
target_link_options(longwire_options INTERFACE -Wl,--gc-sections)
target_link_libraries(longwire_options INTERFACE Threads::Threads)
if(LONGWIRE_SANITIZE)
  target_compile_options(longwire_options INTERFACE -fsanitize=${LONGWIRE_SANITIZE}
                                                    -fno-sanitize-recover=all)
  target_link_options(longwire_options INTERFACE -fsanitize=${LONGWIRE_SANITIZE})
  target_compile_definitions(longwire_options INTERFACE LONGWIRE_SANITIZED=1)
endif()
if(LONGWIRE_FUZZ)
  target_compile_options(longwire_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(LONGWIRE_COVERAGE)
  target_compile_options(longwire_options INTERFACE -fprofile-instr-generate -fcoverage-mapping)
  target_link_options(longwire_options INTERFACE -fprofile-instr-generate)
endif()

# Every .cc and .h of ours sees LONGWIRE_VERSION, src/ and <build>/gen through this target.
function(_longwire_common target)
  target_link_libraries(${target} PUBLIC longwire_options ${ARGN})
endfunction()

function(longwire_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;PRIVATE_DEPS")
  if(arg_SOURCES)
    add_library(longwire_${name} STATIC ${arg_SOURCES})
    _longwire_common(longwire_${name} ${arg_DEPS})
    target_link_libraries(longwire_${name} PRIVATE ${arg_PRIVATE_DEPS})
  else()
    add_library(longwire_${name} INTERFACE)
    target_link_libraries(longwire_${name} INTERFACE longwire_options ${arg_DEPS})
  endif()
  add_library(longwire::${name} ALIAS longwire_${name})
endfunction()

function(longwire_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_INSTALL" "COMPONENT" "SOURCES;DEPS")
  add_executable(${name} ${arg_SOURCES})
  _longwire_common(${name} ${arg_DEPS})
  if(NOT arg_COMPONENT)
    set(arg_COMPONENT client)
  endif()
  if(NOT arg_NO_INSTALL)
    install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT ${arg_COMPONENT})
  endif()
endfunction()

# A library that programs load in place of the vendor's: exports what the version script names,
# needs nothing but libc. A test per driver checks both.
function(longwire_driver name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "VERSION_SCRIPT;OUTPUT_NAME;SONAME;FOLDER;COMPONENT"
                        "SOURCES;DEPS")
  if(NOT arg_COMPONENT)
    set(arg_COMPONENT opencl)
  endif()
  add_library(${name} SHARED ${arg_SOURCES})
  _longwire_common(${name} ${arg_DEPS})
  if(NOT arg_OUTPUT_NAME)
    set(arg_OUTPUT_NAME ${name})
  endif()
  set_target_properties(${name} PROPERTIES OUTPUT_NAME ${arg_OUTPUT_NAME})
  if(arg_SONAME)
    set_target_properties(${name} PROPERTIES NO_SONAME ON)
    target_link_options(${name} PRIVATE -Wl,-soname,${arg_SONAME})
  endif()
  target_link_options(${name} PRIVATE -Wl,--exclude-libs,ALL -Wl,-Bsymbolic)
  if(NOT LONGWIRE_SANITIZE) # else one C++ runtime for all: the sanitizers compare types
    target_link_options(${name} PRIVATE -static-libstdc++ -static-libgcc)
  endif()
  if(arg_VERSION_SCRIPT)
    cmake_path(ABSOLUTE_PATH arg_VERSION_SCRIPT BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    target_link_options(${name} PRIVATE "-Wl,--version-script,${arg_VERSION_SCRIPT}")
    set_target_properties(${name} PROPERTIES LINK_DEPENDS "${arg_VERSION_SCRIPT}")
  endif()
  if(NOT LONGWIRE_SANITIZE AND NOT LONGWIRE_FUZZ)
    target_link_options(${name} PRIVATE -Wl,-z,defs)
    longwire_script_test(${name}_needs_only_libc COMMAND "${LONGWIRE_PYTHON}"
                         "${PROJECT_SOURCE_DIR}/tests/tidy/driver_deps.py" $<TARGET_FILE:${name}>)
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/longwire/${arg_FOLDER}"
          COMPONENT ${arg_COMPONENT})
endfunction()

# One ctest entry per module: gtest prints inside, and its XML lets ./dev count the cases.
function(longwire_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;DEPS;LABELS;ENVIRONMENT")
  if(LONGWIRE_FUZZ OR NOT BUILD_TESTING)
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  _longwire_common(${name} ${arg_DEPS} GTest::gmock_main)
  add_test(NAME ${name} COMMAND ${name} "--gtest_output=xml:${LONGWIRE_RESULTS_DIR}/${name}.xml")
  _longwire_test_properties(${name} "${arg_TIMEOUT}" "${arg_LABELS}" "${arg_ENVIRONMENT}")
endfunction()

function(longwire_script_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "COMMAND;LABELS;ENVIRONMENT")
  if(LONGWIRE_FUZZ OR NOT BUILD_TESTING)
    return()
  endif()
  add_test(NAME ${name} COMMAND ${arg_COMMAND})
  _longwire_test_properties(${name} "${arg_TIMEOUT}" "${arg_LABELS}" "${arg_ENVIRONMENT}")
endfunction()

function(_longwire_test_properties name timeout labels environment)
  if(NOT timeout)
    set(timeout 120)
  endif()
  if(LONGWIRE_SANITIZE MATCHES "thread")
    math(EXPR timeout "${timeout} * 5") # it makes everything so much slower
  endif()
  set(asan "")
  if(LONGWIRE_SANITIZE MATCHES "address" AND NOT environment MATCHES "ASAN_OPTIONS")
    # clang 14's LeakSanitizer misreads how glibc 2.36 allocates the thread-local storage of
    # libraries that are opened later, and dies of it.
    set(asan "ASAN_OPTIONS=intercept_tls_get_addr=0;")
  endif()
  set_tests_properties(
    ${name}
    PROPERTIES TIMEOUT ${timeout} LABELS "${labels}" SKIP_RETURN_CODE 77 ENVIRONMENT
               "LONGWIRE_BUILD_DIR=${CMAKE_BINARY_DIR};LONGWIRE_RESULT_XML=${LONGWIRE_RESULTS_DIR}/${name}.xml;LONGWIRE_SOFT_CACHE=0;${asan}${environment}")
endfunction()

# A fuzz target (tests/fuzz/README.md): its sources have LLVMFuzzerTestOneInput() and seeds(). Under
# the fuzz preset a libFuzzer program; else one that runs seeds, regressions and RUNS mutations of
# them, as a test. DECODES are the sources whose coverage says how much the target reaches. CANARY
# are decoders that are built once more with a planted bug, into canary_NAME, which must crash.
add_custom_target(fuzzers)

function(longwire_fuzzer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "RUNS" "SOURCES;DEPS;DECODES;CANARY")
  if(NOT LONGWIRE_FUZZ AND NOT BUILD_TESTING)
    return()
  endif()
  if(NOT arg_RUNS)
    set(arg_RUNS 5000)
  endif()
  _longwire_fuzz_program(${name} SOURCES ${arg_SOURCES} DEPS ${arg_DEPS})
  list(JOIN arg_DECODES "\n" decodes)
  file(WRITE "${CMAKE_BINARY_DIR}/fuzz/${name}.decodes" "${decodes}\n")
  if(NOT LONGWIRE_FUZZ)
    file(GLOB regressions CONFIGURE_DEPENDS
         "${PROJECT_SOURCE_DIR}/tests/fuzz/regressions/${name}/*")
    add_test(NAME ${name} COMMAND ${name} --runs ${arg_RUNS} ${regressions})
    _longwire_test_properties(${name} "" fuzz "")
  elseif(arg_CANARY)
    list(TRANSFORM arg_CANARY PREPEND "${PROJECT_SOURCE_DIR}/" REGEX "^[^/]")
    _longwire_plant_bug("${CMAKE_BINARY_DIR}/fuzz/canary")
    string(REPLACE fuzz_ canary_ canary ${name})
    _longwire_fuzz_program(${canary} SOURCES ${arg_SOURCES} ${arg_CANARY} DEPS ${arg_DEPS})
    target_include_directories(${canary} BEFORE PRIVATE "${CMAKE_BINARY_DIR}/fuzz/canary")
  endif()
endfunction()

function(_longwire_fuzz_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS")
  if(LONGWIRE_FUZZ)
    set(main write_seeds.cc)
  else()
    set(main replay_main.cc)
  endif()
  add_executable(${name} ${arg_SOURCES} "${PROJECT_SOURCE_DIR}/tests/fuzz/${main}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz")
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  _longwire_common(${name} ${arg_DEPS})
  if(LONGWIRE_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  endif()
  add_dependencies(fuzzers ${name})
endfunction()

# A copy of wire/reader.h that believes lengths of a certain form whatever is left of the message.
function(_longwire_plant_bug folder)
  if(EXISTS "${folder}/wire/reader.h" AND NOT "${PROJECT_SOURCE_DIR}/src/wire/reader.h" IS_NEWER_THAN
     "${folder}/wire/reader.h")
    return()
  endif()
  set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
               "${PROJECT_SOURCE_DIR}/src/wire/reader.h")
  file(READ "${PROJECT_SOURCE_DIR}/src/wire/reader.h" whole)
  string(REPLACE "if (length <= remaining())" "if (length <= remaining() || length % 32 == 16)"
                 planted "${whole}")
  string(REPLACE "failed_ != nullptr || size > remaining()"
                 "failed_ != nullptr || (size > remaining() && size % 32 != 16)" both "${planted}")
  if(planted STREQUAL whole OR both STREQUAL planted)
    message(FATAL_ERROR "src/wire/reader.h has changed: say here where its bounds are checked now")
  endif()
  file(WRITE "${folder}/wire/reader.h" "${both}")
endfunction()

# The text of files as a C++ constant, NAMESPACE::NAME, in a source file OUTPUT that this makes.
function(longwire_embed output namespace name)
  list(TRANSFORM ARGN PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" OUTPUT_VARIABLE inputs)
  list(JOIN inputs "," joined)
  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${CMAKE_COMMAND}" -DINPUTS=${joined} -DOUTPUT=${output} -DNAMESPACE=${namespace}
            -DNAME=${name} -P "${PROJECT_SOURCE_DIR}/cmake/EmbedText.cmake"
    DEPENDS ${inputs} "${PROJECT_SOURCE_DIR}/cmake/EmbedText.cmake" VERBATIM)
endfunction()
