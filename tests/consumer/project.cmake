# Configures a project against the installation, builds it and runs its tests.
#   cmake -DPROJECT_DIR= -DWORK_DIR= -DNAME= -DGENERATOR= -DCXX_COMPILER= [-DSANITIZE=] -P project.cmake -- ARGUMENTS...
cmake_minimum_required(VERSION 3.25)

set(arguments "")
set(seen OFF)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(seen)
    list(APPEND arguments "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(seen ON)
  endif()
endforeach()

set(flags "")
if(SANITIZE)
  set(flags "-fsanitize=${SANITIZE}")
endif()
set(build "${WORK_DIR}/${NAME}")
file(REMOVE_RECURSE "${build}")
execute_process(COMMAND ${CMAKE_COMMAND} -S "${PROJECT_DIR}" -B "${build}" -G "${GENERATOR}" -DCMAKE_BUILD_TYPE=Release
    "-DCMAKE_CXX_COMPILER=${CXX_COMPILER}" "-DCMAKE_C_FLAGS=${flags}" "-DCMAKE_CXX_FLAGS=${flags}"
    "-DCMAKE_PREFIX_PATH=${WORK_DIR}/moved" ${arguments}
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build "${build}" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_CTEST_COMMAND} --test-dir "${build}" --output-on-failure --no-tests=error
  COMMAND_ERROR_IS_FATAL ANY)
