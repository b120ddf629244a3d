#pragma once
/// \file Everything of jensen::core. File formats are in jensen/io.hpp (jensen::io).

#include "jensen/bench.hpp"
#include "jensen/catalogue.hpp"
#include "jensen/design_state.hpp"
#include "jensen/errors.hpp"
#include "jensen/execution.hpp"
#include "jensen/fit.hpp"
#include "jensen/info.hpp"
#include "jensen/model.hpp"
#include "jensen/options.hpp"
#include "jensen/pieces.hpp"
#include "jensen/prior.hpp"
#include "jensen/table.hpp"
#include "jensen/target.hpp"
#include "jensen/train.hpp"
#include "jensen/trainer.hpp"
