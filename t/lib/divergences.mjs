// Where the module differs from Auth.js on purpose: one row each, a predicate over the exchange and
// the field that differs. t/flows/divergences.md gives the reasons. `often`: may fire in more than one
// answer of twenty. `whole`: the two then stand in different places.
const is = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const list = (v) => (Array.isArray(v) ? v : []);

// What the request is for: the action and the provider of its path.
const route = (x) => x.request.target.slice(x.world.basePath.length).split("?")[0].split("/").filter(Boolean);
const provider = (x) => x.world.providers.find((p) => p.id === route(x)[1]);
const checksState = (x) => (provider(x)?.checks ?? ["pkce"]).includes("state") || x.world.name === "preview" || x.world.name === "proxy";

export const divergences = [
    { id: "cache-headers", often: true, explains: (x, d) => d.field === "cache-control" && d.actual === "private, no-cache, no-store" },
    { id: "state", often: true, explains: (x, d) => {
        if (!provider(x) || checksState(x)) return false;
        const state = x.world.cookieNames.state;
        const without = (v) => list(v).filter((n) => n !== "state" && n !== state);
        if (d.field.endsWith("location?state")) return d.expected === undefined;
        if (d.field.endsWith("location order") || d.field === "cookies") return is(without(d.actual), d.expected ?? []);
        if (d.field === `cookie ${state}`) return d.expected === undefined;
        if (d.field.startsWith("cookie ") && d.actual?.[0]?.state) { const { state: _, ...rest } = d.actual[0]; return is([rest, ...d.actual.slice(1)].map((v) => JSON.stringify(v).replace(/in -?\d+ s/g, "in")), d.expected.map((v) => JSON.stringify(v).replace(/in -?\d+ s/g, "in"))); }
        return false;
    } },
    { id: "logos", often: true, explains: (x, d) => d.field === "page" && /\/button\/img( |$)/.test(d.expected ?? d.actual) },
    { id: "page-style", explains: (x, d) => d.field === "page" && (/\/(button|span) @style=/.test(d.expected ?? "") || /\/button @class=button( brand-\d+)?$/.test(d.expected ?? d.actual) || /\/body\/div\/div\/style$/.test(d.expected ?? "")) },
    { id: "reason", often: true, explains: (x, d) => /location\?(reason|ref)$/.test(d.field) && d.expected === undefined
        || (/location order$/.test(d.field) && is(list(d.actual).filter((n) => n !== "reason" && n !== "ref"), d.expected))
        || (/location text$/.test(d.field) && d.actual?.replace(/[?&](reason|ref)=[^&]*/g, "") === d.expected) },
];
