#pragma once
/// \file From the words of the command line to one command.

#include <string>
#include <variant>

#include "cli/commands.hpp"

namespace jensen::cli {

using Command = std::variant<TrainCommand, SummaryCommand, PredictCommand, DrawsCommand, BenchCommand, FamiliesCommand,
                             PriorsCommand, InfoCommand, ShowCommand>;

/// Throws InputError: one sentence that names the option and says what to do.
Command parse_command_line(int argc, const char* const* argv);

}  // namespace jensen::cli
