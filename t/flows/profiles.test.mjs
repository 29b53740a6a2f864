// What providers may say of a person, and what becomes of it: each sample's documents with members
// missing, null, empty, of another type, doubled, too long, drawn from a seed, read by the real
// Auth.js and by the module. They must agree but for the rows of `differences`.
// AUTHJS_SEED=n repeats a run, AUTHJS_CASES=n says how many cases it has (all: every single change),
// AUTHJS_PROVIDER=id asks one provider only.
import assert from "node:assert";
import crypto from "node:crypto";
import { test } from "node:test";

import { generator } from "../lib/random.mjs";
import { answersOf, callbackReal, core, providerOf, raw, samples, seed, withCore } from "../lib/signins.mjs";
import { linesOf } from "../lib/vectors.mjs";

const count = process.env.AUTHJS_CASES ?? "1500";
const rng = generator(seed);

withCore();

// --- Documents, and what may be changed in them --------------------------------------------------

// surfaces: the documents of a sample that a mapping may look at, as functions from a sample to the
// object that has them, under a name.
function surfaces({ variant }) {
    const out = [];
    for (const [i, rq] of variant.callback.outbound.entries()) {
        const { json, jwt } = rq.response;
        if (rq.role === "token") {
            out.push({ role: "token", own: (v) => v.callback.outbound[i].response, name: "json" });
            if (json?.id_token) out.push({ role: "claims", own: (v) => v.callback.outbound[i].response.json.id_token.$jwt, name: "claims" });
        } else if (json !== undefined && rq.role !== "discovery") {
            out.push({ role: rq.role, own: (v) => v.callback.outbound[i].response, name: "json" });
        } else if (jwt) {
            out.push({ role: rq.role, own: (v) => v.callback.outbound[i].response.jwt.$jwt, name: "claims" });
        }
    }
    return out;
}

// tracked notes every member that is asked for, there or not.
function tracked(v, at, seen) {
    if (v === null || typeof v !== "object") return v;
    return new Proxy(v, { get(target, name, self) {
        if (typeof name === "symbol" || name === "then" || name in String.prototype || (Array.isArray(target) && !/^\d+$/.test(name))) return Reflect.get(target, name, self);
        seen.set(JSON.stringify([...at, name]), [...at, name]);
        return tracked(target[name], [...at, name], seen);
    } });
}
const dig = (v, at) => at.reduce((o, k) => o?.[k], v);
function put(document, at, value) {
    if (!at.length) return value;
    const parent = dig(document, at.slice(0, -1));
    if (parent === null || typeof parent !== "object") return document;
    if (value === undefined) { if (Array.isArray(parent)) parent.splice(Number(at.at(-1)), 1); else delete parent[at.at(-1)]; } else parent[at.at(-1)] = value;
    return document;
}

const digits = ["9007199254740993", "12345678901234567890", "-0", "1.0", "1E2", "100000000000000000000", "123456789012345680000000", "1e21", "5e-324", "0.1"];
const plain = [undefined, null, "", "x", "0", "007", "12345", "4294967297", " both ", "a_b", "Ünïcode 😀 İ", "\ud83d", "a\u0000b", "undefined", "null", "a/b?c#d%", "X@Y.Example", 0, false, true, 1, -1, 7, 12345, 1.5, [], [null], [""], ["x"], ["x", "y"], [[]], [{}], {}, { a: 1 }, ...digits.map(raw)];
// valuesFor: what may stand where `old` stands.
function valuesFor(old) {
    const out = [...plain];
    if (typeof old === "number") out.push(String(old));
    if (typeof old === "string") out.push(old.toUpperCase(), `a_${old}`, `/${old}`, [old], ...(Number.isFinite(Number(old)) && old !== "" ? [Number(old)] : []));
    if (Array.isArray(old)) {
        out.push([...old].reverse(), [...old, ...old], old.slice(0, 1), [null, ...old], ["x", ...old], [0, ...old]);
        for (const name of ["primary", "verified"])
            for (const value of [true, false, null, "false", "", 1, 0]) out.push(old.map((e) => (e && typeof e === "object" ? { ...e, [name]: value } : e)));
        out.push([...old.slice(1), ...old.slice(0, 1)], old.map((e) => [e]));
    } else if (old && typeof old === "object") {
        out.push([old], Object.fromEntries(Object.entries(old).map(([k]) => [k, null])), Object.fromEntries(Object.entries(old).map(([k]) => [k, ""])));
    }
    return out;
}

// --- One case --------------------------------------------------------------------------------------

// What comes with a callback: the code, and Apple's `user`.
function paramsOf({ variant }, change) {
    const { query, form } = variant.callback.request;
    const given = { ...query, ...form, ...change };
    return Object.fromEntries(Object.entries(given).filter(([k, v]) => k !== "state" && v !== undefined));
}
const sorted = (v) => (Array.isArray(v) ? v.map(sorted) : v && typeof v === "object" ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, sorted(v[k])])) : typeof v === "string" ? v.toWellFormed() : v);
const shown = (v) => JSON.stringify(sorted(JSON.parse(JSON.stringify(v ?? null) ?? "null")));

// Where the two may differ on purpose (flows/divergences.md: too-trusting, lenient-answers,
// failed-mapping): one of them signs nobody in, or it is told another way.
const nobody = (id) => typeof id === "string" && (/^random-|^undefined$|^null$/.test(id));
const differences = [
    ["nobody", (real, ours) => ours.outcome !== "signed-in" && nobody(real.account?.providerAccountId)],
    ["an id that lost digits", (real, ours) => /more digits than a double holds/.test(ours.why)],
    ["an id that is neither text nor number", (real, ours) => /the id is no text and no number/.test(ours.why)],
    ["a document that is no object", (real, ours) => /userinfo is no object/.test(ours.why)],
    ["a time that is none", (real, ours) => /"expires_in" is no number/.test(ours.why)],
    ["a URL with a hole", (real, ours) => /the token response has no/.test(ours.why)],
    ["no 2xx", (real, ours) => real.outcome !== "signed-in" && /userinfo was answered/.test(ours.why)],
    ["lenient answers", (real) => /token_type|"scope" property/.test(real.why ?? "")],
];
// A text without what Auth.js writes for what is missing; numbers in one form.
const unwritten = (text) => text.replaceAll(/undefined|null/g, "").replaceAll(/\d+(\.\d+)?(e[+-]\d+)?/g, (n) => String(Number(n))).replaceAll(/ +/g, " ").trim();

const stats = new Map();
function compare(real, ours) {
    if (real.outcome === ours.outcome && real.outcome !== "signed-in") return [];
    const why = differences.find(([, explains]) => explains(real, ours))?.[0];
    if (why) { stats.set(why, (stats.get(why) ?? 0) + 1); return []; }
    if (real.outcome !== ours.outcome) return [`outcome: Auth.js ${real.outcome} (${real.why ?? ""}), the module ${ours.outcome} (${ours.why})`];
    const faults = [];
    const { id: _, ...want } = JSON.parse(JSON.stringify(real.user)), { id: __, ...got } = ours.user;
    // The first letter of a text that stands where a list was to be.
    if (want.email?.length === 1 && !("email" in got)) delete want.email;
    for (const name of new Set([...Object.keys(want), ...Object.keys(got)])) {
        if (shown(want[name]) === shown(got[name]) && (want[name] === undefined) === !(name in got)) continue;
        const [w, g] = [want[name], got[name]].map((v) => (typeof v === "string" ? unwritten(v) : v));
        if (typeof w === "string" && (w === g || (w !== want[name] && (g ?? null) === null))) { stats.set("a missing name", (stats.get("a missing name") ?? 0) + 1); continue; }
        faults.push(`user.${name}: Auth.js ${shown(want[name])}, the module ${name in got ? shown(got[name]) : "nothing"}`);
    }
    const { expires_at: e1, ...a1 } = real.account, { expires_at: e2, ...a2 } = ours.account;
    if (shown(a1) !== shown(a2)) faults.push(`account: Auth.js ${shown(a1)}, the module ${shown(a2)}`);
    if (shown(real.profile) !== shown(ours.profile)) faults.push(`profile: Auth.js ${shown(real.profile)}, the module ${shown(ours.profile)}`);
    return faults;
}

test("profiles of every provider, as Auth.js reads them", async (t) => {
    const cases = [], faults = new Map(), mappings = new Map();
    for (const s of samples) {
        s.provider = await providerOf(s.file.module, s.variant.options);
        s.provider.checks = [];
        const { variant } = s;
        for (const rq of variant.callback.outbound) if (rq.response.json?.id_token) delete rq.response.json.id_token.$jwt.claims.nonce;
        await core.declare(s.key, s.file.id, [...linesOf(s.file.id, variant.options).filter(([name]) => name !== "checks"), ["checks", "none"]]);
    }
    for (const s of samples) {
        await core.start(s.key, "", answersOf(s));
        const all = surfaces(s);
        for (const surface of all) {
            const sourceOf = surface.own(s.variant)[surface.name];
            const paths = new Map();
            // Which members are looked at: asked of the mapping itself, again with what was missing.
            const look = async (document) => {
                const seen = new Map();
                const change = structuredClone(s.variant);
                surface.own(change)[surface.name] = document;
                if (surface.role === "claims") { try { await s.provider.profile(tracked(structuredClone(document), [], seen), {}); } catch { /* seen all the same */ } }
                else if (surface.role !== "token") await callbackReal(s.provider, { params: paramsOf(s), answers: answersOf({ variant: change }), document: (d) => (shown(d) === shown(document) ? tracked(d, [], seen) : d) });
                for (const [k, at] of seen) if (!paths.has(k)) paths.set(k, at);
                return seen;
            };
            await look(sourceOf);
            if (surface.role === "token") for (const name of Object.keys(sourceOf)) if (!["access_token", "id_token"].includes(name)) paths.set(name, [name]);
            for (const at of [...paths.values()]) for (const v of [{}, null]) if (surface.role !== "token") await look(put(structuredClone(sourceOf), at, v));
            if (surface.role !== "token" && surface.role !== "claims") paths.set("", []);
            if (surface.role === "claims") for (const name of ["sub"]) paths.set(name, [name]);
            for (const at of paths.values()) for (const value of valuesFor(dig(sourceOf, at))) {
                if ((surface.role === "token" || !at.length) && value === undefined) continue;
                // What a scope that lists other things than texts would mean nobody knows.
                if (at[0] === "scope" && Array.isArray(value) && value.some((v) => typeof v !== "string")) continue;
                cases.push({ s, surface, changes: [[at, value]] });
            }
            s.looked = [...s.looked ?? [], ...[...paths.values()].map((at) => ({ surface, at }))];
        }
        if (s.file.id === "apple") for (const user of ["", "x", "{", "null", "0", "{}", "[]", '"x"', '{"name":null}', '{"name":{}}', '{"name":"x"}', '{"name":{"firstName":"A"}}', '{"name":{"firstName":null,"lastName":"B"}}', '{"name":{"firstName":"A","lastName":"B"},"email":"x@y"}', '{"name":{"firstName":"","lastName":5}}', '{"name":[]}', "false", "true"]) cases.push({ s, params: { user }, changes: [] });
    }
    const some = count === "all" ? cases : Array.from({ length: Number(count) }, () => {
        const one = rng.pick(cases);
        if (!one.surface || rng.chance(0.7)) return one;
        const more = Array.from({ length: 1 + Math.floor(rng.next() * 2) }, () => rng.pick(one.s.looked)).filter((l) => l.surface === one.surface);
        return { ...one, changes: [...one.changes, ...more.map(({ at }) => [at, rng.pick(valuesFor(dig(one.surface.own(one.s.variant)[one.surface.name], at)))])] };
    });
    const started = performance.now();
    // By the hundred: the core works on them while Auth.js does.
    for (let i = 0; i < some.length; i += 100) {
        const asked = some.slice(i, i + 100).map((c) => {
            const variant = structuredClone(c.s.variant);
            for (const [at, value] of c.changes) {
                const own = c.surface.own(variant);
                own[c.surface.name] = put(own[c.surface.name], at, structuredClone(value));
            }
            const answers = answersOf({ variant }), params = paramsOf(c.s, c.params);
            return { c, answers, params, ours: core.back(c.s.key, params, answers) };
        });
        for (const { c, answers, params, ours } of asked) {
            const wrong = compare(await callbackReal(c.s.provider, { params, answers }), await ours);
            if (wrong.length) faults.set(`${c.s.file.id} ${c.surface?.role ?? ""} ${c.changes.map(([at, v]) => `${at.join(".")}=${v === undefined ? "(missing)" : JSON.stringify(v)}`).join(" ")}${JSON.stringify(c.params ?? "")}`, wrong);
        }
    }
    t.diagnostic(`AUTHJS_SEED=${seed}: ${some.length} of ${cases.length} cases, ${Math.round(performance.now() - started)} ms; ${[...stats].map(([k, n]) => `${k} ${n}`).join(", ")}`);
    assert.ok(!faults.size, `${faults.size} differ, AUTHJS_SEED=${seed}\n${[...faults].slice(0, Number(process.env.AUTHJS_SHOW ?? 40)).map(([k, w]) => `${k}\n    ${w.join("\n    ")}`).join("\n")}`);
});

// OpenID Connect Core section 3.1.3.6. What samples carry is made up, beside an access token that is
// none; of one that may be real the hash must be its own.
test("an ID token that belongs to another access token is refused", async () => {
    const hash = (alg, text) => { const full = crypto.createHash(`sha${alg.slice(2)}`).update(text).digest(); return full.subarray(0, full.length / 2).toString("base64url"); };
    let asked = 0;
    for (const s of samples.filter(({ variant }) => variant.callback.outbound.some((rq) => rq.response.json?.id_token?.$jwt.claims.at_hash))) {
        for (const mine of [true, false]) {
            const variant = structuredClone(s.variant), { json } = variant.callback.outbound.find((rq) => rq.role === "token").response, { alg, claims } = json.id_token.$jwt;
            json.access_token = crypto.randomBytes(16).toString("base64url");
            delete claims.c_hash;
            claims.at_hash = hash(alg, json.access_token + (mine ? "" : "x"));
            const { outcome, why } = await core.back(s.key, paramsOf(s), answersOf({ variant }));
            assert.deepStrictEqual([s.file.id, outcome, mine || /at_hash/.test(why)], [s.file.id, mine ? "signed-in" : "error", true]);
            ++asked;
        }
    }
    assert.ok(asked >= 28 || process.env.AUTHJS_PROVIDER);
});
