#include "adapters/adapter.hpp"

namespace authjs::adapters {

task<std::size_t> adapter::remove_expired(instant, std::size_t) { co_return 0; }

}  // namespace authjs::adapters
