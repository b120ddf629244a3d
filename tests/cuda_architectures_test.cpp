#include "cuda_architectures.hpp"

#include <gtest/gtest.h>

namespace jensen {
namespace {

TEST(CudaArchitectures, MachineCodeIsForLaterMinorVersionsOfItsMajorOne) {
  EXPECT_TRUE(runs_on("80-real 90-real", 9, 0));
  EXPECT_TRUE(runs_on("80-real", 8, 6));
  EXPECT_FALSE(runs_on("86-real", 8, 0));
  EXPECT_FALSE(runs_on("90-real", 8, 0));
  EXPECT_FALSE(runs_on("90-real", 10, 0));
  EXPECT_FALSE(runs_on("90-real", 7, 5));
}

TEST(CudaArchitectures, PtxIsForAllLaterOnes) {
  EXPECT_TRUE(runs_on("80-real;90-virtual", 12, 0));
  EXPECT_TRUE(runs_on("90", 10, 3));
  EXPECT_TRUE(runs_on("90", 9, 0));
  EXPECT_FALSE(runs_on("90-virtual", 8, 9));
}

TEST(CudaArchitectures, SpecificCodeIsForOneGpu) {
  EXPECT_TRUE(runs_on("90a-real", 9, 0));
  EXPECT_FALSE(runs_on("90a", 10, 0));
}

TEST(CudaArchitectures, WordsAreTakenToRun) {
  EXPECT_TRUE(runs_on("native", 7, 5));
  EXPECT_TRUE(runs_on("75;all-major", 9, 0));
  EXPECT_FALSE(runs_on("", 9, 0));
}

}  // namespace
}  // namespace jensen
