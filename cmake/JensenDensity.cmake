# A density of one's own in a target:
#
#     jensen_add_density(TARGET HEADER my_density.hpp TYPE MyDensity [CPU_ONLY])
#
# compiles it for each instruction set that Jensen chooses from, for CUDA if the project has that language (which takes
# most of the time; not if CPU_ONLY), and defines jensen::density<MyDensity>(). HEADER is relative to the current source
# directory.
if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/../kernels/own_density.hpp)
  get_filename_component(kernels_dir ${CMAKE_CURRENT_LIST_DIR}/../kernels ABSOLUTE)
  set(JENSEN_KERNELS_DIR ${kernels_dir} CACHE INTERNAL "Jensen's kernels, in its source tree")
endif()  # else jensenConfig.cmake has set it

function(jensen_add_density target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "CPU_ONLY" "HEADER;TYPE" "")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "jensen_add_density(${target}): unknown: ${arg_UNPARSED_ARGUMENTS}; give HEADER, TYPE and CPU_ONLY")
  endif()
  if(NOT arg_HEADER OR NOT arg_TYPE)
    message(FATAL_ERROR "jensen_add_density(${target}): no HEADER or no TYPE; give both")
  endif()
  get_filename_component(header ${arg_HEADER} ABSOLUTE BASE_DIR ${CMAKE_CURRENT_SOURCE_DIR})
  string(MAKE_C_IDENTIFIER ${arg_TYPE} id)
  if(NOT TARGET ${target})
    message(FATAL_ERROR "jensen_add_density(${target}): there is no such target; add it first")
  elseif(NOT EXISTS ${header})
    message(FATAL_ERROR "jensen_add_density(${target}): there is no ${header}; HEADER is relative to the source directory")
  elseif(TARGET ${target}_${id})
    message(FATAL_ERROR "jensen_add_density(${target}): ${arg_TYPE} has been added; leave one of the two out")
  endif()
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/jensen_density/${target})
  # As kernels/CMakeLists.txt compiles Jensen's own.
  set(host_flags -O3 -fno-math-errno -fno-trapping-math -ffp-contract=fast -fopenmp-simd -Wno-psabi)
  set(isas baseline)
  set(flags_avx2 -march=x86-64-v3)
  set(flags_avx512 -march=x86-64-v4 -mprefer-vector-width=512)
  if(TARGET jensen_sanitizers AND JENSEN_SANITIZE)  # Jensen's own build, whose kernels are compiled for all
    list(APPEND host_flags ${jensen_sanitized_kernel_flags})
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    list(APPEND isas avx2 avx512)
  endif()
  set(sources "")  # a caller's variable of this name is not meant
  set(declarations "")
  set(assignments "")
  foreach(isa IN LISTS isas)
    string(APPEND declarations
      "namespace ${isa} {\ntemplate <class Own>\nstruct OwnTileDensity {\n  static const TileDensity table;\n};\nextern template struct OwnTileDensity<::${arg_TYPE}>;\n}\n")
    string(APPEND assignments "    made.${isa} = ${isa}::OwnTileDensity<::${arg_TYPE}>::table;\n")
    set(source ${dir}/${id}_${isa}.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT
"#include \"${header}\"
#define JENSEN_ISA ${isa}
#include \"kernels/own_density_cpu.hpp\"
template struct jensen::${isa}::OwnTileDensity<::${arg_TYPE}>;
" @ONLY)
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${host_flags};${flags_${isa}}")
    list(APPEND sources ${source})
  endforeach()
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)  # CMAKE_CUDA_COMPILER may be there without the language
  if("CUDA" IN_LIST languages AND NOT arg_CPU_ONLY)
    string(APPEND declarations
      "template <class Own>\nconst CudaTermCode& own_cuda_code();\nextern template const CudaTermCode& own_cuda_code<::${arg_TYPE}>();\n")
    string(APPEND assignments "    made.cuda = &own_cuda_code<::${arg_TYPE}>();\n")
    set(source ${dir}/${id}_cuda.cu)
    file(CONFIGURE OUTPUT ${source} CONTENT
"#include \"${header}\"
#include \"kernels/own_density_cuda.cuh\"
template const jensen::CudaTermCode& jensen::own_cuda_code<::${arg_TYPE}>();
" @ONLY)
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "--prec-div=false;--prec-sqrt=false")
    list(APPEND sources ${source})
  endif()
  set(source ${dir}/${id}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT
"#include \"${header}\"
#include \"kernels/density_code.hpp\"
#include \"kernels/own_density.hpp\"
namespace jensen {
${declarations}
template <class Own>
const DensityCode& density() {
  static const DensityCode code = [] {
    DensityCode made;
    made.name = \"${arg_TYPE}\";
    made.arguments = argument_count_of<Own>();
    made.constants = Own::constants;
${assignments}    return made;
  }();
  return code;
}
template const DensityCode& density<::${arg_TYPE}>();
}  // namespace jensen
" @ONLY)
  # An object library: the kernels' directory must not be in the target's own search path.
  add_library(${target}_${id} OBJECT ${sources} ${source})
  if(TARGET jensen::core)
    target_link_libraries(${target}_${id} PRIVATE jensen::core)
  endif()
  if(TARGET jensen_sanitizers)
    target_link_libraries(${target}_${id} PRIVATE jensen_sanitizers)
  endif()
  target_include_directories(${target}_${id} PRIVATE ${JENSEN_KERNELS_DIR} ${JENSEN_KERNELS_DIR}/..
    $<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>)
  target_compile_features(${target}_${id} PRIVATE cxx_std_20)
  set_target_properties(${target}_${id} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${target} PRIVATE ${target}_${id})
endfunction()
