#include "data_term_cpu.hpp"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "data_term_cpu_isa.hpp"
#include "density_code.hpp"

namespace jensen {

bool processor_runs_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2");
#else
  return false;
#endif
}

bool processor_runs_avx512() {
#if defined(__x86_64__)
  return processor_runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

namespace {

/// The CPU's terms of one instruction set.
struct Isa {
  const char* name;
  bool runs;                          ///< on this processor
  TileDensity DensityCode::*density;  ///< a user's, compiled for it
  decltype(&baseline::data_term_block) block;
  decltype(&baseline::general_term_block) general_block;
  decltype(&baseline::shuffle_range) shuffle;
};

/// From the widest to that of any processor.
const std::vector<Isa>& isas() {
  static const std::vector<Isa> all {
#if defined(__x86_64__)
    {"avx512",
     processor_runs_avx512(),
     &DensityCode::avx512,
     &avx512::data_term_block,
     &avx512::general_term_block,
     &avx512::shuffle_range},
        {"avx2",
         processor_runs_avx2(),
         &DensityCode::avx2,
         &avx2::data_term_block,
         &avx2::general_term_block,
         &avx2::shuffle_range},
#endif
    {
      "baseline", true, &DensityCode::baseline, &baseline::data_term_block, &baseline::general_term_block,
          &baseline::shuffle_range
    }
  };
  return all;
}

/// The widest that this processor has.
const Isa& isa() {
  static const Isa& widest = *std::ranges::find_if(isas(), [](const Isa& i) { return i.runs; });
  return widest;
}
/// The widest that this processor has and `density` is compiled for; null: none.
const Isa* isa_of(const DensityCode& density) {
  for (const Isa& i : isas()) {
    if (i.runs && (density.*i.density).compiled()) return &i;
  }
  return nullptr;
}
const Isa& isa_of(const Term& term) { return term.custom == nullptr ? isa() : *isa_of(*term.custom); }

}  // namespace

void check_cpu_density(const DensityCode& density) {
  const std::string place = std::string(" (density ") + density.name + "); ";
  if (density.version != density_code_version) {
    throw std::invalid_argument("compiled with headers of another Jensen" + place + "compile it anew");
  }
  if (isa_of(density) == nullptr) {
    throw std::invalid_argument("not compiled for instructions that this processor has" + place +
                                "compile it without -march, or by jensen_add_density()");
  }
}

const char* data_term_cpu_isa() { return isa().name; }

std::size_t data_term_cpu_scratch(const Term& term, int samples) {
  return baseline::scratch_bytes(static_cast<std::size_t>(slot_count(term)), samples);
}

void data_term_cpu_block(const Term& term, RowList rows, std::int64_t begin, std::int64_t end, const float* z,
                         int dimension, std::int64_t block, Partials out, void* scratch) {
  isa_of(term).block(term, rows, begin, end, z, dimension, out.at(block, 0), out.samples, 1 + out.slots, scratch);
}

void shuffle_range_cpu(const Shuffle& shuffle, std::uint32_t first, std::int64_t count, std::uint32_t* images) {
  isa().shuffle(shuffle, first, count, images);
}

void copy_shuffled(const Shuffle& order, std::int64_t first, std::int64_t count, std::size_t row_bytes,
                   const void* from, void* to, int threads) {
  constexpr std::int64_t part = 2048;
#pragma omp parallel for num_threads(threads > 0 ? threads : omp_get_max_threads()) schedule(static) if (count > part)
  for (std::int64_t begin = 0; begin < count; begin += part) {
    const std::int64_t rows = std::min(part, count - begin);
    std::uint32_t at[part];
    shuffle_range_cpu(order, static_cast<std::uint32_t>(first + begin), rows, at);
    auto* row = static_cast<char*>(to) + static_cast<std::size_t>(begin) * row_bytes;
    for (std::int64_t i = 0; i < rows; ++i, row += row_bytes) {
      std::memcpy(row, static_cast<const char*>(from) + at[i] * row_bytes, row_bytes);
    }
  }
}

std::size_t general_term_cpu_scratch(const Term& term, int samples) {
  return baseline::general_scratch_bytes(term, samples);
}

void general_term_cpu_block(const Term& term, RowList rows, std::int64_t begin, std::int64_t end, const float* z,
                            int dimension, const Effects& effects, const RowValues& values, std::int64_t block,
                            Partials out, void* scratch) {
  isa_of(term).general_block(term, rows, begin, end, z, dimension, effects, values, out.at(block, 0), out.samples,
                             1 + out.slots, scratch);
}

}  // namespace jensen
