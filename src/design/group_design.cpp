#include "design/group_design.hpp"

#include <utility>

namespace jensen {

GroupDesign::GroupDesign(std::string group, bool correlated, std::shared_ptr<const GroupIndex> index, bool intercept,
                         TermPlans plans)
    : group_(std::move(group)),
      correlated_(correlated),
      intercept_(intercept),
      index_(std::move(index)),
      plans_(std::move(plans)) {
  if (intercept_) effects_.emplace_back("Intercept");
  effects_.insert(effects_.end(), plans_.names().begin(), plans_.names().end());
}

void GroupDesign::fill(std::span<const std::uint32_t> rows, double* out) const {
  const std::size_t q = effects_.size();
  if (intercept_) {
    for (std::size_t i = 0; i < rows.size(); ++i) out[i * q] = 1;
  }
  plans_.fill(rows, q, out + (intercept_ ? 1 : 0));
}

}  // namespace jensen
