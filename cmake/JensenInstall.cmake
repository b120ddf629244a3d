# Installs the libraries, the program, the headers and the package `jensen`. Everything may be moved afterwards.
option(JENSEN_INSTALL "Install Jensen with the project" ${PROJECT_IS_TOP_LEVEL})
if(NOT JENSEN_INSTALL)
  return()
endif()

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/jensen)

# One export set for each component, so that core can be used where the libraries of io are missing.
install(TARGETS jensen_core EXPORT jensenCoreTargets)
install(TARGETS jensen_io EXPORT jensenIoTargets)
install(TARGETS jensen_cli)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/jensen TYPE INCLUDE FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/kernels DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/jensen
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*.cuh")  # a user's own density is compiled with them
install(FILES ${PROJECT_SOURCE_DIR}/cmake/JensenDensity.cmake DESTINATION ${package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE TYPE DOC)
install(EXPORT jensenCoreTargets NAMESPACE jensen:: DESTINATION ${package_dir})
install(EXPORT jensenIoTargets NAMESPACE jensen:: DESTINATION ${package_dir})

if(NOT BUILD_SHARED_LIBS)
  set(BUILD_SHARED_LIBS OFF)
endif()
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/jensenConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/jensenConfig.cmake INSTALL_DESTINATION ${package_dir} PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/jensenConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/jensenConfig.cmake ${PROJECT_BINARY_DIR}/package/jensenConfigVersion.cmake
  DESTINATION ${package_dir})
