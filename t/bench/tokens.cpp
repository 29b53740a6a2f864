// Session cookies for the benchmark: tokens <secret> <cookie name> <count>. One "name=token" a
// line.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "crypto/crypto.hpp"
#include "jose/jwe.hpp"

using namespace authjs;

class real_clock final : public io::clock {
public:
    instant now() override {
        return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
    }
};

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    crypto::setup();
    const jose::key_ring ring({secret(argv[1])}, argv[2]);
    real_clock clock;
    crypto::system_random random;
    for (int i = 0; i < std::atoi(argv[3]); ++i) {
        const auto n = std::to_string(i);
        const auto claims =
            json::make_object({{"name", "Ada Lovelace " + n},
                               {"email", "ada" + n + "@example.com"},
                               {"picture", "https://example.com/people/" + n + ".png"},
                               {"sub", io::random_uuid(random)}});
        std::printf("%s=%s\n", argv[2],
                    jose::encode(ring, claims, seconds{2'592'000}, clock, random).c_str());
    }
}
