// Reads a table from a file through the component io.
#include <cstdio>
#include <exception>
#include <fstream>
#include <jensen/errors.hpp>
#include <jensen/io.hpp>

int main() try {
  {
    std::ofstream file("table.csv");
    file << "x,y\n1,2\n3,4\n5,6\n";
  }
  const jensen::Table table = jensen::read_csv("table.csv");
  std::printf("rows: %zu\n", table.rows());
  bool refused = false;
  try {
    jensen::load_fit("table.csv");  // with it come HDF5's functions
  } catch (const jensen::FileError&) {
    refused = true;
  }
  return refused && table.rows() == 3 && table.at("y").number(2) == 6.0 ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
