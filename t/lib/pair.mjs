// A pair of browsers that do the same, one at Auth.js and one at the module, and what was seen.
import { Browser } from "./browser.mjs";
import { askAuthjs, askNginx, Side } from "./authjs.mjs";
import { strikes } from "./random.mjs";
import { differences, masked, picture } from "./picture.mjs";

const json = (v) => JSON.parse(JSON.stringify(v ?? null));

// Lab: what all pairs share. `providers`: the mock providers; `nginx`; `app`: answers internal
// locations; `divergences`: see divergences.mjs. It counts answers and remembers what differs.
export class Lab {
    answers = 0;
    fired = new Map();             // id of a divergence -> in how many answers it fired
    needed = new Set();            // those that alone explain some difference
    found = [];
    recorded = [];
    constructor(shared) { Object.assign(this, shared); }
    record(name, document) { this.recorded.push({ name, document: json(document) }); }
}

export class Pair {
    constructor(lab, world) {
        Object.assign(this, { lab, world, port: lab.nginx.ports[world.index] });
        this.origin = world.origin ?? `http://127.0.0.1:${this.port}`;
        this.sides = [new Side(), new Side()];
        for (const s of this.sides) s.csrfName = world.cookieNames.csrfToken;
        world.twins?.clear();
    }

    // ask sends what `make` makes of each side to that side, and compares. `answers`: role -> what
    // the providers answer meanwhile. Answers the two requests and answers with their pictures.
    async ask(title, make, { answers = {}, user } = {}) {
        const seen = [];
        const session = this.sides[0].cookies.get(this.world.cookieNames.sessionToken);
        const row = session && this.world.twins?.session(0, session);
        for (const [which, side] of this.sides.entries()) {
            for (const p of this.lab.providers) {
                p.reset();
                for (const [role, answer] of Object.entries(answers)) p.answer(role, answer);
                if (user) p.answer("token", { ...answers.token, user: { ...p.user, ...user } });
            }
            const request = await make(side, this);
            request.headers = { ...request.headers };
            request.headers.cookie ??= side.header;
            if (!request.headers.cookie) delete request.headers.cookie;
            const log = [];
            this.lab.recorded.length = this.lab.app.calls.length = 0;
            const answer = which === 0 ? await askAuthjs(this.world.config, this.origin, request, log)
                : await askNginx(this.port, new URL(this.origin).host, request);
            const calls = which === 0 ? this.lab.recorded : this.lab.app.calls;
            const rows = this.world.twins?.picture(which);
            const shown = await picture(this.world, answer, rows?.names);
            for (const [table, list] of Object.entries(rows?.tables ?? {})) shown.fields[`rows of ${table}`] = list;
            const letter = calls.find((c) => c.name === "letter");
            if (letter) side.link = new URL(letter.document.url);
            if (calls.length) shown.fields.calls = calls.map(({ name, document: { request, ...document } }) => ({ name, document: masked(document) }));
            const before = { cookies: new Map(side.cookies), pending: side.pending };
            side.take(answer.headers);
            const location = answer.headers.find(([n]) => n === "location")?.[1] ?? "";
            if (this.lab.providers.some((p) => location.startsWith(p.origin))) side.pending = location;
            seen.push({ request, answer, shown, before, log });
        }
        const [expected, actual] = seen;
        this.lab.answers += 1;
        const x = { title, row, pair: this, world: this.world, origin: this.origin, answers, user, request: expected.request, cookies: expected.before.cookies, pending: expected.before.pending, expected, actual, log: expected.log };
        let whole = false;
        const left = differences(expected.shown, actual.shown).filter((d) => {
            const rows = this.lab.divergences.filter((row) => row.explains(x, d));
            if (!rows.length) return true;
            const [by] = rows;
            if (rows.length === 1) this.lab.needed.add(by.id);
            (x.fired ??= new Set()).add(by.id);
            whole ||= typeof by.whole === "function" ? by.whole(x) : by.whole === true;
            return false;
        });
        for (const id of x.fired ?? []) this.lab.fired.set(id, (this.lab.fired.get(id) ?? 0) + 1);
        if (left.length) this.lab.found.push({ world: this.world.name, title, left, x, said: this.lab.nginx.log.trimEnd().split("\n").at(-1) });
        // What one of them refused on purpose leaves the two in different places: on from Auth.js's.
        if (whole || left.length) {
            Object.assign(this.sides[1], { cookies: new Map(this.sides[0].cookies), pending: this.sides[0].pending, link: this.sides[0].link });
            this.world.twins?.copy();
            for (const side of this.sides) side.came = undefined;      // a code is good for one of them
        }
        return x;
    }

    // swap: each goes on with what the other has been given. They must understand each other.
    swap() {
        const [a, b] = this.sides;
        for (const what of ["cookies", "pending", "link"]) [a[what], b[what]] = [b[what], a[what]];
        this.world.twins?.swap();
        this.swapped = !this.swapped;
    }

    // --- Requests -------------------------------------------------------------------------------

    path(action) { return this.world.basePath + (action ? `/${action}` : ""); }
    get(action, { headers = {}, query = "", ...more } = {}) {
        return this.ask(`GET ${action}${query}`, () => ({ method: "GET", target: this.path(action) + query, headers }), more);
    }
    // post: a form with a good token, unless `csrf` says otherwise ("bad", "none", or a value).
    post(action, fields = {}, { csrf = "good", json: asJson = false, type, headers = {}, query = "", body, ...more } = {}) {
        return this.ask(`POST ${action}${query}`, (side) => {
            const token = csrf === "good" ? side.csrf : csrf === "bad" ? "0".repeat(64) : csrf === "none" ? undefined : csrf;
            const all = { ...(token !== undefined && this.world.csrf && { csrfToken: token }), ...fields };
            const text = body ?? (asJson ? JSON.stringify(all) : new URLSearchParams(all).toString());
            return { method: "POST", target: this.path(action) + query, headers: { "content-type": type ?? (asJson ? "application/json" : "application/x-www-form-urlencoded"), ...headers }, body: text };
        }, more);
    }
    async start(provider, { callbackUrl, fields = {}, ...more } = {}) {
        if (this.world.csrf && this.sides.some((s) => !s.csrf)) await this.get("csrf");
        return this.post(`signin/${provider}`, { ...(callbackUrl !== undefined && { callbackUrl }), ...fields }, more);
    }
    // back: the callback of what was started. `change` works on the list of parameters; `to` is
    // another provider's callback.
    back(provider, { change = (list) => list, headers = {}, method, form, ...more } = {}) {
        return this.ask(`callback/${provider} ${more.title ?? ""}`, async (side) => {
            let list = [["code", "made-up"], ["state", "made-up"]], posted = false;
            if (side.pending) {
                const consent = await new Browser(this.origin).consent(side.pending);
                posted = consent.method === "POST";
                list = posted ? consent.form : [...new URL(consent.url).searchParams];
            }
            list = change(list, side);
            const text = new URLSearchParams(list).toString();
            side.came = text;
            return (form ?? posted)
                ? { method: "POST", target: this.path(`callback/${provider}`), headers: { "content-type": "application/x-www-form-urlencoded", ...headers }, body: text }
                : { method: method ?? "GET", target: `${this.path(`callback/${provider}`)}?${text}`, headers };
        }, more);
    }
    // again: the same callback once more.
    again(provider) {
        return this.ask(`callback/${provider} again`, (side) => ({ method: "GET", target: `${this.path(`callback/${provider}`)}?${side.came ?? ""}`, headers: {} }));
    }
    async signIn(provider, { callbackUrl, ...more } = {}) {
        await this.start(provider, { callbackUrl });
        return this.back(provider, more);
    }
    // mail asks for a letter; link opens what the last one brought. `change`: works on its parameters.
    mail(email, { callbackUrl, ...more } = {}) { return this.start("nodemailer", { callbackUrl, fields: { email }, ...more }); }
    link({ change = () => {}, ...more } = {}) {
        return this.ask(`link ${change}`, (side) => {
            const url = new URL(side.link ?? `${this.origin}${this.path("callback/nodemailer?token=made-up&email=nobody%40example.com")}`);
            change(url.searchParams);
            return { method: "GET", target: url.pathname + url.search, headers: {} };
        }, more);
    }
    async login(fields, more = {}) {
        if (this.world.csrf && this.sides.some((s) => !s.csrf)) await this.get("csrf");
        return this.post("callback/login", { username: "ada", password: "good", ...fields }, more);
    }
    // forget: another browser. strike: what befalls the rows on both sides.
    forget() { return this.each((cookies) => cookies.clear()); }
    strike(what) {
        const tokens = this.sides.map((s) => s.cookies.get(this.world.cookieNames.sessionToken) ?? "");
        strikes[what](this.world.twins, tokens);
    }
    // each: changes both jars in the same way.
    each(change) { for (const s of this.sides) change(s.cookies, s); return this; }
}
