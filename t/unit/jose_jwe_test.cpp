// Session tokens that somebody made otherwise, or that somebody changed.
#include <zlib.h>

#include <chrono>

#include "crypto/crypto.hpp"
#include "jose/jwe.hpp"
#include "unit.hpp"
#include "util/bytes.hpp"

using namespace authjs;
using jose::refusal;

namespace {

const std::string salt = "authjs.session-token";
const secret first("0123456789abcdef0123456789abcdef"), older("an older secret");
constexpr std::int64_t now_s = 1'704'067'200;
const instant now{seconds(now_s)};

jose::key_ring ring(std::vector<secret> secrets = {first}, const std::string& name = salt) {
    return {secrets, name};
}

// A token under our own key, whatever header and plaintext say.
std::string sealed(const std::string& header, std::string_view plain,
                   const jose::key_ring& by = ring()) {
    const auto h = base64url(header);
    const std::string iv(16, 'i');
    const auto out = crypto::cbc_hs512_seal(by.keys().front().cbc.reveal(), iv, h, plain);
    return h + ".." + base64url(iv) + "." + base64url(out.ciphertext) + "." + base64url(out.tag);
}
std::string gcm(const std::string& header, std::string_view plain, std::size_t tag = 16) {
    const auto h = base64url(header);
    const std::string iv(12, 'i');
    const auto out = crypto::gcm256_seal(ring().keys().front().gcm.reveal(), iv, h, plain);
    return h + ".." + base64url(iv) + "." + base64url(out.ciphertext) + "." +
           base64url(std::string_view(out.tag).substr(0, tag));
}
const std::string plain_header = R"({"alg":"dir","enc":"A256CBC-HS512"})";
const std::string gcm_header = R"({"alg":"dir","enc":"A256GCM"})";

refusal why(const std::string& token, const jose::key_ring& by = ring()) {
    const auto out = jose::decode(by, token, now);
    assert_int_equal(out.claims.has_value(), out.why == refusal::none);
    return out.why;
}
#define assert_why(token, wanted) \
    assert_int_equal(static_cast<int>(why(token)), static_cast<int>(wanted))

std::string deflated(std::string_view data) {
    z_stream z{};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&z, data.size()), '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    z.avail_in = static_cast<uInt>(data.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
}

}  // namespace

// [sec 66] Compressed claims open up to 250,000 bytes; a bomb is left after that, unread.
static void test_compressed_claims(void**) {
    const std::string header = R"({"alg":"dir","enc":"A256CBC-HS512","zip":"DEF"})";
    assert_why(sealed(header, deflated(R"({"name":"Ada"})")), refusal::none);
    const auto of_size = [](std::size_t n) {
        return R"({"n":")" + std::string(n - 8, 'x') + R"("})";
    };
    assert_why(sealed(header, deflated(of_size(250'000))), refusal::none);
    assert_why(sealed(header, deflated(of_size(250'001))), refusal::bad_claims);
    const auto bomb = sealed(header, deflated(std::string(64u << 20, '0')));
    const auto begin = std::chrono::steady_clock::now();
    assert_why(bomb, refusal::bad_claims);
    assert_true(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(200));
    for (const auto& data : {std::string("no deflate"), deflated("{}").substr(0, 2), std::string(),
                             deflated("{}") + "more"})
        assert_why(sealed(header, data), refusal::bad_claims);
    for (const char* other : {R"("def")", R"("GZIP")", "1", "null", R"(["DEF"])"})
        assert_why(sealed(R"({"alg":"dir","enc":"A256CBC-HS512","zip":)" + std::string(other) + "}",
                          deflated("{}")),
                   refusal::malformed);
}

static void test_inflating_is_bounded(void**) {  // [sec 66]
    const std::string text(1000, 'x');
    const auto packed = deflated(text);
    assert_text(*crypto::inflate_raw(packed, 1000), text);
    assert_false(crypto::inflate_raw(packed, 999).has_value());
    assert_false(crypto::inflate_raw(packed, 0).has_value());
    assert_text(*crypto::inflate_raw(deflated(""), 0), "");
    assert_false(crypto::inflate_raw(packed + "x", 1000).has_value());
    for (std::size_t i = 0; i + 1 < packed.size(); ++i)
        assert_false(crypto::inflate_raw(packed.substr(0, i), 1000).has_value());
}

// [sec 66] No key management but "dir", no encryption but two, no header that asks for more.
static void test_headers(void**) {
    struct {
        const char* header;
        refusal why;
    } rows[] = {
        {R"({"alg":"dir","enc":"A256CBC-HS512"})", refusal::none},
        {R"({"alg":"dir","enc":"A256CBC-HS512","kid":null})", refusal::no_key},
        {R"({"alg":"dir","enc":"A256CBC-HS512","kid":""})", refusal::no_key},
        {R"({"alg":"dir","enc":"A256CBC-HS512","kid":"other"})", refusal::no_key},
        {R"({"alg":"RSA1_5","enc":"A256CBC-HS512"})", refusal::malformed},
        {R"({"alg":"PBES2-HS512+A256KW","enc":"A256CBC-HS512","p2c":2147483648,"p2s":"AAAA"})",
         refusal::malformed},
        {R"({"alg":"A256KW","enc":"A256CBC-HS512"})", refusal::malformed},
        {R"({"alg":"none","enc":"A256CBC-HS512"})", refusal::malformed},
        {R"({"alg":["dir"],"enc":"A256CBC-HS512"})", refusal::malformed},
        {R"({"enc":"A256CBC-HS512"})", refusal::malformed},
        {R"({"alg":"dir"})", refusal::malformed},
        {R"({"alg":"dir","enc":"A128CBC-HS256"})", refusal::malformed},
        {R"({"alg":"dir","enc":"none"})", refusal::malformed},
        {R"({"alg":"dir","enc":"A256CBC-HS512","crit":["exp"],"exp":1})", refusal::malformed},
        {R"({"alg":"dir","alg":"dir","enc":"A256CBC-HS512"})", refusal::malformed},
        {R"(["dir"])", refusal::malformed},
        {"", refusal::malformed},
        {R"({"alg":"dir","enc":"A256GCM"})", refusal::bad_tag},  // sealed otherwise
    };
    for (const auto& row : rows)
        if (why(sealed(row.header, R"({"name":"Ada"})")) != row.why) fail_msg("%s", row.header);
    assert_why(gcm(gcm_header, "{}"), refusal::none);
}

// [sec 59] [sec 66] [sec 67] Five segments, the second empty; every cut or changed byte ends the
// same way, whether it was the tag or, behind a right tag, the padding.
static void test_forms(void**) {
    const auto good = sealed(plain_header, R"({"name":"Ada"})");
    for (const auto& bad :
         {good + ".", good + ".AAAA", good.substr(0, good.rfind('.')), "." + good,
          std::string("...."), std::string("a.b.c.d.e"), R"({"ciphertext":")" + good + "\"}"})
        assert_why(bad, refusal::malformed);
    assert_why("", refusal::empty);
    auto keyed = good;
    keyed.insert(good.find("..") + 1, "AAAA");  // an encrypted key beside "dir"
    assert_why(keyed, refusal::malformed);
    for (const std::size_t n : {0u, 4u, 8u, 12u, 15u})
        assert_why(gcm(gcm_header, "{}", n), refusal::bad_tag);
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const char to : {'A', 'B', '-', '.', '=', ' ', '\x80'}) {
            auto bad = good;
            if (bad[i] == to) continue;
            bad[i] = to;
            const auto said = why(bad);
            if (said == refusal::none) fail_msg("byte %zu as %d", i, to);
        }
        if (why(good.substr(0, i)) == refusal::none) fail_msg("cut at %zu", i);
    }

    // A right tag over a ciphertext whose padding is wrong: one error type for both.
    const auto by = ring();
    const auto key = by.keys().front().cbc.reveal();
    auto other = std::string(key.substr(0, 32)) + std::string(32, 'k');
    const auto h = base64url(plain_header);
    const std::string iv(16, 'i');
    int opened = 0;
    for (char c = 0; c < 64; ++c) {
        other.back() = c;
        const auto out = crypto::cbc_hs512_seal(other, iv, h, R"({"name":"Ada"})");
        const auto said = why(h + ".." + base64url(iv) + "." + base64url(out.ciphertext) + "." +
                              base64url(out.tag));
        assert_true(said == refusal::bad_tag || said == refusal::bad_claims);
        opened += said == refusal::bad_claims;
    }
    assert_in_range(opened, 0, 4);  // one in 256 has right padding by chance
}

// [sec 68] [sec 70] A token opens under its cookie's name and a secret that is still there.
static void test_rings(void**) {
    const auto old_token = sealed(plain_header, "{}", ring({older}));
    const auto kid = [](const jose::key_ring& r) {
        return R"({"alg":"dir","enc":"A256CBC-HS512","kid":")" + r.keys().front().cbc_kid + "\"}";
    };
    const auto named = sealed(kid(ring({older})), "{}", ring({older}));
    assert_int_equal(static_cast<int>(why(named, ring({older}))), 0);
    assert_int_equal(static_cast<int>(why(named, ring({first, older}))), 0);
    assert_true(why(named, ring({first})) == refusal::no_key);
    // Without a name for its key only the first secret is tried, as in Auth.js.
    assert_true(why(old_token, ring({first, older})) == refusal::bad_tag);
    assert_true(why(sealed(kid(ring()), "{}"), ring({first}, "authjs.state")) == refusal::no_key);
    assert_true(why(sealed(plain_header, "{}"), ring({first}, "authjs.state")) == refusal::bad_tag);
    assert_true(why(named, jose::key_ring()) == refusal::no_key);
    assert_true(ring().identity() == ring().identity());
    assert_true(ring().identity() != ring({older}).identity());
    assert_true(ring().identity() != ring({first, older}).identity());
    assert_true(ring().identity() != ring({first}, "authjs.state").identity());
}

// [sec 60] Times are numbers of any kind, compared without wrapping, with 15 seconds of grace.
static void test_times(void**) {
    struct {
        const char* claims;
        refusal why;
    } rows[] = {
        {"{}", refusal::none},
        {R"({"exp":1704067200})", refusal::none},
        {R"({"exp":1704067186})", refusal::none},
        {R"({"exp":1704067185})", refusal::expired},
        {R"({"exp":1704067185.5})", refusal::none},
        {R"({"exp":0})", refusal::expired},
        {R"({"exp":-1})", refusal::expired},
        {R"({"exp":-1e300})", refusal::expired},
        {R"({"exp":1e300})", refusal::none},
        {R"({"exp":9007199254740993})", refusal::none},
        {R"({"exp":4102444800})", refusal::none},
        {R"({"exp":"1804067200"})", refusal::bad_claims},
        {R"({"exp":null})", refusal::bad_claims},
        {R"({"exp":true})", refusal::bad_claims},
        {R"({"nbf":1704067215})", refusal::none},
        {R"({"nbf":1704067216})", refusal::bad_claims},
        {R"({"nbf":1e300})", refusal::bad_claims},
        {R"({"nbf":"0"})", refusal::bad_claims},
        {R"({"iat":9999999999})", refusal::none},
        {R"({"iat":[]})", refusal::bad_claims},
        {R"({"exp":1,"exp":1804067200})", refusal::bad_claims},
        {"[]", refusal::bad_claims},
        {"null", refusal::bad_claims},
        {"", refusal::bad_claims},
        {"\xef\xbb\xbf{}", refusal::bad_claims},
        {"{\"a\":\"\xff\"}", refusal::bad_claims},
    };
    for (const auto& row : rows)
        if (why(sealed(plain_header, row.claims)) != row.why) fail_msg("%s", row.claims);
    // Copies of claims in the header must be the same.
    const std::string header = R"({"alg":"dir","enc":"A256CBC-HS512","sub":"ada"})";
    assert_why(sealed(header, R"({"sub":"ada"})"), refusal::none);
    assert_why(sealed(header, R"({"sub":"eve"})"), refusal::bad_claims);
    assert_why(sealed(header, "{}"), refusal::bad_claims);
}

int main() {
    crypto::setup();
    const CMUnitTest tests[] = {
        unit(test_compressed_claims),
        unit(test_inflating_is_bounded),
        unit(test_headers),
        unit(test_forms),
        unit(test_rings),
        unit(test_times),
    };
    return cmocka_run_group_tests_name("jose/jwe", tests, nullptr, nullptr);
}
