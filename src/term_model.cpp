#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "density_code.hpp"
#include "jensen/catalogue.hpp"
#include "jensen/errors.hpp"
#include "jensen/terms.hpp"
#include "model/defaults.hpp"
#include "model/families.hpp"
#include "model/response.hpp"
#include "show.hpp"

namespace jensen {
namespace {

/// Checks one term of a model, whose terms are counted from 1.
class TermCheck {
 public:
  TermCheck(const TermModel& model, const ModelTerm& term)
      : model_(model), term_(term), number_(model.terms().size() + 1) {}

  void run() const {
    constexpr std::size_t most_rows = 0xFFFFFFFE;
    if (term_.rows == 0 || term_.rows > most_rows) fail(fmt::format("{} rows", term_.rows), "give 1 to 4294967294");
    for (const ModelTerm& other : model_.terms()) {
      if (term_.data && other.data && other.rows != term_.rows) {
        fail(fmt::format("{} rows of data where an earlier term has {}", term_.rows, other.rows),
             "terms over the data share its rows");
      }
    }
    std::size_t arguments = 0;
    if (term_.custom != nullptr) {
      arguments = static_cast<std::size_t>(term_.custom->arguments);
      if (term_.constants.size() != static_cast<std::size_t>(term_.custom->constants)) {
        fail(fmt::format("{} columns of constants for the {} of {}", term_.constants.size(), term_.custom->constants,
                         term_.custom->name),
             "give as many as the density reads");
      }
      for (const std::span<const float> column : term_.constants) column_of(column, "constants");
      if (!term_.y.empty() || !term_.trials.empty() || term_.thresholds.model != nullptr) {
        fail(fmt::format("a response beside the {}", term_.custom->name), "give all that it reads as constants");
      }
    } else {
      arguments = family_arguments();
      if (!term_.constants.empty()) fail("constants of a family", "they are for a density of one's own");
    }
    if (term_.arguments.size() != arguments) {
      fail(fmt::format("{} arguments for a density of {}", term_.arguments.size(), arguments), "give each argument");
    }
    if (!term_.weights.empty()) {
      column_of(term_.weights, "weights");
      const auto negative = std::ranges::find_if(term_.weights, [](float w) { return w < 0; });
      if (negative != term_.weights.end()) {
        fail(fmt::format("a weight of {} in row {}", *negative, negative - term_.weights.begin() + 1),
             "give 0 or more");
      }
    }
    for (const TermArgument& argument : term_.arguments) check(argument);
  }

 private:
  [[noreturn]] void fail(const std::string& problem, const std::string& advice) const {
    throw InputError(fmt::format("{} (term {}); {}", problem, number_, advice));
  }

  std::size_t family_arguments() const {
    if (term_.family < Family{} || term_.family > Family::categorical) {
      fail(fmt::format("there is no family {}", static_cast<int>(term_.family)), "give one of the enumeration");
    }
    const FamilyInfo& info = info_of(term_.family);
    density_of(term_.family, term_.link);  // throws if the family has no such link
    column_of(term_.y, "y");
    if (info.trials) {
      column_of(term_.trials, "trials");
    } else if (!term_.trials.empty()) {
      fail(fmt::format("trials for family {}", info.name), "leave them out: only binomial has them");
    }
    for (std::size_t i = 0; i < term_.rows; ++i) {
      ResponseRow row{static_cast<double>(term_.y[i])};
      if (info.trials) row.trials = static_cast<double>(term_.trials[i]);
      if (const char* problem = response_problem(term_.family, row); problem != nullptr) {
        fail(fmt::format("y = {} in row {} is not {}", term_.y[i], i + 1, problem), "give values of the family");
      }
    }
    if (term_.thresholds.model != nullptr && term_.family != Family::cumulative) {
      fail(fmt::format("thresholds of family {}", info.name), "they are for cumulative");
    }
    if (term_.family == Family::cumulative) {
      if (term_.thresholds.model == nullptr) fail("no thresholds of family cumulative", "give an increasing block");
      const TermModel::Parameters& thresholds = block_of(term_.thresholds);
      if (thresholds.support != Support::increasing) {
        fail(fmt::format("thresholds of {}, which is {}", thresholds.name, to_string(thresholds.support)),
             "give an increasing block");
      }
      check_categories(thresholds.size + 1);
    }
    if (term_.family != Family::categorical) return 1 + info.others.size();
    constexpr std::size_t most = max_arguments - 1;
    if (term_.arguments.empty() || term_.arguments.size() > most) {
      fail(fmt::format("{} arguments of family categorical", term_.arguments.size()),
           fmt::format("give one for each category but the first, 1 to {}", most));
    }
    check_categories(term_.arguments.size() + 1);
    return term_.arguments.size();
  }

  void check_categories(std::size_t count) const {
    for (std::size_t i = 0; i < term_.rows; ++i) {
      if (term_.y[i] >= 1 && static_cast<double>(term_.y[i]) <= static_cast<double>(count)) continue;
      fail(fmt::format("y = {} in row {}, which is none of {} categories", term_.y[i], i + 1, count),
           "number them from 1");
    }
  }

  void column_of(std::span<const float> column, std::string_view what, std::size_t width = 1) const {
    if (column.size() != term_.rows * width) {
      fail(fmt::format("{} numbers of {} for {} rows of {}", column.size(), what, term_.rows, width),
           "give one for each");
    }
    const auto bad = std::ranges::find_if(column, [](float v) { return !std::isfinite(v); });
    if (bad != column.end()) {
      fail(fmt::format("{} in row {} of {}", *bad, static_cast<std::size_t>(bad - column.begin()) / width + 1, what),
           "leave such rows out");
    }
  }

  const TermModel::Parameters& block_of(Block block) const {
    if (!model_.has(block)) fail("a block that is not this model's", "use what its TermModel::block() gave");
    return model_.blocks()[block.index];
  }

  void check(const TermArgument& argument) const {
    const std::size_t parts = argument.dense.size() + argument.scalars.size() + argument.elements.size();
    if (parts > static_cast<std::size_t>(max_parts)) {
      fail(fmt::format("an argument of {} parts", parts), fmt::format("give at most {}", max_parts));
    }
    for (const TermArgument::Dense& part : argument.dense) {
      const TermModel::Parameters& block = block_of(part.block);
      if (!part.on_gpu) {
        column_of(part.x, fmt::format("the columns of {}", block.name), block.size);
      } else if (part.x.size() != term_.rows * block.size) {
        fail(fmt::format("{} numbers on the GPU for {} rows of {}", part.x.size(), term_.rows, block.size),
             "give one for each");
      }
    }
    for (const TermArgument::Scalar& part : argument.scalars) {
      const TermModel::Parameters& block = block_of(part.block);
      if (part.element >= block.size) {
        fail(fmt::format("element {} of {}, which has {}", part.element, show(block.name), block.size),
             "elements are counted from 0");
      }
      if (!std::isfinite(part.scale)) fail(fmt::format("a scale of {}", part.scale), "give a finite number");
    }
    for (const Block& one : argument.elements) {
      const TermModel::Parameters& block = block_of(one);
      if (block.size != term_.rows) {
        fail(fmt::format("elements of {}, which has {}, in {} rows", show(block.name), block.size, term_.rows),
             "give as many rows");
      }
    }
    if (!argument.offset.empty()) column_of(argument.offset, "offset");
    if (!std::isfinite(argument.constant))
      fail(fmt::format("a constant of {}", argument.constant), "give a finite one");
  }

  const TermModel& model_;
  const ModelTerm& term_;
  std::size_t number_;
};

}  // namespace

Block TermModel::block(std::string name, std::size_t size, Support support, std::string_view prior) {
  if (name.empty()) throw InputError("a block without a name (TermModel::block); give it one");
  if (std::ranges::count(blocks_, name, &Parameters::name) > 0) {
    throw InputError(fmt::format("two blocks are called {} (TermModel::block); give one another name", show(name)));
  }
  if (size == 0) throw InputError(fmt::format("{} has no elements (TermModel::block); give at least 1", show(name)));
  check_affine(size);  // first: the sum might wrap around
  check_affine(dimension_ + size);
  if (support < Support{} || support > Support::correlation) {
    throw InputError(fmt::format("there is no support {} (TermModel::block); give one of the enumeration",
                                 static_cast<int>(support)));
  }
  if (support == Support::correlation) {
    throw InputError(
        fmt::format("{} is to be a correlation matrix (TermModel::block); those are for group effects "
                    "of formulas alone",
                    show(name)));
  }
  Parameters block{std::move(name), size, dimension_, support, {}, !prior.empty()};
  if (!prior.empty()) {
    block.prior = on_support(parse_prior(fmt::format("b ~ {}", prior)), support);
    if (block.prior.kind == PriorKind::horseshoe) {
      throw InputError(fmt::format("horseshoe on {} (TermModel::block); it is for formulas alone", show(block.name)));
    }
  }
  blocks_.push_back(std::move(block));
  dimension_ += size;
  return {blocks_.size() - 1, mark_.get()};
}

void TermModel::add(ModelTerm term) {
  TermCheck(*this, term).run();
  terms_.push_back(std::move(term));
}

void TermModel::prior(Block block, const DensityCode& density, std::vector<std::span<const float>> constants) {
  if (!has(block)) {
    throw InputError("a block that is not this model's (TermModel::prior); use what its TermModel::block() gave");
  }
  const Parameters& of = blocks_[block.index];
  if (of.has_prior) {
    throw InputError(fmt::format("{} has a prior (TermModel::prior); leave one of the two out", show(of.name)));
  }
  ModelTerm term;
  term.rows = of.size;
  term.data = false;
  term.custom = &density;
  term.constants = std::move(constants);
  term.arguments.resize(1);
  term.arguments[0].elements = {block};
  add(std::move(term));
}

}  // namespace jensen
