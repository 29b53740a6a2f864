#include "auth/htpasswd.hpp"

#include <crypt.h>
#include <string.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>

#include "crypto/crypto.hpp"
#include "util/bytes.hpp"
#include "util/error.hpp"
#include "util/secret.hpp"

namespace authjs::auth {

namespace {

constexpr std::size_t longest_password = 1024;  // beyond it nothing is hashed but a fixed text
constexpr std::size_t largest_file = 16u << 20;

constexpr int most_waiting = 64;  // attempts of one worker, queued or being hashed

std::atomic<unsigned long> calls{0};
std::atomic<int> waiting{0};

// Counts its attempt from the asking until the job is done or given up.
struct turn {
    turn() noexcept { ++waiting; }
    ~turn() { --waiting; }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
};

// Apache's variant of the MD5 crypt of FreeBSD, 1,000 rounds, the magic being "$apr1$".
std::string apr1(std::string_view password, std::string_view salt) {
    const auto md5 = [](const std::string& s) { return crypto::digest(crypto::hash::md5, s); };
    constexpr std::string_view magic = "$apr1$";
    const std::string pw(password), sl(salt);
    auto inner = md5(pw + sl + pw);
    std::string first = pw + std::string(magic) + sl;
    for (std::size_t left = pw.size(); left > 0;) {
        const auto n = std::min<std::size_t>(left, 16);
        first.append(inner, 0, n);
        left -= n;
    }
    for (std::size_t i = pw.size(); i > 0; i >>= 1) first += (i & 1) ? '\0' : pw[0];
    auto sum = md5(first);
    for (int round = 0; round < 1000; ++round) {
        std::string text = (round & 1) ? pw : sum;
        if (round % 3) text += sl;
        if (round % 7) text += pw;
        text += (round & 1) ? sum : pw;
        sum = md5(text);
    }
    // Three bytes to four characters, least significant first, in the scheme's own order.
    constexpr std::string_view alphabet =
        "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    constexpr int order[5][3] = {{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}};
    std::string out(magic);
    out.append(sl).append("$");
    const auto put = [&](unsigned long v, int n) {
        for (; n > 0; --n, v >>= 6) out += alphabet[v & 63];
    };
    const auto at = [&](int i) -> unsigned long { return static_cast<unsigned char>(sum[i]); };
    for (const auto& o : order) put(at(o[0]) << 16 | at(o[1]) << 8 | at(o[2]), 4);
    put(at(11), 2);
    return out;
}

std::string hashed(std::string_view password, const std::string& like) {
    if (like.starts_with("$apr1$")) {
        const auto rest = std::string_view(like).substr(6);
        return apr1(password, rest.substr(0, std::min<std::size_t>(rest.find('$'), 8)));
    }
    if (like.starts_with("{SHA}"))
        return "{SHA}" + base64(crypto::digest(crypto::hash::sha1, password));
    auto data = std::make_unique<crypt_data>();  // 32 KiB: too much for a thread's stack
    const auto* made = crypt_r(std::string(password).c_str(), like.c_str(), data.get());
    // libxcrypt answers "*0" or "*1" for what it does not know; that must match no line.
    std::string out = made && made[0] != '*' ? made : "";
    explicit_bzero(data.get(), sizeof *data);
    return out;
}

// What decides how long a hash takes: its scheme, and the parameters in front of its salt.
std::string kind_of(std::string_view hash) {
    if (hash.starts_with('{')) return std::string(hash.substr(0, hash.find('}')));
    if (!hash.starts_with('$')) return "des";
    const auto past = [&](std::size_t from) { return std::min(hash.find('$', from), hash.size()); };
    auto end = past(1);
    const auto scheme = hash.substr(1, end - 1);
    const auto rest = hash.substr(std::min(end + 1, hash.size()));
    const bool has_cost = scheme.starts_with('2') || scheme.ends_with('y') || scheme == "7" ||
                          rest.starts_with("rounds=");
    if (has_cost) end = past(std::min(end + 1, hash.size()));
    return std::string(hash.substr(0, end));
}

// One file as it was read. Another one replaces it when inode, size or time differ.
struct password_file {
    std::map<std::string, std::string, std::less<>> users;
    // One hash of every kind and cost that the file holds. Each attempt hashes once for each, so
    // that neither the number of calls nor their time tells whether a name is known, or which kind
    // its line has.
    std::map<std::string, std::string, std::less<>> kinds;
    struct stat seen {};
};

bool same_file(const struct stat& a, const struct stat& b) {
    return a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_size == b.st_size &&
           a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

std::shared_ptr<const password_file> read_file(const std::string& path) {
    static std::mutex lock;
    static std::map<std::string, std::shared_ptr<const password_file>> known;

    struct stat now {};
    if (stat(path.c_str(), &now) != 0 || static_cast<std::size_t>(now.st_size) > largest_file)
        throw error(code::configuration, "password file cannot be read").with("file", path);
    {
        const std::scoped_lock held(lock);
        const auto it = known.find(path);
        if (it != known.end() && same_file(it->second->seen, now)) return it->second;
    }
    std::ifstream in(path);
    if (!in) throw error(code::configuration, "password file cannot be read").with("file", path);
    auto fresh = std::make_shared<password_file>();
    fresh->seen = now;
    for (std::string line; std::getline(in, line);) {
        if (line.ends_with('\r')) line.pop_back();
        const auto colon = line.find(':');
        if (line.starts_with('#') || colon == line.npos || colon == 0) continue;
        auto hash = line.substr(colon + 1);
        hash.erase(std::min(hash.find(':'), hash.size()));  // what follows is a comment
        fresh->kinds.emplace(kind_of(hash), hash);
        fresh->users.emplace(line.substr(0, colon), std::move(hash));  // the first of equal names
    }
    const std::scoped_lock held(lock);
    known[path] = fresh;
    return fresh;
}

}  // namespace

bool matches(std::string_view password, const std::string& hash) {
    ++calls;
    // crypt(3) would stop at a NUL, and so take "a\0b" for "a".
    const bool sane = password.size() <= longest_password && password.find('\0') == password.npos;
    // bcrypt reads 72 bytes: what is longer would be taken for its beginning.
    const bool whole = !hash.starts_with("$2") || password.size() <= 72;
    auto made = hashed(sane ? password : "-", hash);
    const bool same = !made.empty() && same_secret(made, hash);
    wipe(made);
    return same && sane && whole;
}

unsigned long hash_calls() noexcept { return calls; }

task<bool> check_password(io::offload& pool, std::string file, std::string name,
                          std::string password) {
    // The pool's other work (writes of the store) must not queue behind a flood of passwords.
    if (waiting >= most_waiting)
        throw error(code::unavailable, "too many passwords are waiting to be checked");
    auto job = [file = std::move(file), name = std::move(name),
                password = secret(std::move(password)), turn = std::make_shared<turn>()] {
        const auto known = read_file(file);
        const auto it = known->users.find(name);
        const bool there = it != known->users.end();
        const auto own = there ? kind_of(it->second) : std::string();
        bool good = false;
        for (const auto& [kind, decoy] : known->kinds) {
            const bool mine = there && kind == own;
            const bool same = matches(password.reveal(), mine ? it->second : decoy);
            good = good || (mine && same);
        }
        return good;
    };
    const bool good = co_await io::run(pool, std::move(job));
    co_return good;
}

}  // namespace authjs::auth
