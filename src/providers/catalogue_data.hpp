// The files of providers/, embedded by the build (Makefile: catalogue_data.cpp).
#pragma once

#include <span>
#include <string_view>

namespace authjs::providers {

struct embedded_file {
    std::string_view id, text;
};
std::span<const embedded_file> embedded_files() noexcept;

}  // namespace authjs::providers
