// A session token for the blocks: token <secret> <cookie name> <claims as JSON> [max age in s]
// [moved: how many seconds ago it was made]. Prints the token alone.
#include <cstdio>
#include <cstdlib>

#include "crypto/crypto.hpp"
#include "jose/jwe.hpp"

namespace {

class moved_clock final : public authjs::io::clock {
public:
    explicit moved_clock(authjs::seconds back) : back_(back) {}
    authjs::instant now() override {
        return std::chrono::time_point_cast<authjs::milliseconds>(
                   std::chrono::system_clock::now()) -
               back_;
    }

private:
    authjs::seconds back_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "token <secret> <cookie name> <claims> [max age] [moved]\n");
        return 2;
    }
    authjs::crypto::setup();
    auto claims = authjs::json::parse(argv[3]);
    if (!claims) {
        std::fprintf(stderr, "token: the claims are no JSON\n");
        return 2;
    }
    const authjs::seconds age(argc > 4 ? std::atoll(argv[4]) : 2'592'000);
    moved_clock clock(authjs::seconds(argc > 5 ? std::atoll(argv[5]) : 0));
    authjs::crypto::system_random random;
    const authjs::jose::key_ring ring({authjs::secret(argv[1])}, argv[2]);
    std::fputs(authjs::jose::encode(ring, *claims, age, clock, random).c_str(), stdout);
}
