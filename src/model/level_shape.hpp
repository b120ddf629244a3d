#pragma once
/// \file What a likelihood that is not normal makes of a level's conditional posterior, for the guide's coordinates
/// (group_map.hpp): how skew it is, and how what the data say of it answers the group's sd.

#include <vector>

#include "model/mixed_system.hpp"
#include "model/mode_rows.hpp"

namespace jensen {

/// \param factor B.
/// \param effects J x q: m.
/// \param information J x packed_size(q): W as the guide has it, other groups integrated out;
/// \param own that of the level's own rows: of a change of the effects the rows see the share W / own.
LevelShape level_shape(const SystemGroup& group, const std::vector<double>& factor, const std::vector<double>& effects,
                       const std::vector<float>& information, const std::vector<double>& own,
                       const HigherDerivatives& rows);

}  // namespace jensen
