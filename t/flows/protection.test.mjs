// The protection matrix: every way in which nginx answers a request, crossed with sessions, `satisfy`
// and the three modes. An upstream that records proves that it saw no refused request.
import assert from "node:assert";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import path from "node:path";
import tls from "node:tls";
import { after, before, test } from "node:test";

import { encode } from "@auth/core/jwt";

import { startNginx } from "../lib/nginx.mjs";

const secret = "0123456789abcdef0123456789abcdef";
const cookie_name = "authjs.session-token";
const token = (age = 3600) => encode({ token: { sub: "1", name: "Ada" }, secret, salt: cookie_name, maxAge: age });
const navigation = { accept: "text/html" };

// --- upstreams that remember whom they saw, by the request's X-Case ---------------------------------

const seen = new Map();
const saw = (id) => seen.set(id, (seen.get(id) ?? 0) + 1);

const upstream = http.createServer((rq, rs) => {
    saw(rq.headers["x-case"]);
    const target = /\/xaccel(\/.*)$/.exec(rq.url);
    if (target) rs.setHeader("X-Accel-Redirect", target[1].replace(/\?.*/, ""));
    rs.end("upstream\n");
});

// As little FastCGI as an answer needs: parameters in, one record out (FastCGI specification, section 3).
const fastcgi = net.createServer((socket) => {
    let bytes = Buffer.alloc(0), params = "";
    socket.on("error", () => {});
    socket.on("data", (more) => {
        bytes = Buffer.concat([bytes, more]);
        while (bytes.length >= 8) {
            const length = bytes.readUInt16BE(4), whole = 8 + length + bytes[6];
            if (bytes.length < whole) return;
            const [type, body] = [bytes[1], bytes.subarray(8, 8 + length)];
            bytes = bytes.subarray(whole);
            if (type === 4) params += body.toString("latin1");
            if (type !== 5 || length) continue;
            saw(/HTTP_X_CASE(\d+)/.exec(params)?.[1]);
            const text = Buffer.from("Content-Type: text/plain\r\n\r\nupstream\n");
            const record = (kind, content) => Buffer.concat([Buffer.from([1, kind, 0, 1, content.length >> 8, content.length & 255, 0, 0]), content]);
            socket.end(Buffer.concat([record(6, text), record(6, Buffer.alloc(0)), record(3, Buffer.alloc(8))]));
        }
    });
});
const listen = (server) => new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));

// --- the table --------------------------------------------------------------------------------------

// A kind's locations below `p`, its policy being `law`; what is asked; what a yes holds; and how it differs:
// `sub`, a sub-request decides (never a redirect, no address rules); `always`, the check cannot be asked.
const kinds = {
    static: { conf: (p, law) => `location ${p}/ { ${law} alias html/protected/; }`, ask: "/a", body: "protected" },
    proxy: { conf: (p, law, up) => `location ${p}/ { ${law} proxy_pass ${up}; }`, ask: "/a", reaches: true },
    fastcgi: { conf: (p, law, up, cgi) => `location ${p}/ { ${law} fastcgi_pass ${cgi}; fastcgi_param HTTP_X_CASE $http_x_case; }`, ask: "/a", reaches: true },
    return: { conf: (p, law) => `location ${p}/ { ${law} return 200 "returned"; }`, ask: "/a", body: "returned", always: true },
    try_files: { conf: (p, law, up) => `location ${p}/ { auth_js off; try_files /none ${p}-t/a; } location ${p}-t/ { ${law} proxy_pass ${up}; }`, ask: "/a", reaches: true },
    index: { conf: (p, law) => `location ${p}/ { ${law} alias html/protected/; index a; }`, ask: "/", body: "protected" },
    named: { conf: (p, law, up) => `location ${p}/ { auth_js off; try_files /none @${p.slice(1)}; } location @${p.slice(1)} { ${law} proxy_pass ${up}; }`, ask: "/a", reaches: true },
    error_page: { conf: (p, law, up) => `location ${p}/ { auth_js off; error_page 404 = ${p}-t/a; return 404; } location ${p}-t/ { ${law} proxy_pass ${up}; }`, ask: "/a", reaches: true },
    x_accel: { conf: (p, law, up) => `location ${p}/ { auth_js off; proxy_set_header X-Case ""; proxy_pass ${up}/xaccel${p}-t/; } location ${p}-t/ { internal; ${law} alias html/protected/; }`, ask: "/a", body: "protected" },
    ssi: { conf: (p, law, up) => `location ${p}/ { auth_js off; ssi on; ssi_types *; alias html/ssi/; } location ${p}-t/ { ${law} proxy_pass ${up}; }`, ask: "/page", reaches: true, sub: true, refused: [200, "[]"], granted: "[upstream\n]" },
    mirror: { conf: (p, law, up) => `location ${p}/ { auth_js off; mirror ${p}-t/a; alias html/protected/; } location ${p}-t/ { internal; ${law} proxy_pass ${up}; }`, ask: "/a", reaches: true, sub: true, refused: [200, "protected"], granted: "protected" },
    auth_request: { conf: (p, law) => `location ${p}/ { auth_js off; auth_request ${p}-t/a; alias html/protected/; } location ${p}-t/ { internal; ${law} alias html/protected/; }`, ask: "/a", body: "protected", sub: true, refused: [401] },
    if: { conf: (p, law, up) => `location ${p}/ { ${law} if ($arg_x) { add_header X-If 1; } proxy_pass ${up}; }`, ask: "/a?x=1", reaches: true },
    limit_except: { conf: (p, law, up) => `location ${p}/ { ${law} proxy_pass ${up}; limit_except GET { auth_basic off; } }`, ask: "/a", method: "POST", reaches: true },
    nested: { conf: (p, law, up) => `location ${p}/ { ${law} location ${p}/in/ { proxy_pass ${up}; } }`, ask: "/in/a", reaches: true },
    regex: { conf: (p, law, up) => `location ${p}/ { auth_js off; } location ~ ^${p}/.*\\.php$ { ${law} proxy_pass ${up}; }`, ask: "/a.php", reaches: true },
};
const modes = ["on", "optional", "off"], satisfies = ["all", "any"], sessions = {};

// What directives.md promises.
function promised(kind, mode, satisfy, session, navigates) {
    const yes = [200, kind.granted ?? kind.body ?? "upstream"];
    if (kind.always) return yes;
    const missing = mode === "on" && session !== "valid";
    if (kind.sub) return missing ? kind.refused : yes;
    // `satisfy any` with `deny all`: only a session opens, and only where one is asked for.
    if (satisfy === "any" && mode !== "on") return [403];
    if (!missing) return yes;
    return [navigates && (kind.method ?? "GET") === "GET" ? 302 : 401];
}

let nginx, up, cgi, files;
before(async () => {
    Object.assign(sessions, {
        none: undefined,
        expired: `${cookie_name}=${await token(-60)}`,
        forged: `${cookie_name}=${(await token()).replace(/.$/, (c) => (c === "A" ? "B" : "A")).replace(/^([^.]+\.\.[^.]{4})./, "$1_")}`,
        valid: `${cookie_name}=${await token()}`,
    });
    up = `http://127.0.0.1:${await listen(upstream)}`;
    cgi = `127.0.0.1:${await listen(fastcgi)}`;
    const folder = fs.mkdtempSync("/tmp/auth_js-keys-");
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=app.test",
        "-keyout", path.join(folder, "key"), "-out", path.join(folder, "cert")], { stdio: "ignore" });
    files = { "conf/key": fs.readFileSync(path.join(folder, "key")), "conf/cert": fs.readFileSync(path.join(folder, "cert")) };
    fs.rmSync(folder, { recursive: true });

    const locations = [];
    for (const [name, kind] of Object.entries(kinds))
        for (const mode of modes)
            for (const satisfy of satisfies)
                locations.push(kind.conf(`/${name}-${mode}-${satisfy}`, `auth_js ${mode}; satisfy ${satisfy}; ${satisfy === "any" ? "deny all;" : ""}`, up, cgi));
    // What stands beside us: one location for each pair of (satisfy, address rule).
    for (const satisfy of satisfies)
        for (const rule of ["allow", "deny"])
            locations.push(`location /beside-${satisfy}-${rule}/ { satisfy ${satisfy}; ${rule} all; auth_js on; auth_basic realm; auth_basic_user_file passwd;
                auth_request /beside-check; alias html/protected/; }`);
    nginx = await startNginx({
        ports: 4,
        files: { ...files, "html/protected/a": "protected\n", "conf/passwd": "user:{PLAIN}pass\n",
            ...Object.fromEntries(modes.flatMap((m) => satisfies.map((s) => [`html/ssi-${m}-${s}/page`, `[<!--# include virtual="/ssi-${m}-${s}-t/a" -->]`]))) },
        conf: undefined,
        http: `auth_js_secret ${secret}; auth_js_secure_cookies off; client_header_timeout 5s;`,
        server: `
            listen 127.0.0.1:{{port2}} ssl http2; listen 127.0.0.1:{{port3}} proxy_protocol; listen 127.0.0.1:{{port4}} http2; listen unix:{{prefix}}/socket;
            ssl_certificate cert; ssl_certificate_key key;
            server_name app.test; auth_js on;
            location /auth/ { auth_js_handler; }
            location = /beside-check { internal; auth_js off; if ($http_x_check) { return 204; } return 403; }
            ${locations.join("\n").replace(/alias html\/ssi\/; \} location \/ssi-(\w+-\w+)-t/g, "alias {{prefix}}/html/ssi-$1/; } location /ssi-$1-t").replaceAll("alias html/", "alias {{prefix}}/html/")}`,
    });
});
after(async () => {
    upstream.close();
    fastcgi.close();
    await nginx?.stop();
});

const asked = (url, { method = "GET", headers = {} } = {}) => new Promise((done, failed) => {
    const rq = http.request({ host: "127.0.0.1", port: nginx.port, path: url, method, headers: { host: "app.test", ...headers }, agent: false }, (rs) => {
        let body = "";
        rs.setEncoding("utf8").on("data", (d) => { body += d; }).on("end", () => done({ status: rs.statusCode, headers: rs.headers, body }));
    }).on("error", failed);
    rq.end();
});

test("every kind of location, session, satisfy and mode [sec 7] [sec 8] [sec 9] [sec 11] [sec 12] [sec 13] [sec 18] [sec 24]", async () => {
    const reached = new Map();
    const wrong = [];
    let number = 0;
    for (const [name, kind] of Object.entries(kinds))
        for (const mode of modes)
            for (const satisfy of satisfies)
                for (const [session, line] of Object.entries(sessions))
                    for (const navigates of [false, true]) {
                        const id = String(++number), place = `/${name}-${mode}-${satisfy}`;
                        const [status, body] = promised(kind, mode, satisfy, session, navigates);
                        const got = await asked(place + kind.ask, { method: kind.method,
                            headers: { "x-case": id, ...(line && { cookie: line }), ...(navigates && navigation) } });
                        const what = `${place} ${session} ${navigates ? "navigation" : "program"}`;
                        if (got.status !== status || (body !== undefined && got.body.trim() !== body.trim()))
                            wrong.push(`${what}: ${got.status} ${JSON.stringify(got.body.slice(0, 60))}, not ${status} ${body ?? ""}`);
                        if (status === 302 && got.headers.location !== `http://app.test/auth/signin?callbackUrl=${encodeURIComponent(`http://app.test${place}${kind.ask}`)}`)
                            wrong.push(`${what}: Location ${got.headers.location}`);
                        if ([302, 401].includes(status) && !kind.sub && got.headers["cache-control"] !== "private, no-cache, no-store")
                            wrong.push(`${what}: Cache-Control ${got.headers["cache-control"]}`);
                        const yes = kind.sub ? !(mode === "on" && session !== "valid") : status === 200;
                        if (kind.reaches && yes) reached.set(id, what);
                    }
    for (const end = Date.now() + 5000; seen.size < reached.size && Date.now() < end;) await new Promise((r) => setTimeout(r, 10));
    for (const [id, what] of reached) if (!seen.has(id)) wrong.push(`${what}: the upstream did not see it`);
    for (const id of seen.keys()) if (id !== undefined && !reached.has(id)) wrong.push(`case ${id}: the upstream saw a refused request`);
    assert.deepStrictEqual(wrong, []);
    assert.strictEqual(number, 16 * 3 * 2 * 4 * 2);
});

test("allow and deny, auth_basic and auth_request beside it [sec 16] [sec 17]", async () => {
    const wrong = [];
    for (const satisfy of satisfies)
        for (const rule of ["allow", "deny"])
            for (const basic of [false, true])
                for (const check of [false, true])
                    for (const session of Object.keys(sessions)) {
                        const votes = [rule === "allow", session === "valid", basic, check];
                        const granted = satisfy === "all" ? votes.every(Boolean) : votes.some(Boolean);
                        const got = await asked(`/beside-${satisfy}-${rule}/a`, { headers: {
                            ...navigation, ...(sessions[session] && { cookie: sessions[session] }), ...(basic && { authorization: "Basic dXNlcjpwYXNz" }), ...(check && { "x-check": "1" }) } });
                        const what = `${satisfy} ${votes.map(Number).join("")}: ${got.status}`;
                        if (granted !== (got.status === 200)) wrong.push(what);
                        if (!granted && ![302, 401, 403].includes(got.status)) wrong.push(what);
                        // A refusal of nobody but us sends one to sign in, under `any` every refusal does.
                        if (!granted && satisfy === "any" && got.status !== 302) wrong.push(`${what}, not 302`);
                        if (got.status === 302 && got.headers["www-authenticate"]) wrong.push(`${what} with a realm`);
                        if (!granted && /protected/.test(got.body)) wrong.push(`${what} and shows it`);
                    }
    assert.deepStrictEqual(wrong, []);
});

// --- the same over every way to nginx -----------------------------------------------------------------

const request = (version, url, headers, connection) => `GET ${url} HTTP/${version}\r\nHost: app.test\r\n${Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`).join("")}Connection: ${connection}\r\n\r\n`;

// answers: the responses that come over this socket for `text`.
const answers = (socket, text) => new Promise((done, failed) => {
    let got = "";
    socket.setEncoding("latin1").on("data", (d) => { got += d; }).on("error", failed).on("end", () => {
        const list = [];
        while (got) {
            const end = got.indexOf("\r\n\r\n"), head = got.slice(0, end);
            got = got.slice(end + 4);
            let body = "";
            if (/^transfer-encoding: chunked/im.test(head)) {
                for (let size; size !== 0;) {
                    const at = got.indexOf("\r\n");
                    size = parseInt(got, 16);
                    body += got.slice(at + 2, at + 2 + size);
                    got = got.slice(at + 4 + size);
                }
            } else {
                const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? got.length);
                body = got.slice(0, length);
                got = got.slice(length);
            }
            list.push({ status: Number(head.slice(9, 12)), location: /^location: (.*)/im.exec(head)?.[1], body });
        }
        done(list);
    });
    socket.write(text);
});
const over1 = (connect, { version = "1.1", prefix = "" } = {}) => async (list) => {
    const all = [];
    for (const [url, headers] of list) all.push(...await answers(connect(), prefix + request(version, url, headers, "close")));
    return all;
};
const over2 = (url, options) => async (list) => {
    const session = http2.connect(url(), options);
    const one = ([p, headers]) => new Promise((done, failed) => {
        const rq = session.request({ ":path": p, ":authority": "app.test", ...headers });
        let head, body = "";
        rq.setEncoding("latin1").on("response", (h) => { head = h; }).on("data", (d) => { body += d; }).on("error", failed)
            .on("end", () => done({ status: head[":status"], location: head.location, body })).end();
    });
    const all = await Promise.all(list.map(one));
    session.close();
    return all;
};
const plain = () => net.connect(nginx.port, "127.0.0.1");
const ways = {
    "HTTP/1.1": over1(plain),
    "HTTP/1.0": over1(plain, { version: "1.0" }),
    "a pipelined connection": (list) => answers(plain(), list.map(([url, headers], i) => request("1.1", url, headers, i + 1 === list.length ? "close" : "keep-alive")).join("")),
    "a kept connection": async (list) => {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        const all = [];
        for (const [url, headers] of list)
            all.push(await new Promise((done) => http.get({ host: "127.0.0.1", port: nginx.port, path: url, agent, headers: { host: "app.test", ...headers } }, (rs) => {
                let body = "";
                rs.on("data", (d) => { body += d; }).on("end", () => done({ status: rs.statusCode, location: rs.headers.location, body }));
            })));
        agent.destroy();
        return all;
    },
    TLS: over1(() => tls.connect({ port: nginx.ports[1], host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] })),
    "HTTP/2": over2(() => `https://127.0.0.1:${nginx.ports[1]}`, { rejectUnauthorized: false }),
    "HTTP/2 in the clear": over2(() => `http://127.0.0.1:${nginx.ports[3]}`),
    "a Unix socket": over1(() => net.connect(path.join(nginx.prefix, "socket"))),
    "proxy_protocol": over1(() => net.connect(nginx.ports[2], "127.0.0.1"), { prefix: "PROXY TCP4 10.1.2.3 127.0.0.1 1234 80\r\n" }),
};

test("the same answers over every version, TLS, a Unix socket and proxy_protocol [sec 19] [sec 123] [sec 125]", async () => {
    const list = [];
    for (const place of ["/static-on-all/a", "/proxy-on-any/a", "/proxy-optional-all/a", "/static-off-any/a", "/ssi-on-all/page", "/auth_request-on-all/a"])
        for (const line of Object.values(sessions))
            for (const headers of [{}, navigation]) list.push([place, { ...headers, ...(line && { cookie: line }) }]);
    let first;
    for (const [name, way] of Object.entries(ways)) {
        // nginx's own error pages differ by nothing that we say.
        const got = (await way(list)).map(({ status, location, body }) => ({ status, location: location?.replace(/https?(:|%3A)/g, "http$1"), body: status >= 400 ? "" : body }));
        first ??= got;
        assert.deepStrictEqual(got.length, list.length, name);
        got.forEach((one, i) => assert.deepStrictEqual(one, first[i], `${name}: ${list[i][0]} ${JSON.stringify(list[i][1]).slice(0, 80)}`));
    }
    assert.deepStrictEqual(first.slice(0, 8).map((a) => a.status), [401, 302, 401, 302, 401, 302, 200, 200]);
});

// --- what nginx asks for by itself --------------------------------------------------------------------

test("slices and background updates belong to a request that was let in, and to no other [sec 13] [sec 23]", async (t) => {
    const asked = [], file = "0123456789abcdef";
    const origin = http.createServer((rq, rs) => {
        asked.push({ url: rq.url, headers: rq.headers });
        if (rq.url === "/news") return rs.setHeader("Cache-Control", "max-age=1").end(`news ${asked.length}`);
        const [from, to] = /bytes=(\d+)-(\d+)/.exec(rq.headers.range).slice(1).map(Number);
        rs.writeHead(206, { ETag: '"1"', "Content-Range": `bytes ${from}-${to}/${file.length}` }).end(file.slice(from, to + 1));
    });
    const up = `http://127.0.0.1:${await listen(origin)}`;
    t.after(() => origin.close());
    const site = await startNginx({
        http: `auth_js_secret ${secret}; auth_js_provider credentials { field u; authorize htpasswd:{{prefix}}/users; } proxy_cache_path cache keys_zone=c:1m;`,
        server: `location /auth/ { auth_js_handler; }
            location / { auth_js on; auth_js_pass_cookie off; proxy_pass ${up}; proxy_cache c; proxy_set_header X-Auth-User $auth_js_user_id;
                location = /file { slice 4; proxy_set_header Range $slice_range; proxy_cache_key $uri$slice_range; proxy_cache_valid 206 1h; proxy_pass ${up}; }
                location = /news { proxy_cache_use_stale updating; proxy_cache_background_update on; proxy_pass ${up}; } }`,
        files: { users: "" },
    });
    t.after(() => site.stop());
    const cookie = `${cookie_name}=${await token()}`;
    const ask = (place, headers) => new Promise((done, failed) => {
        http.get({ host: "127.0.0.1", port: site.port, path: place, agent: false, headers }, (rs) => {
            let body = "";
            rs.on("data", (d) => { body += d; }).on("end", () => done(`${rs.statusCode} ${rs.statusCode === 200 ? body : ""}`));
        }).on("error", failed);
    });
    for (const place of ["/file", "/news"]) {
        assert.strictEqual(await ask(place), "401 ");
        assert.strictEqual(asked.length, 0);
    }
    assert.strictEqual(await ask("/file", { cookie, "X-Auth-User": "evil" }), `200 ${file}`);
    assert.strictEqual(asked.length, 4);
    assert.strictEqual(await ask("/news", { cookie }), "200 news 5");
    await new Promise((r) => setTimeout(r, 2100));
    assert.strictEqual(await ask("/news"), "401 ");
    assert.strictEqual(asked.length, 5, "a refused request had the cache updated");
    assert.strictEqual(await ask("/news", { cookie, X_Auth_User: "evil" }), "200 news 5");
    for (const end = Date.now() + 5000; asked.length < 6; await new Promise((r) => setTimeout(r, 20))) assert.ok(Date.now() < end, "no update");
    for (const { headers } of asked) assert.ok(!/session-token|evil/.test(JSON.stringify(headers)), "what was taken out came back");
    // What is in the cache is nobody's for the asking.
    for (const place of ["/file", "/news"]) assert.strictEqual(await ask(place), "401 ");
});

test("TLS early data that is real: what may not be replayed is answered 425, and nothing of it is done [sec 21]", async () => {
    const dir = nginx.prefix, [key, cert] = [path.join(dir, "early.key"), path.join(dir, "early.pem")];
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout", key, "-out", cert, "-subj", "/CN=localhost"], { stdio: "pipe" });
    const site = await startNginx({
        http: `auth_js_secret ${secret}; auth_js_provider forge { type oauth; client_id x; client_secret y; authorization_url https://f.example/a; token_url https://f.example/t; userinfo_url https://f.example/u; profile '{id}'; }`,
        server: `listen 127.0.0.1:{{port2}} ssl; ssl_certificate ${cert}; ssl_certificate_key ${key}; ssl_protocols TLSv1.3; ssl_early_data on;
            add_header X-Early "[$ssl_early_data]" always; access_log logs/access.log;
            location /auth/ { auth_js_handler; } location /m/ { auth_js on; }`,
        ports: 2, files: { "html/m/a": "member\n" },
    });
    // A link that keeps nginx's half of the handshake until nginx has answered: so the client cannot end it
    // before, and the answer is to early data for certain.
    const answered = () => fs.readFileSync(path.join(site.prefix, "logs/access.log"), "utf8").length;
    const link = net.createServer((near) => {
        const far = net.connect(site.ports[1], "127.0.0.1"), held = [], before = answered();
        near.pipe(far);
        far.on("data", (d) => held.push(d)).on("error", () => near.destroy());
        const until = Date.now() + 20_000, timer = setInterval(() => {
            if (answered() === before && Date.now() < until) return;
            clearInterval(timer);
            far.removeAllListeners("data");
            near.write(Buffer.concat(held));
            far.pipe(near);
        }, 10);
        near.on("error", () => {}).on("close", () => clearInterval(timer));
    });
    const slow = await listen(link);
    const session = path.join(dir, "early.session");
    const client = (args, input, port = site.ports[1]) => new Promise((done) => {
        const child = spawn("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, "-tls1_3", "-ign_eof", ...args], { stdio: ["pipe", "pipe", "ignore"] });
        let said = "";
        child.stdout.on("data", (d) => { said += d; });
        child.on("close", () => done(said));
        child.stdin.end(input);
    });
    const name = `__Secure-${cookie_name}`, cookie = `${name}=${await encode({ token: { sub: "1" }, secret, salt: name })}`;
    const rows = [
        ["GET /auth/callback/forge?code=a&state=b", 425], ["POST /auth/callback/forge", 425], ["POST /auth/signout", 425], ["POST /auth/signin/forge", 425],
        ["GET /auth/signin/forge?callbackUrl=%2F&go=x", 425], ["GET /auth/signin", 200], ["GET /auth/session", 200], ["GET /m/a", 401], ["GET /m/a", 200, cookie],
    ];
    for (const [line, status, cookies] of rows) {
        const text = `${line} HTTP/1.1\r\nHost: localhost\r\n${cookies ? `Cookie: ${cookies}\r\n` : ""}${line.startsWith("POST") ? "Content-Length: 0\r\n" : ""}Connection: close\r\n\r\n`;
        // The same first flight once after the handshake, which gives a ticket, and once before its end.
        const late = await client(["-sess_out", session], text);
        assert.match(late, /X-Early: \[\]/, late);
        assert.ok(!/^HTTP\/1.1 425/m.test(late), `${line}: ${late}`);
        fs.writeFileSync(path.join(dir, "early.data"), text);
        const early = await client(["-sess_in", session, "-early_data", path.join(dir, "early.data")], "", slow);
        assert.match(early, /Early data was accepted/);
        assert.match(early, /X-Early: \[1\]/);
        assert.strictEqual(Number(/^HTTP\/1.1 (\d+)/m.exec(early)?.[1]), status, line);
        if (status === 425) assert.ok(!/Set-Cookie|Location/i.test(early), early);
    }
    link.close();
    await site.stop();
});
