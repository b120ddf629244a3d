#pragma once
/// \file The GPU's data term played on the host.

#include <cstdint>
#include <stdexcept>
#include <utility>

#include "block_emulator.hpp"
#include "data_term_block.hpp"
#include "data_term_eight.hpp"
#include "data_term_rows.hpp"

namespace jensen::testing {

constexpr int hopper = 227 * 1024;  ///< bytes of shared memory that a block may have, on sm_90
constexpr int ampere = 163 * 1024;  ///< on sm_80

template <class Element, int Size>
void play_rows(BlockEmulator& emulator, const DataTermWork& work) {
  for (std::int64_t number = 0; number < work.blocks.blocks; ++number) {
    emulator.run(work.plan.bytes, [&](BlockEmulator::Thread& thread) {
      DataTermRows<BlockEmulator::Thread, Element, row_sizes[Size]>(thread, work, number).run();
    });
  }
}
template <class Element, int Size>
void play_eight(BlockEmulator& emulator, const DataTermWork& work) {
  for (std::int64_t number = 0; number < work.blocks.blocks; ++number) {
    emulator.run(work.plan.bytes, [&](BlockEmulator::Thread& thread) {
      DataTermEight<BlockEmulator::Thread, Element, eight_sizes[Size]>(thread, work, number).run();
    });
  }
}
template <class Element, int Bucket>
void play_blocks(BlockEmulator& emulator, const DataTermWork& work) {
  for (std::int64_t number = 0; number < work.blocks.blocks * work.plan.groups; ++number) {
    emulator.run(work.plan.bytes, [&](BlockEmulator::Thread& thread) {
      DataTermBlock<BlockEmulator::Thread, Element, tile_buckets[Bucket].m, tile_buckets[Bucket].n>(thread, work,
                                                                                                    number)
          .run();
    });
  }
}
template <class Element, int... Bucket>
void play_plan(BlockEmulator& emulator, const DataTermWork& work, std::integer_sequence<int, Bucket...>) {
  if (work.plan.row_columns > 0) {
    work.plan.row_columns == row_sizes[0] ? play_rows<Element, 0>(emulator, work)
                                          : play_rows<Element, 1>(emulator, work);
    return;
  }
  if (work.plan.eight_columns > 0) {
    work.plan.eight_columns == eight_sizes[0] ? play_eight<Element, 0>(emulator, work)
                                              : play_eight<Element, 1>(emulator, work);
    return;
  }
  ((Bucket == work.plan.bucket ? play_blocks<Element, Bucket>(emulator, work) : void()), ...);
}

/// As launch_data_term() does on a device. `order`: seed of the order in which threads run.
inline void play(const DataTermWork& work, std::uint32_t order) {
  if (work.plan.rows == 0) throw std::logic_error("the term does not fit the kernel");
  BlockEmulator emulator(tile_threads, order);
  const std::make_integer_sequence<int, tile_bucket_count> buckets;
  work.plan.element_bytes == 2 ? play_plan<std::uint16_t>(emulator, work, buckets)
                               : play_plan<float>(emulator, work, buckets);
}

}  // namespace jensen::testing
