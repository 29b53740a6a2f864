// Plays what the real Auth.js did for a provider (t/vectors/providers) against the module, through
// nginx. A proxy plays the providers' real host names: the module reaches it by auth_js_http_proxy
// and trusts a test authority by auth_js_trusted_certificate, so that the object that ships is what
// is tested, with no test door in it.
//
//   node t/lib/vectors.mjs [folder]              plays every sample; ends with "N passed, N failed"
//   node t/lib/vectors.mjs --selftest [folder]   changes every asserted member of 20 vectors: each
//                                                change must fail
//
// play() records what happened, judge() compares it with the vector; neither knows the other's
// business, so that the self-test can judge one record many times.
import assert from "node:assert";
import { spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { decode } from "@auth/core/jwt";
import { startNginx, modulePath } from "./nginx.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const site = "https://app.example.com", target = `${site}/dashboard`;
const secret = "oracle-secret-oracle-secret-oracle-secret";
const json = (file) => JSON.parse(fs.readFileSync(file, "utf8"));
const keys = json(path.join(root, "t/vectors/provider-keys.json"));
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const now = () => Math.floor(Date.now() / 1000);

// --- The format: a member that is not here is a failure, never a skip -----------------------------

const any = true;
const request = { role: any, method: any, url: any, redirect: any, headers: any, body: { form: any, json: any, multipart: any, text: any }, response: { status: any, headers: any, json: any, text: any, jwt: any, base64: any } };
const answer = { status: any, location: any, cookies: any };
const format = {
    schema: any, library: any, id: any, name: any, type: any, module: any, page: any, shipped: any, env: any, env_form: any, style: any, checks: any, config: any, providers_entry: any, defaults: any, note: any,
    variants: [{
        title: any, public: any, tags: any, note: any, options: any, config: any, available: any, config_error: any,
        signin: { request: { method: any, path: any, query: any, form: any }, outbound: [request], response: answer, errors: any },
        callback: { request: { method: any, path: any, query: any, form: any }, outbound: [request], response: answer },
        result: { outcome: any, user: any, account: any, profile: any, session_token: any, database: { createUser: any, linkAccount: any }, errors: any },
        theme: any, request: { method: any, path: any, form: any, query: any }, verification_token: any, signIn: any, create_verification_token: any, outbound: [request], response: answer, errors: any,
        smtp: [{ auth: any, mail_from: any, rcpt_to: any, message: { headers: any, parts: any } }], smtp_script: any,
    }],
};
const tags = ["fails", "strict", "lenient-ok", "stricter-ok", "undefined", "big-number", "options", "generic"];

export function unknownMembers(file, shape = format, at = "") {
    if (shape === any || file === null || typeof file !== "object") return [];
    if (Array.isArray(shape)) return Array.isArray(file) ? file.flatMap((v, i) => unknownMembers(v, shape[0], `${at}[${i}]`)) : [];
    return Object.entries(file).flatMap(([name, v]) => (name in shape ? unknownMembers(v, shape[name], `${at}.${name}`) : [`unknown member ${at}.${name}`]));
}

// --- Auth.js's options as lines of a provider block ------------------------------------------------

// A word for nginx's configuration.
export const word = (text) => `"${String(text).replace(/[\\"]/g, "\\$&").replaceAll("$", "$$$$")}"`;
const dig = (o, dotted) => dotted.split(".").reduce((v, k) => v?.[k], o);

// block answers the lines, or throws where an option has none; linesOf the same as lists of words.
export const block = (id, options, around) => linesOf(id, options, around).map(([name, ...words]) => `${name} ${words.map(word).join(" ")};`);
export function linesOf(id, options, { port } = {}) {
    const file = path.join(root, "providers", `${id}.json`);
    const known = fs.existsSync(file) ? json(file).options ?? {} : {};
    const lines = [], rest = structuredClone(options);
    const add = (...words) => lines.push(words.map(String));
    const take = (name) => { const v = rest[name]; delete rest[name]; return v; };
    for (const [name, spec] of Object.entries(known)) {
        const js = spec.js ?? name, value = dig(rest, js);
        if (value === undefined) continue;
        add(name, value);
        const steps = js.split(".");
        if (steps.length > 1) delete dig(rest, steps.slice(0, -1).join("."))[steps.at(-1)];
        else delete rest[js];
        if (steps.length > 1 && Object.keys(rest[steps[0]]).length === 0) delete rest[steps[0]];
    }
    // An issuer that only gets past Auth.js's check, and is used for nothing.
    if (["netsuite", "todoist"].includes(id)) take("issuer");
    const plain = { clientId: "client_id", clientSecret: "client_secret", issuer: "issuer", scope: "scope", name: "name", from: "from", apiKey: "api_key", wellKnown: undefined, maxAge: "max_age", redirectProxyUrl: "redirect_proxy_url" };
    for (const name of Object.keys(rest)) if (name in plain) { const v = take(name); if (plain[name] && v !== undefined) add(plain[name], v); }
    for (const [name, line] of [["authorization", "authorization"], ["token", "token"], ["userinfo", "userinfo"]]) {
        const given = take(name);
        if (given === undefined) continue;
        const { url, params = {}, ...more } = typeof given === "string" ? { url: given } : given;
        assert.deepStrictEqual(more, {}, `options.${name}`);
        if (url) add(`${line}_url`, url);
        for (const [k, v] of Object.entries(params)) add(`${line}_param`, k, typeof v === "object" ? JSON.stringify(v) : v);
    }
    const checks = take("checks");
    if (checks) add("checks", ...(checks.length ? checks : ["none"]));
    const client = take("client") ?? {};
    if (client.token_endpoint_auth_method) add("token_auth_method", client.token_endpoint_auth_method);
    if (client.id_token_signed_response_alg) add("id_token_alg", client.id_token_signed_response_alg);
    if ("idToken" in rest) add("id_token", take("idToken") ? "on" : "off");
    if ("allowDangerousEmailAccountLinking" in rest) add("allow_dangerous_email_account_linking", take("allowDangerousEmailAccountLinking") ? "on" : "off");
    let server = take("server");
    if (server !== undefined) {
        if (typeof server === "object") server = `smtp${server.secure ? "s" : ""}://${server.auth ? `${encodeURIComponent(server.auth.user)}:${encodeURIComponent(server.auth.pass)}@` : ""}${server.host}:${server.port}`;
        add("server", server.replaceAll("{{port}}", port));
    }
    assert.deepStrictEqual(rest, {}, `${id}: options that the player does not know`);
    return lines;
}

// --- The world outside: providers behind a proxy, an SMTP server, a collector ---------------------

// An authority and one certificate for all names, made anew for each run.
export function makeCertificate(hosts, dir) {
    const openssl = (...args) => {
        const run = spawnSync("openssl", args, { cwd: dir });
        assert.strictEqual(run.status, 0, run.stderr.toString());
    };
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem");
    fs.writeFileSync(path.join(dir, "names"), `subjectAltName=${[...hosts].map((h) => (net.isIP(h) ? `IP:${h}` : `DNS:${h}`)).join(",")}`);
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=providers", "-keyout", "leaf.key", "-out", "leaf.csr");
    openssl("x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "leaf.pem");
    return { key: fs.readFileSync(path.join(dir, "leaf.key")), cert: fs.readFileSync(path.join(dir, "leaf.pem")), ca: path.join(dir, "ca.pem") };
}

const listen = (server) => new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));
const bodyOf = async (stream) => { const chunks = []; for await (const c of stream) chunks.push(c); return Buffer.concat(chunks); };

// World: `answer(request)` decides what a provider says; `heard(document)` takes what nginx's
// callbacks and events tell.
export class World {
    async start(hosts) {
        this.dir = fs.mkdtempSync(path.join(os.tmpdir(), "auth_js-vectors-"));
        fs.chmodSync(this.dir, 0o755);
        this.certificate = makeCertificate(hosts, this.dir);
        const serve = (scheme) => async (rq, rs) => {
            const url = rq.url.startsWith("http") ? rq.url : `${scheme}://${rq.headers.host}${rq.url}`;
            const body = await bodyOf(rq);
            const { status, headers, body: text } = await this.answer({ method: rq.method, url, headers: rq.headers, body });
            rs.writeHead(status, headers).end(text);
        };
        this.tls = https.createServer({ key: this.certificate.key, cert: this.certificate.cert }, serve("https"));
        this.proxy = http.createServer(serve("http")).on("connect", (rq, socket) => {
            socket.on("error", () => {});
            socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
            this.tls.emit("connection", socket);
        });
        this.tls.on("tlsClientError", () => {});
        this.proxyPort = await listen(this.proxy);
        this.collector = http.createServer(async (rq, rs) => {
            this.heard({ kind: rq.url.slice(1), document: JSON.parse((await bodyOf(rq)).toString() || "null") });
            rs.writeHead(200, { "content-type": "application/json" }).end("true");
        });
        this.collectorPort = await listen(this.collector);
        this.smtp = net.createServer((socket) => this.letter(socket));
        this.smtpPort = await listen(this.smtp);
        return this;
    }
    // letter: enough of RFC 5321 for one message; `script` gives other answers to a verb.
    letter(socket) {
        const mail = { auth: [], rcpt_to: [] };
        this.letters.push(mail);
        let data = null, waiting = null, rest = "";
        const say = (verb, text) => socket.write(`${this.script?.[verb] ?? text}\r\n`);
        const credentials = (text) => { mail.auth.push({ mechanism: "PLAIN", decoded: Buffer.from(text, "base64").toString().split("\0") }); say("auth", "235 ok"); };
        socket.on("error", () => {});
        socket.write("220 mail.test ESMTP\r\n");
        socket.on("data", (chunk) => {
            rest += chunk.toString("latin1");
            for (let end; (end = rest.indexOf("\r\n")) >= 0;) {
                const line = rest.slice(0, end);
                rest = rest.slice(end + 2);
                if (data !== null) {
                    if (line === ".") { mail.raw = data; data = null; say("message", "250 taken"); } else data += `${line.replace(/^\./, "")}\r\n`;
                    continue;
                }
                if (waiting) { const f = waiting; waiting = null; f(line); continue; }
                const verb = line.split(/[ :]/)[0].toLowerCase();
                if (verb === "ehlo") socket.write("250-mail.test\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n");
                else if (verb === "auth" && /^auth plain \S+/i.test(line)) credentials(line.split(" ")[2]);
                else if (verb === "auth") { waiting = credentials; socket.write("334 \r\n"); }
                else if (verb === "mail") { mail.mail_from = line.slice(10).replace(/ .*/, ""); say("mail", "250 ok"); }
                else if (verb === "rcpt") { mail.rcpt_to.push(line.slice(8).replace(/ .*/, "")); say("rcpt", "250 ok"); }
                else if (verb === "data") { const text = this.script?.data ?? "354 go on"; if (text.startsWith("354")) data = ""; socket.write(`${text}\r\n`); }
                else if (verb === "quit") socket.end("221 bye\r\n");
                else socket.write("250 ok\r\n");
            }
        });
    }
    stop() {
        for (const s of [this.tls, this.proxy, this.collector, this.smtp]) { s.close(); s.closeAllConnections?.(); }
        fs.rmSync(this.dir, { recursive: true, force: true });
    }
}

// --- Filling in a vector ---------------------------------------------------------------------------

// `{{name}}` in strings, {"$now": n} and {"$jwt": ...} in JSON.
export function fill(value, values) {
    if (typeof value === "string") return value.replace(/\{\{(\w+)\}\}/g, (all, name) => values[name] ?? all);
    if (Array.isArray(value)) return value.map((v) => fill(v, values));
    if (value === null || typeof value !== "object") return value;
    if ("$now" in value) return now() + value.$now;
    if ("$jwt" in value) return signed(value.$jwt, values);
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, fill(v, values)]));
}
function signed({ alg, kid, claims, header = {} }, values) {
    const part = (o) => Buffer.from(JSON.stringify(o)).toString("base64url");
    const input = `${part({ alg, ...(kid && { kid }), ...header })}.${part(fill(claims, values))}`;
    if (alg === "none") return `${input}.`;
    const hash = `sha${alg.slice(2)}`;
    if (alg.startsWith("HS")) return `${input}.${crypto.createHmac(hash, values.client_secret).update(input).digest("base64url")}`;
    const key = crypto.createPrivateKey({ key: keys.private[kid], format: "jwk" });
    const options = alg.startsWith("ES") ? { key, dsaEncoding: "ieee-p1363" } : alg.startsWith("PS") ? { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST } : key;
    return `${input}.${crypto.sign(hash, Buffer.from(input), options).toString("base64url")}`;
}
export function answerOf(response, values) {
    const body = "json" in response ? unmarked(JSON.stringify(fill(response.json, values))) : "jwt" in response ? fill(response.jwt, values) : "base64" in response ? Buffer.from(response.base64, "base64") : fill(response.text ?? "", values);
    return { status: response.status, headers: response.headers, body };
}
// Integers of a canned answer must reach the wire digit by digit; JSON.parse would round them. So
// they are texts with a mark while they wait, and numbers wherever else the vector has them.
const marked = (text) => text.replace(/([:[,]\s*)(-?\d{16,})(?=\s*[,\]}])/g, '$1"@digits@$2"');
const unmarked = (text) => text.replace(/"@digits@(-?\d+)"/g, "$1");
function numbers(value) {
    if (typeof value === "string") return value.startsWith("@digits@") ? Number(value.slice(8)) : value;
    if (value === null || typeof value !== "object") return value;
    return Array.isArray(value) ? value.map((v) => numbers(v)) : Object.fromEntries(Object.entries(value).map(([k, v]) => [k, k === "response" && v.headers && "status" in v && ("json" in v || "jwt" in v) ? v : numbers(v)]));
}

export const sameUrl = (a, b) => {
    const [x, y] = [new URL(a), new URL(b)];
    return x.origin === y.origin && x.pathname === y.pathname && x.searchParams.size === y.searchParams.size && [...x.searchParams].every(([k, v]) => y.searchParams.get(k) === v);
};

// --- Playing ---------------------------------------------------------------------------------------

function cookieOf(line) {
    const [pair, ...rest] = line.split(/; */);
    const a = Object.fromEntries(rest.map((s) => { const [k, v = true] = s.split(/=(.*)/s); return [k.toLowerCase(), v]; }));
    const value = pair.slice(pair.indexOf("=") + 1);
    return {
        name: pair.slice(0, pair.indexOf("=")), value, path: a.path, domain: a.domain, samesite: a.samesite,
        httponly: a.httponly ?? false, secure: a.secure ?? false,
        max_age: a["max-age"] === undefined ? undefined : Number(a["max-age"]),
        expires_in: a.expires === undefined ? undefined : Math.round((Date.parse(a.expires) - Date.now()) / 1000),
        cleared: value === "" || a["max-age"] === "0",
    };
}

// One browser, as far as a sign-in needs it: the module believes that the site is https.
class Visitor {
    jar = new Map();
    constructor(port, host) { Object.assign(this, { port, host }); }
    request(method, target, form) {
        const body = form && new URLSearchParams(form).toString();
        return new Promise((done, failed) => {
            const rq = http.request({
                port: this.port, host: "127.0.0.1", method, path: target, agent: false, timeout: 40_000,
                headers: { host: this.host, cookie: [...this.jar].map(([k, v]) => `${k}=${v}`).join("; "), accept: "text/html", ...(body !== undefined && { "content-type": "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(body) }) },
            }, async (rs) => {
                const text = (await bodyOf(rs)).toString();
                const cookies = (rs.headers["set-cookie"] ?? []).map(cookieOf);
                for (const c of cookies) if (c.cleared) this.jar.delete(c.name); else this.jar.set(c.name, c.value);
                done({ status: rs.statusCode, location: rs.headers.location, cookies: cookies.filter((c) => !/csrf-token|callback-url/.test(c.name)), body: text });
            });
            rq.on("timeout", () => rq.destroy(new Error(`no answer: ${target}`))).on("error", failed).end(body);
        });
    }
    async csrf() { return JSON.parse((await this.request("GET", "/auth/csrf")).body).csrfToken; }
    async session() {
        const name = "__Secure-authjs.session-token";
        const token = this.jar.get(name) ?? [...this.jar].filter(([k]) => k.startsWith(`${name}.`)).sort(([a], [b]) => a.split(".").at(-1) - b.split(".").at(-1)).map(([, v]) => v).join("");
        if (!token) return null;
        try { return await decode({ token, secret, salt: name }); } catch { return { undecodable: token.length }; }
    }
}

// serve: the providers say what the vector has canned, in its order; keys and what was asked for
// before may be asked for again.
function serve(world, sample, list, values, record) {
    const used = new Set();
    world.answer = (rq) => {
        const fits = (e) => e.method === rq.method && sameUrl(fill(e.url, values), rq.url);
        let index = list.findIndex((e, i) => !used.has(i) && fits(e));
        const again = index < 0 && list.findIndex((e) => fits(e) && e.method === "GET");
        if (index >= 0) used.add(index);
        const extra = sample.variant.available?.find((a) => sameUrl(fill(a.url, values), rq.url));
        const found = index >= 0 ? list[index] : again >= 0 && again !== false ? list[again] : extra;
        record.push({ index, known: Boolean(found), method: rq.method, url: rq.url, headers: rq.headers, body: rq.body.toString() });
        if (!found) return { status: 404, headers: {}, body: "the vector has no such answer" };
        const answer = answerOf(found.response, values);
        if (found.role === "token") { try { values.id_token = JSON.parse(answer.body).id_token; } catch { /* told otherwise */ } }
        return answer;
    };
}

// play answers what was seen of one sample. `database`: the same with a store.
export async function play(world, nginx, sample, { database = false } = {}) {
    const { variant } = sample;
    const visitor = new Visitor(nginx.port, sample.host);
    const values = { client_secret: variant.options.clientSecret };
    const seen = { at: now(), values, heard: [], logFrom: nginx.log.length };
    world.heard = (h) => seen.heard.push(h);
    world.letters = seen.letters = [];
    world.script = variant.smtp_script;
    values.csrf_token = await visitor.csrf();
    if (sample.file.type === "email") {
        seen.outbound = [];
        serve(world, sample, variant.outbound ?? [], values, seen.outbound);
        seen.response = await visitor.request(variant.request.method, variant.request.path, fill(variant.request.form, values));
        seen.log = nginx.log.slice(seen.logFrom);
        return seen;
    }
    seen.signin = { outbound: [] };
    serve(world, sample, variant.signin.outbound ?? [], values, seen.signin.outbound);
    const { path: at, query, form = {} } = variant.signin.request;
    seen.signin.response = await visitor.request("POST", at + (query ? `?${new URLSearchParams(query)}` : ""), { csrfToken: values.csrf_token, callbackUrl: target, ...fill(form, values) });
    const sent = seen.signin.response.location && new URL(seen.signin.response.location, site).searchParams;
    for (const name of ["state", "nonce", "code_challenge"]) if (sent?.get(name)) values[name] = sent.get(name);
    if (variant.callback) {
        seen.callback = { outbound: [] };
        const all = [...(variant.callback.outbound ?? []), ...(variant.signin.outbound ?? []).filter((o) => o.role === "discovery")];
        serve(world, sample, all, values, seen.callback.outbound);
        const { method, path: back, query: given, form: fields } = variant.callback.request;
        // The module always sends a state and wants it back.
        const state = values.state && !("state" in (variant.signin.response?.location?.query ?? {})) ? { state: values.state } : {};
        const q = new URLSearchParams(fill({ ...(fields ? {} : state), ...given }, values)).toString();
        seen.callback.response = await visitor.request(method, back + (q ? `?${q}` : ""), fields && fill({ ...state, ...fields }, values));
        seen.session = await visitor.session();
    }
    if (database) for (let i = 0; i < 200 && seen.heard.filter((h) => h.kind !== "signin").length < 2; i++) await sleep(10);
    seen.log = nginx.log.slice(seen.logFrom);
    return seen;
}

// --- Judging ---------------------------------------------------------------------------------------

// A text in which Auth.js wrote "undefined" or "null" for what is missing, without those words.
const withoutMissing = (text) => text.split(" ").filter((w) => w !== "undefined" && w !== "null").join(" ");
const cut = (text) => text.replaceAll(/undefined|null/g, "").trim();

export class Judge {
    faults = [];
    constructor(sample, seen) {
        Object.assign(this, { sample, seen, values: seen.values, tags: sample.variant.tags ?? [] });
        this.bound = {};
    }
    fault(at, got, want) { this.faults.push(`${at}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`); }
    // same compares got with want; placeholders in want are bound or compared.
    same(at, got, want) {
        if (typeof want === "string") return this.text(at, got, want);
        if (want === null || typeof want !== "object") return got === want || (want === undefined && got === undefined) ? undefined : this.fault(at, got, want);
        if ("$now" in want) return typeof got === "number" && Math.abs(got - this.seen.at - want.$now) <= 30 ? undefined : this.fault(at, got, want);
        if (typeof got !== "object" || got === null || Array.isArray(got) !== Array.isArray(want)) return this.fault(at, got, want);
        for (const name of new Set([...Object.keys(got), ...Object.keys(want)])) {
            if (name in want && name in got) this.same(`${at}.${name}`, got[name], want[name]);
            else if (name in want && this.tags.includes("undefined") && typeof want[name] === "string" && want[name] !== cut(want[name])) continue;
            else this.fault(`${at}.${name}`, got[name], want[name]);
        }
    }
    text(at, got, want) {
        if (this.tags.includes("undefined") && want !== cut(want) && (got === null || got === withoutMissing(want) || (typeof got === "string" && got.trim() === cut(want)))) return;
        if (typeof got !== "string") return this.fault(at, got, want);
        const names = [];
        const pattern = want.split(/(\{\{\w+\}\})/).map((part) => {
            const name = /^\{\{(\w+)\}\}$/.exec(part)?.[1];
            if (!name) return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
            names.push(name);
            return "(.*?)";
        }).join("");
        const found = new RegExp(`^${pattern}$`, "s").exec(got);
        if (!found) return this.fault(at, got, want);
        names.forEach((name, i) => this.placeholder(at, name, found[i + 1]));
    }
    placeholder(at, name, got) {
        const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
        const { values } = this;
        if (name === "code_verifier") {
            const challenge = crypto.createHash("sha256").update(got).digest("base64url");
            if (!/^[\w.~-]{43,128}$/.test(got) || challenge !== values.code_challenge) this.fault(at, got, "the verifier of the challenge");
        } else if (name === "user_id" || name === "random_id") {
            if (!uuid.test(got)) this.fault(at, got, "a UUID");
            else if ((this.bound[name] ??= got) !== got) this.fault(at, got, `the same ${name} everywhere`);
        } else if (name in values) {
            if (got !== values[name]) this.fault(at, got, `{{${name}}}`);
        } else if (name === "code_challenge" || name === "state" || name === "nonce" || got === "") {
            this.fault(at, got, `{{${name}}}`);
        }
    }
    // Requests: as sets of parameters and the listed headers.
    request(at, got, want) {
        this.same(`${at}.method`, got.method, want.method);
        this.url(`${at}.url`, got.url, want.url);
        for (const [name, value] of Object.entries(want.headers ?? {})) {
            // The OAuth library's own name is not ours; a form's character set goes without saying.
            if (name === "user-agent" && value.startsWith("oauth4webapi")) continue;
            const ignore = (v) => (name === "content-type" ? v?.toLowerCase().replace(/; *charset=utf-8$/, "") : name === "accept" ? v?.split(/, */).sort().join(",") : v);
            if (name === "content-type" && value.startsWith("multipart/")) this.text(`${at}.headers.${name}`, got.headers[name], value);
            else this.same(`${at}.headers.${name}`, ignore(got.headers[name]), ignore(value));
        }
        if (!("authorization" in (want.headers ?? {})) && got.headers.authorization) this.fault(`${at}.headers.authorization`, "there", "none");
        const { form, json: document, text, multipart } = want.body ?? {};
        if (form) this.same(`${at}.body.form`, Object.fromEntries(new URLSearchParams(got.body)), form);
        else if (document !== undefined) this.same(`${at}.body.json`, parsed(got.body), this.letterText(document));
        else if (multipart) this.same(`${at}.body.multipart`, parts(got), this.letterText(multipart));
        else if (got.body !== (text ?? "")) this.fault(`${at}.body`, got.body, text ?? "");
    }
    url(at, got, want) {
        const [g, w] = [new URL(got), new URL(want)];
        this.same(`${at}.origin`, g.origin, w.origin);
        this.same(`${at}.path`, g.pathname, w.pathname);
        this.same(`${at}.query`, Object.fromEntries(g.searchParams), Object.fromEntries(w.searchParams));
    }
    outbound(at, want, all) {
        want.forEach((rq, i) => {
            const record = all.find((r) => r.index === i);
            // A document that is fresh need not be fetched again.
            if (record) this.request(`${at}[${i}:${rq.role}]`, record, rq);
            else if (rq.role !== "discovery") this.fault(`${at}[${i}:${rq.role}]`, "not sent", rq.url);
        });
        for (const r of all) if (!r.known) this.fault(at, `${r.method} ${r.url}`, "no such request");
    }
    cookies(at, got, want) {
        this.same(`${at}.names`, got.map((c) => c.name).sort(), want.map((c) => c.name).sort());
        for (const w of want) {
            const g = got.find((c) => c.name === w.name);
            for (const [name, value] of Object.entries(g ? w : {})) {
                if (name === "expires_in") { if (!(Math.abs(g.expires_in - value) <= 30)) this.fault(`${at}.${w.name}.${name}`, g.expires_in, value); }
                else this.same(`${at}.${w.name}.${name}`, typeof g[name] === "string" && name === "samesite" ? g[name].toLowerCase() : g[name], name === "samesite" ? value.toLowerCase() : value);
            }
        }
    }
    response(at, got, want) {
        this.same(`${at}.status`, got.status, want.status);
        if (typeof want.location === "string") this.location(`${at}.location`, got.location, want.location);
        else if (want.location) {
            const { origin, path: at_, query, raw, ...more } = want.location;
            this.same(`${at}.location`, more, {});
            const g = new URL(got.location ?? "about:blank", site);
            const sent = Object.fromEntries(g.searchParams);
            // A state always goes out.
            if (!("state" in query)) delete sent.state;
            this.same(`${at}.location.origin`, g.origin, origin);
            this.same(`${at}.location.path`, g.pathname, at_);
            this.same(`${at}.location.query`, sent, query);
            if (raw !== undefined) {
                const r = new URL(raw.replace(/\{\{(\w+)\}\}/g, "%7B%7B$1%7D%7D"));
                this.same(`${at}.location.raw`, [r.origin, r.pathname], [g.origin, g.pathname]);
                this.same(`${at}.location.raw`, sent, Object.fromEntries(r.searchParams));
            }
        } else if (got.location) this.fault(`${at}.location`, got.location, undefined);
        if (want.cookies) this.cookies(`${at}.cookies`, got.cookies, want.cookies);
    }
    // What may stand behind an error redirect's own parameters says nothing to an outsider.
    location(at, got, want) {
        const g = new URL(got ?? "about:blank", site), w = new URL(want, site);
        for (const name of ["reason", "ref"]) if (g.searchParams.has("error")) g.searchParams.delete(name);
        if (/\/signin$/.test(want) && this.sample.variant.result?.outcome === "profile-error") for (const u of [g, w]) u.searchParams.delete("state");
        this.same(`${at}.origin`, g.origin, w.origin);
        this.same(`${at}.path`, g.pathname, w.pathname);
        this.same(`${at}.query`, Object.fromEntries(g.searchParams), Object.fromEntries(w.searchParams));
    }
    // The letter's token is random; the vector's is fixed.
    letterText(value) {
        const token = this.seen.token;
        if (typeof value === "string") return token ? value.replaceAll("fixed-token", token) : value;
        if (Array.isArray(value)) return value.map((v) => this.letterText(v));
        if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, this.letterText(v)]));
        return value;
    }
}
const ownFile = ({ file }) => path.join(root, "providers", `${file.id}.json`);
const parsed = (text) => { try { return JSON.parse(text); } catch { return text; } };
function parts({ headers, body }) {
    const boundary = /boundary="?([^";]+)/.exec(headers["content-type"] ?? "")?.[1];
    return body.split(`--${boundary}`).slice(1, -1).map((part) => {
        const [head, ...rest] = part.replace(/^\r\n/, "").split("\r\n\r\n");
        return [/name="([^"]*)"/.exec(head)?.[1], rest.join("\r\n\r\n").replace(/\r\n$/, "")];
    });
}
const quotedPrintable = (text) => Buffer.from(text.replace(/=\r\n/g, "").replace(/=([0-9A-F]{2})/g, (_, h) => String.fromCharCode(parseInt(h, 16))), "latin1").toString();
function messageOf(raw) {
    const [head, ...rest] = raw.split("\r\n\r\n");
    const headers = head.replace(/\r\n[ \t]+/g, " ").split("\r\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]);
    const boundary = /boundary="?([^";]+)/i.exec(headers.find(([k]) => k.toLowerCase() === "content-type")?.[1] ?? "")?.[1];
    const sections = rest.join("\r\n\r\n").split(`--${boundary}`).slice(1, -1).map((section) => {
        const [h, ...b] = section.replace(/^\r\n/, "").split("\r\n\r\n");
        const fields = Object.fromEntries(h.replace(/\r\n[ \t]+/g, " ").split("\r\n").map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 2)]));
        return { headers: fields, decoded: quotedPrintable(b.join("\r\n\r\n").replace(/\r\n$/, "")) };
    });
    return { headers, parts: sections };
}

// judgeResult: who came in, and as what.
export function judgeResult(j, result, seen) {
    const { outcome, user, account, profile, session_token: claims, database: _, errors, ...more } = result;
    const told = seen.heard.find((h) => h.kind === "signin")?.document;
    j.same("result", more, {});
    const became = seen.session ? "signed-in" : /\/signin$/.test(seen.callback.response.location) ? "profile-error" : "error";
    j.same("result.outcome", became, outcome);
    for (const { type } of errors ?? []) if (!/^[A-Z]\w*$/.test(type ?? "")) j.fault("result.errors", type, "a name");
    if (user) j.same("result.user", told?.user, user);
    if (account) j.same("result.account", told?.account, account);
    if (profile) j.same("result.profile", told?.profile, profile);
    if (claims) {
        const { iat, exp, jti, ...own } = seen.session ?? {};
        j.same("result.session_token", own, claims);
    }
    return j.faults;
}

// judge answers what is wrong with a record, a line each.
export function judge(sample, seen, databaseSeen) {
    const { variant, file } = sample;
    const j = new Judge(sample, seen);
    for (const tag of variant.tags ?? []) if (!tags.includes(tag)) j.faults.push(`unknown tag ${tag}`);
    if (file.type === "email") return judgeLetter(j, variant, seen);

    const refuse = variant.tags?.some((t) => t === "stricter-ok" || t === "big-number");
    const accept = variant.tags?.includes("lenient-ok");
    const told = seen.heard.find((h) => h.kind === "signin")?.document;
    if (refuse) {
        if (seen.session || told) j.fault("result", "signed in", "refused");
        return j.faults;
    }
    if (accept) {
        if (!seen.session) j.fault("result", seen.callback?.response.location ?? seen.signin.response.location, "signed in");
        return j.faults;
    }
    j.response("signin.response", seen.signin.response, variant.signin.response);
    j.outbound("signin.outbound", variant.signin.outbound ?? [], seen.signin.outbound);
    if (!variant.callback) return j.faults;
    j.outbound("callback.outbound", variant.callback.outbound ?? [], seen.callback.outbound);
    j.response("callback.response", seen.callback.response, variant.callback.response);

    judgeResult(j, variant.result, seen);
    const { database } = variant.result;
    if (database && databaseSeen) {
        const d = new Judge(sample, databaseSeen);
        const event = (kind) => databaseSeen.heard.find((h) => h.kind === kind)?.document;
        // What a store keeps of a user: the columns it has.
        const columns = ["id", "name", "email", "image", "emailVerified"];
        const { createUser = {}, linkAccount, ...rest } = database;
        d.same("result.database", rest, {});
        const made = event("create_user")?.user ?? {};
        for (const name of columns) if (createUser[name] !== undefined) d.same(`result.database.createUser.${name}`, made[name] ?? null, createUser[name]);
        const extra = Object.fromEntries(Object.entries(createUser).filter(([k]) => !columns.includes(k)));
        const mapped = event("signin")?.user ?? {};
        for (const [k, v] of Object.entries(extra)) d.same(`result.database.createUser.${k}`, mapped[k], v);
        const linked = event("link_account");
        d.same("result.database.linkAccount", linked && { ...linked.account, userId: linked.user?.id }, linkAccount);
        j.faults.push(...d.faults);
    }
    return j.faults;
}

function judgeLetter(j, variant, seen) {
    const link = /token=([\w.-]+)/.exec(seen.outbound[0]?.body ?? quotedPrintable(seen.letters[0]?.raw ?? ""));
    seen.token = link?.[1];
    j.response("response", seen.response, variant.response);
    j.outbound("outbound", variant.outbound ?? [], seen.outbound);
    if (variant.smtp) {
        const letters = seen.letters.map((l) => ({ auth: l.auth, mail_from: l.mail_from, rcpt_to: l.rcpt_to, ...(l.raw !== undefined && { message: messageOf(l.raw) }) }));
        const want = structuredClone(variant.smtp);
        for (const l of [...letters, ...want]) l.message?.headers.sort(([a], [b]) => (a < b ? -1 : 1));
        j.same("smtp", letters, j.letterText(want));
    }
    const told = seen.heard.find((h) => h.kind === "signin")?.document;
    if (variant.signIn) {
        const { user, account, email } = told ?? {};
        j.same("signIn", told && { user, account, email }, variant.signIn);
    }
    // Where the letter is refused, the row may be there or not: storing runs beside sending.
    if (variant.create_verification_token && !seen.stored && !variant.errors) j.fault("create_verification_token", "no row", "a row");
    if (variant.create_verification_token && seen.stored) {
        const { identifier, token, expires } = variant.create_verification_token;
        const hash = (t) => crypto.createHash("sha256").update(`${t}${secret}`).digest("hex");
        j.same("create_verification_token.identifier", seen.stored.identifier, identifier);
        // Without a letter nobody knows the token that was drawn.
        const hashed = seen.token ? seen.stored.token === hash(seen.token) : /^[0-9a-f]{64}$/.test(seen.stored.token);
        j.same("create_verification_token.token", hashed ? hash("fixed-token") : seen.stored.token, token);
        // The oracle's clock stands at 2030-01-01.
        j.same("create_verification_token.expires", Math.round((seen.stored.expires / 1000 - seen.at) / 3600), Math.round((Date.parse(expires) - Date.UTC(2030, 0, 1)) / 3.6e6));
    }
    for (const { message } of variant.errors ?? []) {
        // The mail service's own words; what JavaScript says of a body that is no JSON is not ours.
        const { send, missing } = parsed(fs.existsSync(ownFile(j.sample)) ? fs.readFileSync(ownFile(j.sample), "utf8") : "{}");
        if (!variant.smtp && !(send && message.startsWith(send.error)) && message !== missing) continue;
        const words = variant.smtp ? message.replace(/^.*rejected: /, "") : message;
        if (!seen.log.replaceAll("\\", "").includes(words.replaceAll("\\", ""))) j.fault("errors", "not in the log", words);
    }
    return j.faults;
}

// --- Many samples ----------------------------------------------------------------------------------

export function readSamples(folder) {
    const samples = [];
    for (const name of fs.readdirSync(folder).filter((f) => f.endsWith(".json")).sort()) {
        const file = numbers(JSON.parse(marked(fs.readFileSync(path.join(folder, name), "utf8"))));
        const unknown = unknownMembers(file);
        file.variants.forEach((variant, i) => samples.push({ name: `${file.id}: ${variant.title}`, key: `${file.id}-${i}`, file, variant, unknown }));
    }
    return samples;
}
export const hostsOf = (samples) => new Set(["provider.test", ...samples.flatMap(({ variant: v }) => [...(v.signin?.outbound ?? []), ...(v.callback?.outbound ?? []), ...(v.outbound ?? []), ...(v.available ?? [])].map((o) => new URL(o.url).hostname))]);

// rounds: samples that may share one nginx, none with another's provider or discovery document.
export function rounds(samples) {
    const out = [];
    for (const s of samples) {
        const own = [`id ${s.file.id}`, ...[...(s.variant.signin?.outbound ?? []), ...(s.variant.callback?.outbound ?? [])].filter((o) => o.role === "discovery").map((o) => o.url)];
        let round = out.find((r) => own.every((k) => !r.taken.has(k)));
        if (!round) out.push(round = { taken: new Set(), samples: [] });
        own.forEach((k) => round.taken.add(k));
        round.samples.push(s);
    }
    return out.map((r) => r.samples);
}

function serverOf(world, s, i, { database }) {
    const lines = s.lines ?? block(s.file.id, s.variant.options, { port: world.smtpPort });
    s.host = `v${i}.test`;
    const store = database || s.file.type === "email" ? `auth_js_adapter sqlite {{prefix}}/db/v${i}.db;` : "";
    const theme = s.variant.theme ?? {};
    const colours = [theme.brandColor && `brand_color=${theme.brandColor}`, theme.buttonText && `button_text=${theme.buttonText}`, theme.colorScheme && `color_scheme=${theme.colorScheme}`, theme.logo && `logo=${theme.logo}`].filter(Boolean).join(" ");
    return `
    server {
        listen 127.0.0.1:{{port}};
        server_name ${s.host};
        ${colours && `auth_js_theme ${colours};`}
        auth_js_provider ${s.file.id} { ${lines.join(" ")} }
        auth_js_callback sign_in uri /told/signin;
        ${store}
        ${database ? "auth_js_event create_user uri /told/create_user; auth_js_event link_account uri /told/link_account;" : ""}
        location /auth/ { auth_js_handler; }
        location /told/ { internal; proxy_pass http://127.0.0.1:${world.collectorPort}/; }
    }`;
}

export async function startRound(world, samples, options = {}) {
    return startNginx({
        conf: `
load_module ${modulePath};
worker_processes 1;
pid logs/nginx.pid;
error_log logs/error.log info;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path temp_body; proxy_temp_path temp_proxy; fastcgi_temp_path temp_fastcgi; uwsgi_temp_path temp_uwsgi; scgi_temp_path temp_scgi;
    server_names_hash_max_size 4096;
    auth_js_secret ${secret};
    auth_js_url ${site};
    auth_js_http_proxy http://127.0.0.1:${world.proxyPort};
    auth_js_trusted_certificate ${world.certificate.ca};
    ${samples.map((s, i) => serverOf(world, s, i, options)).join("")}
}
`, ...options,
    });
}

// startable: the rounds that nginx takes; where it refuses one, its samples stand alone, and those that
// it still refuses are failures.
async function startable(world, all, options, refused) {
    const out = [];
    for (const round of all) {
        const fits = async (list) => { try { await (await startRound(world, list, options)).stop({ check: false }); return true; } catch (e) { if (list.length === 1) refused(list[0], e); return false; } };
        if (await fits(round)) out.push(round);
        else if (round.length > 1) for (const s of round) if (await fits([s])) out.push([s]);
    }
    return out;
}

// storedToken: the row that a letter leaves behind.
function storedToken(nginx, i) {
    const run = spawnSync("sqlite3", ["-json", `${nginx.prefix}/db/v${i}.db`, 'select identifier, token, expires from "verificationToken"'], { encoding: "utf8" });
    return run.status === 0 && run.stdout ? JSON.parse(run.stdout)[0] : undefined;
}

// playAll answers [{ sample, seen, databaseSeen, faults }].
export async function playAll(samples, { report = () => {} } = {}) {
    const world = await new World().start(hostsOf(samples));
    const results = [];
    try {
        const done = (sample, faults, more = {}) => { const r = { sample, faults, ...more }; results.push(r); report(r); };
        const playable = samples.filter((s) => {
            if (s.unknown.length) done(s, s.unknown);
            else if (s.variant.config_error) s.refusal = true;
            return !s.unknown.length && !s.refusal;
        });
        for (const s of samples.filter((x) => x.refusal)) {
            const refused = await startRound(world, [s]).then((n) => n.stop({ check: false }).then(() => false), () => true);
            done(s, refused || s.variant.tags?.includes("lenient-ok") ? [] : ["nginx -t accepts it"]);
        }
        const records = new Map();
        for (const database of [false, true]) {
            const chosen = playable.filter((s) => !database || s.variant.result?.database);
            for (const round of await startable(world, rounds(chosen), { database }, (s, e) => records.set(`${database} ${s.key}`, { failed: e }))) {
                const nginx = await startRound(world, round, { database });
                try {
                    for (const [i, s] of round.entries()) {
                        const seen = await play(world, nginx, s, { database }).catch((e) => ({ failed: e }));
                        if (s.file.type === "email" && !seen.failed) seen.stored = storedToken(nginx, i);
                        records.set(`${database} ${s.key}`, seen);
                    }
                } finally {
                    await nginx.stop({ check: false });
                }
            }
        }
        for (const s of playable) {
            const seen = records.get(`false ${s.key}`), databaseSeen = records.get(`true ${s.key}`);
            const failed = seen.failed ?? databaseSeen?.failed;
            done(s, failed ? [String(failed.stack)] : judge(s, seen, databaseSeen), { seen, databaseSeen });
        }
    } finally {
        world.stop();
    }
    return results;
}

// --- Self-test ---------------------------------------------------------------------------------------

// asserted: the places of a variant that judge() must look at.
function* leaves(value, at) {
    if (value !== null && typeof value === "object" && !("$now" in value) && Object.keys(value).length) for (const k of Object.keys(value)) yield* leaves(value[k], [...at, k]);
    else yield at;
}
export function* asserted(variant) {
    const places = [["signin", "response"], ["callback", "response"], ["result"], ["response"], ["signIn"], ["create_verification_token"], ["smtp"]];
    for (const place of places) { const v = place.reduce((o, k) => o?.[k], variant); if (v !== undefined) yield* leaves(v, place); }
    for (const place of [["signin", "outbound"], ["callback", "outbound"], ["outbound"]]) {
        const list = place.reduce((o, k) => o?.[k], variant) ?? [];
        for (const [i, rq] of list.entries()) for (const part of ["method", "url", "headers", "body"]) if (rq[part] !== undefined) yield* leaves(rq[part], [...place, i, part]);
    }
}
// Not compared, as the README of the vectors says: the OAuth library's own name; a repeated
// discovery, which a fresh document may stand in for.
const free = (variant, at) => {
    const v = at.reduce((o, k) => o?.[k], variant);
    if (at.at(-1) === "user-agent" && String(v).startsWith("oauth4webapi")) return true;
    const rq = at.indexOf("outbound") >= 0 && at.slice(0, at.indexOf("outbound") + 2).reduce((o, k) => o?.[k], variant);
    return rq && rq.role === "discovery" && at[0] === "callback";
};
const changed = (v) => (typeof v === "string" ? `${v}~` : typeof v === "number" ? v + 1000 : typeof v === "boolean" ? !v : v === null ? "changed" : v && "$now" in v ? { $now: v.$now + 5000 } : Array.isArray(v) ? ["changed"] : { changed: true });

export function selftest(results, count = 20) {
    let passed = 0;
    const missed = [];
    for (const { sample, seen, databaseSeen } of results.filter((r) => r.seen && r.faults.length === 0).filter((_, i, all) => i % Math.max(1, Math.floor(all.length / count)) === 0).slice(0, count)) {
        for (const at of asserted(sample.variant)) {
            if (free(sample.variant, at)) continue;
            const variant = structuredClone(sample.variant);
            const parent = at.slice(0, -1).reduce((o, k) => o[k], variant);
            parent[at.at(-1)] = changed(parent[at.at(-1)]);
            let faults;
            try { faults = judge({ ...sample, variant }, seen, databaseSeen); } catch (e) { faults = [e.message]; }
            if (faults.length) passed++;
            else missed.push(`${sample.name}: ${at.join(".")} may change`);
        }
    }
    return { passed, missed };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const folder = process.argv.slice(2).find((a) => !a.startsWith("--")) ?? path.join(root, "t/vectors/providers");
    const quiet = process.argv.includes("--selftest");
    const results = await playAll(readSamples(folder), {
        report: ({ sample, faults }) => { if (faults.length) console.log(`not ok ${sample.name}\n    ${faults.join("\n    ")}`); else if (!quiet) console.log(`ok ${sample.name}`); },
    });
    let failed = results.filter((r) => r.faults.length).length, passed = results.length - failed;
    if (quiet) {
        const told = selftest(results);
        for (const m of told.missed) console.log(`not ok ${m}`);
        passed = told.passed;
        failed += told.missed.length;
    }
    console.log(`${passed} passed, ${failed} failed`);
    process.exitCode = failed ? 1 : 0;
}
