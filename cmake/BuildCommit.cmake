# Writes OUT, the source that defines build_commit(), where it changed. A script: cmake -DSOURCE=.. -DOUT=.. -P ..
# "-dirty" if more than benchmarks' results differs from the commit; "unknown" without git or outside a checkout.
set(commit unknown)
find_program(git NAMES git)
if(git)
  execute_process(COMMAND ${git} rev-parse --short HEAD WORKING_DIRECTORY ${SOURCE}
    RESULT_VARIABLE failed OUTPUT_VARIABLE head ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  execute_process(COMMAND ${git} status --porcelain -- . ":!bench/results" WORKING_DIRECTORY ${SOURCE}
    RESULT_VARIABLE status_failed OUTPUT_VARIABLE changes ERROR_QUIET)
  if(NOT failed AND NOT status_failed)
    set(commit ${head})
    if(changes)
      string(APPEND commit -dirty)
    endif()
  endif()
endif()
set(text "#include \"build_commit.hpp\"\n\nnamespace jensen {\n\nconst char* build_commit() { return \"${commit}\"; }\n\n}  // namespace jensen\n")
set(before "")
if(EXISTS ${OUT})
  file(READ ${OUT} before)
endif()
if(NOT text STREQUAL before)
  file(WRITE ${OUT} "${text}")
endif()
