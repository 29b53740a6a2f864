#include "io/http.hpp"

#include "util/bytes.hpp"

namespace authjs::http {

const std::string* find(const headers& list, std::string_view name) noexcept {
    for (const auto& h : list)
        if (iequals(h.name, name)) return &h.value;
    return nullptr;
}

}  // namespace authjs::http
