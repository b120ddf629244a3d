# Installs the build, moves what was installed, and looks that no file of the package names a place that is no more.
#   cmake -DBUILD_DIR= -DSOURCE_DIR= -DWORK_DIR= -P install.cmake      -> WORK_DIR/moved
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE "${WORK_DIR}")
file(MAKE_DIRECTORY "${WORK_DIR}")
execute_process(COMMAND ${CMAKE_COMMAND} --install "${BUILD_DIR}" --prefix "${WORK_DIR}/first"
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(RENAME "${WORK_DIR}/first" "${WORK_DIR}/moved")

file(GLOB_RECURSE package_files "${WORK_DIR}/moved/*.cmake" "${WORK_DIR}/moved/*.pc")
list(LENGTH package_files count)
if(count LESS 12)
  message(FATAL_ERROR "the installation holds too few package files: ${package_files}")
endif()
foreach(file IN LISTS package_files)
  file(READ "${file}" text)
  foreach(place "${BUILD_DIR}" "${SOURCE_DIR}/include" "${WORK_DIR}/first")
    string(FIND "${text}" "${place}" at)
    if(NOT at EQUAL -1)
      message(FATAL_ERROR "${file} names ${place}: the package cannot be moved")
    endif()
  endforeach()
endforeach()
execute_process(COMMAND "${WORK_DIR}/moved/bin/jensen" info COMMAND_ERROR_IS_FATAL ANY)
