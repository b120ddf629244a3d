# Installs the libraries, the program, the headers and the package `jensen`. Everything may be moved afterwards.
option(JENSEN_INSTALL "Install Jensen with the project" ${PROJECT_IS_TOP_LEVEL})
if(NOT JENSEN_INSTALL)
  return()
endif()

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/jensen)

# One export set for each component, so that core can be used where the libraries of io are missing, and for each kind.
foreach(component core io)
  install(TARGETS jensen_${component} EXPORT jensen-${component}-static)
  install(TARGETS jensen_${component}_shared EXPORT jensen-${component}-shared)
  foreach(kind static shared)
    install(EXPORT jensen-${component}-${kind} NAMESPACE jensen:: DESTINATION ${package_dir})
  endforeach()
endforeach()
install(TARGETS jensen_cli)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/jensen TYPE INCLUDE FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/kernels DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/jensen
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*.cuh")  # a user's own density is compiled with them
install(FILES ${PROJECT_SOURCE_DIR}/cmake/JensenDensity.cmake DESTINATION ${package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md TYPE DOC)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs ${PROJECT_SOURCE_DIR}/examples TYPE DOC)  # beside README, as it links to them
# A Fortran module is compiled by the compiler that compiles its user.
install(FILES ${PROJECT_SOURCE_DIR}/examples/fortran/jensen.f90 DESTINATION ${CMAKE_INSTALL_DATADIR}/jensen)

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/jensenConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/jensenConfig.cmake INSTALL_DESTINATION ${package_dir} PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/jensenConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/jensenConfig.cmake ${PROJECT_BINARY_DIR}/package/jensenConfigVersion.cmake
  DESTINATION ${package_dir})

# pkg-config, for builds without CMake.
file(RELATIVE_PATH JENSEN_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" JENSEN_PC_PREFIX "${JENSEN_PC_PREFIX}")
list(TRANSFORM OpenMP_CXX_LIB_NAMES PREPEND -l OUTPUT_VARIABLE JENSEN_PC_CORE_LIBS)
list(APPEND JENSEN_PC_CORE_LIBS -lstdc++ -lm)
if(JENSEN_HAS_CUDA)  # its static runtime may be where no linker looks
  list(PREPEND JENSEN_PC_CORE_LIBS "-L${CUDAToolkit_LIBRARY_DIR}" -lcudart_static -ldl -lrt -lpthread)
endif()
list(JOIN JENSEN_PC_CORE_LIBS " " JENSEN_PC_CORE_LIBS)
set(JENSEN_PC_IO_LIBS "")
find_package(HDF5 REQUIRED COMPONENTS C)  # its variables: src/ has its own
foreach(library IN LISTS HDF5_C_LIBRARIES)
  if(IS_ABSOLUTE "${library}")
    list(APPEND JENSEN_PC_IO_LIBS "${library}")
  else()
    list(APPEND JENSEN_PC_IO_LIBS "-l${library}")
  endif()
endforeach()
list(REMOVE_DUPLICATES JENSEN_PC_IO_LIBS)
list(JOIN JENSEN_PC_IO_LIBS " " JENSEN_PC_IO_LIBS)
foreach(name jensen jensen_io)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/package/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/package/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
