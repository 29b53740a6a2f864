// The real Auth.js and the module, asked the same: scripted sequences for every rule, then random
// ones. Whatever differs must be a row of t/lib/divergences.mjs, with its reason in divergences.md.
// AUTHJS_SEED=n repeats a run's random part, AUTHJS_SEQUENCES=n says how long it is, and
// AUTHJS_WITHOUT=id takes a divergence out, which must make the run fail.
import assert from "node:assert";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { encode } from "@auth/core/jwt";
import { startNginx } from "../lib/nginx.mjs";
import { startProvider } from "../lib/provider.mjs";
import { divergences } from "../lib/divergences.mjs";
import { Lab, Pair } from "../lib/pair.mjs";
import { callbackChanges, errors, generator, misbehaviours, paths, people, sequence, storable, storedSequence, strikes, targets } from "../lib/random.mjs";
import { files, secret, startApp, worlds } from "../lib/worlds.mjs";

const seed = Number(process.env.AUTHJS_SEED ?? Math.floor(Math.random() * 1e9));
const sequences = Number(process.env.AUTHJS_SEQUENCES ?? 120);

let lab, all, flowing, app, at, plain, reported = 0;
before(async () => {
    [at, plain, app] = await Promise.all([startProvider(), startProvider({ oidc: false }), startApp()]);
    lab = new Lab({ providers: [at, plain], app, divergences: divergences.filter((row) => row.id !== process.env.AUTHJS_WITHOUT) });
    all = worlds({ at: at.origin, plain: plain.origin, app, record: (name, document) => lab.record(name, document) });
    flowing = all.filter((w) => !w.shown && !w.twins);
    const room = "large_client_header_buffers 8 64k;\n";
    const servers = all.slice(1).map((w, i) => `server { listen 127.0.0.1:{{port${i + 2}}}; server_name 127.0.0.1; ${w.server} }`).join("\n");
    lab.nginx = await startNginx({ server: all[0].server, http: room + servers, ports: all.length, files, main: process.getuid() === 0 ? "user root;" : "" });
    lab.nginx.plant(secret, "test-secret");
    for (const { twins } of all) await twins?.open(lab.nginx.prefix);
});
after(async () => {
    for (const s of [at, plain, app]) await s.close();
    for (const { twins } of all) await twins?.close();
    await lab.nginx?.stop();
});

const pair = (name) => new Pair(lab, all.find((w) => w.name === name));
const each = async (list, f) => { for (const one of list) await f(one); };

// What no row explains, as a failure of the test that met it.
function report() {
    const found = lab.found.slice(reported);
    reported = lab.found.length;
    const shown = (v) => JSON.stringify(v)?.slice(0, 400);
    assert.ok(!found.length, found.slice(0, 20).map(({ world, title, left, x, said }) => [
        `${world}: ${title}${x.pair.sequence === undefined ? "" : `, sequence ${x.pair.sequence} of AUTHJS_SEED=${seed}`}`,
        `  ${x.request.method} ${x.request.target.slice(0, 200)} ${(x.request.body ?? "").slice(0, 300)}  ${shown(x.answers)} ${shown(x.user)}`,
        `  ${x.expected.answer.status} Auth.js logged ${x.log.join(" | ")}`, `  ${x.actual.answer.status} nginx logged last ${said}`,
        ...left.slice(0, 8).map((d) => `  ${d.field}\n    Auth.js  ${shown(d.expected)}\n    module   ${shown(d.actual)}`),
    ].join("\n")).join("\n\n"));
}
const script = (title, f) => test(title, async () => { await f(); report(); });

// --- http.md -------------------------------------------------------------------------------------

script("every path, GET and POST (http.md 1, 2, 7)", () => each(["plain", "api"], async (w) => {
    const p = pair(w);
    await each(["csrf", "providers", "session", "signin", "signout", "error", "verify-request", "callback", "webauthn-options", ...paths], async (path) => {
        await p.get(path.replace(/^\//, ""));
        await p.post(path.replace(/^\//, ""), {}, { csrf: "none" });
        await p.post(path.replace(/^\//, ""));
    });
}));

script("methods and bodies (http.md 3)", async () => {
    const p = pair("plain");
    await p.get("csrf");
    await each(["PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"], (method) => each(["session", "signin", "csrf", "callback/op?code=x"], (t) => p.ask(method, () => ({ method, target: p.path(t), headers: {} }))));
    const bodies = ["", "{", "null", "5", "[]", '"x"', "{}", '{"csrfToken":5}', '{"callbackUrl":5}', '{"callbackUrl":0}', '{"callbackUrl":""}', '{"callbackUrl":null}', '{"callbackUrl":[]}', '{"callbackUrl":{}}', '{"a":1}', "a=b", "callbackUrl=/a&callbackUrl=/b", '{"callbackUrl":"/a","callbackUrl":"/b"}', '\ufeff{"callbackUrl":"/a"}', `{"callbackUrl":"/a","deep":${"[".repeat(200)}1e999${"]".repeat(200)}}`, '{"callbackUrl":"/\\ud800"}'];
    const types = ["application/json", "application/json; charset=utf-8", "text/application/json", "APPLICATION/JSON", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=UTF-8", "multipart/form-data; boundary=x", "text/plain"];
    await each(types, (type) => each(bodies, (body) => p.post("signout", {}, { type, body, csrf: "none" })));
    await each(["?error=a&error=b", "?callbackUrl=/a&callbackUrl=/b", "?0=x&10=y&9=z", "?a=%zz", "?%61=b", "?__proto__=x"], (query) => each(["signin", "error", "csrf"], (a) => p.get(a, { query })));
});

script("callback URLs that are none (http.md 4)", () => each(["plain", "pages", "secure"], async (w) => {
    const p = pair(w);
    await each(["javascript:x", "foo", "ftp://x/", " /x", "/oops?callbackUrl", "/oops/x"], (value) => each(["signin", "signout", "error", "verify-request", "session", "csrf"], async (a) => {
        await p.get(a, { query: `?callbackUrl=${encodeURIComponent(value)}` });
        await p.post(a, {}, { query: `?callbackUrl=${encodeURIComponent(value)}` });
    }));
    await each(["javascript:x", "foo", "", "%2F"], async (value) => {
        p.each((c) => c.set(p.world.cookieNames.callbackUrl, value));
        await each(["signin", "session"], (a) => p.get(a, { headers: { "x-auth-return-redirect": "1" } }));
    });
}));

script("CSRF (http.md 5)", () => each(["plain", "open", "prefixed", "api"], async (w) => {
    const p = pair(w);
    const posts = ["signin", "signin/op", "signin/login", "signout", "session", "callback/login", "callback/op"];
    for (const csrf of ["none", "good", "bad", "", "0"]) await each(posts, async (a) => { await p.post(a, {}, { csrf, json: a === "session" }); await p.get("csrf"); await p.post(a, {}, { csrf, json: true, headers: { "x-auth-return-redirect": "1" } }); });
    const name = p.world.cookieNames.csrfToken;
    await each(["x", "a|b", "|", `${"0".repeat(64)}%7C${"0".repeat(64)}`, ""], async (value) => { p.each((c) => c.set(name, value)); await p.get("session"); await p.post("signout"); });
    await p.post("signout", {}, { csrf: "none", query: "?csrfToken=x" });
    p.each((c) => c.set(name, `${c.get(name)}%7Cmore`));
    await p.post("signout");
}));

script("callback URLs in query, body, cookie (http.md 6)", () => each(["plain", "filters", "called", "secure"], async (w) => {
    const p = pair(w);
    await each(targets(p.origin), async (value) => {
        await p.get("csrf", { query: `?callbackUrl=${encodeURIComponent(value)}` });
        await p.post("signout", { callbackUrl: value });
        await p.post("signout", { callbackUrl: value }, { json: true, headers: { "x-auth-return-redirect": "1" }, query: "?callbackUrl=%2Fquery" });
        p.each((c) => c.set(p.world.cookieNames.callbackUrl, encodeURIComponent(value)));
        await p.get("session");
    });
}));

script("errors, and the pages they land on (http.md 8, pages.md 6, 8)", () => each(["plain", "api", "pages", "pages-far"], async (w) => {
    const p = pair(w);
    await each(["", ...errors], async (e) => {
        await p.get("error", { query: e === "" ? "" : `?error=${encodeURIComponent(e)}` });
        await p.get("error", { query: `?error=${encodeURIComponent(e)}&error=second`, headers: { "x-auth-return-redirect": "" } });
    });
    await each(errors.slice(0, 7), (e) => p.get("signin", { query: `?error=${encodeURIComponent(e)}&code=credentials` }));
    await each(["signin/nobody", "callback/nobody", "callback", "signin/op"], (a) => each([{}, { headers: { "x-auth-return-redirect": "1" } }], (o) => p.get(a, o)));
    await each(["?callbackUrl=%2Fa%26b&email=x", "?callbackUrl="], (query) => p.get("signin", { query }));
    await p.get("verify-request", { query: "?a=b&c=%20d" });
    await p.get("signout", { query: "?callbackUrl=%2Fx" });
}));

script("redirect proxy: begun on a preview, through the proxy, finished on the preview (http.md 12)", () => each(["op", "hub"], (id) => each([0, 1, 2], async (kind) => {
    const preview = pair("preview"), proxy = pair("proxy");
    await preview.start(id, { callbackUrl: "/done" });
    await Promise.all(preview.sides.map(async (s) => {
        const answer = await fetch(s.pending, { redirect: "manual" });
        s.to = new URL(answer.headers.get("location"));
        assert.strictEqual(s.to.origin, proxy.origin);
        if (kind === 1) s.to.searchParams.set("state", "forged");
        if (kind === 2) s.to.searchParams.append("error", "access_denied");
    }));
    const of = (side, p) => preview.sides[p.sides.indexOf(side)];
    const handed = await proxy.ask(`handed over: ${id}`, (side) => ({ method: "GET", target: of(side, proxy).to.pathname + of(side, proxy).to.search, headers: {} }));
    if (kind === 1) return assert.match(handed.actual.shown.fields["location?error"], /Configuration/);
    await preview.ask(`finished: ${id}`, (side) => {
        const seen = [handed.expected, handed.actual][preview.sides.indexOf(side)];
        const back = new URL(seen.answer.headers.find(([n]) => n === "location")[1]);
        assert.strictEqual(back.origin, preview.origin);
        return { method: "GET", target: back.pathname + back.search, headers: {} };
    });
    await preview.get("session");
})));

// --- flows.md, tokens.md -------------------------------------------------------------------------

script("complete sign-ins, sessions, sign-outs, in every configuration", () => each(flowing.filter((w) => !w.proxied), (w) => each(w.providers, async ({ id, type }) => {
    const p = new Pair(lab, w);
    await p.get("signin");
    if (type === "credentials") await p.login({ callbackUrl: "/in" });
    else await p.signIn(id, { callbackUrl: "/in" });
    await p.get("session");
    p.swap();
    await p.post("session", { data: { note: "x" } }, { json: true });
    await p.get("session", { headers: { "x-auth-return-redirect": "1" } });
    await p.post("signout", { callbackUrl: "/out" });
    await p.get("session");
})));

script("a sign-in that one of them began ends at the other (flows.md 1 to 4)", () => each(["plain", "secure", "cookies", "api"], (w) => each(pair(w).world.providers.filter((p) => p.type !== "credentials"), async ({ id }) => {
    const p = pair(w);
    await p.start(id, { callbackUrl: "/there" });
    p.swap();
    await p.back(id);
    await p.get("session");
})));

script("authorization URLs (flows.md 2)", () => each(["plain", "cookies"], (w) => each(["full", "hub", "posted", "op", "noncer", "bare"], async (id) => {
    const p = pair(w);
    if (!p.world.providers.some((one) => one.id === id)) return;
    await each(["?prompt=login&login_hint=a%40b", "?scope=x", "?scope=", "?0=zero&z=1&10=ten", "?callbackUrl=%2Fq", "?x=2", "?response_mode=form_post", "?claims=%7B%7D"], (query) => p.start(id, { query }));
    await each(["?client_id=evil", "?redirect_uri=http%3A%2F%2Fevil.example", "?response_type=token"], (query) => p.start(id, { query }));
})));

script("what comes back from the provider's page (flows.md 4)", () => each(["full", "hub", "op", "posted", "bare", "noncer"], (id) => each(callbackChanges, async (change) => {
    const p = pair("plain");
    await p.start(id);
    await p.back(id, { change });
})));

script("check cookies: gone, forged, another provider's, used twice (flows.md 4, tokens.md 6)", () => each(["full", "hub", "op", "posted"], async (id) => {
    const names = pair("plain").world.cookieNames;
    await each(["state", "pkceCodeVerifier", "nonce"], (which) => each(["gone", "junk", "foreign", "other", "empty"], async (how) => {
        const p = pair("plain");
        await p.start(id);
        const value = { junk: "junk", empty: "", foreign: await encode({ token: { value: "v", provider: id }, secret: "other", salt: names[which] }), other: await encode({ token: { value: "v", provider: "another" }, secret, salt: names[which] }) }[how];
        p.each((c) => (how === "gone" ? c.delete(names[which]) : c.set(names[which], value)));
        await p.back(id, how === "gone" ? {} : { change: (list) => [...list, ["error", "access_denied"]] });
    }));
    const p = pair("plain");
    await p.signIn(id);
    await p.again(id);
    p.each((c) => { for (const n of [...c.keys()]) if (n.startsWith(names.sessionToken)) c.delete(n); });
    await p.again(id);
    await p.start(id);
    await p.back("full", {});
    // Signed in, and a no at the provider with one of the other cookies gone: the no is told.
    await p.signIn("op");
    await p.start(id);
    p.each((c) => { c.delete(names.pkceCodeVerifier); c.delete(names.nonce); });
    await p.back(id, { change: (list) => [...list, ["error", "access_denied"]] });
    // A redirect proxy makes state a check of every provider.
    const preview = pair("preview");
    await preview.get("callback/op", { query: "?error=access_denied&state=made-up" });
}));

script("what the provider answers (flows.md 4)", () => each(misbehaviours, (answers) => each(answers.token?.idToken ? ["full"] : answers.userinfo ? ["hub", "mapped", "informed"] : ["full", "hub"], async (id) => {
    const p = pair("plain");
    await p.start(id);
    await p.back(id, { answers });
})));
script("forged signatures, and other things that Auth.js believes", () => each([{ key: "stranger" }, { mangle: "flip" }, { mangle: "unsigned" }], (idToken) => each(["full", "op"], async (id) => {
    const p = pair("plain");
    await p.start(id);
    await p.back(id, { answers: { token: { idToken } } });
})));

script("callbacks: refusal, elsewhere, failure, large tokens (http.md 15)", () => each(["filters", "called", "plain"], (w) => each(people, async (user) => {
    const p = pair(w);
    await p.start("op", { callbackUrl: "/go/there" });
    await p.back("op", { user });
    await p.get("session");
    await p.post("session", { data: [1] }, { json: true });
    await p.start("op", { callbackUrl: "/boom" });
    await p.back("op", { user });
    await p.post("signout");
})));

script("credentials (flows.md 8)", () => each(["plain", "called", "filters", "open", "secure", "pages"], async (w) => {
    const p = pair(w);
    await each(["good", "number", "noid", "plain", "locked", "text", "boom", "wrong"], (password) => each([{}, { json: true }, { headers: { "x-auth-return-redirect": "1" } }], async (o) => {
        await p.login({ password, callbackUrl: "/c" }, o);
        await p.get("session");
    }));
    await each(["refuse", "elsewhere", "away", "throw", "nobody", "big"], (username) => p.login({ username, password: "plain" }));
    await each(['{"callbackUrl":5}', '{"callbackUrl":{}}'], (body) => p.post("callback/login", {}, { type: "application/json", body }));
    await p.post("callback/login", {}, { type: "text/plain" });
    await p.get("callback/login");
}));

script("session cookies: chunks, rotation, time, forgeries (tokens.md 3, 4, 9)", () => each(["plain", "api", "cookies", "prefixed"], async (w) => {
    const { world } = pair(w);
    const name = world.cookieNames.sessionToken;
    const token = (claims, more = {}) => encode({ token: claims, secret: world.secret, salt: name, maxAge: 3600, ...more });
    const long = await token({ sub: "l", name: "Long", load: "z".repeat(6000) });
    const good = await token({ sub: "g", name: "Good", email: null, extra: { a: [1, 2.5, "ü"] } });
    const cases = [
        [[name, good]], [[name, `${good}x`]], [[name, good.slice(0, -1)]], [[name, ""]], [[name, "a.b.c.d.e"]], [[`${name}.0`, good]], [[`${name}.0`, good.slice(0, 50)], [`${name}.1`, good.slice(50)]], [[`${name}.1`, good.slice(50)], [`${name}.0`, good.slice(0, 50)]],
        [[`${name}.0`, long.slice(0, 3936)], [`${name}.1`, long.slice(3936, 7872)], [`${name}.2`, long.slice(7872)]], [[`${name}.0`, long.slice(0, 3936)]], [[`${name}-x`, good]], [[name, good], [`${name}.0`, ""]], [[name, "junk"], [`${name}.0`, good]],
        [[name, await token({ sub: "e" }, { maxAge: -14 })]], [[name, await token({ sub: "e" }, { maxAge: -16 })]], [[name, await token({ sub: "s" }, { secret: "a-stranger" })]], [[name, await token({ sub: "o" }, { salt: "other" })]],
        [[name, await token({ name: "old secret" }, { secret: [world.secret].flat().at(-1) })]], [[name, await token({ exp: 1 })]], [[name, await token({ nbf: 9999999999 })]], [[name, await token({ name: 5, email: false, picture: {} })]],
    ];
    await each(cases, async (cookies) => {
        const p = pair(w);
        p.each((c) => cookies.forEach(([n, v]) => c.set(n, v)));
        await p.get("session");
        await p.get("session");
        p.each((c) => cookies.forEach(([n, v]) => c.set(n, v)));
        await p.post("signout");
    });
    // Two cookies of one name, from a neighbouring path or domain.
    const p = pair(w), other = await token({ sub: "other" });
    await p.get("session", { headers: { cookie: `${name}=${good}; ${name}=${other}` } });
    await p.get("session", { headers: { cookie: `${name}=${good}; ${name}=${good}; x; =y; a=b=c` } });
}));

script("to the sign-in page after a sign-in", async () => {
    const p = pair("plain");
    await p.signIn("hub", { callbackUrl: "/auth/signin?callbackUrl=%2Finner" });
    await p.post("signout", { callbackUrl: "/auth/signin" });
    await p.login({ callbackUrl: `${p.origin}/auth/signout` });
});

// --- Random --------------------------------------------------------------------------------------

test(`random sequences, AUTHJS_SEED=${seed}`, async () => {
    for (let i = 0; i < sequences; ++i) {
        const rng = generator(seed + i);
        const p = new Pair(lab, rng.pick(flowing));
        p.sequence = i;
        await sequence(rng, p, 10, Number(process.env.AUTHJS_ODD ?? 1));
    }
    report();
});
// --- A store on both sides: the answers, and after each the rows (flows.md 5, 6, 7, 10, 11) -------
// Last, because Auth.js remembers for good that it saw an e-mail provider, and asks for an adapter then.

const stored = () => all.filter((w) => w.twins);
const ada = { sub: "ada", name: "Ada", email: "Ada@Example.com", picture: "https://img.example/a.png" };

script("stores: first sign-in, known account, second provider, taken address", () => each(stored(), async (w) => {
    const p = new Pair(lab, w);
    await p.signIn("hub", { callbackUrl: "/in", user: ada });
    await p.get("session");
    await p.get("session");
    await p.signIn("op", { user: { ...ada, sub: "ada-at-op", email: "elsewhere@example.com" } });     // linked
    await p.signIn("op", { user: { ...ada, sub: "ada-at-op", name: "Changed" } });                    // as herself
    await p.post("session", { data: { note: "x" } }, { json: true });
    await p.post("signout", { callbackUrl: "/out" });
    await p.get("session");
    await p.signIn("op", { user: { ...ada, sub: "ada-at-op", name: "Changed" } });                    // known
    p.swap();
    await p.get("session");
    p.forget();
    await p.signIn("op", { user: { sub: "eve", name: "Eve", email: "ADA@example.COM" } });            // taken
    await p.signIn("hub", { user: { sub: "eve-at-hub", name: "Eve", email: "ada@example.com" } });
    p.forget();
    await p.signIn("op", { user: { sub: "bob", name: "Bob", email: "bob@example.com" } });
    await p.signIn("hub", { user: ada });                                                             // another's account
    await p.signIn("hub", { user: { sub: "nomail", name: "No Mail", email: null, picture: null } });
    p.forget();
    await p.signIn("hub", { user: { sub: "nomail-2", name: "No Mail", email: undefined } });
    await p.signIn("op", { user: { sub: "empty", name: "", email: "" } });
}));

script("stores: what tokens bring into the account", () => each([pair("rows").world, pair("rows-filters").world], (w) => each(storable.filter(({ token, userinfo }) => token?.merge ?? userinfo?.merge ?? token?.idToken?.claims), (answers) => each(answers.token?.idToken ? ["op"] : ["hub"], async (id) => {
    const p = new Pair(lab, w);
    await p.signIn(id, { answers });
    await p.get("session");
}))));

script("stores: letters and links", () => each(stored(), async (w) => {
    const p = new Pair(lab, w);
    await p.get("signin");
    await p.mail(" Grace@Example.COM ", { callbackUrl: "/in" });
    await p.link({ change: (q) => q.set("email", "eve@example.com") });
    await p.link({ change: (q) => q.set("token", "0".repeat(64)) });
    await p.link({ change: (q) => q.delete("email") });
    await p.link({ change: (q) => q.delete("token") });
    await p.link();
    await p.get("session");
    await p.link();                                                    // spent
    await p.mail("grace@example.com");
    await p.link();                                                    // as herself, once more
    p.swap();
    await p.mail("bob@example.com");
    p.swap();
    await p.link();                                                    // signed in as another
    await p.get("session");
    p.forget();
    await p.link();
    await p.mail("late@example.com");
    await p.strike("links expire");
    await p.link();
    await each(["", "nobody", "a@b@c", '"a b"@example.com', "a@example.com,b@example.com", "refuse@example.com", "throw@example.com", "elsewhere@example.com", "away@example.com", "bounce@example.com", "@x", "x@"], (email) => p.mail(email));
    await p.link();
    await p.post("signin/nodemailer");
    await p.post("signin/nodemailer", { email: "x@example.com" }, { csrf: "none" });
    await p.post("signin/nodemailer", { email: 5 }, { json: true });
    await p.post("signin/nodemailer", { email: "json@example.com" }, { json: true, headers: { "x-auth-return-redirect": "1" } });
    await p.ask("posted link", (side) => ({ method: "POST", target: side.link.pathname + side.link.search, headers: {}, body: "" }));
    await p.get("callback/nodemailer");
    await p.get("signin/nodemailer");
    // An address that somebody with a provider has, and the other way round.
    p.forget();
    await p.signIn("hub", { user: ada });
    p.forget();
    await p.mail("ada@example.com");
    await p.link();
    p.forget();
    await p.mail("later@example.com");
    await p.link();
    p.forget();
    await p.signIn("hub", { user: { sub: "later", name: "Later", email: "later@example.com" } });
}));

const struck = (w) => Object.keys(strikes).filter((what) => w.strategy === "database" || !what.startsWith("the session"));
script("stores: rows that grow old, change, or go", () => each(stored().filter((w) => w.name !== "rows"), (w) => each(struck(w), (what) => each(["", "link", "second", "signout", "again"], async (then) => {
    const p = new Pair(lab, w);
    await p.signIn("hub", { user: ada });
    if (then === "link") await p.mail("ada@example.com");
    await p.strike(what);
    if (then === "link") await p.link();
    if (then === "second") await p.signIn("op", { user: { sub: "second", name: "Second", email: "second@example.com" } });
    if (then === "again") await p.signIn("hub", { user: ada });
    if (then === "signout") await p.post("signout");
    await p.get("session");
}))));

script("stores: callbacks that refuse, lead elsewhere, fail", () => each(["rows-filters", "rows-called"], (name) => each(people, async (user) => {
    const p = pair(name);
    await p.signIn("op", { callbackUrl: "/go/there", user: { ...user, sub: user.name } });
    await p.get("session");
    await p.post("session", { data: null }, { json: true });
    await p.signIn("hub", { user: { ...user, sub: `${user.name} at hub` } });
    await p.get("session");
})));

script("stores: session cookies that no row knows", () => each(stored(), async (w) => {
    const p = new Pair(lab, w), name = w.cookieNames.sessionToken;
    await p.signIn("hub", { user: ada });
    for (const value of ["junk", "a.b.c.d.e", "'; DROP TABLE session; --", "%00", await encode({ token: { sub: "x" }, secret, salt: name })])
        for (const next of [() => p.get("session"), () => p.post("signout"), () => p.signIn("hub", { user: ada }), () => p.mail("ada@example.com").then(() => p.link())]) {
            p.each((c) => c.set(name, value));
            await next();
        }
}));

test(`random sequences over two stores, AUTHJS_SEED=${seed}`, async () => {
    for (let i = 0; i < sequences / 2; ++i) {
        const rng = generator(seed + i);
        const p = new Pair(lab, rng.pick(stored()));
        p.sequence = i;
        await storedSequence(rng, p, 12);
    }
    report();
});

script("pages with every kind of provider, field and theme (pages.md 1 to 6)", () => each(all.filter((w) => w.shown), async (w) => {
    const p = new Pair(lab, w);
    await each(["signin", "signin?error=EmailSignin&email=a%22%3C%26%40b.example&callbackUrl=%2F%22x%22", "signin?error=Nobody%27s", "signin?error=&email=", "signout?callbackUrl=%2Fx%26y", "verify-request?provider=mail", "error", "error?error=AccessDenied", "error?error=Verification", "error?error=Configuration", "providers"], (path) => p.get(path));
}));

// --- The divergences themselves ------------------------------------------------------------------

test("divergences: few, rare, each with its reason, each needed", () => {
    const reasons = fs.readFileSync(new URL("divergences.md", import.meta.url), "utf8");
    console.log(`${lab.answers} answers compared, AUTHJS_SEED=${seed}; divergences fired:`);
    for (const { id } of divergences) console.log(`  ${id.padEnd(24)} ${String(lab.fired.get(id) ?? 0).padStart(5)}  ${(100 * (lab.fired.get(id) ?? 0) / lab.answers).toFixed(1)} %`);
    if (sequences) assert.ok(lab.answers >= 2000, `${lab.answers} answers`);
    assert.ok(divergences.length <= 20);
    assert.deepStrictEqual([...reasons.matchAll(/^\| `([\w-]+)` \|/gm)].map((m) => m[1]).sort(), divergences.map((row) => row.id).sort(), "divergences.md lists what the code has");
    assert.deepStrictEqual(divergences.filter((row) => row.often).map((row) => row.id), ["cache-headers", "state", "reason", "logos"]);
    for (const row of divergences.filter((one) => !one.often)) assert.ok((lab.fired.get(row.id) ?? 0) <= lab.answers / 20, `${row.id} fires too often`);
    // Each alone explains some difference: without it this run would have failed.
    assert.deepStrictEqual(divergences.map((row) => row.id).filter((id) => !lab.needed.has(id)), [], "rows that nothing needs");
});
