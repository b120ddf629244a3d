#include <limits>
#include <span>

#include "capi/handles.hpp"
#include "jensen/terms.hpp"
#include "model/families.hpp"
#include "term.hpp"

using jensen::FamilyInfo;
using jensen::InputError;
using jensen::ModelTerm;
using jensen::Support;
using jensen::TermArgument;
using jensen::TermModel;
using jensen::Trainer;
using jensen::capi::guarded;
using jensen::capi::Refusal;
using jensen::capi::require;
using jensen::capi::require_index;

struct jensen_model {
  /// A term in the making: TermModel takes whole ones alone.
  struct OpenTerm {
    ModelTerm term;
    std::vector<bool> given;  ///< by argument: whether anything was, be it a constant of 0
  };
  TermModel blocks;                    ///< without terms
  std::vector<jensen::Block> handles;  ///< of its blocks
  std::vector<OpenTerm> terms;
};

namespace {

Support support_of(int support) {
  switch (support) {
    case JENSEN_REAL:
      return Support::real;
    case JENSEN_POSITIVE:
      return Support::positive;
    case JENSEN_UNIT:
      return Support::unit;
    case JENSEN_INCREASING:
      return Support::increasing;
    default:
      throw InputError("there is no support " + std::to_string(support) + "; give one of jensen_support");
  }
}

std::span<const float> column(const float* values, std::size_t rows) { return {values, values != nullptr ? rows : 0}; }

/// Throws Refusal: no such model, term or argument.
TermArgument& argument_of(jensen_model* model, std::size_t term, std::size_t argument) {
  require(model, "model");
  require_index(term, model->terms.size(), "term");
  ModelTerm& of = model->terms[term].term;
  constexpr std::size_t most_logits = jensen::max_arguments - 1;
  if (of.family == jensen::Family::categorical && argument < most_logits && argument >= of.arguments.size()) {
    of.arguments.resize(argument + 1);  // how many categories there are is not known before
    model->terms[term].given.resize(argument + 1);
  }
  require_index(argument, of.arguments.size(), "argument", " (a term of " + std::string(to_string(of.family)) + ")");
  return of.arguments[argument];
}

/// Throws InputError: the first term that is wrong, which messages count from 1.
TermModel whole(const jensen_model& model) {
  TermModel out = model.blocks;
  for (const jensen_model::OpenTerm& open : model.terms) {
    for (std::size_t a = 0; a < open.given.size(); ++a) {
      if (open.given[a]) continue;
      const auto& others = jensen::info_of(open.term.family).others;
      const std::string name = a == 0 ? ", mu" : a <= others.size() ? ", " + std::string(others[a - 1].name) : "";
      throw InputError("nothing is given for argument " + std::to_string(a) + name + " (term " +
                       std::to_string(out.terms().size() + 1) + "); give it a part, an offset or a constant");
    }
    out.add(open.term);
  }
  return out;
}

}  // namespace

int jensen_model_create(jensen_model** model) {
  return guarded([&] {
    require(model, "model");
    *model = new jensen_model{};
  });
}
void jensen_model_free(jensen_model* model) { delete model; }

int jensen_model_block(jensen_model* model, const char* name, size_t size, int support, const char* prior,
                       size_t* block) {
  return guarded([&] {
    require(model, "model");
    require(name, "name");
    require(block, "block");
    model->handles.push_back(model->blocks.block(name, size, support_of(support), prior != nullptr ? prior : ""));
    *block = model->handles.size() - 1;
  });
}

int jensen_model_term(jensen_model* model, const char* family, const char* link, size_t rows, const float* y,
                      const float* trials, const float* weights, int is_data, size_t* term) {
  return guarded([&] {
    require(model, "model");
    require(family, "family");
    require(y, "y");
    require(term, "term");
    jensen_model::OpenTerm open;
    ModelTerm& made = open.term;
    made.rows = rows;
    made.data = is_data != 0;
    made.family = jensen::parse_family(family);
    const FamilyInfo& info = jensen::info_of(made.family);
    made.link = link != nullptr ? jensen::parse_link(link) : info.links.front();
    jensen::density_of(made.family, made.link);  // throws if the family has no such link
    made.y = column(y, rows);
    made.trials = column(trials, rows);
    made.weights = column(weights, rows);
    made.arguments.resize(1 + info.others.size());
    open.given.resize(made.arguments.size());
    model->terms.push_back(std::move(open));
    *term = model->terms.size() - 1;
  });
}

int jensen_model_thresholds(jensen_model* model, size_t term, size_t block) {
  return guarded([&] {
    require(model, "model");
    require_index(term, model->terms.size(), "term");
    require_index(block, model->handles.size(), "block");
    model->terms[term].term.thresholds = model->handles[block];
  });
}

int jensen_model_dense(jensen_model* model, size_t term, size_t argument, size_t block, const float* x, int on_gpu) {
  return guarded([&] {
    TermArgument& to = argument_of(model, term, argument);
    require_index(block, model->blocks.blocks().size(), "block");
    require(x, "x");
    const std::size_t rows = model->terms[term].term.rows, width = model->blocks.blocks()[block].size;
    if (rows > std::numeric_limits<std::size_t>::max() / sizeof(float) / width) {
      throw Refusal(JENSEN_ERROR_ARGUMENT, std::to_string(rows) + " rows of " + std::to_string(width) +
                                               " numbers are more than memory can hold; give what there are");
    }
    to.dense.push_back({std::span(x, rows * width), model->handles[block], on_gpu != 0});
    model->terms[term].given[argument] = true;
  });
}

int jensen_model_scalar(jensen_model* model, size_t term, size_t argument, size_t block, size_t element, double scale) {
  return guarded([&] {
    TermArgument& to = argument_of(model, term, argument);
    require_index(block, model->blocks.blocks().size(), "block");
    const TermModel::Parameters& from = model->blocks.blocks()[block];
    require_index(element, from.size, "element", " (block " + from.name + ")");
    to.scalars.push_back({model->handles[block], element, scale});
    model->terms[term].given[argument] = true;
  });
}

int jensen_model_offset(jensen_model* model, size_t term, size_t argument, const float* offset) {
  return guarded([&] {
    TermArgument& to = argument_of(model, term, argument);
    require(offset, "offset");
    to.offset = column(offset, model->terms[term].term.rows);
    model->terms[term].given[argument] = true;
  });
}

int jensen_model_constant(jensen_model* model, size_t term, size_t argument, double constant) {
  return guarded([&] {
    argument_of(model, term, argument).constant = constant;
    model->terms[term].given[argument] = true;
  });
}

int jensen_model_rows_in_random_order(jensen_model* model) {
  return guarded([&] {
    require(model, "model");
    model->blocks.rows_in_random_order();
  });
}

int jensen_trainer_create_model(const jensen_model* model, const jensen_options* options,
                                const jensen_execution* execution, jensen_trainer** trainer) {
  return guarded([&] {
    require(model, "model");
    require(trainer, "trainer");
    auto [memory, used] = jensen::capi::execution_of(execution);
    Trainer made(whole(*model), jensen::capi::options_of(options), used);
    *trainer = new jensen_trainer{nullptr, std::move(memory), std::move(made)};
  });
}
