// make bench: what the module costs, measured in one run with one worker over keep-alive
// connections, in interleaved rounds. CPU is the worker's own with its threads (schedstat), so that a
// busy machine shifts no figure much. Ends in lines `name value`. BENCH_QUICK=1: fewer of everything;
// `bench.mjs <part> ...`: some parts alone.
import assert from "node:assert";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";

import { modulePath, startNginx } from "../lib/nginx.mjs";

const quick = Boolean(process.env.BENCH_QUICK);
const n = (full, few) => (quick ? few : full);
const tools = process.env.AUTH_JS_BENCH;
const secret = "0123456789abcdef0123456789abcdef0123456789abcdef";
const cookieName = "authjs.session-token";
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
const page = "x".repeat(1023) + "\n";

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const cpu = (pid) => fs.readdirSync(`/proc/${pid}/task`).reduce((sum, t) => sum + Number(fs.readFileSync(`/proc/${pid}/task/${t}/schedstat`, "utf8").split(" ")[0]), 0) / 1000;  // us
const memory = (pid, field) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))[1]);
const results = [];
const result = (name, value, digits) => { results.push(`${name} ${value.toFixed(digits)}`); console.error(`  ${results.at(-1)}`); };

const ask = (port, target, { method = "GET", headers = {}, body } = {}) => new Promise((done, fail) => {
    const rq = http.request({ port, host: "127.0.0.1", path: target, method, headers, agent }, (rs) => {
        let text = "";
        rs.setEncoding("utf8").on("data", (d) => { text += d; }).on("end", () => done({ status: rs.statusCode, headers: rs.headers, body: text }));
    }).on("error", fail);
    rq.end(body);
});

// Load is made by another process; answers when it is through.
const load = (port, target, count, status, mode, cookies) => new Promise((done, fail) => {
    const child = spawn(path.join(tools, "load"), [port, target, count, status, mode], { stdio: ["pipe", "pipe", "inherit"] });
    let out = "";
    child.stdout.on("data", (d) => { out += d; });
    child.on("close", (code) => (code === 0 ? done(Number(out)) : fail(new Error(`load ended with ${code}`))));
    child.stdin.end(cookies.join("\n"));
});
const makeCookies = (count) => execFileSync(path.join(tools, "tokens"), [secret, cookieName, String(count)], { maxBuffer: 1 << 26 }).toString().trim().split("\n");

// The one worker, once it is there.
async function workerOf(nginx) {
    for (let i = 0; i < 1000 && !nginx.workers.length; i++) await new Promise((done) => setTimeout(done, 10));
    return nginx.workers[0];
}
const site = (protect = "auth_js on;", more = "", locations = "") => startNginx({
    main: process.getuid() === 0 ? "user root;" : "",  // a store lies in the folder of the run
    http: `keepalive_requests 100000000; auth_js_secret ${secret}; auth_js_unauthorized 401; ${more}`,
    server: `location /auth/ { auth_js_handler; } location /page/ { ${protect} } ${locations}`,
    files: { "html/page/index.html": page, "html/free/index.html": page },
    level: "error",
});
const stored = "auth_js_adapter sqlite {{prefix}}/db/auth.db;";
// The same file from nginx without the module.
const bare = async () => startNginx({
    conf: `worker_processes 1; pid logs/nginx.pid; error_log logs/error.log error; events { worker_connections 1024; }
        http { access_log off; default_type text/plain; keepalive_requests 100000000;
            client_body_temp_path temp_body; proxy_temp_path temp_proxy; fastcgi_temp_path temp_fastcgi;
            uwsgi_temp_path temp_uwsgi; scgi_temp_path temp_scgi;
            server { listen 127.0.0.1:{{port}}; root html; location /page/ { } } }`,
    files: { "html/page/index.html": page },
});

// Before a round is measured: the page with the session, no page without it, nor with a byte changed.
async function prove(port, cookie) {
    const got = await ask(port, "/page/index.html", { headers: { Cookie: cookie } });
    assert.deepStrictEqual([got.status, got.body], [200, page]);
    const at = cookie.length - 60 + Math.floor(Math.random() * 40);
    const forged = cookie.slice(0, at) + (cookie[at] === "x" ? "y" : "x") + cookie.slice(at + 1);
    for (const headers of [{}, { Cookie: forged }]) {
        const refused = await ask(port, "/page/index.html", { headers });
        assert.strictEqual(refused.status, 401);
        assert.ok(!refused.body.includes("xxxx"));
    }
}

// What the same file costs more with each of some `lists` of cookies, checked by one nginx and not by
// the other, in interleaved rounds: {ratio, more} in microseconds, medians, by the list's name. Many
// short rounds, which the two take turns to begin: what else the machine does lasts longer than one.
async function compare(guarded, plain, lists) {
    const count = n(12_000, 3_000), seen = {};
    const pids = [await workerOf(guarded), await workerOf(plain)];
    const cost = async (which, list) => {
        const before = cpu(pids[which]);
        await load([guarded, plain][which].port, "/page/index.html", count, 200, "each", list);
        return (cpu(pids[which]) - before) / count;
    };
    for (let round = 0; round < n(45, 9); round++) {
        for (const [name, cookies] of Object.entries(lists)) {
            await prove(guarded.port, cookies[round % cookies.length]);
            const first = round % 2, costs = [];
            for (const which of [first, 1 - first]) costs[which] = await cost(which, cookies);
            const [checked, unchecked] = costs;
            (seen[name] ??= []).push({ ratio: unchecked / checked, more: checked - unchecked });
            console.error(`  round ${round + 1}, ${name}: ${checked.toFixed(2)} / ${unchecked.toFixed(2)} us`);
        }
    }
    return Object.fromEntries(Object.entries(seen).map(([name, l]) => [name, { ratio: median(l.map((x) => x.ratio)), more: median(l.map((x) => x.more)) }]));
}

async function gate() {
    const guarded = await site(), plain = await bare();
    try {
        const cookies = makeCookies(n(10_000, 2_000));
        const { one, many } = await compare(guarded, plain, { one: cookies.slice(0, 1), many: cookies });
        result("gate_jwt_ratio", one.ratio, 3);
        result("gate_seen_us", one.more, 2);
        result("gate_new_us", many.more, 2);
    } finally {
        await guarded.stop();
        await plain.stop();
    }
}

// The same over sessions in SQLite, with and without the worker's memory of them.
async function gate_db() {
    const issuer = await startIssuer(), plain = await bare();
    try {
        for (const [name, cache] of [["gate_db_ratio", "1s"], ["gate_db_cold_ratio", "off"]]) {
            const guarded = await site("auth_js on;", `${issuer.block} ${stored} auth_js_session cache=${cache};`);
            try {
                const cookies = [];
                for (let i = 0; i < 9; i++) cookies.push(await signIn(guarded.port));
                const { many } = await compare(guarded, plain, { many: cookies });
                result(name, many.ratio, 3);
            } finally {
                await guarded.stop();
            }
        }
    } finally {
        await plain.stop();
        await issuer.close();
    }
}

async function forged() {
    const guarded = await site();
    try {
        const worker = await workerOf(guarded), cookies = makeCookies(100);
        await prove(guarded.port, cookies[0]);
        await load(guarded.port, "/page/index.html", n(20_000, 5_000), 401, "forge", cookies);
        const before = memory(worker, "Rss");
        await load(guarded.port, "/page/index.html", n(1_000_000, 50_000), 401, "forge", cookies);
        await prove(guarded.port, cookies[0]);
        result("dos_growth_kib", memory(worker, "Rss") - before, 0);
    } finally {
        await guarded.stop();
    }
}

// A provider that hands out ES256 ID tokens at once; the code that it is given is the nonce.
async function startIssuer() {
    const { privateKey, publicKey } = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
    const segment = (v) => Buffer.from(JSON.stringify(v)).toString("base64url");
    let issuer, people = 0;
    const answers = {
        "/.well-known/openid-configuration": () => ({
            issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys`,
            response_types_supported: ["code"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["ES256"],
        }),
        "/keys": () => ({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k", use: "sig", alg: "ES256" }] }),
        "/token": (form) => {
            const now = Math.floor(Date.now() / 1000), who = `person-${++people}`;
            const input = `${segment({ alg: "ES256", kid: "k" })}.${segment({ iss: issuer, aud: "bench", sub: who, iat: now, exp: now + 600, nonce: form.get("code"), name: "Ada Lovelace", email: `${who}@example.com` })}`;
            const signature = crypto.sign("sha256", Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url");
            return { access_token: crypto.randomUUID(), token_type: "Bearer", expires_in: 3600, id_token: `${input}.${signature}` };
        },
    };
    const server = http.createServer((rq, rs) => {
        let body = "";
        rq.on("data", (d) => { body += d; }).on("end", () => {
            rs.setHeader("Content-Type", "application/json");
            rs.end(JSON.stringify(answers[rq.url.split("?")[0]](new URLSearchParams(body))));
        });
    });
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
    issuer = `http://127.0.0.1:${server.address().port}`;
    return { block: `auth_js_provider bench { type oidc; issuer ${issuer}; client_id bench; client_secret s; checks pkce state nonce; }`, close: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }) };
}

const settle = (jar, rs) => {
    for (const line of rs.headers["set-cookie"] ?? []) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        if (value) jar.set(name, value); else jar.delete(name);
    }
    return [...jar].map(([k, v]) => `${k}=${v}`).join("; ");
};
async function signIn(port) {
    const jar = new Map();
    const form = await ask(port, "/auth/csrf");
    let Cookie = settle(jar, form);
    const start = await ask(port, "/auth/signin/bench", {
        method: "POST", headers: { Cookie, "Content-Type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ csrfToken: JSON.parse(form.body).csrfToken, callbackUrl: "/page/index.html" }).toString(),
    });
    Cookie = settle(jar, start);
    const sent = new URL(start.headers.location).searchParams;
    const back = await ask(port, `/auth/callback/bench?${new URLSearchParams({ code: sent.get("nonce"), state: sent.get("state") })}`, { headers: { Cookie } });
    settle(jar, back);
    assert.ok(jar.has(cookieName), `no session: ${back.status} ${back.headers.location}`);
    return `${cookieName}=${jar.get(cookieName)}`;
}
async function signIns(port, count) {
    let left = count;
    const one = async () => { while (left-- > 0) await signIn(port); };
    await Promise.all(Array.from({ length: 4 }, one));
}

// CPU per complete sign-in in microseconds, and what the worker grew by over all but the first.
async function measureSignIns(store, first, round) {
    const issuer = await startIssuer();
    // nginx's own default: it keeps 80 bytes for each request with long headers until the connection ends.
    const nginx = await site("auth_js on;", `${issuer.block} ${store}`, "keepalive_requests 1000;");
    try {
        const worker = await workerOf(nginx);
        await prove(nginx.port, await signIn(nginx.port));
        await signIns(nginx.port, first);
        const rounds = [], before = memory(worker, "Rss");
        for (let i = 0; i < 8; i++) {
            const start = cpu(worker);
            await signIns(nginx.port, round);
            rounds.push((cpu(worker) - start) / round);
            console.error(`  ${rounds.at(-1).toFixed(0)} us; resident ${memory(worker, "Rss")} KiB, of it its own ${memory(worker, "Anonymous")} KiB`);
        }
        return { each: median(rounds), growth: memory(worker, "Rss") - before };
    } finally {
        await nginx.stop();
        await issuer.close();
    }
}
async function signin() {
    const { each, growth } = await measureSignIns("", n(2_000, 200), n(1_000, 100));
    result("signin_us", each, 0);
    result("memory_growth_kib", growth, 0);
}
async function signin_sqlite() {
    const { each } = await measureSignIns(stored, n(200, 20), n(200, 25));
    result("signin_sqlite_us", each, 0);
}

// The p99 of a static file from the one worker while 200 people a second sign in, each a write of
// user, account and session; and without them, for comparison.
async function write_stall() {
    const issuer = await startIssuer();
    const nginx = await site("auth_js on;", `${issuer.block} ${stored}`, "location /free/ { }");
    try {
        await prove(nginx.port, await signIn(nginx.port));
        const rate = 200, length = n(10, 2);  // per second; seconds
        const probe = () => load(nginx.port, "/free/index.html", length * 400, 200, "probe", [`${cookieName}=x`]);
        const quiet = await probe();
        const running = [];
        const begin = performance.now();
        const timer = setInterval(() => {
            while (running.length < Math.min(rate * length, (performance.now() - begin) * rate / 1000)) running.push(signIn(nginx.port));
        }, 5);
        const busy = await probe();
        clearInterval(timer);
        await Promise.all(running);
        console.error(`  ${running.length} sign-ins in ${((performance.now() - begin) / 1000).toFixed(1)} s; p99 without them ${(1000 * quiet).toFixed(2)} ms`);
        result("write_stall_ms", 1000 * busy, 2);
    } finally {
        await nginx.stop();
        await issuer.close();
    }
}

// Two medians, interleaved: a name that is there with a wrong password, and one that is not.
async function credentials() {
    const hash = execFileSync("openssl", ["passwd", "-6", "correct horse"]).toString().trim();
    const nginx = await startNginx({
        http: `auth_js_secret ${secret}; auth_js_provider credentials { authorize htpasswd:{{prefix}}/people; }`,
        server: "location /auth/ { auth_js_handler; }", files: { people: `ada:${hash}\n` }, level: "error",
    });
    try {
        const form = await ask(nginx.port, "/auth/csrf");
        const Cookie = settle(new Map(), form), { csrfToken } = JSON.parse(form.body);
        const attempt = async (username) => {
            const begin = process.hrtime.bigint();
            const rs = await ask(nginx.port, "/auth/callback/credentials", {
                method: "POST", headers: { Cookie, "Content-Type": "application/x-www-form-urlencoded" },
                body: new URLSearchParams({ csrfToken, username, password: "wrong" }).toString(),
            });
            assert.match(rs.headers.location, /error=CredentialsSignin/);
            return Number(process.hrtime.bigint() - begin) / 1000;
        };
        const known = [], unknown = [];
        for (let i = 0; i < n(200, 20); i++) {
            known.push(await attempt("ada"));
            unknown.push(await attempt(`nobody-${i}`));
        }
        result("credentials_known_us", median(known), 0);
        result("credentials_unknown_us", median(unknown), 0);
    } finally {
        await nginx.stop();
    }
}

// The CPU of `nginx -t` in milliseconds, the least of a few runs.
function checkTime(conf, env = {}) {
    const prefix = fs.mkdtempSync(path.join(os.tmpdir(), "auth_js-"));
    fs.mkdirSync(path.join(prefix, "logs"));
    fs.writeFileSync(path.join(prefix, "nginx.conf"), `${conf}\n`);
    const runs = [];
    for (let i = 0; i < n(5, 2); i++) {
        const run = spawnSync("bash", ["-c", `TIMEFORMAT='%U %S'; time nginx -t -q -p ${prefix} -c nginx.conf`], { env: { PATH: process.env.PATH, ...env } });
        assert.strictEqual(run.status, 0, run.stderr.toString().slice(-2000));
        runs.push(run.stderr.toString().trim().split("\n").at(-1).split(" ").reduce((sum, s) => sum + 1000 * Number(s), 0));
    }
    fs.rmSync(prefix, { recursive: true });
    return Math.min(...runs);
}
const frame = (inside, main = "") => `${main} pid logs/nginx.pid; error_log logs/error.log; worker_processes 1; events { worker_connections 64; }
    http { access_log off; server_names_hash_max_size 8192; server_names_hash_bucket_size 128; ${inside} }`;

async function conf() {
    const servers = (handler, protect) => Array.from({ length: n(2_000, 200) }, (_, i) => `server { listen 127.0.0.1:18080; server_name s${i}.example.com; ${handler}
        ${["a", "b", "c", "d", "e"].map((l) => `location /${l}/ { ${protect} }`).join(" ")} }`).join("\n");
    const without = checkTime(frame(servers("location /auth/ { return 404; }", "root html;")));
    const with_ = checkTime(frame(`auth_js_secret ${secret}; auth_js_provider github { client_id a; client_secret b; }
        ${servers("location /auth/ { auth_js_handler; }", "root html; auth_js on;")}`, `load_module ${modulePath};`));
    console.error(`  nginx -t: ${with_} ms, ${without} ms without`);
    result("conf_ms", with_ - without, 0);
}

async function idle() {
    const plain = await bare();
    const full = await site("auth_js on;", `auth_js_zone 1m; auth_js_provider github { client_id a; client_secret b; } auth_js_provider google { client_id a; client_secret b; }
        auth_js_callback session jq '.session'; auth_js_provider credentials { authorize htpasswd:/dev/null; }`);
    try {
        // What the worker has of its own; pages of libraries and of the master are shared.
        const [mine, theirs] = [await workerOf(full), await workerOf(plain)];
        await new Promise((done) => setTimeout(done, 2_000));  // until both are through with starting
        const own = (pid) => memory(pid, "Private_Dirty") + memory(pid, "Private_Clean");
        console.error(`  own ${own(mine)} / ${own(theirs)} KiB, resident ${memory(mine, "Rss")} / ${memory(theirs, "Rss")} KiB`);
        result("idle_mib", (own(mine) - own(theirs)) / 1024, 2);
    } finally {
        await plain.stop();
        await full.stop();
    }
}

// Every provider of the catalogue that is signed in with, told by the environment what its file asks
// for, against one that has no file.
async function catalogue() {
    const folder = path.resolve(import.meta.dirname, "../../providers");
    const all = fs.readdirSync(folder).map((f) => JSON.parse(fs.readFileSync(path.join(folder, f), "utf8"))).filter((p) => p.type !== "email");
    const env = {};
    for (const p of all) {
        const part = `AUTH_${p.id.toUpperCase().replaceAll("-", "_")}_`;
        env[`${part}ID`] = env[`${part}SECRET`] = "value";
        for (const [name, spec] of Object.entries(p.options ?? {}))
            if (spec.required) env[part + name.toUpperCase()] = spec.enum?.[0] ?? `https://${p.id}.example.com${spec.slash === "required" ? "/" : ""}`;
    }
    const server = "location /auth/ { auth_js_handler; }";
    const inside = (providers) => `auth_js_secret ${secret}; ${providers}`;
    const lists = [`auth_js_providers ${all.map((p) => p.id).join(" ")};`, "auth_js_provider local { type credentials; authorize uri /check; }"];
    const [full, none] = lists.map((l) => checkTime(frame(`${inside(l)} server { listen 127.0.0.1:18080; ${server} }`, `load_module ${modulePath};`), env));
    const own = [];
    for (const l of lists) {
        const nginx = await startNginx({ http: inside(l), server, env, level: "error" });
        own.push(memory(nginx.pid, "Rss"));
        await nginx.stop();
    }
    console.error(`  ${all.length} providers; nginx -t: ${full} ms, ${none} ms without; resident ${own.join(" / ")} KiB`);
    result("catalogue_conf_ms", full - none, 0);
    result("provider_kib", (own[0] - own[1]) / all.length, 1);
}

const parts = { gate, gate_db, forged, signin, signin_sqlite, write_stall, credentials, conf, idle, catalogue };
const wanted = process.argv.slice(2);
for (const [name, run] of Object.entries(parts)) {
    if (wanted.length && !wanted.includes(name)) continue;
    console.error(`${name}:`);
    await run();
}
agent.destroy();
console.log(results.join("\n"));
