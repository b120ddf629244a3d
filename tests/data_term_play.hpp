#pragma once
/// \file The GPU's data term played on the host.

#include <cstdint>
#include <stdexcept>
#include <utility>

#include "block_emulator.hpp"
#include "data_term_block.hpp"

namespace jensen::testing {

constexpr int hopper = 227 * 1024;  ///< bytes of shared memory that a block may have, on sm_90
constexpr int ampere = 163 * 1024;  ///< on sm_80

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
void play_bucket(BlockEmulator& emulator, const DataTermWork& work, std::integer_sequence<int, Bucket...>) {
  ((Bucket == work.plan.bucket ? play_blocks<Element, Bucket>(emulator, work) : void()), ...);
}

/// As launch_data_term() does on a device. `order`: seed of the order in which threads run.
template <class Element = float>
void play(const DataTermWork& work, std::uint32_t order) {
  if (work.plan.rows == 0) throw std::logic_error("the term does not fit the kernel");
  BlockEmulator emulator(tile_threads, order);
  play_bucket<Element>(emulator, work, std::make_integer_sequence<int, tile_bucket_count>());
}

}  // namespace jensen::testing
