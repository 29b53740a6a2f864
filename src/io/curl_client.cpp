#include "io/curl_client.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <utility>

#include "util/bytes.hpp"
#include "util/error.hpp"
#include "util/owned.hpp"
#include "util/url.hpp"

namespace authjs::io {
namespace {

using easy_handle = owned<CURL, curl_easy_cleanup>;
using multi_handle = owned<CURLM, curl_multi_cleanup>;
using string_list = owned<curl_slist, curl_slist_free_all>;

constexpr std::size_t max_fields = 100;
constexpr std::size_t max_field_bytes = 64 * 1024;
constexpr long max_idle_connections = 32;

class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int fd) : fd_(fd) {
        if (fd < 0) throw error(code::unavailable, "no descriptor is free");
    }
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const noexcept { return fd_; }

private:
    int fd_ = -1;
};

void append(string_list& list, const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (!longer) throw std::bad_alloc();
    (void)list.release();
    list.reset(longer);
}

// Options are all or nothing: one that libcurl does not take would leave a check out.
template <class V>
void set(CURL* easy, CURLoption option, V value) {
    if (const CURLcode rc = curl_easy_setopt(easy, option, value); rc != CURLE_OK)
        throw error(code::configuration,
                    std::string("libcurl refuses an option: ") + curl_easy_strerror(rc));
}

bool has_line_break(std::string_view text) noexcept {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos;
}

std::string_view trimmed(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// What went wrong in one word for the log; libcurl's own words follow it.
std::string_view reason(CURLcode rc) noexcept {
    switch (rc) {
        case CURLE_OPERATION_TIMEDOUT:
            return "time-out";
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
            return "name not found";
        case CURLE_COULDNT_CONNECT:
            return "no connection";
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_CIPHER:
        case CURLE_USE_SSL_FAILED:
            return "TLS";
        case CURLE_GOT_NOTHING:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_PARTIAL_FILE:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
            return "connection lost";
        case CURLE_BAD_CONTENT_ENCODING:
            return "bad content encoding";
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_URL_MALFORMAT:
            return "bad URL";
        case CURLE_LOGIN_DENIED:
            return "log-in refused";
        default:
            return "failed";
    }
}

}  // namespace

// The multi handle with its sockets and its one timer on the loop.
class curl_client::impl {
public:
    explicit impl(event_loop& loop) : loop_(loop) {
        static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
        if (once != CURLE_OK) throw error(code::configuration, curl_easy_strerror(once));
    }
    ~impl() { multi_.reset(); }

    CURLMcode add(CURL* easy) {
        const CURLMcode rc = curl_multi_add_handle(multi(), easy);
        if (rc == CURLM_OK) ++running_;
        return rc;
    }
    void remove(CURL* easy) noexcept {
        curl_multi_remove_handle(multi_.get(), easy);
        --running_;
    }
    void close_idle() noexcept {
        closing_ = true;
        if (running_ == 0) multi_.reset();
    }
    bool closing() const noexcept { return closing_; }
    // libcurl closes a socket that never got connected without a word (cf_socket_close), and goes
    // on as if it watched the next one of that number: that one then takes over what was wanted.
    curl_socket_t open_socket(const curl_sockaddr* to) noexcept {
        auto& me = *this;
        const int fd = ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
        const auto stale = me.watches_.find(fd);
        if (fd >= 0 && stale != me.watches_.end()) {
            const int wanted = stale->second.wanted;
            me.watches_.erase(stale);
            on_socket(nullptr, fd, wanted, this, nullptr);
        }
        return fd;
    }
    static int close_socket(void* self, curl_socket_t fd) noexcept {
        static_cast<impl*>(self)->watches_.erase(fd);
        return ::close(fd);
    }
    std::size_t running() const noexcept { return running_; }

private:
    CURLM* multi() {
        if (multi_) return multi_.get();
        multi_.reset(curl_multi_init());
        if (!multi_) throw std::bad_alloc();
        curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &on_socket);
        curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &on_timer);
        curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
        curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, max_idle_connections);
        return multi_.get();
    }

    // The watch may be the one whose call is running: loops allow that.
    static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept {
        auto& me = *static_cast<impl*>(self);
        try {
            if (what == CURL_POLL_REMOVE) {
                me.watches_.erase(fd);
                return 0;
            }
            auto& w = me.watches_[fd];
            if (!w.on) {
                w.copy = descriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
                w.on = me.loop_.on_ready(w.copy.get(), [&me, fd](bool readable, bool writable) {
                    me.act(fd,
                           (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
                });
            }
            w.wanted = what;
            w.on->want(what & CURL_POLL_IN, what & CURL_POLL_OUT);
            return 0;
        } catch (const std::exception&) {
            me.watches_.erase(fd);
            return -1;  // fails the transfers, CURLM_ABORTED_BY_CALLBACK
        }
    }

    static int on_timer(CURLM*, long ms, void* self) noexcept {
        auto& me = *static_cast<impl*>(self);
        try {
            me.timer_.reset();
            if (ms >= 0)
                me.timer_ = me.loop_.after(milliseconds(ms), me.running_ != 0,
                                           [&me] { me.act(CURL_SOCKET_TIMEOUT, 0); });
            return 0;
        } catch (const std::exception&) {
            return -1;
        }
    }

    void act(curl_socket_t fd, int ready);

    // What is watched is a copy of libcurl's descriptor, which may be closed at any time.
    struct watched {
        descriptor copy;
        std::unique_ptr<watch> on;
        int wanted = CURL_POLL_NONE;
    };

    event_loop& loop_;
    std::unordered_map<curl_socket_t, watched> watches_;
    std::unique_ptr<timer> timer_;
    std::size_t running_ = 0;
    bool closing_ = false;
    multi_handle multi_;
};

namespace {

// An address as a URL writes it; empty: none of the internet's.
std::string address_of(const sockaddr& a) {
    char text[INET6_ADDRSTRLEN] = "";
    if (a.sa_family == AF_INET)
        inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(a).sin_addr, text, sizeof text);
    else if (a.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(a).sin6_addr, text, sizeof text);
    return a.sa_family == AF_INET6 ? "[" + std::string(text) + "]" : text;
}

// One transfer: an awaiter that lives in the frame of whoever waits. Its end takes it off the loop.
class transfer {
public:
    transfer(curl_client::impl& owner, const http::transport& via, const std::string& url,
             const char* protocols)
        : owner_(owner), easy_(curl_easy_init()) {
        if (!easy_) throw std::bad_alloc();
        CURL* const e = easy();
        const long ms = std::max<long>(1, static_cast<long>(via.timeout.count()));
        set(e, CURLOPT_PRIVATE, this);
        set(e, CURLOPT_ERRORBUFFER, words_);
        set(e, CURLOPT_URL, url.c_str());
        set(e, CURLOPT_PROTOCOLS_STR, protocols);
        set(e, CURLOPT_NOSIGNAL, 1L);
        set(e, CURLOPT_QUICK_EXIT, 1L);  // a name look-up that hangs is not waited for
        set(e, CURLOPT_CONNECTTIMEOUT_MS, ms);
        set(e, CURLOPT_TIMEOUT_MS, ms);
        // Set even when empty, or libcurl would ask the environment.
        set(e, CURLOPT_PROXY, via.proxy.c_str());
        set(e, CURLOPT_NOPROXY, "");
        set(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        set(e, CURLOPT_FOLLOWLOCATION, 0L);
        set(e, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
        set(e, CURLOPT_SSL_VERIFYPEER, 1L);
        set(e, CURLOPT_SSL_VERIFYHOST, 2L);
        set(e, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
        if (!via.ca_file.empty()) {
            set(e, CURLOPT_CAINFO, via.ca_file.c_str());
            set(e, CURLOPT_CAPATH, nullptr);
            set(e, CURLOPT_PROXY_CAINFO, via.ca_file.c_str());
            set(e, CURLOPT_PROXY_CAPATH, nullptr);
        }
        if (owner.closing()) set(e, CURLOPT_FORBID_REUSE, 1L);
        set(e, CURLOPT_OPENSOCKETFUNCTION, &on_open);
        set(e, CURLOPT_OPENSOCKETDATA, this);
        set(e, CURLOPT_CLOSESOCKETFUNCTION, &curl_client::impl::close_socket);
        set(e, CURLOPT_CLOSESOCKETDATA, &owner);
        set(e, CURLOPT_HEADERFUNCTION, &on_header);
        set(e, CURLOPT_HEADERDATA, this);
        set(e, CURLOPT_WRITEFUNCTION, &on_body);
        set(e, CURLOPT_WRITEDATA, this);
    }
    virtual ~transfer() {
        if (added_) owner_.remove(easy());
    }
    transfer(const transfer&) = delete;
    transfer& operator=(const transfer&) = delete;

    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> caller) {
        caller_ = caller;
        if (const CURLMcode rc = owner_.add(easy()); rc != CURLM_OK) {
            failure_ = curl_multi_strerror(rc);
            return false;
        }
        added_ = true;
        return true;
    }
    // The transfer's end; empty: it went well.
    const std::string& await_resume() const noexcept { return failure_; }

    void finish(CURLcode rc) {
        added_ = false;
        owner_.remove(easy());
        if (rc != CURLE_OK && failure_.empty()) {
            failure_ = refused_ ? "not to be reached" : reason(rc);
            failure_ += ": ";
            failure_ += refused_  ? "the name stands for an address in a private network"
                        : *words_ ? words_
                                  : curl_easy_strerror(rc);
        }
        caller_.resume();  // the frame, and this with it, may be gone after this
    }

protected:
    CURL* easy() const noexcept { return easy_.get(); }
    virtual bool header(std::string_view line) = 0;
    virtual bool body(std::string_view) { return true; }
    virtual bool may_reach(const sockaddr&) const { return true; }
    bool fail(std::string_view why) {
        failure_ = why;
        return false;
    }

private:
    template <class F>
    static std::size_t taken(std::size_t n, F&& take) noexcept {
        try {
            return take() ? n : CURL_WRITEFUNC_ERROR;
        } catch (const std::exception&) {
            return CURL_WRITEFUNC_ERROR;
        }
    }
    static curl_socket_t on_open(void* self, curlsocktype, curl_sockaddr* to) noexcept {
        auto& me = *static_cast<transfer*>(self);
        try {
            if (me.may_reach(to->addr)) return me.owner_.open_socket(to);
        } catch (const std::exception&) {
        }
        me.refused_ = true;
        return CURL_SOCKET_BAD;
    }
    static std::size_t on_header(char* data, std::size_t, std::size_t n, void* self) noexcept {
        return taken(n, [&] { return static_cast<transfer*>(self)->header({data, n}); });
    }
    static std::size_t on_body(char* data, std::size_t, std::size_t n, void* self) noexcept {
        return taken(n, [&] { return static_cast<transfer*>(self)->body({data, n}); });
    }

    curl_client::impl& owner_;
    std::string failure_;
    char words_[CURL_ERROR_SIZE] = "";
    std::coroutine_handle<> caller_;
    bool added_ = false;
    bool refused_ = false;  // an address of the host's
    easy_handle easy_;
};

class http_transfer final : public transfer {
public:
    http_transfer(curl_client::impl& owner, const http::transport& via, http::request rq)
        : transfer(owner, via, rq.url, "http,https"),
          rq_(std::move(rq)),
          direct_(via.proxy.empty()) {
        set(easy(), CURLOPT_ACCEPT_ENCODING, "");
        set(easy(), CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
        if (rq_.method == "HEAD") {
            set(easy(), CURLOPT_NOBODY, 1L);
        } else if (rq_.method != "GET" || !rq_.body.empty()) {
            set(easy(), CURLOPT_POST, 1L);
            set(easy(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(rq_.body.size()));
            set(easy(), CURLOPT_POSTFIELDS, rq_.body.c_str());
            if (rq_.method != "POST") set(easy(), CURLOPT_CUSTOMREQUEST, rq_.method.c_str());
            // A request that dies on a connection used before is sent again by libcurl; a code must
            // never be. A connection of its own is never retried once it stands.
            set(easy(), CURLOPT_FRESH_CONNECT, 1L);
            if (!http::find(rq_.fields, "content-type")) append(lines_, "Content-Type:");
            append(lines_, "Expect:");
        }
        for (const auto& f : rq_.fields) {
            if (has_line_break(f.name) || has_line_break(f.value))
                throw error(code::callback_route_error, "a request header holds a line break");
            append(lines_, f.value.empty() ? f.name + ";" : f.name + ": " + f.value);
        }
        set(easy(), CURLOPT_HTTPHEADER, lines_.get());
    }

    // The answer, once the transfer has ended.
    http::response take() {
        const char* peer = nullptr;
        if (direct_ && curl_easy_getinfo(easy(), CURLINFO_PRIMARY_IP, &peer) == CURLE_OK && peer)
            answer_.peer = std::string_view(peer).find(':') == std::string_view::npos
                               ? peer
                               : "[" + std::string(peer) + "]";
        return std::move(answer_);
    }

private:
    bool may_reach(const sockaddr& to) const override {
        return !direct_ || !rq_.refuses || !rq_.refuses(address_of(to));
    }
    bool header(std::string_view line) override {
        if ((bytes_ += line.size()) > max_field_bytes) return fail("header too large");
        if (line.starts_with("HTTP/")) {  // after an interim answer (1xx) comes another
            answer_ = {};
            complete_ = false;
            const auto at = line.find(' ');
            if (at != line.npos)
                std::from_chars(line.data() + at + 1, line.data() + line.size(), answer_.status);
            return true;
        }
        if (complete_) return true;  // trailers are nobody's business
        const auto text = trimmed(line);
        if (text.empty()) {
            complete_ = true;
            return true;
        }
        if (line.front() == ' ' || line.front() == '\t') {  // obs-fold, RFC 9112 section 5.2
            if (!answer_.fields.empty()) answer_.fields.back().value.append(" ").append(text);
            return true;
        }
        const auto colon = text.find(':');
        if (colon == text.npos) return true;
        if (answer_.fields.size() == max_fields) return fail("too many header fields");
        answer_.fields.push_back({std::string(trimmed(text.substr(0, colon))),
                                  std::string(trimmed(text.substr(colon + 1)))});
        return true;
    }
    bool body(std::string_view part) override {
        if (part.size() > rq_.body_limit - answer_.body.size()) return fail("body too large");
        answer_.body.append(part);
        return true;
    }

    http::request rq_;
    bool direct_;
    http::response answer_;
    string_list lines_;
    std::size_t bytes_ = 0;
    bool complete_ = false;
};

class smtp_transfer final : public transfer {
public:
    smtp_transfer(curl_client::impl& owner, const http::transport& via, smtp_message m)
        : transfer(owner, via, m.url, "smtp,smtps"), m_(std::move(m)) {
        if (has_line_break(m_.from) || has_line_break(m_.to))
            throw error(code::email_signin_error, "an address holds a line break");
        append(to_, m_.to);
        set(easy(), CURLOPT_PROXY, "");  // auth_js_http_proxy is for HTTP
        // The same rule as for a POST: a letter goes out once, on a connection of its own.
        set(easy(), CURLOPT_FRESH_CONNECT, 1L);
        set(easy(), CURLOPT_FORBID_REUSE, 1L);
        set(easy(), CURLOPT_USE_SSL,
            static_cast<long>(m_.require_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
        set(easy(), CURLOPT_MAIL_FROM, m_.from.c_str());
        set(easy(), CURLOPT_MAIL_RCPT, to_.get());
        set(easy(), CURLOPT_UPLOAD, 1L);
        set(easy(), CURLOPT_READFUNCTION, &on_read);
        set(easy(), CURLOPT_READDATA, this);
    }
    const std::string& said() const noexcept { return said_; }

private:
    bool header(std::string_view line) override {
        // 4yz and 5yz are refusals (RFC 5321 section 4.2.1); a QUIT with its own answer follows
        // them.
        if (line.starts_with('4') || line.starts_with('5')) said_ = trimmed(line.substr(0, 512));
        return true;
    }
    static std::size_t on_read(char* to, std::size_t, std::size_t room, void* self) noexcept {
        auto& me = *static_cast<smtp_transfer*>(self);
        const auto n = me.m_.data.copy(to, room, me.sent_);
        me.sent_ += n;
        return n;
    }

    smtp_message m_;
    string_list to_;
    std::string said_;
    std::size_t sent_ = 0;
};

}  // namespace

void curl_client::impl::act(curl_socket_t fd, int ready) {
    int left = 0;
    curl_multi_socket_action(multi_.get(), fd, ready, &left);
    // Whoever is resumed may add transfers and drop others; libcurl forgets the messages of those.
    int queued = 0;
    while (const CURLMsg* m = multi_ ? curl_multi_info_read(multi_.get(), &queued) : nullptr) {
        if (m->msg != CURLMSG_DONE) continue;
        const CURLcode rc = m->data.result;
        void* t = nullptr;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
        static_cast<transfer*>(t)->finish(rc);
    }
    if (closing_ && running_ == 0) multi_.reset();
}

curl_client::curl_client(event_loop& loop) : impl_(std::make_unique<impl>(loop)) {}
curl_client::~curl_client() = default;

task<http::response> curl_client::send(http::request rq, const http::transport& via) {
    std::string host;
    if (const auto u = parse_url(rq.url)) host = u->host_port();
    http_transfer t(*impl_, via, std::move(rq));
    const std::string failure = co_await t;
    if (!failure.empty()) throw error(code::callback_route_error, failure).with("host", host);
    co_return t.take();
}

task<void> curl_client::deliver(smtp_message m, const http::transport& via) {
    smtp_transfer t(*impl_, via, std::move(m));
    const std::string failure = co_await t;
    if (failure.empty()) co_return;
    auto e = error(code::email_signin_error, failure);
    if (!t.said().empty()) e.with("answer", t.said());
    throw e;
}

void curl_client::close_idle() noexcept { impl_->close_idle(); }
std::size_t curl_client::running() const noexcept { return impl_->running(); }

}  // namespace authjs::io
