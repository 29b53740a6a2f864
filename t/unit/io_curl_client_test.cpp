// curl_client against servers that a test scripts: a thread that accepts connections one after the
// other and does with each what the test says.
#include "io/curl_client.hpp"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "poll_loop.hpp"
#include "unit.hpp"
#include "util/error.hpp"
#include "util/owned.hpp"

namespace {

using namespace authjs;
using authjs::test::poll_loop;

// A listening socket on a free port of the loopback.
int listening(int backlog, int& port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t n = sizeof at;
    assert_int_equal(bind(fd, reinterpret_cast<sockaddr*>(&at), n), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, reinterpret_cast<sockaddr*>(&at), &n), 0);
    port = ntohs(at.sin_port);
    return fd;
}

void say(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (n <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

// hear reads until `end` has come, or the peer has closed.
std::string hear(int fd, std::string_view end) {
    std::string all;
    char c;
    while (!all.ends_with(end) && recv(fd, &c, 1, 0) == 1) all += c;
    return all;
}

// hear_request reads one HTTP request with its body.
std::string hear_request(int fd) {
    std::string all = hear(fd, "\r\n\r\n");
    if (const auto at = all.find("Content-Length: "); at != all.npos) {
        const auto want = all.size() + std::stoul(all.substr(at + 16));
        char c;
        while (all.size() < want && recv(fd, &c, 1, 0) == 1) all += c;
    }
    return all;
}

class server {
public:
    using script = std::function<void(int fd, int nth)>;
    explicit server(script what) : listener_(listening(16, port_)) {
        thread_ = std::thread([this, what = std::move(what)] {
            for (int nth = 1;; nth++) {
                const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
                if (fd < 0 || stop_) {
                    if (fd >= 0) close(fd);
                    return;
                }
                connections_ = nth;
                what(fd, nth);
                close(fd);
            }
        });
    }
    ~server() {
        stop_ = true;
        shutdown(listener_, SHUT_RDWR);
        thread_.join();
        close(listener_);
    }
    std::string url(const std::string& path = "/", const std::string& scheme = "http") const {
        return scheme + "://127.0.0.1:" + std::to_string(port_) + path;
    }
    int connections() const { return connections_; }

private:
    int port_ = 0;
    int listener_;
    std::atomic<bool> stop_{false};
    std::atomic<int> connections_{0};
    std::thread thread_;
};

constexpr std::string_view hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-One: 1\r\n\r\nhello";

// What a test needs to send one request and see how it ended.
struct caller {
    poll_loop loop;
    io::curl_client client{loop};
    http::transport via;

    http::response send(http::request rq) {
        auto t = client.send(std::move(rq), via);
        t.start();
        assert_true(loop.run([&] { return t.done(); }));
        return t.result();
    }
    http::response get(const std::string& url) {
        http::request rq;
        rq.url = url;
        return send(std::move(rq));
    }
    http::response post(const std::string& url, std::string body) {
        http::request rq;
        rq.method = "POST";
        rq.url = url;
        rq.body = std::move(body);
        return send(std::move(rq));
    }
    // fails runs `f`, which must throw, and answers the message.
    template <class F>
    std::string fails(F f) {
        const auto e = failure_of(f);
        assert_true(e.has_value());
        assert_true(e->id() == code::callback_route_error || e->id() == code::email_signin_error);
        return e->message();
    }
};

void assert_starts(std::string_view text, std::string_view with) {
    if (text.starts_with(with)) return;
    print_error("got:  %.*s\n", static_cast<int>(text.size()), text.data());
    fail_msg("it does not start as it should");
}

}  // namespace

static void test_an_answer_is_status_fields_and_body(void**) {
    server s([](int fd, int) {
        hear_request(fd);
        say(fd, hello);
    });
    caller c;
    const auto a = c.get(s.url());
    assert_int_equal(a.status, 200);
    assert_text(a.body, "hello");
    assert_text(*a.field("x-one"), "1");
}

static void test_a_request_goes_out_as_it_was_given(void**) {
    std::string heard;
    server s([&](int fd, int) {
        heard = hear_request(fd);
        say(fd, hello);
    });
    caller c;
    http::request rq;
    rq.method = "POST";
    rq.url = s.url("/token?x=1");
    rq.fields = {{"content-type", "application/x-www-form-urlencoded"}, {"X-Empty", ""}};
    rq.body = "code=a&b=" + std::string(2'000, 'x');
    c.send(rq);
    assert_starts(heard, "POST /token?x=1 HTTP/1.1\r\n");
    assert_true(heard.ends_with("\r\n\r\n" + rq.body));
    assert_true(heard.find("content-type: application/x-www-form-urlencoded\r\n") != heard.npos);
    assert_true(heard.find("X-Empty:") != heard.npos);
    assert_true(heard.find("Expect:") == heard.npos);
    assert_true(heard.find("Cookie:") == heard.npos);
}

static void test_a_header_with_a_line_break_is_not_sent(void**) {
    caller c;
    http::request rq;
    rq.url = "http://127.0.0.1:1/";
    rq.fields = {{"X", "a\r\nY: b"}};
    c.fails([&] { c.send(rq); });
}

static void test_a_redirect_is_an_answer(void**) {
    server s([](int fd, int) {
        hear_request(fd);
        say(fd, "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n");
    });
    caller c;
    const auto a = c.get(s.url());
    assert_int_equal(a.status, 302);
    assert_text(*a.field("location"), "/x");
    assert_int_equal(s.connections(), 1);
}

static void test_an_interim_answer_is_not_the_answer(void**) {
    server s([](int fd, int) {
        hear_request(fd);
        say(fd, "HTTP/1.1 103 Early Hints\r\nX-One: no\r\n\r\n");
        say(fd, hello);
    });
    caller c;
    const auto a = c.get(s.url());
    assert_int_equal(a.status, 200);
    assert_text(*a.field("X-One"), "1");
}

static void test_a_time_out_before_the_connection_stands(void**) {
    int port = 0;
    const int fd = listening(0, port);  // a backlog that the first connections fill
    std::vector<int> fill;
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    for (int i = 0; i < 4; i++) {
        fill.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        (void)connect(fill.back(), reinterpret_cast<sockaddr*>(&at), sizeof at);
    }
    caller c;
    c.via.timeout = milliseconds{100};
    assert_starts(c.fails([&] { c.get("http://127.0.0.1:" + std::to_string(port) + "/"); }),
                  "time-out");
    for (const int f : fill) close(f);
    close(fd);
}

static void test_a_time_out_before_the_headers(void**) {
    server s([](int fd, int) {
        hear_request(fd);
        hear(fd, "never");
    });
    caller c;
    c.via.timeout = milliseconds{100};
    assert_starts(c.fails([&] { c.get(s.url()); }), "time-out");
}

static void test_a_time_out_inside_the_body(void**) {
    server s([](int fd, int) {
        hear_request(fd);
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
        hear(fd, "never");
    });
    caller c;
    c.via.timeout = milliseconds{100};
    assert_starts(c.fails([&] { c.get(s.url()); }), "time-out");
}

static void test_a_body_of_the_limit_is_taken_and_one_byte_more_is_not(void**) {
    server s([](int fd, int) {
        const bool more = hear_request(fd).starts_with("GET /more");
        say(fd,
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(more ? 101 : 100, 'x'));
    });
    caller c;
    http::request rq;
    rq.body_limit = 100;
    rq.url = s.url("/enough");
    assert_int_equal(c.send(rq).body.size(), 100);
    rq.url = s.url("/more");
    assert_starts(c.fails([&] { c.send(rq); }), "body too large");
}

static void test_the_limit_is_of_the_decoded_body(void**) {
    // gzip of 100,000 times "x"
    const auto packed = [] {
        std::string out;
        FILE* p = popen("printf 'x%.0s' $(seq 100000) | gzip -9", "r");
        char buffer[4096];
        for (std::size_t n; (n = fread(buffer, 1, sizeof buffer, p)) > 0;) out.append(buffer, n);
        pclose(p);
        return out;
    }();
    assert_true(packed.size() > 20 && packed.size() < 1'000);
    server s([&](int fd, int) {
        hear_request(fd);
        say(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " +
                    std::to_string(packed.size()) + "\r\n\r\n" + packed);
    });
    caller c;
    http::request rq;
    rq.url = s.url();
    rq.body_limit = 64 * 1024;
    assert_starts(c.fails([&] { c.send(rq); }), "body too large");
    rq.body_limit = 100'000;
    assert_text(c.send(rq).body, std::string(100'000, 'x'));
}

static void test_too_many_header_fields_are_refused(void**) {
    server s([](int fd, int) {
        hear_request(fd);
        std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
        for (int i = 0; i < 100; i++) head += "X: " + std::to_string(i) + "\r\n";
        say(fd, head + "\r\n");
    });
    caller c;
    assert_starts(c.fails([&] { c.get(s.url()); }), "too many header fields");
}

static void test_too_long_a_header_is_refused(void**) {
    server s([](int fd, int) {
        hear_request(fd);
        std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
        for (int i = 0; i < 9; i++) head += "X: " + std::string(8'000, 'x') + "\r\n";
        say(fd, head + "\r\n");
    });
    caller c;
    assert_starts(c.fails([&] { c.get(s.url()); }), "header too large");
}

static void test_a_reset_is_a_failure(void**) {
    server s([](int fd, int) {
        hear_request(fd);
        const linger at_once{1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    });
    caller c;
    assert_starts(c.fails([&] { c.get(s.url()); }), "connection lost");
}

static void test_a_body_that_ends_early_is_a_failure(void**) {
    server s([](int fd, int) {
        hear_request(fd);
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    });
    caller c;
    assert_starts(c.fails([&] { c.get(s.url()); }), "connection lost");
}

static void test_a_refused_connection_is_a_failure(void**) {
    int port = 0;
    close(listening(1, port));
    caller c;
    assert_starts(c.fails([&] { c.get("http://127.0.0.1:" + std::to_string(port) + "/"); }),
                  "no connection");
}

static  // [sec 80] The name is judged by what it stands for at the moment of connecting.
    std::vector<std::string>
        asked_about;
void test_an_address_that_is_refused_is_not_connected_to(void**) {
    caller c;
    server s([](int fd, int) {
        hear_request(fd);
        say(fd, hello);
    });
    http::request rq;
    rq.url = s.url();
    rq.url.replace(rq.url.find("127.0.0.1"), 9, "localhost");
    rq.refuses = [](std::string_view address) {
        asked_about.emplace_back(address);
        return true;
    };
    assert_true(c.fails([&] { c.send(rq); }).find("private network") != std::string::npos);
    assert_true(std::find(asked_about.begin(), asked_about.end(), "127.0.0.1") !=
                asked_about.end());
    assert_int_equal(s.connections(), 0);

    rq.refuses = [](std::string_view address) { return address != "127.0.0.1"; };
    assert_text(c.send(rq).peer, "127.0.0.1");
    // A proxy looks names up itself: neither is its address judged nor told.
    c.via.proxy = s.url();
    rq.url = "http://somewhere.example/";
    rq.refuses = [](std::string_view) { return true; };
    assert_text(c.send(rq).peer, "");
}

void test_other_schemes_are_refused(void**) {
    caller c;
    for (const auto* url :
         {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "dict://127.0.0.1/"})
        assert_starts(c.fails([&] { c.get(url); }), "bad URL");
}

static void test_connections_are_kept_for_requests_without_body(void**) {
    server s([](int fd, int) {
        while (hear_request(fd).starts_with("GET")) say(fd, hello);
    });
    caller c;
    c.get(s.url());
    c.get(s.url());
    assert_int_equal(s.connections(), 1);
    c.client.close_idle();
    assert_int_equal(c.loop.watches(), 0);
    c.get(s.url());
    assert_int_equal(s.connections(), 2);
}

// A code must never be sent twice: libcurl would repeat a request whose kept connection dies.
static void test_a_post_is_sent_once_on_a_connection_of_its_own(void**) {
    std::atomic<int> posts{0};
    server s([&](int fd, int nth) {
        for (std::string rq; !(rq = hear_request(fd)).empty();) {
            if (rq.starts_with("POST")) {
                ++posts;
                return;  // closed without an answer
            }
            say(fd, hello);
            if (nth == 1) return;  // as a server whose keep-alive is over
        }
    });
    caller c;
    c.get(s.url());
    assert_starts(c.fails([&] { c.post(s.url(), "code=1"); }), "connection lost");
    assert_int_equal(posts, 1);
    assert_int_equal(s.connections(), 2);
}

static void test_dropping_the_task_takes_the_transfer_away(void**) {
    std::atomic<bool> gone{false};
    server s([&](int fd, int) {
        hear_request(fd);
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
        hear(fd, "never");
        gone = true;
    });
    caller c;
    {
        http::request rq;
        rq.url = s.url();
        auto t = c.client.send(rq, c.via);
        t.start();
        c.loop.run([&] { return s.connections() == 1; });
        c.loop.run([] { return false; }, milliseconds{50});
        assert_false(t.done());
        assert_int_equal(c.client.running(), 1);
    }
    assert_int_equal(c.client.running(), 0);
    assert_int_equal(c.loop.watches(), 0);
    assert_true(c.loop.run([&] { return gone.load(); }));
}

static void test_many_transfers_run_at_once(void**) {
    server a([](int fd, int) {
        hear_request(fd);
        usleep(100'000);
        say(fd, hello);
    });
    server b([](int fd, int) {
        hear_request(fd);
        say(fd, hello);
    });
    caller c;
    http::request rq;
    rq.url = a.url();
    auto slow = c.client.send(rq, c.via);
    rq.url = b.url();
    auto quick = c.client.send(rq, c.via);
    slow.start();
    quick.start();
    assert_true(c.loop.run([&] { return quick.done(); }));
    assert_false(slow.done());
    assert_true(c.loop.run([&] { return slow.done(); }));
}

static void test_the_proxy_is_the_given_one(void**) {
    std::string heard;
    server s([&](int fd, int) {
        heard = hear_request(fd);
        say(fd, hello);
    });
    caller c;
    c.via.proxy = s.url("", "http");
    assert_text(c.get("http://provider.invalid/x").body, "hello");
    assert_starts(heard, "GET http://provider.invalid/x HTTP/1.1\r\n");
}

static void test_the_environment_names_no_proxy(void**) {
    server proxy([](int fd, int) { hear_request(fd); });
    server s([](int fd, int) {
        hear_request(fd);
        say(fd, hello);
    });
    setenv("http_proxy", proxy.url().c_str(), 1);
    setenv("all_proxy", proxy.url().c_str(), 1);
    caller c;
    assert_text(c.get(s.url()).body, "hello");
    assert_int_equal(proxy.connections(), 0);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
}

static void test_a_proxy_that_refuses_is_a_failure(void**) {
    server s([](int fd, int) {
        hear_request(fd);
        say(fd, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    });
    caller c;
    c.via.proxy = s.url("", "http");
    c.fails([&] { c.get("https://provider.invalid/x"); });
}

// --- TLS ----------------------------------------------------------------------------------------

namespace {

// A certificate for 127.0.0.1 that signs itself, and a server that shows it.
struct tls_identity {
    owned<EVP_PKEY, EVP_PKEY_free> key{EVP_EC_gen("P-256")};
    owned<X509, X509_free> cert{X509_new()};
    owned<SSL_CTX, SSL_CTX_free> ctx{SSL_CTX_new(TLS_server_method())};

    explicit tls_identity(const char* names = "IP:127.0.0.1") {
        X509_set_version(cert.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(cert.get()), -60);
        X509_gmtime_adj(X509_getm_notAfter(cert.get()), 3600);
        X509_set_pubkey(cert.get(), key.get());
        X509_NAME* name = X509_get_subject_name(cert.get());
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
        X509_set_issuer_name(cert.get(), name);
        owned<X509_EXTENSION, X509_EXTENSION_free> san{
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names)};
        X509_add_ext(cert.get(), san.get(), -1);
        X509_sign(cert.get(), key.get(), EVP_sha256());
        SSL_CTX_use_certificate(ctx.get(), cert.get());
        SSL_CTX_use_PrivateKey(ctx.get(), key.get());
    }
    void answer(int fd) const {
        owned<SSL, SSL_free> ssl{SSL_new(ctx.get())};
        SSL_set_fd(ssl.get(), fd);
        if (SSL_accept(ssl.get()) != 1) return;
        char buffer[4096];
        SSL_read(ssl.get(), buffer, sizeof buffer);
        SSL_write(ssl.get(), hello.data(), static_cast<int>(hello.size()));
        SSL_shutdown(ssl.get());
    }
    std::string pem_file() const {
        char path[] = "/tmp/io_curl_client_test.XXXXXX";
        FILE* f = fdopen(mkstemp(path), "w");
        PEM_write_X509(f, cert.get());
        fclose(f);
        return path;
    }
};

}  // namespace

static void test_an_unknown_certificate_is_refused(void**) {
    const tls_identity id;
    server s([&](int fd, int) { id.answer(fd); });
    caller c;
    assert_starts(c.fails([&] { c.get(s.url("/", "https")); }), "TLS");
}

static void test_a_certificate_of_the_given_file_is_accepted(void**) {
    const tls_identity id;
    server s([&](int fd, int) { id.answer(fd); });
    caller c;
    c.via.ca_file = id.pem_file();
    assert_text(c.get(s.url("/", "https")).body, "hello");
    unlink(c.via.ca_file.c_str());
}

static void test_a_certificate_of_another_name_is_refused(void**) {
    const tls_identity id("DNS:elsewhere.invalid");
    server s([&](int fd, int) { id.answer(fd); });
    caller c;
    c.via.ca_file = id.pem_file();
    assert_starts(c.fails([&] { c.get(s.url("/", "https")); }), "TLS");
    unlink(c.via.ca_file.c_str());
}

// --- SMTP ---------------------------------------------------------------------------------------

namespace {

constexpr std::string_view credentials = "AG1lAHBhc3M=";  // base64 of NUL me NUL pass

// A mail server that answers each command by its first word, the last rule that fits first; "." is
// the end of the letter.
struct mail_script {
    std::vector<std::pair<std::string, std::string>> answers{
        {"", "250 ok\r\n"},           {"EHLO", "250-mail.test\r\n250 AUTH PLAIN\r\n"},
        {"AUTH", "334 \r\n"},         {std::string(credentials), "235 yes\r\n"},
        {"DATA", "354 go on\r\n"},    {"QUIT", "221 bye\r\n"},
        {".", "250 2.0.0 queued\r\n"}};
    std::string log, letter;

    std::string answer(std::string_view line) const {
        const auto rule = std::find_if(answers.rbegin(), answers.rend(),
                                       [&](const auto& r) { return line.starts_with(r.first); });
        return rule->second;
    }
    void serve(int fd) {
        say(fd, "220 mail.test ESMTP\r\n");
        for (std::string line; !(line = hear(fd, "\r\n")).empty();) {
            log += line;
            say(fd, answer(line));
            if (line.starts_with("QUIT")) return;
            if (!line.starts_with("DATA") || answer(line).front() != '3') continue;
            letter = hear(fd, "\r\n.\r\n");
            say(fd, answer("."));
        }
    }
};

struct mail_caller : caller {
    void deliver(const server& s, bool require_tls = false) {
        io::smtp_message m;
        m.url = s.url("", "smtp");
        m.url.insert(m.url.find("127"), "me:pass@");
        m.require_tls = require_tls;
        m.from = "from@site.test";
        m.to = "to@user.test";
        m.data = "Subject: x\r\n\r\nline\r\n.dot\r\n";
        auto t = client.deliver(std::move(m), via);
        t.start();
        assert_true(loop.run([&] { return t.done(); }));
        t.result();
    }
};

}  // namespace

static void test_a_letter_is_delivered(void**) {
    mail_script mail;
    server s([&](int fd, int) { mail.serve(fd); });
    mail_caller c;
    c.deliver(s);
    assert_true(mail.log.find(credentials) != mail.log.npos);
    assert_true(mail.log.find("MAIL FROM:<from@site.test>") != mail.log.npos);
    assert_true(mail.log.find("RCPT TO:<to@user.test>") != mail.log.npos);
    assert_text(mail.letter, "Subject: x\r\n\r\nline\r\n..dot\r\n.\r\n");
}

static void test_every_no_of_a_mail_server_is_a_failure_with_its_words(void**) {
    for (const auto step :
         {std::string_view("AUTH"), credentials, std::string_view("MAIL"), std::string_view("RCPT"),
          std::string_view("DATA"), std::string_view(".")}) {
        mail_script mail;
        mail.answers.emplace_back(step, "550 5.7.1 not for you\r\n");
        server s([&](int fd, int) { mail.serve(fd); });
        mail_caller c;
        const auto e = failure_of([&] { c.deliver(s); });
        assert_true(e && e->id() == code::email_signin_error);
        assert_true(std::string_view(e->what()).find("550 5.7.1 not for you") != std::string::npos);
    }
}

static void test_a_letter_that_needs_tls_is_not_sent_without(void**) {
    mail_script mail;
    server s([&](int fd, int) { mail.serve(fd); });
    mail_caller c;
    assert_starts(c.fails([&] { c.deliver(s, true); }), "TLS");
    assert_true(mail.letter.empty());
}

static void test_a_mail_server_that_hangs_or_closes_is_a_failure(void**) {
    server hangs([](int fd, int) { hear(fd, "never"); });
    server closes([](int fd, int) { say(fd, "220 hi\r\n"); });
    mail_caller c;
    c.via.timeout = milliseconds{100};
    assert_starts(c.fails([&] { c.deliver(hangs); }), "time-out");
    c.fails([&] { c.deliver(closes); });
}

int main() {
    std::signal(SIGPIPE, SIG_IGN);
    const CMUnitTest tests[] = {unit(test_an_answer_is_status_fields_and_body),
                                unit(test_a_request_goes_out_as_it_was_given),
                                unit(test_a_header_with_a_line_break_is_not_sent),
                                unit(test_a_redirect_is_an_answer),
                                unit(test_an_interim_answer_is_not_the_answer),
                                unit(test_a_time_out_before_the_connection_stands),
                                unit(test_a_time_out_before_the_headers),
                                unit(test_a_time_out_inside_the_body),
                                unit(test_a_body_of_the_limit_is_taken_and_one_byte_more_is_not),
                                unit(test_the_limit_is_of_the_decoded_body),
                                unit(test_too_many_header_fields_are_refused),
                                unit(test_too_long_a_header_is_refused),
                                unit(test_a_reset_is_a_failure),
                                unit(test_a_body_that_ends_early_is_a_failure),
                                unit(test_a_refused_connection_is_a_failure),
                                unit(test_an_address_that_is_refused_is_not_connected_to),
                                unit(test_other_schemes_are_refused),
                                unit(test_connections_are_kept_for_requests_without_body),
                                unit(test_a_post_is_sent_once_on_a_connection_of_its_own),
                                unit(test_dropping_the_task_takes_the_transfer_away),
                                unit(test_many_transfers_run_at_once),
                                unit(test_the_proxy_is_the_given_one),
                                unit(test_the_environment_names_no_proxy),
                                unit(test_a_proxy_that_refuses_is_a_failure),
                                unit(test_an_unknown_certificate_is_refused),
                                unit(test_a_certificate_of_the_given_file_is_accepted),
                                unit(test_a_certificate_of_another_name_is_refused),
                                unit(test_a_letter_is_delivered),
                                unit(test_every_no_of_a_mail_server_is_a_failure_with_its_words),
                                unit(test_a_letter_that_needs_tls_is_not_sent_without),
                                unit(test_a_mail_server_that_hangs_or_closes_is_a_failure)};
    return cmocka_run_group_tests_name("io/curl_client", tests, nullptr, nullptr);
}
