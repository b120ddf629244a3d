#pragma once
/// \file The three ways a call can fail. Each message is "problem (where) what to do".

#include <stdexcept>
#include <string>

#include "jensen/export.h"

namespace jensen {

/// Base of every exception the library throws on purpose.
class JENSEN_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Bad input: an argument, a formula, a prior, or data that the model cannot take.
class JENSEN_API InputError : public Error {
 public:
  using Error::Error;
};

/// A file that cannot be read, written or understood.
class JENSEN_API FileError : public Error {
 public:
  using Error::Error;
};

/// The requested device is missing, or failed while running.
class JENSEN_API DeviceError : public Error {
 public:
  using Error::Error;
};

}  // namespace jensen
