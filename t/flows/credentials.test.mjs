// Sign-in by a form: password files with every hash that htpasswd(1) and crypt(3) write, and
// internal locations that decide.
import assert from "node:assert";
import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { Browser } from "../lib/browser.mjs";
import { canary, startNginx } from "../lib/nginx.mjs";

const secret = "an-unguessable-secret-of-more-than-32-bytes";
const password = canary();

// One user per kind of hash, made by Debian's own crypt(3) and openssl(1).
const perl = (salt, text = password) => execFileSync("perl", ["-e", "print crypt($ARGV[0], $ARGV[1])", text, salt], { encoding: "utf8" });
const openssl = (kind, text = password) => execFileSync("openssl", ["passwd", kind, "-stdin"], { input: text, encoding: "utf8" }).trim();
const hashes = {
    bcrypt: perl("$2y$05$abcdefghijklmnopqrstuu"),
    apr1: openssl("-apr1"),
    sha1: `{SHA}${crypto.createHash("sha1").update(password).digest("base64")}`,
    sha256: openssl("-5"),
    sha256rounds: perl("$5$rounds=2000$abcdefgh"),
    sha512: openssl("-6"),
    yescrypt: perl("$y$j75$abcdefghijklmnopqrstu/"),
    gostyescrypt: perl("$gy$j75$abcdefghijklmnopqrstu/"),
    scrypt: perl("$7$8U..../....abcdefghijklmnopqrstu"),
    md5: openssl("-1"),
    des: perl("ab"),
};
const lines = (users) => Object.entries(users).map(([name, hash]) => `${name}:${hash}\n`).join("");

// What an operator's own application would be: it knows one password, and several ways to fail.
function application() {
    const asked = [];
    const verdicts = {
        ada: [200, { id: "7", name: "Ada Lovelace", email: "ada@example.com", role: "admin" }],
        unauthorized: [401, {}], forbidden: [403, {}], nobody: [200, null], silent: [204],
        locked: [423, { code: "account_locked" }], coded: [401, { code: "second_factor" }],
        teapot: [418, { no: "code" }], broken: [500, { id: "7" }], text: [200, "not json"], list: [200, [1]],
    };
    const server = http.createServer(async (rq, rs) => {
        let body = "";
        for await (const chunk of rq) body += chunk;
        asked.push({ url: rq.url, method: rq.method, headers: rq.headers, body: JSON.parse(body) });
        const [status, answer] = verdicts[asked.at(-1).body.username] ?? [401, {}];
        rs.writeHead(status, { "content-type": "application/json" }).end(answer === undefined ? "" : typeof answer === "string" ? answer : JSON.stringify(answer));
    });
    return new Promise((done) => server.listen(0, "127.0.0.1", () => done({ asked, port: server.address().port, close: () => server.close() })));
}

let nginx, app, file;
before(async () => {
    app = await application();
    nginx = await startNginx({
        files: { "html/private/index.html": "private\n", users: `# people\n${lines(hashes)}colon:${hashes.apr1}:a comment\r\n`, one: lines({ ada: hashes.bcrypt }) },
        http: `auth_js_secret ${secret};
            auth_js_provider credentials { name Password;
                field username "label=User name" autocomplete=username required= maxlength=64;
                field password label=Secret type=password autocomplete=current-password placeholder=••••;
                authorize htpasswd:{{prefix}}/users; }
            auth_js_provider credentials as staff { name Staff; field username; field password type=password;
                authorize htpasswd:{{prefix}}/one; }
            auth_js_provider credentials as app { name App; field username; field pin type=tel; authorize uri /internal/authorize; }
            auth_js_provider credentials as lost { name Lost; field username; field password; authorize htpasswd:{{prefix}}/missing; }`,
        server: `location /auth/ { auth_js_handler; }
            location /private/ { auth_js on; }
            location /internal/authorize { internal; proxy_pass http://127.0.0.1:${app.port}/authorize; }`,
    });
    file = path.join(nginx.prefix, "users");
    nginx.plant(password, secret);
});
after(async () => {
    await nginx?.stop();
    app?.close();
});

const login = async (form, { provider = "credentials", browser = new Browser(nginx.origin), headers } = {}) => {
    const csrfToken = await browser.csrf();
    const answer = await browser.post(browser.route(`callback/${provider}`), { csrfToken, ...form }, { headers });
    return { browser, answer, session: await browser.session() };
};
const refused = ({ answer, session }, code = "credentials") => {
    assert.strictEqual(answer.status, 302, answer.body);
    const url = new URL(answer.location);
    assert.strictEqual(url.pathname, "/auth/signin");
    assert.deepStrictEqual([url.searchParams.get("error"), url.searchParams.get("code")], ["CredentialsSignin", code]);
    assert.strictEqual(session, null);
};

describe("the form", () => {
    test("every provider has its own, with the fields' attributes as they were written", async () => {
        const page = (await new Browser(nginx.origin).get("/auth/signin")).body;
        assert.match(page, /<label class="section-header" for="input-username-for-credentials-provider">User name<\/label><input name="username" id="input-username-for-credentials-provider" type="text" placeholder label="User name" autocomplete="username" required maxlength="64"\/>/);
        assert.match(page, /<label class="section-header" for="input-password-for-credentials-provider">Secret<\/label><input name="password" id="input-password-for-credentials-provider" label="Secret" type="password" autocomplete="current-password" placeholder="••••"\/>/);
        assert.deepStrictEqual([...page.matchAll(/<form action="([^"]*)"/g)].map((m) => new URL(m[1]).pathname),
            ["/auth/callback/credentials", "/auth/callback/staff", "/auth/callback/app", "/auth/callback/lost"]);
    });

    test("the list of providers names them all", async () => {
        const all = (await new Browser(nginx.origin).get("/auth/providers")).json();
        assert.deepStrictEqual(Object.keys(all), ["credentials", "staff", "app", "lost"]);
        assert.deepStrictEqual([all.staff.type, all.staff.name], ["credentials", "Staff"]);
    });

    test("without the token, or with GET, nothing is asked", async () => {
        const browser = new Browser(nginx.origin);
        const answer = await browser.post(browser.route("callback/credentials"), { username: "apr1", password });
        assert.strictEqual(new URL(answer.location).searchParams.get("error"), "MissingCSRF");
        const got = await browser.get(browser.route(`callback/credentials?username=apr1&password=${password}`));
        assert.ok(!got.cookies.some((c) => /session-token=[^;]/.test(c)));
    });
});

describe("password files", () => {
    for (const kind of Object.keys(hashes))
        test(`${kind}: the right password signs in, a wrong one does not`, async () => {
            const good = await login({ username: kind, password, callbackUrl: `${nginx.origin}/private/` });
            assert.strictEqual(good.answer.location, `${nginx.origin}/private/`);
            assert.strictEqual(good.session?.user.name, kind);
            refused(await login({ username: kind, password: `${password[0]}x${password.slice(2)}` }));
            if (kind !== "des") refused(await login({ username: kind, password: `${password}x` }));
        });

    test("comments, CRLF, and what follows the hash are no part of it", async () => {
        assert.strictEqual((await login({ username: "colon", password })).session?.user.name, "colon");
        refused(await login({ username: "# people", password }));
        refused(await login({ username: "", password: "" }));
    });

    test("each provider has its own file", async () => {
        assert.strictEqual((await login({ username: "ada", password }, { provider: "staff" })).session?.user.name, "ada");
        refused(await login({ username: "ada", password }));
        refused(await login({ username: "apr1", password }, { provider: "staff" }));
    });

    test("a file that changed is read again: new people get in, those taken out do not, replaced or edited", async () => {
        const old = fs.readFileSync(file, "utf8");
        fs.appendFileSync(file, lines({ late: hashes.sha1 }));
        assert.strictEqual((await login({ username: "late", password })).session?.user.name, "late");
        fs.writeFileSync(`${file}.new`, old);
        fs.renameSync(`${file}.new`, file);
        refused(await login({ username: "late", password }));
        assert.strictEqual((await login({ username: "apr1", password })).session?.user.name, "apr1");
    });

    test("a file that is not there is the operator's to mend: the log says which", async () => {
        const { answer, session } = await login({ username: "ada", password }, { provider: "lost" });
        const url = new URL(answer.location);
        assert.deepStrictEqual([url.pathname, url.searchParams.get("error"), session], ["/auth/error", "Configuration", null]);
        await nginx.until(new RegExp(`\\[error\\].*password file cannot be read.*missing.*ref=${url.searchParams.get("ref")}`));
    });

    test("passwords nobody would type are bounded, and let nobody in [sec 94]", async () => {
        const odd = ["", "\0", `${password}\0`, "\xff\xfe", "a".repeat(60_000), `${password}${"a".repeat(2000)}`];
        for (const text of odd) refused(await login({ username: "bcrypt", password: text }));
        // bcrypt reads 72 bytes; what only begins like the password is not the password.
        const long = "p".repeat(72);
        fs.appendFileSync(file, lines({ long: perl("$2y$05$abcdefghijklmnopqrstuu", long) }));
        assert.strictEqual((await login({ username: "long", password: long })).session?.user.name, "long");
        refused(await login({ username: "long", password: `${long}p` }));
        // Far more than a form may hold is refused before it is read.
        const browser = new Browser(nginx.origin);
        const huge = await browser.post(browser.route("callback/credentials"), { username: "bcrypt", password: "a".repeat(1 << 20) });
        assert.strictEqual(huge.status, 413);
    });

    test("an unknown name takes as long as a known one, whatever the kind of its hash [sec 94]", async () => {
        const browser = new Browser(nginx.origin);
        const csrfToken = await browser.csrf();
        const time = async (username) => {
            const from = process.hrtime.bigint();
            await browser.post(browser.route("callback/credentials"), { csrfToken, username, password: "wrong" });
            return Number(process.hrtime.bigint() - from);
        };
        const taken = { nobody: [], sha1: [], yescrypt: [] };
        for (let i = 0; i < 9; ++i) for (const name of Object.keys(taken)) taken[name].push(await time(name));
        const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
        const [nobody, cheap, dear] = Object.values(taken).map(median);
        // Without the rule SHA-1 would be a hundred times faster than yescrypt.
        for (const known of [cheap, dear])
            assert.ok(nobody > known / 3 && nobody < known * 3, `medians (ns): unknown ${nobody}, known ${known}`);
    });

    test("a flood of passwords neither stalls the worker nor grows without bound [sec 94]", async () => {
        const costly = path.join(nginx.prefix, "one");
        const before = fs.readFileSync(costly, "utf8");
        fs.writeFileSync(costly, lines({ ada: perl("$2y$11$abcdefghijklmnopqrstuu") }));
        const browser = new Browser(nginx.origin);
        const csrfToken = await browser.csrf();
        const flood = Array.from({ length: 120 }, () => browser.post(browser.route("callback/staff"), { csrfToken, username: "ada", password: "wrong" }, { keepCookies: false }));
        let slowest = 0;
        for (let i = 0; i < 20; ++i) {
            const from = Date.now();
            assert.strictEqual((await new Browser(nginx.origin).get("/")).status, 200);
            slowest = Math.max(slowest, Date.now() - from);
        }
        const answers = await Promise.all(flood);
        fs.writeFileSync(costly, before);
        const count = (status) => answers.filter((a) => a.status === status).length;
        assert.strictEqual(count(302) + count(503), 120);
        assert.ok(count(302) >= 64 && count(503) > 0, `${count(302)} judged, ${count(503)} sent away`);
        assert.ok(answers.find((a) => a.status === 503).headers["retry-after"]);
        assert.ok(slowest < 2000, `a static file took ${slowest} ms`);
        nginx.allow(/too many passwords/);
    });
});

describe("an application decides", () => {
    test("it gets the form as JSON and nothing of the client's headers, and names the user", async () => {
        app.asked.length = 0;
        const browser = new Browser(nginx.origin, { headers: { "User-Agent": "tester", Authorization: "Basic x", "X-Evil": "1" } });
        const { session } = await login({ username: "ada", pin: "1815", extra: "kept" }, { provider: "app", browser });
        assert.deepStrictEqual([session?.user.name, session?.user.email], ["Ada Lovelace", "ada@example.com"]);
        const [{ method, headers, body }] = app.asked;
        assert.strictEqual(method, "POST");
        assert.strictEqual(headers["content-type"], "application/json");
        assert.deepStrictEqual([headers["user-agent"], headers.authorization, headers["x-evil"], headers.cookie], ["tester", undefined, undefined, undefined]);
        assert.deepStrictEqual([body.username, body.pin, body.extra], ["ada", "1815", "kept"]);
    });

    for (const [who, code] of [["unauthorized"], ["forbidden"], ["nobody"], ["silent"], ["locked", "account_locked"], ["coded", "second_factor"]])
        test(`${who}: refused${code ? `, with code ${code}` : ""}`, async () => refused(await login({ username: who }, { provider: "app" }), code));

    for (const who of ["teapot", "broken", "text", "list"])
        test(`${who}: neither a user nor a refusal is the operator's to mend`, async () => {
            const { answer, session } = await login({ username: who }, { provider: "app" });
            const url = new URL(answer.location);
            assert.deepStrictEqual([url.pathname, url.searchParams.get("error"), session], ["/auth/error", "Configuration", null]);
            await nginx.until(new RegExp(`\\[error\\].*authorize gave neither.*ref=${url.searchParams.get("ref")}`));
        });

    test("the internal location is not there for strangers", async () => {
        assert.strictEqual((await new Browser(nginx.origin).post("/internal/authorize", { username: "ada" })).status, 404);
    });

    test("the JavaScript client gets 200 and JSON, also for a refusal", async () => {
        const headers = { "X-Auth-Return-Redirect": "1" };
        const good = await login({ username: "ada", callbackUrl: "/private/" }, { provider: "app", headers });
        assert.deepStrictEqual([good.answer.status, good.answer.json()], [200, { url: `${nginx.origin}/private/` }]);
        const bad = await login({ username: "locked" }, { provider: "app", headers });
        assert.strictEqual(bad.answer.status, 200);
        assert.strictEqual(bad.answer.json().url, `${nginx.origin}/auth/signin?error=CredentialsSignin&code=account_locked`);
    });
});

test("an Authorization header neither signs in nor disturbs a cookie session [sec 98]", async () => {
    const { browser } = await login({ username: "apr1", password });
    const token = browser.jar.get("authjs.session-token");
    const basic = `Basic ${Buffer.from(`apr1:${password}`).toString("base64")}`;
    for (const Authorization of [basic, `Bearer ${token}`, `Token ${token}`, "Negotiate YII=", "Digest x", "Bearer"]) {
        const stranger = await new Browser(nginx.origin).get("/private/", { headers: { Authorization, accept: "*/*" } });
        assert.strictEqual(stranger.status, 401, Authorization);
        assert.strictEqual((await new Browser(nginx.origin).get("/auth/session", { headers: { Authorization } })).body, "null");
        const friend = await browser.get("/private/", { headers: { Authorization } });
        assert.strictEqual(friend.body, "private\n", Authorization);
        assert.ok((await browser.get("/auth/session", { headers: { Authorization } })).json().user, Authorization);
    }
});
