#pragma once
/// \file fit.h5: a Fit as the bytes of an HDF5 file, and back.
///
/// Attributes of / are the scalars of Fit; names, transforms, classes, mean, factor, response_levels and notes are
/// datasets; groups/0, 1, ... are Fit::groups, their level arrays matrices of a row a level; design, options, trace and
/// verdict are groups. Behind what HDF5 reads stands one line with the format's number, the
/// length and a checksum: HDF5 may crash on a damaged file, so nothing damaged is handed to it. Wall-clock times are
/// left out, so that equal fits have equal bytes.

#include <string>
#include <string_view>

#include "jensen/fit.hpp"

namespace jensen::io {

/// Throws InputError if the sizes in `fit` do not agree.
std::string encode_fit(const Fit& fit);
/// `shown` names the file in messages. Throws FileError.
Fit decode_fit(std::string_view bytes, const std::string& shown);

}  // namespace jensen::io
