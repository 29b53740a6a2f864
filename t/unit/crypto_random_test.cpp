// Randomness over forks, and comparisons of secrets.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <set>

#include "crypto/crypto.hpp"
#include "jose/jwe.hpp"
#include "unit.hpp"
#include "util/bytes.hpp"

using namespace authjs;

// [sec 72] Processes forked from one that has drawn already, and their children in turn, draw
// nothing twice: there is no generator of ours whose state they could share.
static void test_no_iv_comes_twice_over_forks(void**) {
    constexpr int children = 16, draws = 4096;
    crypto::system_random random;
    test::fixed_clock clock;
    const jose::key_ring ring({secret("0123456789abcdef0123456789abcdef")}, "name");
    const auto claims = json::make_object({{"name", "Ada"}});
    const auto iv_of = [&] {
        const auto token = jose::encode(ring, claims, seconds{60}, clock, random);
        const auto at = token.find("..") + 2;
        return token.substr(at, 22);
    };
    std::set<std::string> seen = {iv_of()};  // the master has used its generator
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    for (int i = 0; i < children; ++i) {
        const auto pid = fork();
        assert_true(pid >= 0);
        if (pid > 0) continue;
        close(ends[0]);
        if (i % 4 == 0 && fork() < 0) _exit(1);  // a grandchild goes on from here too
        std::string all;
        for (int k = 0; k < draws; ++k) all += iv_of();
        for (std::size_t sent = 0; sent < all.size();) {
            // Whole IVs, at most PIPE_BUF at once: writers do not mix.
            const auto n =
                write(ends[1], all.data() + sent, std::min<std::size_t>(2200, all.size() - sent));
            if (n <= 0) _exit(1);
            sent += static_cast<std::size_t>(n);
        }
        while (wait(nullptr) > 0) {
        }
        _exit(0);
    }
    close(ends[1]);
    std::string text;
    char bytes[65'536];
    for (ssize_t n; (n = read(ends[0], bytes, sizeof bytes)) > 0;)
        text.append(bytes, static_cast<std::size_t>(n));
    close(ends[0]);
    for (int status = 0; wait(&status) > 0;) assert_int_equal(status, 0);
    std::size_t read = 0;
    for (; read * 22 < text.size(); ++read) seen.insert(text.substr(read * 22, 22));
    assert_int_equal(read, (children + children / 4) * draws);
    assert_int_equal(seen.size(), read + 1);
}

// [sec 72] The same process going on twice from one memory image, as two clones of a virtual
// machine do: what fork gives is such an image, taken in the middle of a draw's batch.
static void test_two_copies_of_one_state_differ(void**) {
    crypto::system_random random;
    for (int round = 0; round < 64; ++round) {
        io::random_bytes(random, 1 + static_cast<std::size_t>(round));
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        const auto pid = fork();
        if (pid == 0) {
            const auto drawn = io::random_bytes(random, 32);
            _exit(write(ends[1], drawn.data(), 32) == 32 ? 0 : 1);
        }
        const auto own = io::random_bytes(random, 32);
        char other[32];
        assert_int_equal(read(ends[0], other, 32), 32);
        close(ends[0]);
        close(ends[1]);
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(own != std::string(other, 32));
    }
}

// [sec 72] 2^24 IVs of one process, 64 at a draw: their halves alone repeat nothing (by chance,
// once in a hundred thousand runs).
static void test_sixteen_million_ivs_differ(void**) {
    const std::size_t draws = std::getenv("AUTH_JS_CHECKED") ? 1u << 12 : 1u << 18;
    crypto::system_random random;
    std::vector<std::uint64_t> halves;
    halves.reserve(draws * 64);
    for (std::size_t i = 0; i < draws; ++i) {
        std::array<unsigned char, 64 * 16> ivs;
        random.fill(ivs);
        for (std::size_t at = 0; at < ivs.size(); at += 16) {
            std::uint64_t half;
            std::memcpy(&half, ivs.data() + at, sizeof half);
            halves.push_back(half);
        }
    }
    std::sort(halves.begin(), halves.end());
    assert_true(std::adjacent_find(halves.begin(), halves.end()) == halves.end());
}

// [sec 112] Without randomness nothing is made.
static void test_no_token_without_randomness(void**) {
    struct broken final : io::random {
        void fill(std::span<unsigned char>) override {
            throw error(code::auth_error, "no entropy");
        }
    } random;
    test::fixed_clock clock;
    const jose::key_ring ring({secret("0123456789abcdef0123456789abcdef")}, "name");
    const auto failed =
        failure_of([&] { jose::encode(ring, json::object{}, seconds{60}, clock, random); });
    assert_true(failed && failed->id() == code::auth_error);
}

// [sec 74] The time of a comparison says nothing of where the first difference is: of interleaved
// runs, the medians for a difference at the start and at the end stay close.
static void test_comparing_takes_one_time(void**) {
    const std::string known(4096, 'x');
    auto early = known, late = known;
    early.front() = 'y';
    late.back() = 'y';
    std::vector<double> times[2];
    for (int i = 0; i < 4001; ++i)
        for (int which = 0; which < 2; ++which) {
            const auto begin = std::chrono::steady_clock::now();
            bool same = false;
            for (int k = 0; k < 8; ++k) same |= same_secret(which ? late : early, known);
            times[which].push_back(
                std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
            assert_false(same);
        }
    double median[2];
    for (int which = 0; which < 2; ++which) {
        auto& t = times[which];
        std::nth_element(t.begin(), t.begin() + 2000, t.end());
        median[which] = t[2000];
    }
    // Stopping at the first difference would be faster by orders of magnitude.
    assert_true(median[0] > median[1] * 0.8 && median[1] > median[0] * 0.8);
    assert_true(same_secret(known, known) && same_secret("", "") && !same_secret("", "x"));
}

int main() {
    crypto::setup();
    const CMUnitTest tests[] = {
        unit(test_no_iv_comes_twice_over_forks), unit(test_two_copies_of_one_state_differ),
        unit(test_sixteen_million_ivs_differ),   unit(test_no_token_without_randomness),
        unit(test_comparing_takes_one_time),
    };
    return cmocka_run_group_tests_name("crypto/random", tests, nullptr, nullptr);
}
