#pragma once
/// \file How skew the conditional posterior of a level's effects is, for the guide's coordinates (group_map.hpp).

#include <vector>

#include "model/mixed_system.hpp"

namespace jensen {

/// gamma of T(v): J x q, or empty where no level is visibly skew.
///
/// With effects u = D v + .., v standard normal up to second order, and k the third derivative of minus the log density
/// along coordinate e of v, T matches it with gamma_e = -k / 3, k = sum over the level's rows of third (z . d_e)^3.
///
/// \param factor B.
/// \param information J x packed_size(q): W as the guide has it, other groups integrated out;
/// \param own that of the level's own rows: of a change of the effects the rows see the share W / own.
/// \param third for each row minus the third derivative of its log density.
std::vector<float> level_skew(const SystemGroup& group, const std::vector<double>& factor,
                              const std::vector<float>& information, const std::vector<double>& own,
                              const std::vector<double>& third);

}  // namespace jensen
