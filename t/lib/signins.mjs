// One sign-in made by two: the real Auth.js (its own handleOAuth, npm, pinned) and the module's core
// (t/tools/sign_ins.cpp), given the same answers of the provider. No network and no nginx: a case takes
// well under a millisecond, so thousands can be asked.
import { spawn } from "node:child_process";
import crypto from "node:crypto";
import { createInterface } from "node:readline";
import fs from "node:fs";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";

import { fill, readSamples } from "./vectors.mjs";

const library = new URL("../../node_modules/@auth/core/", import.meta.url);
const { handleOAuth } = await import(new URL("lib/actions/callback/oauth/callback.js", library));
const { getAuthorizationUrl } = await import(new URL("lib/actions/signin/authorization-url.js", library));
const { defaultCookies } = await import(new URL("lib/utils/cookie.js", library));
const { default: parseProviders } = await import(new URL("lib/utils/providers.js", library));

const site = "https://app.example.com";
const keys = JSON.parse(fs.readFileSync(new URL("../vectors/provider-keys.json", import.meta.url), "utf8")).private;
for (const id of Object.keys(keys)) keys[id] = crypto.createPrivateKey({ key: keys[id], format: "jwk" });

// --- Documents -----------------------------------------------------------------------------------

// raw: a number that JavaScript would not write like that.
export const raw = (digits) => `\u0001${digits}`;
export const write = (document) => JSON.stringify(document)?.replace(/"\\u0001([^"]*)"/g, "$1");

function idToken({ alg, kid, claims, header = {} }, secret) {
    const input = [JSON.stringify({ alg, ...(kid && { kid }), ...header }), write(claims)].map((t) => Buffer.from(t).toString("base64url")).join(".");
    const hash = `sha${alg.slice(2)}`;
    if (alg.startsWith("HS")) return `${input}.${crypto.createHmac(hash, secret).update(input).digest("base64url")}`;
    return `${input}.${crypto.sign(hash, Buffer.from(input), { key: keys[kid], ...(alg.startsWith("ES") && { dsaEncoding: "ieee-p1363" }) }).toString("base64url")}`;
}

// answersOf: what a sample's hosts say, as text; `values`: what stands for its placeholders.
export function answersOf(sample, values = {}) {
    const secret = sample.variant.options.clientSecret;
    const text = (document) => write(JSON.parse(JSON.stringify(fill2(document, values)), (_, v) => (v && typeof v === "object" && "$jwt" in v ? idToken(v.$jwt, secret) : v)));
    const { signin, callback, available = [] } = sample.variant;
    return [...signin.outbound, ...callback?.outbound ?? [], ...available].map(({ role, url, response: { status, headers, json, jwt, base64, text: plain } }) => ({
        role, url, status, headers, ...(base64 !== undefined ? { base64 } : { body: json !== undefined ? text(json) : jwt ? idToken(fill2(jwt.$jwt, values), secret) : plain ?? "" }),
    }));
}
// fill without making tokens: those need the text of their claims.
const fill2 = (v, values) => {
    if (Array.isArray(v)) return v.map((x) => fill2(x, values));
    if (v === null || typeof v !== "object" || "$now" in v) return fill(v, values);
    return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, fill2(x, values)]));
};

// --- The real one --------------------------------------------------------------------------------

const silent = { debug() {}, warn() {}, error() {} };
// As t/tools/sign_ins.cpp has it: by the URL, by the URL without its query, by its last step.
const find = (answers, url) => [(u) => u, (u) => u.split("?")[0], (u) => u.split("?")[0].replace(/\/$/, "").split("/").at(-1)].map((of) => answers.find((a) => of(a.url) === of(url))).find(Boolean) ?? { status: 404, headers: {}, body: "" };

export async function providerOf(module, options) {
    const { default: make } = await import(new URL(`providers/${module}.js`, library));
    const made = make(structuredClone(options));
    return parseProviders({ url: new URL(site), providerId: made.options?.id ?? made.id, config: { providers: [made], basePath: "/auth" } }).provider;
}
const around = (provider) => ({ provider, logger: silent, url: new URL(`${site}/auth`), cookies: defaultCookies(true), jwt: { secret: "0123456789abcdef0123456789abcdef", maxAge: 900 }, isOnRedirectProxy: false });

// withAnswers runs `f` while fetch says what the answers say; `document` sees what is read as JSON.
async function withAnswers(answers, sent, document, f) {
    const [realFetch, realUuid] = [globalThis.fetch, globalThis.crypto.randomUUID];
    let drawn = 0;
    globalThis.crypto.randomUUID = () => `random-${++drawn}`;
    globalThis.fetch = async (input, init) => {
        const rq = new Request(input, init);
        sent.push({ method: rq.method, url: rq.url, headers: Object.fromEntries(rq.headers), body: await rq.text() });
        const { status, headers, body, base64 } = find(answers, rq.url);
        const answer = new Response(base64 === undefined ? body : Buffer.from(base64, "base64"), { status, headers });
        if (document) { const json = answer.json.bind(answer); answer.json = async () => document(await json()); }
        return answer;
    };
    try { return await f(); } finally { globalThis.fetch = realFetch; globalThis.crypto.randomUUID = realUuid; }
}

// signInReal answers { location, cookies, outbound } of a sign-in request.
export async function signInReal(provider, query, answers) {
    const outbound = [];
    const { redirect, cookies } = await withAnswers(answers, outbound, undefined, () => getAuthorizationUrl(Object.fromEntries(new URLSearchParams(query)), around(provider)));
    return { location: redirect, cookies: Object.fromEntries(cookies.map((c) => [c.name, c.value])), outbound };
}

// callbackReal answers { outcome, user, account, profile, outbound, why }: handleOAuth, and what the
// callback route and handleLoginOrRegister make of it.
export async function callbackReal(provider, { params, answers, cookies = {}, document }) {
    const outbound = [];
    try {
        const { user, account, profile } = await withAnswers(answers, outbound, document, () => handleOAuth({ ...params }, cookies, around(provider)));
        if (!user || !account || !profile) return { outcome: "profile-error", outbound };
        if (!account.providerAccountId || !account.type) return { outcome: "error", why: "no account id", outbound };
        return { outcome: "signed-in", user, account, profile, outbound };
    } catch (e) {
        return { outcome: "error", why: `${e.name}: ${e.message}`, outbound };
    }
}

// --- The module's --------------------------------------------------------------------------------

class Core {
    #waiting = [];
    #lines = "";
    constructor(binary) {
        this.process = spawn(binary, { stdio: ["pipe", "pipe", "inherit"] });
        createInterface({ input: this.process.stdout }).on("line", (line) => this.#waiting.shift()[0](JSON.parse(line)));
        this.process.on("exit", (code, signal) => { for (const [, failed] of this.#waiting) failed(new Error(`sign_ins ended: ${code ?? signal}`)); });
    }
    // Lines asked at once are written at once.
    async ask(line) {
        const answer = await new Promise((done, failed) => {
            this.#waiting.push([done, failed]);
            if (!this.#lines) queueMicrotask(() => { this.process.stdin.write(this.#lines); this.#lines = ""; });
            this.#lines += `${JSON.stringify(line)}\n`;
        });
        if (answer.wrong) throw new Error(`${JSON.stringify(line).slice(0, 200)}: ${answer.wrong}`);
        return answer;
    }
    declare(key, id, lines) { return this.ask({ declare: key, id, lines }); }
    start(key, query = "", answers = []) { return this.ask({ start: key, query, answers }); }
    async back(key, params, answers) {
        const said = await this.ask({ back: key, params, answers });
        const outcome = said.told ? "signed-in" : /\/signin$/.test(said.location) ? "profile-error" : "error";
        return { outcome, user: said.told?.user, account: said.told?.account, profile: said.told?.profile, outbound: said.outbound, why: said.log.join(" | ") };
    }
    stop() { this.process.stdin.end(); }
}

// --- What a flow over all providers begins with --------------------------------------------------

export const seed = Number(process.env.AUTHJS_SEED ?? Math.floor(Math.random() * 1e9));
const here = (file) => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const wanted = process.env.AUTHJS_PROVIDER;
// The samples of what is shipped that go as far as a callback; AUTHJS_PROVIDER=id: one provider's.
export const samples = readSamples(here("t/vectors/providers")).filter(({ file, variant }) => file.shipped && variant.callback && (!wanted || file.id === wanted));

// The module's core, from before the first test of the calling file to after its last.
export let core;
export function withCore() {
    console.warn = () => {};  // Auth.js's own, about twitch
    before(() => { core = new Core(process.env.AUTH_JS_SIGN_INS ?? here("build/tools/sign_ins")); });
    after(() => core.stop());
}
