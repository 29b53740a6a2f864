// signout: the page, and the end of a session (spec/flows.md section 11).
#include "auth/callbacks.hpp"
#include "auth/circle.hpp"
#include "auth/context.hpp"
#include "auth/link.hpp"
#include "auth/pages/pages.hpp"

namespace authjs::auth {

namespace {

task<void> end_session(context& cx, const session_chunks& cookie) {
    json::value message;
    if (cx.cf.session.strategy == strategy::database) {
        cx.io.commit();
        auto gone = co_await close_session(cx, cookie.value);
        message.set("session", gone ? to_json(*gone) : json::value{});
    } else {
        auto opened = jose::decode(cx.cookies[which::session_token].ring, cookie.value, cx.now());
        if (!opened.claims) throw error(code::sign_out_error, "session cookie does not open");
        message.set("token", std::move(*opened.claims));
    }
    tell(cx, event::sign_out, std::move(message));
}

}  // namespace

task<response> do_sign_out(context& cx) {
    if (!cx.post()) {
        const auto& custom = cx.cf.page(custom_page::sign_out);
        if (!custom.empty()) co_return redirect_to(cx, custom);
        co_return pages::sign_out(cx);
    }
    if (!cx.csrf_verified) throw missing_csrf(cx);
    const auto cookie = cx.session_cookie();
    if (!cookie.value.empty()) {
        std::optional<error> failed;
        try {
            co_await end_session(cx, cookie);
        } catch (const error& e) {
            failed = e;
        }
        // A sign-out that did not happen is not claimed: 503, cookies untouched.
        if (failed && failed->id() != code::sign_out_error)
            throw error(code::unavailable, "session could not be ended")
                .with("cause", failed->what());
        if (failed) cx.io.log.write(io::level::info, failed->what());
        cx.remove_session();
    }
    note_signed_out(cx);
    co_return redirect_to(cx, cx.callback_url);
}

}  // namespace authjs::auth
