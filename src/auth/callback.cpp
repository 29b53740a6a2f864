// callback/<id>: what comes back, by type of provider (spec/flows.md sections 4, 7, 8).
#include "auth/context.hpp"

namespace authjs::auth {

task<response> do_callback(context& cx) {
    const auto* p = cx.provider;
    if (p && p->is_oauth()) {
        auto answer = co_await callback_oauth(cx);
        co_return answer;
    }
    if (p && p->type == providers::type::email) {
        auto answer = co_await callback_email(cx);
        co_return answer;
    }
    if (p && p->type == providers::type::credentials && cx.post()) {
        auto answer = co_await callback_credentials(cx);
        co_return answer;
    }
    throw error(code::invalid_provider, "no provider for this callback")
        .with("provider", p ? std::string_view(p->id) : "none")
        .with("method", cx.rq.method);
}

}  // namespace authjs::auth
