# Flags for building Jensen itself; never exported.
add_library(jensen_warnings INTERFACE)
set(host_warnings -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND host_warnings -Wno-restrict)  # false alarms of g++ 12 on std::string (GCC bug 105651)
endif()
if(JENSEN_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND host_warnings -Wno-maybe-uninitialized)  # its manual: false alarms under a sanitizer
endif()
if(CMAKE_UNITY_BUILD)
  list(APPEND host_warnings -Wno-shadow)  # a file sees the names of those before it
endif()
if(JENSEN_WERROR)
  list(APPEND host_warnings -Werror)
endif()
target_compile_options(jensen_warnings INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${host_warnings}>")
# nvcc's own intermediate host code breaks -Wpedantic and -Wconversion by nature.
target_compile_options(jensen_warnings INTERFACE
  "$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra$<$<BOOL:${JENSEN_WERROR}>:$<COMMA>-Werror>>"
  "$<$<AND:$<COMPILE_LANGUAGE:CUDA>,$<BOOL:${JENSEN_WERROR}>>:-Werror=all-warnings>")
add_library(jensen_sanitizers INTERFACE)  # also for densities of one's own (JensenDensity.cmake), which take no warnings
if(JENSEN_SANITIZE)
  target_compile_options(jensen_sanitizers INTERFACE
    "$<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${JENSEN_SANITIZE};-fno-omit-frame-pointer;-fno-sanitize-recover=all>")
  target_link_options(jensen_sanitizers INTERFACE "-fsanitize=${JENSEN_SANITIZE}")
endif()
target_link_libraries(jensen_warnings INTERFACE jensen_sanitizers)
# At -O3 a sanitizer's checks in every unrolled loop take minutes to compile. Of what is left those of lifetimes, and those
# of pointers that the address sanitizer makes needless, would take three quarters: the kernels are many small functions, each
# inlined in many places. A compiler goes by the last flag: these come after those of jensen_sanitizers.
set(jensen_sanitized_kernel_flags)
if(JENSEN_SANITIZE)
  set(jensen_sanitized_kernel_flags -O1)
endif()
if(JENSEN_SANITIZE MATCHES "address")
  list(APPEND jensen_sanitized_kernel_flags
    -fno-sanitize-address-use-after-scope -fno-sanitize=null,alignment,object-size,pointer-overflow)
endif()
