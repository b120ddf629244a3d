#include "jensen/info.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "cli/commands.hpp"
#include "cli/text.hpp"

namespace jensen::cli {

int run(const InfoCommand& command) {
  const BuildInfo build = build_info();
  const std::string no_gpu = cuda_unavailable_reason();
  if (command.json) {
    std::string list;
    for (const DeviceInfo& device : devices()) {
      list += fmt::format("{}{{\"name\": {}, \"detail\": {}}}", list.empty() ? "" : ", ", json_string(device.name),
                          json_string(device.detail));
    }
    fmt::print(
        "{{\"version\": {}, \"commit\": {}, \"compiler\": {}, \"cuda\": {}, \"thrust\": {}, \"devices\": [{}], "
        "\"cuda_unavailable_reason\": {}, \"reads\": [\"csv\", \"csv.gz\"], \"writes\": [\"csv\", \"toml\", "
        "\"hdf5\"]}}\n",
        json_string(build.version), json_string(build.commit), json_string(build.compiler), json_string(build.cuda),
        json_string(build.thrust), list, no_gpu.empty() ? "null" : json_string(no_gpu));
    return exit_done;
  }
  fmt::print("Jensen {}\n  commit    {}\n  compiler  {}\n  CUDA      {}\n  Thrust    {}\n\nDevices\n", build.version,
             build.commit, build.compiler, build.cuda, build.thrust);
  for (const DeviceInfo& device : devices()) fmt::print("  {}: {}\n", device.name, device.detail);
  if (!no_gpu.empty()) fmt::print("  no GPU: {}\n", no_gpu);
  fmt::print(
      "\nFiles\n  reads     CSV with a header line, plain or gzipped\n"
      "  writes    a fit: config.toml, trace.csv, summary.csv, fit.h5 (HDF5); predictions and draws: CSV\n");
  return exit_done;
}

}  // namespace jensen::cli
