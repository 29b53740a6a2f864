// C handles that free themselves: the free function is part of the type, so nothing but the pointer
// is stored and nothing can be released by the wrong function.
#pragma once

#include <memory>

namespace authjs {

template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T* p) const noexcept {
        Free(p);
    }
};
template <class T, auto Free>
using owned = std::unique_ptr<T, freed_by<Free>>;

}  // namespace authjs
