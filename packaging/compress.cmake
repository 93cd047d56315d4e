# Before a package is closed: manual pages and changelogs compressed, as Debian's policy asks.
file(GLOB_RECURSE pages "${CPACK_TEMPORARY_DIRECTORY}/*/usr/share/man/*.[18]"
     "${CPACK_TEMPORARY_DIRECTORY}/*/usr/share/doc/*/CHANGELOG.md")
foreach(page IN LISTS pages)
  execute_process(COMMAND gzip -9n "${page}" COMMAND_ERROR_IS_FATAL ANY)
endforeach()
