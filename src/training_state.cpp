#include "training_state.hpp"

#include <fmt/format.h>

#include <tuple>

#include "bytes.hpp"
#include "jensen/errors.hpp"
#include "jensen/trainer.hpp"

namespace jensen {
namespace {

constexpr std::size_t checksum_size = sizeof(std::uint64_t);
constexpr std::uint64_t magic = 0x65746174534E4A00U;  // "\0JNState"
constexpr std::uint32_t version = 2;

/// The values in their order, for writing and for reading.
auto values_of(auto& course, auto& engine) {
  return std::tie(course.steps, course.horizon, course.seconds, course.reach, course.drift, course.converged,
                  course.failed, course.done, course.nonfinite, course.trace, course.last_good, engine.lambda,
                  engine.first_moment, engine.second_moment, engine.average[0], engine.average[1], engine.averaged,
                  engine.anchor, engine.anchor_levels, engine.anchor_effect_sums, engine.anchor_joint,
                  engine.statistics);
}

std::span<const std::byte> without_checksum(std::span<const std::byte> bytes) {
  return bytes.first(bytes.size() < checksum_size ? 0 : bytes.size() - checksum_size);
}

bool same_sizes(const EngineState& a, const EngineState& b) {
  const auto sizes = [](const EngineState& s) {
    return std::tuple(s.lambda.size(), s.first_moment.size(), s.second_moment.size(), s.average[0].size(),
                      s.average[1].size(), s.anchor.size(), s.anchor_levels.size(), s.anchor_effect_sums.size(),
                      s.anchor_joint.size());
  };
  return sizes(a) == sizes(b);
}

}  // namespace

std::vector<std::byte> encode_state(const Course& course, const EngineState& engine, const Fingerprint& fingerprint) {
  ByteWriter out;
  out.put(magic);
  out.put(version);
  out.put(fingerprint);
  std::apply([&](const auto&... value) { (out.put(value), ...); }, values_of(course, engine));
  out.put(hash_of(out.bytes()));
  return std::move(out.bytes());
}

bool state_is_whole(std::span<const std::byte> state) {
  const std::span<const std::byte> content = without_checksum(state);
  std::uint64_t found_magic = 0, checksum = 0;
  ByteReader in(content);
  in.take(found_magic);
  ByteReader(state.subspan(content.size())).take(checksum);
  return in.ok() && found_magic == magic && checksum == hash_of(content);
}

DecodedState decode_state(std::span<const std::byte> bytes, const Fingerprint& fingerprint, const EngineState& like) {
  ByteReader in(without_checksum(bytes));
  std::uint64_t found_magic = 0;
  std::uint32_t found_version = 0;
  in.take(found_magic);
  if (!in.ok() || found_magic != magic) {
    throw InputError("these bytes are no training state (restore); give what state() returned");
  }
  const InputError damaged("the training state is damaged: its checksum does not fit (restore); use an earlier one");
  if (!state_is_whole(bytes)) throw InputError(damaged);
  in.take(found_version);
  if (found_version != version) {
    throw OtherRunError(
        fmt::format("build of Jensen, with states of format {} where this one has {}", found_version, version));
  }
  Fingerprint found;
  in.take(found);
  DecodedState out;
  std::apply([&](auto&... value) { (in.take(value), ...); }, values_of(out.course, out.engine));
  if (!in.ok() || !in.at_end()) throw InputError(damaged);
  if (found.build != fingerprint.build) throw OtherRunError("build of Jensen");
  if (found.model != fingerprint.model)
    throw OtherRunError("model (formula, family, levels of factors or distributions of priors)");
  if (found.rows != fingerprint.rows) {
    throw OtherRunError(fmt::format("table, with {} rows where this one has {}", found.rows, fingerprint.rows));
  }
  if (found.options != fingerprint.options) {
    throw OtherRunError(
        "setting of training (seed, samples, batch, guide, steps, learning rate, storage or precision)");
  }
  if (found != fingerprint || !same_sizes(out.engine, like) || out.course.last_good.size() != like.lambda.size()) {
    throw OtherRunError("table (or prior's arguments)");
  }
  return out;
}

}  // namespace jensen
