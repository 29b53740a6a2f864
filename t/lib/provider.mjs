// An OAuth 2 and OpenID Connect provider for tests: correct by default, hostile on demand. Every
// answer can be overridden, and every request is kept. In a test:
//
//     const provider = await startProvider();
//     provider.answer("token", { status: 500 }, { times: 1 });
//     provider.requestsOf("token")[0].form.code
//
// or as a process of its own, told what to do over HTTP:
//
//     node t/lib/provider.mjs --port 8090 [--issuer URL] [--client ID] [--secret TEXT]
//     curl -d '{"role": "token", "answer": {"status": 500}}' localhost:8090/_control/answer
//     curl localhost:8090/_control/requests
import crypto from "node:crypto";
import http from "node:http";
import https from "node:https";
import zlib from "node:zlib";
import { fileURLToPath } from "node:url";

import { plant } from "./canaries.mjs";

const b64u = (data) => Buffer.from(data).toString("base64url");
const json_type = { "content-type": "application/json" };

// --- Keys and tokens -----------------------------------------------------------------------------

const kinds = {
    RSA: () => crypto.generateKeyPairSync("rsa", { modulusLength: 2048 }),
    EC: (namedCurve) => crypto.generateKeyPairSync("ec", { namedCurve }),
    OKP: () => crypto.generateKeyPairSync("ed25519"),
};
const pss = (saltLength) => ({ padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength });
const raw = { dsaEncoding: "ieee-p1363" };
// One row per algorithm: the key it wants, the hash, and how node:crypto is asked for it.
export const algorithms = {
    RS256: { kty: "RSA", hash: "sha256" },
    RS384: { kty: "RSA", hash: "sha384" },
    RS512: { kty: "RSA", hash: "sha512" },
    PS256: { kty: "RSA", hash: "sha256", options: pss(32) },
    PS384: { kty: "RSA", hash: "sha384", options: pss(48) },
    PS512: { kty: "RSA", hash: "sha512", options: pss(64) },
    ES256: { kty: "EC", curve: "P-256", hash: "sha256", options: raw },
    ES384: { kty: "EC", curve: "P-384", hash: "sha384", options: raw },
    ES512: { kty: "EC", curve: "P-521", hash: "sha512", options: raw },
    EdDSA: { kty: "OKP", hash: null },
    HS256: { kty: "oct", hash: "sha256" },
    HS384: { kty: "oct", hash: "sha384" },
    HS512: { kty: "oct", hash: "sha512" },
};

export function makeKey(alg, kid = alg.toLowerCase()) {
    const { kty, curve } = algorithms[alg];
    const { privateKey, publicKey } = kinds[kty](curve);
    return { alg, kid, privateKey, jwk: { ...publicKey.export({ format: "jwk" }), kid, alg, use: "sig" } };
}

export function sign(header, claims, key) {
    const input = `${b64u(JSON.stringify(header))}.${typeof claims === "string" ? b64u(claims) : b64u(JSON.stringify(claims))}`;
    const row = algorithms[header.alg];
    if (!row) return `${input}.`;
    const signature = row.kty === "oct"
        ? crypto.createHmac(row.hash, key).update(input).digest()
        : crypto.sign(row.hash, Buffer.from(input), { key, ...row.options });
    return `${input}.${b64u(signature)}`;
}

function verify(token, key) {
    const [head, body, signature] = token.split(".");
    const header = JSON.parse(Buffer.from(head, "base64url"));
    const row = algorithms[header.alg];
    const input = Buffer.from(`${head}.${body}`);
    const given = Buffer.from(signature, "base64url");
    const good = row.kty === "oct"
        ? crypto.createHmac(row.hash, key).update(input).digest().equals(given)
        : crypto.verify(row.hash, input, { key, ...row.options }, given);
    return good ? { header, claims: JSON.parse(Buffer.from(body, "base64url")) } : null;
}

export function halfHash(alg, text) {
    const digest = crypto.createHash(algorithms[alg]?.hash ?? "sha512").update(text).digest();
    return b64u(digest.subarray(0, digest.length / 2));
}

// laidOver: members of `changes` over those of `base`; null takes one away.
function laidOver(base, changes = {}) {
    const out = { ...base };
    for (const [name, value] of Object.entries(changes))
        if (value === null) delete out[name];
        else out[name] = value;
    return out;
}

// --- The provider --------------------------------------------------------------------------------

const routes = {
    "/.well-known/openid-configuration": "discovery",
    "/jwks": "jwks",
    "/authorize": "authorize",
    "/token": "token",
    "/userinfo": "userinfo",
};

const defaults = {
    host: "127.0.0.1",
    port: 0,
    path: "",                      // of the issuer
    tls: null,                     // { key, cert }: https
    clientId: "test-client",
    clientSecret: "test-secret",
    clientKey: null,               // public key (PEM or KeyObject) of private_key_jwt
    clientAuth: null,              // the method to insist on; null: any of the five
    alg: "RS256",                  // of ID tokens
    oidc: true,                    // whether an ID token is issued
    nonceIsEchoed: true,
    user: { sub: "ada-1815", name: "Ada Lovelace", email: "Ada@Example.com", picture: "https://img.example/ada.png" },
    metadata: {},                  // laid over the discovery document
};

// An answer, all members optional: status, headers, json | merge (laid over the usual JSON) | body
// (text or Buffer), params (authorize: laid over what the browser brings back, a list doubles),
// to (authorize: where it is sent), idToken { claims, header, key, payload, mangle } | rawIdToken,
// after (a promise), delay (ms), drip (ms per byte), hang, reset, cut (bytes until the connection is reset), gzip.
export class Provider {
    requests = [];
    mistakes = [];                 // what a careful provider would complain of
    #server;
    #answers = new Map();
    #codes = new Map();
    #tokens = new Map();
    #sockets = new Set();

    constructor(options = {}) {
        Object.assign(this, structuredClone(defaults), options);
        this.keys = Object.fromEntries(["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"].map((alg) => [alg, makeKey(alg)]));
        this.stranger = makeKey("RS256", "rs256");     // signs in the name of a key it is not
    }

    async listen() {
        const serve = (rq, rs) => this.#serve(rq, rs).catch((e) => rs.destroy(e));
        this.#server = this.tls ? https.createServer(this.tls, serve) : http.createServer(serve);
        this.#server.keepAliveTimeout = 1000;
        this.#server.on("connection", (s) => {
            this.#sockets.add(s);
            s.on("close", () => this.#sockets.delete(s));
            s.on("error", () => {});
        });
        await new Promise((done, failed) => this.#server.once("error", failed).listen(this.port, this.host, done));
        this.port = this.#server.address().port;
        this.origin = `${this.tls ? "https" : "http"}://${this.host}:${this.port}`;
        this.issuer ??= this.origin + this.path;
        return this;
    }
    async close() {
        for (const s of this.#sockets) s.destroy();
        await new Promise((done) => this.#server.close(done));
    }

    // answer: how requests of this role are answered from now on, or `times` times. Answers for one
    // role queue up, the latest unlimited one lying below. A function gets the request and answers
    // an answer.
    answer(role, answer, { times = Infinity } = {}) {
        const queue = this.#answers.get(role) ?? [];
        if (times === Infinity) queue.splice(0, queue.length, ...queue.filter((a) => a.times !== Infinity));
        queue.push({ answer, times });
        queue.sort((a, b) => (a.times === Infinity) - (b.times === Infinity));
        this.#answers.set(role, queue);
        return this;
    }
    reset() {
        this.#answers.clear();
        this.requests.length = this.mistakes.length = 0;
        return this;
    }
    requestsOf(role) {
        return this.requests.filter((r) => r.role === role);
    }
    // until: the moment when as many requests of this role have come.
    async until(role, count = 1, ms = 5000) {
        for (const end = Date.now() + ms; this.requestsOf(role).length < count; await new Promise((r) => setTimeout(r, 5)))
            if (Date.now() > end) throw new Error(`provider: no ${role} request in ${ms} ms`);
        return this.requestsOf(role);
    }

    #override(role, request) {
        const queue = this.#answers.get(role);
        if (!queue?.length) return {};
        const first = queue[0];
        if (--first.times <= 0) queue.shift();
        return (typeof first.answer === "function" ? first.answer(request, this) : first.answer) ?? {};
    }

    async #serve(rq, rs) {
        const chunks = [];
        for await (const chunk of rq) chunks.push(chunk);
        const body = Buffer.concat(chunks).toString();
        const url = new URL(rq.url, this.origin);
        if (url.pathname.startsWith("/_control/")) return this.#control(url, rq, rs, body);

        const role = routes[url.pathname.slice(this.path.length)] ?? (url.pathname === "/.well-known/openid-configuration" ? "discovery" : "other");
        const request = {
            role, method: rq.method, url: url.href, path: url.pathname, at: Date.now(), headers: rq.headers, body,
            query: Object.fromEntries(url.searchParams),
            form: Object.fromEntries(new URLSearchParams(/urlencoded/.test(rq.headers["content-type"]) ? body : "")),
        };
        Object.defineProperty(request, "closed", { value: new Promise((done) => rs.once("close", done)) });
        this.requests.push(request);
        const over = this.#override(role, request);
        const usual = this[`_${role}`]?.(request, over) ?? { status: 404, headers: json_type, body: '{"error":"not_found"}' };
        await this.#send(rq, rs, usual, over);
    }

    async #send(rq, rs, usual, over) {
        await over.after;
        if (over.delay) await new Promise((r) => setTimeout(r, over.delay));
        if (over.hang) return;
        if (over.reset) return void rq.socket.resetAndDestroy();
        let body = over.body ?? (over.json !== undefined ? JSON.stringify(over.json)
            : over.merge ? JSON.stringify(laidOver(usual.json ?? {}, over.merge))
            : usual.body ?? (usual.json !== undefined ? JSON.stringify(usual.json) : ""));
        body = Buffer.from(body);
        const headers = { ...(usual.headers ?? {}), ...(over.headers ?? {}) };
        if (over.gzip) {
            body = zlib.gzipSync(over.gzip === true ? body : Buffer.alloc(over.gzip, " "));
            headers["content-encoding"] = "gzip";
        }
        const status = over.status ?? usual.status ?? 200;
        if (over.cut !== undefined || over.drip) {
            rs.writeHead(status, { ...headers, "content-length": body.length });
            rs.flushHeaders();
            for (let i = 0; i < body.length && !rs.destroyed; ++i) {
                if (i === over.cut) return void rq.socket.resetAndDestroy();
                rs.write(body.subarray(i, i + 1));
                if (over.drip) await new Promise((r) => setTimeout(r, over.drip));
            }
            return void rs.end();
        }
        rs.writeHead(status, headers).end(body);
    }

    // --- The usual answers ---

    _discovery() {
        const at = (path) => this.origin + this.path + path;
        return {
            headers: json_type,
            json: laidOver({
                issuer: this.issuer,
                authorization_endpoint: at("/authorize"),
                token_endpoint: at("/token"),
                userinfo_endpoint: at("/userinfo"),
                jwks_uri: at("/jwks"),
                response_types_supported: ["code"],
                subject_types_supported: ["public"],
                id_token_signing_alg_values_supported: [this.alg],
                code_challenge_methods_supported: ["S256"],
            }, this.metadata),
        };
    }

    _jwks() {
        return { headers: json_type, json: { keys: Object.values(this.keys).map((k) => k.jwk) } };
    }

    _authorize(request, over) {
        const q = request.query;
        if (q.client_id !== this.clientId) this.mistakes.push(`client_id ${q.client_id}`);
        const code = b64u(crypto.randomBytes(24));
        this.#codes.set(code, { ...q, used: 0 });
        plant(code, q.state, q.nonce);
        request.code = code;
        const params = laidOver({
            code,
            ...(q.state !== undefined && { state: q.state }),
            ...(this.metadata.authorization_response_iss_parameter_supported && { iss: this.issuer }),
        }, over.params);
        const list = Object.entries(params).flatMap(([n, v]) => [v].flat().map((one) => [n, one]));
        const target = over.to ?? q.redirect_uri;
        if (q.response_mode === "form_post") {
            const escape = (s) => String(s).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
            const inputs = list.map(([n, v]) => `<input type="hidden" name="${escape(n)}" value="${escape(v)}">`);
            return {
                headers: { "content-type": "text/html; charset=utf-8" },
                body: `<!doctype html><body onload="document.forms[0].submit()"><form method="post" action="${escape(target)}">${inputs.join("")}</form>`,
            };
        }
        const url = new URL(target);
        for (const [n, v] of list) url.searchParams.append(n, v);
        return { status: 302, headers: { location: url.href } };
    }

    // How the client proved who it is: the method's name, or what is wrong.
    clientAuthOf({ headers, form }) {
        const named = (id) => id === this.clientId;
        const basic = /^Basic (.+)$/.exec(headers.authorization ?? "");
        if (basic) {
            const [id, secret] = Buffer.from(basic[1], "base64").toString().split(":").map((s) => decodeURIComponent(s.replaceAll("+", " ")));
            return named(id) && secret === this.clientSecret && !form.client_secret ? "client_secret_basic" : "wrong basic credentials";
        }
        if (!named(form.client_id)) return `no client authentication`;
        if (form.client_assertion) {
            if (form.client_assertion_type !== "urn:ietf:params:oauth:client-assertion-type:jwt-bearer") return "wrong assertion type";
            const { alg } = JSON.parse(Buffer.from(form.client_assertion.split(".")[0], "base64url"));
            const symmetric = algorithms[alg]?.kty === "oct";
            const token = verify(form.client_assertion, symmetric ? this.clientSecret : this.clientKey);
            const now = Date.now() / 1000, c = token?.claims;
            if (!token) return "assertion with a wrong signature";
            if (!named(c.iss) || !named(c.sub) || !c.jti || ![c.aud].flat().includes(this.issuer)) return "assertion with wrong claims";
            if (!(c.exp > now && c.exp <= now + 70 && c.nbf <= now + 5)) return "assertion at a wrong time";
            return symmetric ? "client_secret_jwt" : "private_key_jwt";
        }
        if (form.client_secret !== undefined) return form.client_secret === this.clientSecret ? "client_secret_post" : "wrong client secret";
        return "none";
    }

    _token(request, over) {
        const refuse = (error, status = 400) => {
            this.mistakes.push(error);
            return { status, headers: json_type, json: { error: error.split(":")[0], error_description: error } };
        };
        const { form } = request;
        request.clientAuth = this.clientAuthOf(request);
        const known = ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"];
        if (!(this.clientAuth ? [this.clientAuth] : known).includes(request.clientAuth)) return refuse(`invalid_client: ${request.clientAuth}`, 401);
        if (form.grant_type !== "authorization_code") return refuse("unsupported_grant_type");
        const grant = this.#codes.get(form.code);
        if (!grant) return refuse("invalid_grant: unknown code");
        if (grant.used++) return refuse("invalid_grant: the code was used before");
        if (grant.redirect_uri !== form.redirect_uri) return refuse("invalid_grant: another redirect_uri");
        const challenge = form.code_verifier && b64u(crypto.createHash("sha256").update(form.code_verifier).digest());
        if ((grant.code_challenge ?? "") !== (challenge ?? "")) return refuse("invalid_grant: PKCE");

        const access_token = b64u(crypto.randomBytes(24));
        const user = over.user ?? this.user;
        this.#tokens.set(access_token, user);
        request.accessToken = access_token;
        plant(access_token, form.code_verifier, form.client_assertion, form.client_secret);
        const answer = { access_token, token_type: "Bearer", expires_in: 3600, scope: grant.scope ?? "openid" };
        if (this.oidc) answer.id_token = over.rawIdToken ?? this.idToken(over.idToken, { user, access_token, code: form.code, nonce: grant.nonce });
        plant(answer.id_token);
        return { headers: { ...json_type, "cache-control": "no-store" }, json: answer };
    }

    // idToken: a good one, but for what `changes` says. `key`: a name of this.keys, "stranger", or
    // a text for HS*. `payload`: the claims' JSON text itself. `mangle`: a function over the token.
    idToken(changes = {}, { user = this.user, access_token, code, nonce } = {}) {
        const now = Math.floor(Date.now() / 1000);
        const alg = changes.header?.alg ?? this.alg;
        const key = changes.key ?? (algorithms[alg]?.kty === "oct" ? this.clientSecret : Object.keys(this.keys).find((k) => algorithms[k].kty === algorithms[alg]?.kty && algorithms[k].curve === algorithms[alg]?.curve));
        const holder = key === "stranger" ? this.stranger : this.keys[key];
        const claims = laidOver({
            iss: this.issuer, aud: this.clientId, sub: user.sub, iat: now, exp: now + 300,
            ...(this.nonceIsEchoed && nonce !== undefined && { nonce }),
            ...(access_token && { at_hash: halfHash(alg, access_token) }),
            ...(code && { c_hash: halfHash(alg, code) }),
            name: user.name, email: user.email, picture: user.picture,
        }, changes.claims);
        const header = laidOver({ alg, typ: "JWT", ...(holder && { kid: holder.kid }) }, changes.header);
        const payload = changes.payload?.replace("{{claims}}", JSON.stringify(claims).slice(1, -1)) ?? claims;
        const token = sign(header, payload, holder?.privateKey ?? key);
        return manglers[changes.mangle]?.(token) ?? (typeof changes.mangle === "function" ? changes.mangle(token) : token);
    }

    _userinfo(request) {
        const user = this.#tokens.get(/^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1]);
        if (user) return { headers: json_type, json: user };
        this.mistakes.push("userinfo without a token");
        return { status: 401, headers: { "www-authenticate": "Bearer" }, json: { error: "invalid_token" } };
    }

    #control(url, rq, rs, body) {
        const given = body ? JSON.parse(body) : {};
        const verbs = {
            answer: () => (this.answer(given.role, given.answer, { times: given.times ?? Infinity }), {}),
            options: () => (Object.assign(this, given), {}),
            reset: () => (this.reset(), {}),
            requests: () => ({ requests: this.requests, mistakes: this.mistakes }),
        };
        const verb = verbs[url.pathname.slice("/_control/".length)];
        rs.writeHead(verb ? 200 : 404, json_type).end(JSON.stringify(verb?.() ?? {}));
    }
}

// Ways to spoil a token by name, for those who control the provider over HTTP.
export const manglers = {
    flip: (t) => t.replace(/\.([^.]+)$/, (_, s) => { const b = Buffer.from(s, "base64url"); b[0] ^= 1; return `.${b64u(b)}`; }),
    unsigned: (t) => t.replace(/[^.]+$/, ""),
    pad: (t) => `${t}==`,
    space: (t) => ` ${t}`,
    two: (t) => t.split(".").slice(0, 2).join("."),
    four: (t) => `${t}.x`,
    five: (t) => `${t}.x.y`,
};

export const startProvider = (options) => new Provider(options).listen();

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const named = (name) => { const at = process.argv.indexOf(`--${name}`); return at < 0 ? undefined : process.argv[at + 1]; };
    const options = { port: Number(named("port") ?? 0), issuer: named("issuer"), clientId: named("client"), clientSecret: named("secret"), alg: named("alg") };
    const provider = await startProvider(Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)));
    console.log(provider.issuer);
}
