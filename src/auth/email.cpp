#include "auth/email.hpp"

#include <algorithm>

#include "util/bytes.hpp"
#include "util/error.hpp"

namespace authjs::auth {

namespace {

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

// String.prototype.trim after NFKC, which has already made plain spaces of most others.
std::string_view trimmed(std::string_view s) {
    constexpr std::string_view space = " \t\n\v\f\r";
    const auto first = s.find_first_not_of(space);
    if (first == s.npos) return {};
    return s.substr(first, s.find_last_not_of(space) - first + 1);
}

[[noreturn]] void refuse(const char* why) { throw error(code::configuration, why); }

}  // namespace

std::string normalize_identifier(std::string_view text) {
    if (text.empty()) refuse("no e-mail address in the request");
    const auto folded = lower(nfkc(text));
    const auto address = trimmed(folded);
    if (!is_utf8(address) || std::ranges::any_of(address, is_control) ||
        address.find('"') != address.npos || std::ranges::count(address, '@') != 1)
        refuse("not an e-mail address");
    const auto at = address.find('@');
    auto domain = address.substr(at + 1);
    domain = domain.substr(0, domain.find(','));
    if (at == 0 || domain.empty()) refuse("not an e-mail address");
    return std::string(address.substr(0, at + 1)).append(domain);
}

void demand_one_recipient(std::string_view address) {
    constexpr std::size_t longest = 254, longest_local = 64;
    constexpr std::string_view special = " ,;:<>()[]\\\"";
    const auto at = address.find('@');
    if (at == address.npos || at == 0 || at > longest_local || address.size() > longest ||
        address.find('@', at + 1) != address.npos ||
        address.find_first_of(special) != address.npos ||
        std::ranges::any_of(address, is_control) || !is_utf8(address))
        refuse("not exactly one e-mail address");
    const auto domain = address.substr(at + 1);
    if (domain.empty() || domain.front() == '.' || domain.back() == '.' ||
        domain.find("..") != domain.npos)
        refuse("not exactly one e-mail address");
}

}  // namespace authjs::auth
