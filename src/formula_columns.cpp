#include <algorithm>

#include "design/formula.hpp"
#include "jensen/train.hpp"

namespace jensen {

std::vector<std::string> formula_columns(std::string_view formula, const std::vector<ParameterFormula>& others,
                                         bool with_response) {
  std::vector<std::string> names = parse_formula(formula).columns(with_response);
  for (const auto& [parameter, right_side] : others) {
    for (std::string& name : parse_right_side(right_side, parameter).columns()) {
      if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    }
  }
  return names;
}

}  // namespace jensen
