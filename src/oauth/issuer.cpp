#include "oauth/issuer.hpp"

#include <algorithm>

#include "oauth/refuse.hpp"

namespace authjs::oauth {
namespace {

// What may stand for a placeholder: a tenant's number or domain, never a path.
bool is_segment(std::string_view s) {
    return !s.empty() && s.size() <= 255 && s != "." && s != ".." &&
           std::all_of(s.begin(), s.end(), [](unsigned char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '-' || c == '_' || c == '.';
           });
}

std::vector<std::string_view> segments(std::string_view path) {
    if (path.ends_with('/')) path.remove_suffix(1);
    std::vector<std::string_view> parts;
    for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
        parts.push_back(path.substr(0, slash));
        path.remove_prefix(slash + 1);
    }
    parts.push_back(path);
    return parts;
}

}  // namespace

bool is_issuer(const server& as, std::string_view text) {
    if (as.placeholder.empty()) return text == as.issuer;
    const std::string_view whole = as.issuer;
    const auto at = whole.find(as.placeholder);
    const auto before = whole.substr(0, at), after = whole.substr(at + as.placeholder.size());
    if (text.size() <= before.size() + after.size() || !text.starts_with(before) ||
        !text.ends_with(after))
        return false;
    return is_segment(text.substr(before.size(), text.size() - before.size() - after.size()));
}

bool same_issuer(const url& a, const url& b, bool one_may_differ) {
    if (a.origin() != b.origin() || a.query != b.query || a.fragment != b.fragment ||
        a.username != b.username || a.password != b.password)
        return false;
    const auto left = segments(a.path), right = segments(b.path);
    if (left.size() != right.size()) return false;
    std::ptrdiff_t differing = 0;
    for (std::size_t i = 0; i < left.size(); ++i) differing += left[i] != right[i];
    return differing <= (one_may_differ ? 1 : 0);
}

std::string issuer_for(const server& as, std::string_view claim) {
    if (as.placeholder.empty()) return as.issuer;
    demand(is_segment(claim), "the ID token does not say which tenant issued it");
    std::string issuer = as.issuer;
    return issuer.replace(issuer.find(as.placeholder), as.placeholder.size(), claim);
}

}  // namespace authjs::oauth
