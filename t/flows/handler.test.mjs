// What the content handler makes of nginx's request and of its answer; and internal calls, whoever
// answers them: return, a proxy, njs, Lua, echo, and the sub-requests that these make themselves.
import assert from "node:assert";
import fs from "node:fs";
import net from "node:net";
import { after, before, test } from "node:test";
import { encode } from "@auth/core/jwt";

import { Browser } from "../lib/browser.mjs";
import { startNginx } from "../lib/nginx.mjs";
import { startProvider } from "../lib/provider.mjs";

const secret = "0123456789abcdef0123456789abcdef";
const modules = ["ndk_http_module", "ngx_http_lua_module", "ngx_http_js_module", "ngx_http_echo_module"]
    .map((name) => `/usr/lib/nginx/modules/${name}.so`);

// Who answers a `session` callback, and what the session endpoint then answers.
const said = { expires: "2099-01-01T00:00:00.000Z", user: { name: "who" } };
const text = (who) => JSON.stringify({ ...said, user: { name: who } });
const callbacks = {
    return: [`return 200 '${text("return")}';`, "return"],
    proxy: [`proxy_pass http://127.0.0.1:{{port2}};`, "proxy"],
    none: [`return 204;`, null],
    no: [`return 401;`, null],
    fails: [`return 500;`, 503],
    moved: [`return 302 /x;`, 503],
    closed: [`return 444;`, 503],
    late: [`return 408;`, 503],
    huge: [`content_by_lua_block { ngx.print('"' .. string.rep("x", 70000) .. '"') }`, 503],
    slow: [`content_by_lua_block { ngx.sleep(3) }`, 503],
    lua: [`content_by_lua_block {
            ngx.req.read_body()
            local asked = ngx.req.get_body_data()
            local good = ngx.req.get_method() == "POST" and asked:find('"Ada"', 1, true) and ngx.var.content_type == "application/json"
                and tonumber(ngx.var.content_length) == #asked and not ngx.var.http_cookie and ngx.var.http_x_request_id == ngx.var.request_id
            ngx.print('{"expires":"${said.expires}","user":{"name":"' .. (good and "lua" or "wrong") .. '"}}') }`, "lua"],
    lua_capture: [`content_by_lua_block { local r = ngx.location.capture("/parts/proxy"); ngx.print(r.body) }`, "proxy"],
    lua_captures: [`content_by_lua_block {
            local a, b = ngx.location.capture_multi({{"/parts/proxy"}, {"/parts/lua"}})
            local c = ngx.location.capture("/parts/missing")
            ngx.print(a.status == 200 and c.status == 404 and b.body or "wrong") }`, "nested"],
    lua_slow_capture: [`content_by_lua_block { local r = ngx.location.capture("/parts/slow"); ngx.print(r.body) }`, 503],
    njs: [`js_content m.plain;`, "njs"],
    njs_fetches: [`js_content m.fetches;`, "proxy"],
    echo: [`echo -n '${text("echo")}';`, "echo"],
    echo_location: [`echo_location /parts/proxy;`, "proxy"],
    echo_async: [`echo_location_async /parts/proxy;`, "proxy"],
};

let nginx, provider, browser, cookie;

before(async () => {
    for (const file of modules) assert.ok(fs.existsSync(file), `${file} is missing: make deps`);
    provider = await startProvider();
    cookie = `authjs.session-token=${await encode({ token: { sub: "u1", name: "Ada" }, secret, salt: "authjs.session-token" })}`;
    nginx = await startNginx({
        ports: 3, main: modules.map((m) => `load_module ${m};`).join("\n"),
        files: {
            "m.js": `function plain(r) { r.return(200, JSON.stringify({ expires: "${said.expires}", user: { name: "njs" } })); }
                     async function fetches(r) { let a = await r.subrequest("/parts/proxy"); r.return(200, a.responseText); }
                     export default { plain, fetches };`,
        },
        http: `
            js_path {{prefix}}; js_import m from m.js;
            server { listen 127.0.0.1:{{port2}}; return 200 '${text("proxy")}'; }
            server { listen 127.0.0.1:{{port3}}; server_name 127.0.0.1; large_client_header_buffers 4 2k; location /auth/ { auth_js_handler; } }
            auth_js_secret ${secret};
            auth_js_http_timeout 1s;
            auth_js_provider plain {
                type oauth; client_id test-client; client_secret test-secret; checks none;
                authorization_url ${provider.origin}/authorize; token_url ${provider.origin}/token; userinfo_url ${provider.origin}/userinfo;
                profile '{id: .sub, name, email, image: .picture}';
            }`,
        server: `
            location /auth/ { auth_js_handler; client_body_in_file_only clean; }
            location = /login { rewrite ^ /auth/signin last; }
            location /parts/ {
                internal;
                location /parts/proxy { proxy_pass http://127.0.0.1:{{port2}}; }
                location /parts/lua { content_by_lua_block { ngx.sleep(0.05); ngx.print('${text("nested")}') } }
                location /parts/slow { content_by_lua_block { ngx.sleep(3) } }
            }
            ${Object.entries(callbacks).map(([name, [answer]]) => `
            location /on/${name}/ { auth_js_base_path /on/${name}; auth_js_handler; auth_js_callback session uri /call/${name}; }
            location = /call/${name} { internal; ${answer} }`).join("")}`,
    });
    nginx.plant(secret, cookie.slice(30));
    browser = new Browser(nginx.origin, { timeout: 5000 });
});
after(async () => {
    try {
        await nginx.stop();
    } finally {
        await provider.close();
    }
});

test("HEAD has GET's headers and no body", async () => {
    const get = await browser.get("/auth/signin"), head = await browser.request("HEAD", "/auth/signin");
    assert.strictEqual(head.status, 200);
    assert.strictEqual(head.body, "");
    assert.strictEqual(head.headers["content-length"], String(Buffer.byteLength(get.body)));
    assert.strictEqual(head.headers["content-type"], get.headers["content-type"]);
    assert.match(get.headers["content-type"], /^text\/html/);
    assert.match((await browser.get("/auth/csrf")).headers["content-type"], /^application\/json$/);
});

test("a rewritten path is the one that counts", async () => {
    const page = await browser.get("/login");
    assert.strictEqual(page.status, 200);
    assert.match(page.body, /Sign in with/);
});

test("Location is ours, whatever absolute_redirect makes of nginx's own", async () => {
    const res = await browser.get("/auth/signin/nobody");
    assert.strictEqual(res.status, 302);
    assert.ok(res.headers.location.startsWith(`${nginx.origin}/auth/`), res.headers.location);
    const start = await browser.start("plain");
    assert.ok(start.headers.location.startsWith(`${provider.origin}/authorize?`), start.headers.location);
});

test("a body that nginx spooled to a file is read back; one over 64 KiB is 413", async () => {
    const csrfToken = await browser.csrf();
    const padded = await browser.post("/auth/signin/plain", { csrfToken, pad: "x".repeat(60_000) });
    assert.ok(padded.location.startsWith(`${provider.origin}/authorize?`), padded.location);
    const large = await browser.post("/auth/signin/plain", { csrfToken, pad: "x".repeat(66_000) });
    assert.strictEqual(large.status, 413);
    const chunked = await new Promise((done) => {
        let answer = "";
        const s = net.connect(nginx.port, "127.0.0.1", () => {
            s.write("POST /auth/signin/plain HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
            for (let i = 0; i < 70; i++) s.write(`400\r\n${"x".repeat(1024)}\r\n`);
            s.write("0\r\n\r\n");
        }).on("data", (d) => { answer += d; }).on("close", () => done(answer)).on("error", () => {});
    });
    assert.match(chunked, /^HTTP\/1\.1 413 /);
});

test("early data: 425 for what may not be replayed", async () => {
    const headers = { "early-data": "1" };
    for (const path of ["signin", "session", "csrf", "providers"])
        assert.strictEqual((await browser.get(`/auth/${path}`, { headers })).status, 200, path);
    for (const [method, path] of [["GET", "callback/plain?code=c"], ["POST", "signin/plain"], ["POST", "signout"], ["POST", "session"]])
        assert.strictEqual((await browser.request(method, `/auth/${path}`, { headers })).status, 425, path);
});

test("a session cookie that nginx would refuse on the way back is not set", async () => {
    provider.answer("userinfo", { merge: { name: "x".repeat(2000) } }, { times: 1 });
    const { callback } = await new Browser(`http://127.0.0.1:${nginx.ports[2]}`).signIn("plain");
    assert.match(callback.location, /reason=cookies_too_large/);
    assert.ok(!callback.cookies.some((c) => c.startsWith("authjs.session-token")));
    await nginx.until(/auth_js: .*large_client_header_buffers/);
});

for (const [name, [, expected]] of Object.entries(callbacks))
    test(`internal call answered by ${name}`, async () => {
        const started = Date.now();
        const res = await browser.get(`/on/${name}/session`, { headers: { cookie } });
        assert.ok(Date.now() - started < 2500, "the time-out is kept");
        if (typeof expected === "number") return assert.strictEqual(res.status, expected);
        assert.strictEqual(res.status, 200, res.body);
        assert.strictEqual(res.json()?.user.name, expected ?? undefined);
    });

test("after all of these the connection is kept: no sub-request holds its request", async () => {
    for (const name of Object.keys(callbacks).filter((n) => typeof callbacks[n][1] !== "number"))
        await new Promise((done, failed) => {
            let answer = "";
            const ask = `GET /on/${name}/session HTTP/1.1\r\nHost: 127.0.0.1:${nginx.port}\r\nCookie: ${cookie}\r\n`;
            const s = net.connect(nginx.port, "127.0.0.1", () => s.write(`${ask}\r\n${ask}Connection: close\r\n\r\n`))
                .on("data", (d) => { answer += d; })
                .on("close", () => (answer.match(/HTTP\/1\.1 200 /g)?.length === 2 ? done() : failed(new Error(`${name}: ${answer}`))))
                .setTimeout(5000, () => { failed(new Error(`${name}: the connection hangs`)); s.destroy(); });
        });
});
