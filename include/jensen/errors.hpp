#pragma once
/// \file The ways a call can fail. Each message is "problem (where) what to do".

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

/// A training state of another run than the one that is to go on from it.
class JENSEN_API OtherRunError : public InputError {
 public:
  /// `part`: what of the run is another, as in "table".
  explicit OtherRunError(const std::string& part)
      : InputError("the training state is of another " + part +
                   " (restore); give what it was made from, or start anew"),
        part_(part) {}
  const std::string& part() const noexcept { return part_; }

 private:
  std::string part_;
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
