#include "design/predictor_design.hpp"

#include "design/binder.hpp"

namespace jensen {

PredictorDesign::PredictorDesign(const Formula& formula, Binder& binder)
    : intercept_(formula.intercept), plans_(binder.plans(formula)) {
  for (const Expression& offset : formula.offsets) offsets_.push_back(binder.numbers(offset, "offset()"));
  for (const GroupTerm& term : formula.groups) {
    groups_.emplace_back(term.group(), term.correlated, binder.group(term.columns), term.effects.intercept,
                         binder.plans(term.effects));
  }
}

double PredictorDesign::offset(std::uint32_t row) const {
  double sum = 0;
  for (const Column& column : offsets_) sum += column.number(row);
  return sum;
}

}  // namespace jensen
