// The files of providers/: their form, the page made of them, and a sign-in with each.
import assert from "node:assert";
import fs from "node:fs";
import { test } from "node:test";

import { page } from "../../docs/providers.mjs";

const root = new URL("../../", import.meta.url);
const read = (name) => JSON.parse(fs.readFileSync(new URL(name, root), "utf8"));
const files = fs.readdirSync(new URL("providers/", root));

// faults checks a value by the words of JSON Schema that provider.schema.json uses.
function faults(v, schema, at = "") {
    const kind = (x) => (x === null ? "null" : Array.isArray(x) ? "array" : typeof x);
    const known = ["$schema", "title", "description", "type", "required", "additionalProperties", "properties", "pattern", "enum", "const", "items"];
    const out = Object.keys(schema).filter((k) => !known.includes(k)).map((k) => `${at}: the checker does not know ${k}`);
    if (schema.type && ![schema.type].flat().includes(kind(v))) return [...out, `${at}: is ${kind(v)}`];
    if ("const" in schema && v !== schema.const) out.push(`${at}: is not ${schema.const}`);
    if (schema.enum && !schema.enum.includes(v)) out.push(`${at}: ${v} is none of ${schema.enum}`);
    if (schema.pattern && !new RegExp(schema.pattern).test(v)) out.push(`${at}: ${v} is not like ${schema.pattern}`);
    if (schema.items) v.forEach((item, i) => out.push(...faults(item, schema.items, `${at}[${i}]`)));
    if (kind(v) === "object") {
        for (const name of schema.required ?? []) if (!(name in v)) out.push(`${at}: ${name} is missing`);
        for (const [name, member] of Object.entries(v)) {
            const own = schema.properties?.[name] ?? schema.additionalProperties;
            if (own === false) out.push(`${at}: unknown member ${name}`);
            else if (own) out.push(...faults(member, own, `${at}.${name}`));
        }
    }
    return out;
}

test("every file keeps to the schema and is named after its id", () => {
    const schema = read("docs/provider.schema.json");
    assert.ok(files.length >= 100);
    for (const name of files) {
        const provider = read(`providers/${name}`);
        assert.deepStrictEqual(faults(provider, schema, name), []);
        assert.strictEqual(`${provider.id}.json`, name);
    }
});

test("the schema refuses what is no provider", () => {
    const schema = read("docs/provider.schema.json");
    for (const wrong of [{}, { id: "x", name: "X", type: "saml" }, { id: "X", name: "X", type: "oidc" }, { id: "x", name: "X", type: "oidc", profil: {} }, { id: "x", name: "X", type: "oauth", token: { auth: "basic" } }])
        assert.notDeepStrictEqual(faults(wrong, schema), []);
});

test("docs/providers.md is what its files say: make docs", () => {
    assert.strictEqual(fs.readFileSync(new URL("docs/providers.md", root), "utf8"), page());
});
