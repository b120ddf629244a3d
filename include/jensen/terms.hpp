#pragma once
/// \file A model as a sum of terms, without a formula and without a table: on the caller's own memory.
///
///     log joint = sum over terms, of sum over rows, of weight * log density(a_0, a_1 .. | constants of the row)
///
/// Each argument a is a predictor: a sum of products of rows with parameters, of single parameters, an offset and a
/// constant. It sees a parameter's coordinate: the value of a real or increasing one, the logarithm of a positive one,
/// the logit of one between 0 and 1.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jensen/export.h"
#include "jensen/fit.hpp"
#include "jensen/model.hpp"
#include "jensen/options.hpp"
#include "jensen/prior.hpp"
#include "jensen/train.hpp"

namespace jensen {

struct DensityCode;  // jensen/density.hpp

/// A block of parameters of a TermModel, as its block() gave it.
struct Block {
  std::size_t index = 0;
  const void* model = nullptr;  ///< that model's own mark, by which it knows its blocks; null: none's
};

/// One argument of a term's density. Columns are views and float32: what is dense is row-major without padding.
struct TermArgument {
  struct Dense {
    std::span<const float> x;  ///< rows x the block's size
    Block block;
    bool on_gpu = false;  ///< x is memory of the GPU that trains: used where it is, and not looked at for NaN
  };
  struct Scalar {
    Block block;
    std::size_t element = 0;
    double scale = 1;
  };
  std::vector<Dense> dense;
  std::vector<Scalar> scalars;
  std::vector<Block> elements;    ///< of each its element i in row i: as many rows as the block has elements
  std::span<const float> offset;  ///< one a row, or empty
  double constant = 0;
};

/// A sum over rows of one density, Jensen's or (with `custom`) the caller's own.
struct ModelTerm {
  std::size_t rows = 0;
  bool data = true;  ///< over the rows of the data, which may be minibatched; false: whole, as of a prior

  /// Of the response: y, and trials of a binomial one. Arguments: eta of mu; then log sigma, log nu, log shape, .. as
  /// the catalogue lists the family's further parameters, on their links. Categories are numbered from 1: of the
  /// categorical family's K at most 16 the arguments are the etas of 2 .. K; of the cumulative family eta alone, and
  /// `thresholds` is an increasing block, of which K - 1 elements cut K categories.
  Family family = Family::gaussian;
  Link link = Link::identity;
  std::span<const float> y, trials;
  Block thresholds;

  const DensityCode* custom = nullptr;            ///< instead of family, link, y and trials
  std::vector<std::span<const float>> constants;  ///< of `custom`: rows each

  std::span<const float> weights;  ///< one a row, or empty
  std::vector<TermArgument> arguments;
};

/// Blocks of parameters and terms. Columns given to it are views: they must live until training is over. On the CPU
/// they are read where they lie, as is on a GPU what is there already (TermArgument::Dense::on_gpu); else they are
/// copied to it once.
class JENSEN_API TermModel {
 public:
  /// `size` parameters called `name` (name[1], name[2] .. of several), each with the prior ("normal(0, 2.5)") on its
  /// natural scale. No prior: flat, or given by terms. That of an increasing block is the product of the elements'
  /// priors where they ascend, and not normalised there (as in Stan). Throws InputError: a name twice, size 0, more
  /// than 8,192 parameters in all, a prior that does not fit the support.
  Block block(std::string name, std::size_t size, Support support = Support::real, std::string_view prior = "");
  /// Throws InputError: sizes that do not agree, a block that is not the model's, a value that is not finite or not one
  /// of the family, a family whose density takes other arguments.
  void add(ModelTerm term);
  /// A prior of the caller's own (jensen/own_prior.hpp) on each element of a block: a term with `data` false over its
  /// elements; several multiply. Throws as add() does, and if block() was given a prior.
  void prior(Block block, const DensityCode& density, std::vector<std::span<const float>> constants = {});
  /// The data's rows stand in random order: minibatches are then rows that follow one another, always the same, which
  /// a CPU reads faster. Else, where columns are not copied, each epoch picks rows in an order of its own. Of rows that
  /// are sorted in any way it must not be said: steps would see one part of them at a time.
  void rows_in_random_order(bool so = true) { rows_in_random_order_ = so; }

  struct Parameters {
    std::string name;
    std::size_t size = 1, first = 0;
    Support support = Support::real;
    Prior prior;
    bool has_prior = false;
  };
  const std::vector<Parameters>& blocks() const { return blocks_; }
  const std::vector<ModelTerm>& terms() const { return terms_; }
  std::size_t dimension() const { return dimension_; }
  bool has_rows_in_random_order() const { return rows_in_random_order_; }

  /// Whether block() of this model, or of the one that it is a copy of, gave it.
  bool has(Block block) const { return block.model == mark_.get() && block.index < blocks_.size(); }

 private:
  std::shared_ptr<const char> mark_ = std::make_shared<const char>();
  std::vector<Parameters> blocks_;
  std::vector<ModelTerm> terms_;
  std::size_t dimension_ = 0;
  bool rows_in_random_order_ = false;
};

/// Fits the guide to the model's posterior, from its mode. Of the options family, link, formulas, priors and storage
/// must be as they are by default. Throws InputError (model, options) or DeviceError.
JENSEN_API Fit train(const TermModel& model, const TrainOptions& options = {}, Observer* observer = nullptr);

}  // namespace jensen
