#include <span>

#include "capi/handles.hpp"

using jensen::Table;
using jensen::capi::guarded;
using jensen::capi::require;

namespace {

/// A column without rows may be NULL.
template <class Value>
void add(jensen_table* table, const char* name, const Value* values, std::size_t rows) {
  require(table, "table");
  require(name, "name");
  if (rows > 0) require(values, "values");
  table->table.add(name, std::span<const Value>(values, rows));
}

}  // namespace

int jensen_table_create(const char* source, jensen_table** table) {
  return guarded([&] {
    require(table, "table");
    *table = new jensen_table{Table(source != nullptr ? source : "table")};
  });
}
void jensen_table_free(jensen_table* table) { delete table; }

int jensen_table_add_double(jensen_table* table, const char* name, const double* values, size_t rows) {
  return guarded([&] { add(table, name, values, rows); });
}
int jensen_table_add_float(jensen_table* table, const char* name, const float* values, size_t rows) {
  return guarded([&] { add(table, name, values, rows); });
}

int jensen_table_add_text(jensen_table* table, const char* name, const int32_t* codes, size_t rows,
                          const char* const* levels, size_t level_count) {
  return guarded([&] {
    require(table, "table");
    require(name, "name");
    if (rows > 0) require(codes, "codes");
    if (level_count > 0) require(levels, "levels");
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < level_count; ++i) {
      require(levels[i], "a level");
      texts.emplace_back(levels[i]);
    }
    table->table.add(name, std::span<const std::int32_t>(codes, rows), std::move(texts));
  });
}
