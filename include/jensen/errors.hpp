#pragma once
/// \file The three ways a call can fail. Each message is "problem (where) what to do".

#include <stdexcept>
#include <string>

namespace jensen {

/// Base of every exception the library throws on purpose.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Bad input: an argument, a formula, a prior, or data that the model cannot take.
class InputError : public Error {
 public:
  using Error::Error;
};

/// A file that cannot be read, written or understood.
class FileError : public Error {
 public:
  using Error::Error;
};

/// The requested device is missing, or failed while running.
class DeviceError : public Error {
 public:
  using Error::Error;
};

}  // namespace jensen
