// read_csv: what it reads exactly, what it refuses and in which words, and that no bytes make it crash.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "jensen/errors.hpp"
#include "jensen/io.hpp"
#include "temporary_directory.hpp"

namespace {

namespace fs = std::filesystem;
using jensen::Column;
using jensen::CsvOptions;
using jensen::FileError;
using jensen::Table;
using testing::ElementsAre;
using testing::HasSubstr;

class Csv : public testing::Test {
 protected:
  fs::path write(const std::string& text) {
    std::ofstream(file_, std::ios::binary) << text;
    return file_;
  }
  /// Writes gzipped, under the same name: the name tells nothing.
  fs::path write_gzipped(const std::string& text) {
    const gzFile out = gzopen(file_.c_str(), "wb1");
    EXPECT_EQ(gzwrite(out, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
    gzclose(out);
    return file_;
  }
  Table read(const std::string& text, const CsvOptions& options = {}) { return jensen::read_csv(write(text), options); }
  /// The error's words without the path of the folder.
  std::string error_of(const fs::path& path, const CsvOptions& options = {}) {
    try {
      jensen::read_csv(path, options);
    } catch (const FileError& error) {
      std::string text = error.what();
      const std::string prefix = folder_.string() + "/";
      for (std::size_t at; (at = text.find(prefix)) != std::string::npos;) text.erase(at, prefix.size());
      return text;
    }
    return "no error";
  }
  std::string error_in(const std::string& text, const CsvOptions& options = {}) {
    return error_of(write(text), options);
  }

  jensen::test::TemporaryDirectory directory_;
  fs::path folder_ = directory_.path(), file_ = folder_ / "t.csv";
};

std::vector<double> numbers(const Table& table, const std::string& name) {
  const Column& column = table.at(name);
  EXPECT_FALSE(column.text) << name;
  return {column.doubles.begin(), column.doubles.end()};
}

/// Missing is "<missing>".
std::vector<std::string> texts(const Table& table, const std::string& name) {
  const Column& column = table.at(name);
  EXPECT_TRUE(column.text) << name;
  std::vector<std::string> out;
  for (const std::int32_t code : column.codes) {
    out.push_back(code < 0 ? "<missing>" : column.levels.at(static_cast<std::size_t>(code)));
  }
  return out;
}

std::vector<std::string> names(const Table& table) {
  std::vector<std::string> out;
  for (const Column& column : table.columns()) out.push_back(column.name);
  return out;
}

CsvOptions columns(std::vector<std::string> names) {
  CsvOptions options;
  options.columns = std::move(names);
  return options;
}

TEST_F(Csv, ReadsNumbersAndText) {
  const Table table = read("x,g,n\n1.5,a,-3\n-2e3,b,+4\n0.1,a,0\n");
  EXPECT_THAT(names(table), ElementsAre("x", "g", "n"));
  EXPECT_EQ(table.rows(), 3U);
  EXPECT_THAT(numbers(table, "x"), ElementsAre(1.5, -2000.0, 0.1));
  EXPECT_THAT(texts(table, "g"), ElementsAre("a", "b", "a"));
  EXPECT_THAT(table.at("g").levels, ElementsAre("a", "b"));
  EXPECT_THAT(numbers(table, "n"), ElementsAre(-3, 4, 0));
  EXPECT_EQ(table.source(), file_.string());
}

TEST_F(Csv, ReadsQuotesAsRfc4180) {
  const Table table =
      read("\"a \"\"b\"\"\",t\n\"1\",\"x,y\"\n2,\"two\r\nlines\"\n3,\"say \"\"hi\"\"\"\n4,\"\"\n5,in\"side\n");
  EXPECT_THAT(names(table), ElementsAre("a \"b\"", "t"));
  EXPECT_THAT(numbers(table, "a \"b\""), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(texts(table, "t"), ElementsAre("x,y", "two\r\nlines", "say \"hi\"", "<missing>", "in\"side"));
}

TEST_F(Csv, TakesEveryEndOfLineAndAByteOrderMark) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    for (const bool last : {true, false}) {
      for (const std::string mark : {"", "\xEF\xBB\xBF"}) {
        const Table table = read(mark + "\"x\",y" + end + "1,2" + end + "3,4" + (last ? end : ""));
        EXPECT_THAT(names(table), ElementsAre("x", "y"));
        EXPECT_THAT(numbers(table, "x"), ElementsAre(1, 3));
        EXPECT_THAT(numbers(table, "y"), ElementsAre(2, 4));
      }
    }
  }
}

TEST_F(Csv, KnowsMissingCells) {
  const Table table = read("x,g,e\nNA,NA,\n1, ,NA\n nan ,\"\",\n,b, NA\n-NaN, c ,\n");
  EXPECT_TRUE(table.at("x").missing(0));
  EXPECT_EQ(table.at("x").number(1), 1);
  for (const std::size_t row : {2, 3, 4}) EXPECT_TRUE(table.at("x").missing(row)) << row;
  EXPECT_THAT(texts(table, "g"), ElementsAre("<missing>", "<missing>", "<missing>", "b", " c "));
  EXPECT_FALSE(table.at("e").text);  // nothing present: numbers, all missing
  for (std::size_t row = 0; row < 5; ++row) EXPECT_TRUE(table.at("e").missing(row));

  CsvOptions options;
  options.missing = {"-999", "."};
  const Table other = read("x,g\n-999,NA\n5,.\n", options);
  EXPECT_TRUE(other.at("x").missing(0));
  EXPECT_EQ(other.at("x").number(1), 5);
  EXPECT_THAT(texts(other, "g"), ElementsAre("NA", "<missing>"));
}

TEST_F(Csv, ReadsNumbersToTheLastBit) {
  const std::vector<std::pair<std::string, double>> cases = {
      {"0.1", 0.1},
      {".5", 0.5},
      {"5.", 5.0},
      {"+.5e+1", 5.0},
      {" 7\t", 7.0},
      {"123456789012345", 123456789012345.0},
      {"9007199254740993", 9007199254740992.0},
      {"-12345678901234567890", -12345678901234567890.0},
      {"1.7976931348623157e308", std::numeric_limits<double>::max()},
      {"2.2250738585072014e-308", std::numeric_limits<double>::min()},
      {"4.9406564584124654e-324", std::numeric_limits<double>::denorm_min()},
      {"1e-400", 0.0},
      {"0.00000000000000000000000000000001e-370", 0.0},
      {"1e-99999999999999999999", 0.0},
      {"0e999", 0.0},
      {"inf", std::numeric_limits<double>::infinity()},
      {"-Infinity", -std::numeric_limits<double>::infinity()},
      {"3.141592653589793238462643383279", 3.141592653589793},
  };
  std::string text = "x,row\n";
  for (const auto& [cell, value] : cases) text += cell + ",1\n";
  const std::vector<double> read_back = numbers(read(text), "x");
  ASSERT_EQ(read_back.size(), cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) EXPECT_EQ(read_back[i], cases[i].second) << cases[i].first;
}

TEST_F(Csv, RefusesWhatIsNoNumber) {
  for (const std::string cell : {"abc", "1x", "1 2", "+-5", "++5", "-", "+", ".", "e5", "0x10", "1,5,2", "nan(1)",
                                 "--1", "1e", "3,1.4", "2017-10-01", "TRUE"}) {
    EXPECT_EQ(error_in("x,y\n1,1\n\"" + cell + "\",2\n"),
              "t.csv: row 2, column 'x': '" + cell +
                  "' is not a number; correct the cell, or read the column as text with --text x");
  }
  for (const std::string cell : {"1e999", "-1e999", "1e99999999999999999999", "0.001e400"}) {
    EXPECT_EQ(error_in("x y\n1\n" + cell + "\n"),
              "t.csv: row 2, column 'x y': '" + cell +
                  "' is larger than any double; correct the cell, or read the column as text with --text 'x y'");
  }
  CsvOptions none_missing;
  none_missing.missing = {};
  EXPECT_EQ(error_in("x,y\n1,1\n,2\n", none_missing),
            "t.csv: row 2, column 'x': '' is empty, not a number; correct the cell, or read the column as text with "
            "--text x");
}

TEST_F(Csv, MakesOddBytesShowable) {
  EXPECT_THAT(error_in(std::string("x\n1\n\x01\xFFz\0\n", 8)), HasSubstr("'\\x01\\xffz\\x00' is not a number"));
  EXPECT_THAT(error_in("x\n1\n" + std::string(500, 'q') + "\n"), HasSubstr("'" + std::string(40, 'q') + "...'"));
  EXPECT_EQ(error_in("x,y\n1,\xE9t\xE9\n"),
            "t.csv: row 1, column 'y': '\\xe9t\\xe9' is not UTF-8 text; convert the file to UTF-8");
}

TEST_F(Csv, ReadsAsTextOnRequest) {
  CsvOptions options;
  options.text_columns = {"zip"};
  const Table table = read("zip,x\n01234,1\nNA,2\n1234,3\n", options);
  EXPECT_THAT(texts(table, "zip"), ElementsAre("01234", "<missing>", "1234"));
  EXPECT_THAT(numbers(table, "x"), ElementsAre(1, 2, 3));
  options.text_columns = {"zap"};
  EXPECT_EQ(error_in("zip,x\n01234,1\n", options), "no column 'zap' (t.csv); did you mean 'zip'?");
}

TEST_F(Csv, ChecksOnlyTheColumnsAskedFor) {
  const std::string text = ",dup,x,dup,größe\n1,a,1,2,3\n2,4,2,\xFF,5\nc,d,3,1e999,7\n";
  const Table table = read(text, columns({"größe", "x", "größe"}));
  EXPECT_THAT(names(table), ElementsAre("größe", "x"));
  EXPECT_THAT(numbers(table, "größe"), ElementsAre(3, 5, 7));
  EXPECT_THAT(numbers(table, "x"), ElementsAre(1, 2, 3));
  EXPECT_EQ(error_in(text, columns({"dup"})), "columns 2 and 4 are both named 'dup' (t.csv); rename one");
  EXPECT_EQ(error_in(text), "columns 2 and 4 are both named 'dup' (t.csv); rename one");
  EXPECT_EQ(error_in("a,b\n1,2\n", columns({"bb"})), "no column 'bb' (t.csv); did you mean 'b'?");
  EXPECT_EQ(error_in("a;b\n1;2\n", columns({"total"})),
            "no column 'total' (t.csv); its columns are 'a;b'; are its cells separated otherwise?");
  EXPECT_THAT(error_in("a,b\n1,2\n", columns({""})), HasSubstr("no column '' (t.csv)"));
}

TEST_F(Csv, LeavesOutUnnamedColumns) {
  const Table table = read("\"\",x\n\"1\",5\n\"2\",6\n");
  EXPECT_THAT(names(table), ElementsAre("x"));
  EXPECT_THAT(numbers(table, "x"), ElementsAre(5, 6));
  EXPECT_EQ(error_in(",\n1,2\n"), "t.csv has a header without names; name its columns");
}

TEST_F(Csv, TakesOtherSeparators) {
  CsvOptions options;
  options.separator = '\t';
  const Table table = read("x\ty\n1\ta,b\n\t\n", options);
  EXPECT_EQ(table.rows(), 2U);
  EXPECT_TRUE(table.at("x").missing(1));
  EXPECT_THAT(texts(table, "y"), ElementsAre("a,b", "<missing>"));
  options.separator = '"';
  EXPECT_THROW(jensen::read_csv(file_, options), jensen::InputError);
}

TEST_F(Csv, SkipsBlankLinesUnlessTheyAreCells) {
  const Table two = read("\n \t\nx,y\n\n1,2\n  \n\r\n3,4\n\n\n");
  EXPECT_THAT(numbers(two, "x"), ElementsAre(1, 3));
  EXPECT_EQ(error_in("x,y\n\n1,2\n\n1,oops,2\n"),
            "t.csv: row 2 has 3 cells, the header has 2; correct the row, or quote cells with separators");
  const Table one = read("x\n1\n\n3\n");
  EXPECT_EQ(one.rows(), 3U);
  EXPECT_TRUE(one.at("x").missing(1));
}

TEST_F(Csv, NamesTheRowThatIsBroken) {
  EXPECT_EQ(error_in("x,y\n1,2\n3\n"),
            "t.csv: row 2 has 1 cell, the header has 2; correct the row, or quote cells with separators");
  EXPECT_EQ(error_in("x,y\n1,2\n3,\"open\n4,5\n6,7\n"),
            "t.csv: row 2: a quote opened here is never closed; close it, or double it if it is part of a cell");
  EXPECT_EQ(error_in("x,\"y\n1,2\n"),
            "t.csv: header: a quote opened here is never closed; close it, or double it if it is part of a cell");
  EXPECT_EQ(error_in("x,y\n1,\"2\"3\n"),
            "t.csv: row 1, cell 2: text follows the closing quote; write a quote inside quotes twice");
}

TEST_F(Csv, RefusesFilesThatAreNoTable) {
  EXPECT_EQ(error_in(""), "t.csv is empty; give a file with a header line and rows");
  EXPECT_EQ(error_in("\xEF\xBB\xBF\n\n"), "t.csv is empty; give a file with a header line and rows");
  EXPECT_EQ(error_in("x,y\n\n"), "t.csv has a header but no rows; add rows");
  EXPECT_EQ(error_in("x,y"), "t.csv has a header but no rows; add rows");
  EXPECT_EQ(error_in(std::string("\x89HDF\r\n\x1a\n\0\0\0\0\0\0", 14)),
            "the name of column 1 is not UTF-8: '\\x89HDF' (t.csv); convert the file to UTF-8");
  EXPECT_EQ(error_of(folder_ / "none.csv"),
            "cannot open none.csv (No such file or directory); check its path and permissions");
  fs::create_directory(folder_ / "d");
  EXPECT_EQ(error_of(folder_ / "d"), "d is a directory; give a file in it");
  EXPECT_EQ(error_of(""), "the name of the file to read is empty; give a path");
  EXPECT_EQ(error_in(std::string("PK\x03\x04\0\0,x\n1,2\n", 14)),
            "t.csv is not a text file; give a comma-separated file, plain or gzipped");
  EXPECT_EQ(error_in("\xFF\xFEx,y\n1,2\n"), "t.csv is in UTF-16; save it as UTF-8");
}

/// A table of about 5 MB whose rows differ in length, with quotes and line ends inside cells.
std::string large_table(std::size_t rows, const std::string& end) {
  std::string text = "i,t,x" + end;
  for (std::size_t i = 0; i < rows; ++i) {
    text += std::to_string(i) + ",\"" + std::string(i % 17, 'q') + "\"\"" + (i % 5 == 0 ? "\r\n" : ",") + "\"," +
            std::to_string(static_cast<double>(i) / 4) + end;
  }
  return text;
}

TEST_F(Csv, ReadsAcrossTheEndsOfItsBuffer) {
  constexpr std::size_t rows = 150'000;
  for (const std::string end : {"\n", "\r\n"}) {
    const std::string text = large_table(rows, end);
    ASSERT_GT(text.size(), std::size_t{3} << 20);
    for (const bool gzipped : {false, true}) {
      const Table table = jensen::read_csv(gzipped ? write_gzipped(text) : write(text));
      ASSERT_EQ(table.rows(), rows);
      for (std::size_t i = 0; i < rows; ++i) {
        ASSERT_EQ(table.at("i").number(i), static_cast<double>(i));
        ASSERT_EQ(table.at("x").number(i), static_cast<double>(i) / 4);
        ASSERT_EQ(table.at("t").levels.at(static_cast<std::size_t>(table.at("t").codes[i])),
                  std::string(i % 17, 'q') + '"' + (i % 5 == 0 ? "\r\n" : ","));
      }
    }
  }
}

TEST_F(Csv, ReadsWhateverStandsAtTheEndOfItsBuffer) {
  // The first megabyte ends at each byte in turn of a piece of every kind.
  const std::string piece = "12,\"a\"\"b\",\"\"\r\n\r\n,,\r\"3\",\"\r\n\",\"\"\"\"\r\n";
  const std::string expected_b[] = {"a\"b", "<missing>", "\r\n"};
  for (std::size_t shift = 0; shift <= piece.size(); ++shift) {
    const std::string head = "a,b,c\n1,";
    const std::string pad((std::size_t{1} << 20) - shift - head.size() - 3, 'p');
    const Table table = read(head + pad + ",c\n" + piece + "7,8,z");
    ASSERT_EQ(table.rows(), 5U) << shift;
    EXPECT_EQ(table.at("a").number(1), 12);
    EXPECT_TRUE(table.at("a").missing(2));
    EXPECT_EQ(table.at("a").number(3), 3);
    EXPECT_EQ(table.at("a").number(4), 7);
    EXPECT_THAT(texts(table, "b"), ElementsAre(pad, expected_b[0], expected_b[1], expected_b[2], "8"));
    EXPECT_THAT(texts(table, "c"), ElementsAre("c", "<missing>", "<missing>", "\"", "z"));
  }
}

TEST_F(Csv, ReadsARecordLongerThanItsBuffer) {
  const std::string longest(5'000'000, 'x');
  EXPECT_THAT(texts(read("a,b\n1,\"" + longest + "\"\n2,y\n"), "b"), ElementsAre(longest, "y"));
  EXPECT_THAT(error_in("a\n" + std::string(70'000'000, 'x')), HasSubstr("t.csv: row 1 is longer than 64 MiB"));
  EXPECT_THAT(error_in("a\n\"" + std::string(70'000'000, 'x')),
              HasSubstr("row 1: a quote opened here is never closed"));
}

TEST_F(Csv, OutlivesItsTable) {
  Column column;
  {
    const Table table = read("x,g\n1,a\n2,b\n");
    column = table.at("x");
  }
  EXPECT_EQ(column.number(1), 2);
}

TEST_F(Csv, RefusesDamagedGzip) {
  const std::string text = large_table(20'000, "\n");
  write_gzipped(text);
  std::string packed(fs::file_size(file_), '\0');
  std::ifstream(file_, std::ios::binary).read(packed.data(), static_cast<std::streamsize>(packed.size()));
  for (const std::size_t size : {packed.size() - 1, packed.size() - 8, packed.size() / 2, std::size_t{11}}) {
    EXPECT_EQ(error_in(packed.substr(0, size)),
              "t.csv ends too early (its gzip data is cut short); fetch or compress it again");
  }
  std::string wrong_checksum = packed;
  wrong_checksum[packed.size() - 6] = static_cast<char>(wrong_checksum[packed.size() - 6] ^ 1);
  EXPECT_EQ(error_in(wrong_checksum), "t.csv is damaged (gzip: incorrect data check); fetch or compress it again");
}

/// Reads the bytes, which must end in a table or a FileError.
void survive(const fs::path& path) {
  try {
    const Table table = jensen::read_csv(path);
    for (const Column& column : table.columns()) ASSERT_EQ(column.rows(), table.rows());
  } catch (const FileError& error) {
    const std::string text = error.what();
    ASSERT_FALSE(text.empty());
    ASSERT_EQ(text.find('\n'), std::string::npos) << text;
    ASSERT_LT(text.size(), 2000U);
  }
}

TEST_F(Csv, SurvivesRandomBytes) {
  const std::string alphabets[] = {"",     "\",\n\r0a.",     "\",\n",
                                   "\n\r", "0123456789.e-+", std::string("\0\xFF\xEF,\n", 5)};
  for (const std::string& alphabet : alphabets) {
    for (std::uint32_t seed = 1; seed <= 4; ++seed) {
      std::mt19937 random(seed);
      std::string bytes(std::size_t{1} << 20, '\0');
      for (char& byte : bytes) {
        byte = static_cast<char>(alphabet.empty() ? random()
                                                  : static_cast<unsigned char>(alphabet[random() % alphabet.size()]));
      }
      survive(write(bytes));
      survive(write("x,y\n" + bytes));
      survive(write_gzipped(bytes));
      // Small ones reach the ends of files in more states.
      for (std::size_t size = 1; size < 64; ++size) survive(write("\"a\",b\n1,2\n" + bytes.substr(size * 100, size)));
    }
  }
}

TEST_F(Csv, SurvivesDamagedGzip) {
  write_gzipped(large_table(2'000, "\n"));
  std::string packed(fs::file_size(file_), '\0');
  std::ifstream(file_, std::ios::binary).read(packed.data(), static_cast<std::streamsize>(packed.size()));
  std::mt19937 random(5);
  for (int i = 0; i < 300; ++i) {
    std::string damaged = packed;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    survive(write(damaged));
  }
}

TEST_F(Csv, ReadsFlights) {
  const fs::path flights = fs::path(JENSEN_EXTRA_DATA) / "data/nycflights2017/flights.csv.gz";
  if (!fs::exists(flights)) GTEST_SKIP() << "no " << flights;
  const Table table = jensen::read_csv(flights);
  EXPECT_EQ(table.rows(), 303'748U);
  EXPECT_EQ(table.columns().size(), 19U);
  EXPECT_EQ(table.at("arr_delay").number(0), 182);
  EXPECT_EQ(texts(table, "time_hour").at(1), "2017-10-01 05:00:00");
}

}  // namespace
