// A load generator for keep-alive connections: load <port> <path> <requests> <status wanted> <mode>
// with one Cookie value a line on standard input. Modes: `each` takes the cookies in random order,
// `forge` changes one random byte behind the first "=" of the one it takes; `probe` asks over one
// connection, every 2.5 ms. Ends with an error at the first answer of another status; prints the
// seconds it took, of a probe the 99th percentile of the answers'.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

[[noreturn]] void die(const std::string& why) {
    std::fprintf(stderr, "load: %s\n", why.c_str());
    std::exit(1);
}

int dial(int port) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) die("cannot connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

// How long the answer at the start of `text` is; 0: not all of it is there.
std::size_t answer_length(std::string_view text) {
    const auto end = text.find("\r\n\r\n");
    if (end == text.npos) return 0;
    constexpr std::string_view field = "\r\nContent-Length: ";
    const auto at = text.substr(0, end).find(field);
    if (at == text.npos) die("an answer without Content-Length");
    const auto length = end + 4 + std::strtoul(text.data() + at + field.size(), nullptr, 10);
    return text.size() < length ? 0 : length;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) die("usage: load <port> <path> <requests> <status> each|forge|probe < cookies");
    const int port = std::atoi(argv[1]);
    const auto wanted = std::string("HTTP/1.1 ") + argv[4] + " ";
    const std::string_view mode = argv[5];
    const bool forge = mode == "forge", probe = mode == "probe";
    const std::size_t connections = probe ? 1 : 8;
    std::vector<std::string> heads;
    for (std::string line; std::getline(std::cin, line);)
        heads.push_back("GET " + std::string(argv[2]) +
                        " HTTP/1.1\r\nHost: localhost\r\nCookie: " + line + "\r\n\r\n");
    if (heads.empty()) die("no cookies");

    std::mt19937_64 random(std::random_device{}());
    long to_send = std::atol(argv[3]), to_come = to_send;
    std::vector<pollfd> polled;
    std::vector<std::string> read(connections);
    const auto send_one = [&](int fd) {
        if (to_send == 0) return;
        --to_send;
        const auto& head = heads[random() % heads.size()];
        std::string forged;
        if (forge) {
            forged = head;
            const auto first = forged.find('=') + 1;
            auto& byte = forged[first + random() % (forged.size() - 4 - first)];
            byte = byte == 'x' ? 'y' : 'x';
        }
        const auto& out = forge ? forged : head;
        if (write(fd, out.data(), out.size()) != static_cast<ssize_t>(out.size()))
            die("cannot write");
    };
    using clock = std::chrono::steady_clock;
    const auto begin = clock::now();
    auto sent = begin;
    std::vector<double> answers;
    for (std::size_t i = 0; i < connections; ++i) {
        polled.push_back({dial(port), POLLIN, 0});
        send_one(polled[i].fd);
    }
    while (to_come > 0) {
        if (poll(polled.data(), polled.size(), 10'000) <= 0) die("no answer");
        for (std::size_t i = 0; i < connections; ++i) {
            if (polled[i].revents == 0) continue;
            char bytes[16 * 1024];
            const auto n = ::read(polled[i].fd, bytes, sizeof bytes);
            if (n <= 0) die("the connection was closed");
            auto& text = read[i];
            text.append(bytes, static_cast<std::size_t>(n));
            const auto length = answer_length(text);
            if (length == 0) continue;
            if (!text.starts_with(wanted)) die("answered " + text.substr(0, text.find('\r')));
            text.erase(0, length);
            --to_come;
            if (probe) {
                const auto now = clock::now();
                answers.push_back(std::chrono::duration<double>(now - sent).count());
                std::this_thread::sleep_until(sent + std::chrono::microseconds(2500));
                sent = clock::now();
            }
            send_one(polled[i].fd);
        }
    }
    const std::chrono::duration<double> took = clock::now() - begin;
    std::sort(answers.begin(), answers.end());
    std::printf("%.6f\n", probe ? answers[answers.size() * 99 / 100] : took.count());
}
