// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Names of the direct lane's delete files. They hold the URI of their data file, so Iceberg can name them as they are, as long
/// as the folder lies where it lay when they were written: their name says where that was.

#include <filesystem>
#include <string>

namespace nano::lake {

/// The end of the name of a delete file for data files in `folder`: `-<16 digits>-deletes.parquet`.
std::string DeleteNameEnd(const std::filesystem::path& folder);

/// Whether the paths in a delete file are those of the data files beside it: it is the direct lane's, and was not moved.
bool NamesItsData(const std::filesystem::path& delete_file);

}  // namespace nano::lake
