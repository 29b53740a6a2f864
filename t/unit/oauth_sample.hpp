// Samples that the tests of src/oauth share: keys that sign nothing outside them, answers of a
// provider, and what it means to be refused.
#pragma once

#include <string>
#include <string_view>

#include "jose/jws.hpp"
#include "oauth/oauth.hpp"
#include "util/error.hpp"

namespace authjs::test {

inline constexpr std::int64_t now_s = 1'704'067'200;  // where fixed_clock stands
inline const instant now{seconds(now_s)};

inline http::response answer(int status, std::string body, http::headers fields = {}) {
    return {status, std::move(fields), std::move(body)};
}

inline json::value parsed(std::string_view text) {
    auto v = json::parse(text);
    if (!v) throw error(code::auth_error, "the test's own JSON is wrong: " + std::string(text));
    return std::move(*v);
}

template <class F>
bool refused(code id, F&& body) {
    try {
        body();
    } catch (const error& e) {
        return e.id() == id;
    }
    return false;
}

inline constexpr std::string_view ec_private =
    R"({"kty":"EC","x":"9RjazH-ms3SkCfjAY3uFRXn0miskfBurFU6inVYvr1o","y":"_HwgWpzV_AqIU)"
    R"(8QUXuy0Mr7ULZCfpRKkAEvSelJnvP4","crv":"P-256","d":"bTsBWgyDSG3QFLE9pRBVXJYIcB3ig)"
    R"(8Mw2wKSXMbH_w8","kid":"one","alg":"ES256","use":"sig"})";
inline constexpr std::string_view other_ec_private =
    R"({"kty":"EC","x":"4_e4q3gG1O92NXEpqmO7HDc622ANWnNDxLQoqe1RobY","y":"vG1VyWppphbfO)"
    R"(ASWKwoOIuQrPAr9ipZFelCH2gEf12I","crv":"P-256","d":"y3JqH9byfF1C6gZVQVqlqmUwsQHQQ)"
    R"(5qawXvzM_PeJD4","kid":"two","alg":"ES256","use":"sig"})";
inline constexpr std::string_view ed_private =
    R"({"crv":"Ed25519","d":"mwDGsRRnleNLYDKnlS722MoKWZYM-HumfLLY1w7pqC8","x":"eUpNcTSq)"
    R"(7ZPF6GICZTQq7B3181JEVGQ1WzGhITVZR74","kty":"OKP","kid":"ed"})";

inline constexpr std::string_view rsa_private =
    R"({"kty":"RSA","kid":"rsa","n":"9KbaeMDqCe5894gN9XqpNYGZW6c5XHz82CPwRFq0LiV0Mx)"
    R"(romVH8WBISvG5bAJJHk1CvWUvjHWLrZ4oWXKW11M-YJhWrM0bnjcVz9pssNlyYES3NQ56bKPStjw)"
    R"(MXcVvgZ5h1TAqQNv-CxqbsiEPK-5E-n3K2SRExIUyABCS101y6NBdS2FBJE9fBr7zKZg40Ajg3Bb)"
    R"(2y-3tzTrpUWbhNU0LXw857pn66BWVR7Fyedv3WgfGmiUpjbBHM9Jr_djWOyq7JO_TTf3_q187yT5)"
    R"(9O9qnuwsh7f9pmjhTmbQCXwTb6uxUvBx789Wv8Ccut-maagaajjNGimlkJuXBJXt-ZwQ","e":"A)"
    R"(QAB","d":"AgkldLVNnD5Tu_g95h5IkDHeRCQs78_In4J769Bvtuml9wT2CQywzG1-8lJacZeiAr)"
    R"(4YXa5GLSHoGbSRPllU1STioiRefDXakF47gm6K1X9ndrcBbgLg1XxE2YGPAF0Fbdy_sv2scs_1MU)"
    R"(qhQbJzVuzT1SYqYYr8CD_6iahJ2tjCv9VUiXlqWX8atlPErDT7NxnIQtUSB2eXhFpk6u-o4nlTt_)"
    R"(L9QMHmWoupaKfJExa_8T0h6RJyN9qeBPsopAeRw31izOBaR7Bu4pwWgkpDhY6tpzDZp09Q2DFLYn)"
    R"(UPekWqpwukD5BG71afi3V1VHIX5H9quBg6KnrLpSjBkcWUAQ","p":"_ECrpT6BPzHAnjGnnfVAl)"
    R"(XYsKP7I0kipkuRXomD_u30XzvTEGf118Y_VhpjhEhEDUD75r7pIzg4Ah1JiMhB0sSEoD6BhVsBWu)"
    R"(mkBuTEiSXK3_A53X0ppnSd7mKUUdyIrkk6ehea8IFapQd8wbGjl8-QXMD_jjFDFulZomoRM3AE",)"
    R"("q":"-ElGyPx63R9DoV1N5TyHCL3pbMsZ4dFbiIYQzA-sMQoYm0FL0Vo2sxTMSwMd53SuBwTQJx-)"
    R"(zP5jtfDCC33w7YnjNguPSBpTp6V92SLCg1N2NI6dec8trcp23DiBwIUHfjsn-gcX_0yt2m5W38KC)"
    R"(Y8JGMCH1b7np5ZUB4PAaBvcE"})";

inline jose::signing_key key_of(std::string_view jwk) {
    auto key = jose::read_signing_key(jwk);
    if (!key) throw error(code::auth_error, "the test's own key cannot be read");
    return std::move(*key);
}

// key_set: the public half of JWKs, as a provider serves it.
inline std::string key_set(std::initializer_list<std::string_view> jwks) {
    json::array keys;
    for (const auto text : jwks) {
        auto key = parsed(text);
        for (const char* name : {"d", "p", "q"}) key.erase(name);
        keys.push_back(std::move(key));
    }
    return json::stringify(json::make_object({{"keys", std::move(keys)}}));
}

}  // namespace authjs::test
