# Generated code. <build>/gen is an include root, so it is "opencl/messages.h".
#
#   longwire_codegen(API DESCRIPTIONS ... HEADERS ... [DISPATCH ...] OUTPUTS ...)
#
# runs codegen/ on api/<API>/ when a description, the generator or a header has changed. OUTPUTS are
# file names in <build>/gen/<API>; files that come out the same are left alone. Makes the targets
# longwire_<API>_codegen, <API>_update_lock (appends what is new to the layout lock) and
# <API>_coverage (writes docs/coverage-<API>.md; a test says when it is out of date).
include_guard(GLOBAL)

file(GLOB_RECURSE LONGWIRE_CODEGEN_FILES CONFIGURE_DEPENDS
     "${PROJECT_SOURCE_DIR}/codegen/longwire_codegen/*.py"
     "${PROJECT_SOURCE_DIR}/codegen/longwire_codegen/templates/*.j2")

function(longwire_codegen api)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DISPATCH" "DESCRIPTIONS;HEADERS;OUTPUTS")
  set(in "${PROJECT_SOURCE_DIR}/api/${api}")
  set(out "${LONGWIRE_GEN_DIR}/${api}")
  list(TRANSFORM arg_DESCRIPTIONS PREPEND "${in}/")
  list(TRANSFORM arg_OUTPUTS PREPEND "${out}/")
  set(header_arguments "")
  foreach(header IN LISTS arg_HEADERS)
    list(APPEND header_arguments --header "${header}")
  endforeach()
  if(arg_DISPATCH)
    list(APPEND header_arguments --dispatch "${arg_DISPATCH}")
  endif()
  add_custom_command(
    OUTPUT ${arg_OUTPUTS}
    COMMAND "${CMAKE_COMMAND}" -E env "PYTHONPATH=${PROJECT_SOURCE_DIR}/codegen"
            PYTHONDONTWRITEBYTECODE=1 "${LONGWIRE_PYTHON}" -m longwire_codegen --api "${in}" --out
            "${out}" ${header_arguments}
    DEPENDS ${arg_DESCRIPTIONS} ${arg_HEADERS} ${arg_DISPATCH} ${LONGWIRE_CODEGEN_FILES}
    COMMENT "Generating ${api}"
    VERBATIM)
  add_custom_target(longwire_${api}_codegen DEPENDS ${arg_OUTPUTS})

  # Writes into the source tree, so only when asked for.
  set(generator "${CMAKE_COMMAND}" -E env "PYTHONPATH=${PROJECT_SOURCE_DIR}/codegen"
                PYTHONDONTWRITEBYTECODE=1 "${LONGWIRE_PYTHON}" -m longwire_codegen --api "${in}"
                ${header_arguments})
  add_custom_target(${api}_update_lock COMMAND ${generator} --update-lock VERBATIM)
  set(coverage "${PROJECT_SOURCE_DIR}/docs/coverage-${api}.md")
  add_custom_target(${api}_coverage COMMAND ${generator} --coverage "${coverage}" VERBATIM)
  longwire_script_test(${api}_coverage_is_up_to_date COMMAND ${generator} --coverage "${coverage}"
                       --check)
endfunction()
