// Where the module differs from Auth.js on purpose: one row each, a predicate over the exchange and
// the field that differs. t/flows/divergences.md gives the reasons. `often`: may fire in more than one
// answer of twenty. `whole`: the two then stand in different places; a function says whether.
const is = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const list = (v) => (Array.isArray(v) ? v : []);
const untimed = (v) => JSON.stringify(v)?.replace(/in -?\d+ s/g, "in");

// What the request is for: the action and the provider of its path.
const route = (x) => new URL(`http://site${x.request.target}`).pathname.slice(x.world.basePath.length).split("/").filter(Boolean);
const action = (x) => route(x)[0];
const provider = (x) => x.world.providers.find((p) => p.id === route(x)[1]);
const callback = (x) => action(x) === "callback" && /^(oauth|oidc)$/.test(provider(x)?.type);
const query = (request) => new URLSearchParams(request.target.split("?")[1] ?? "");
const given = (x) => (x.request.method === "POST" && (x.request.body ?? "").includes("=") ? new URLSearchParams(x.request.body) : query(x.request));
const checksState = (x) => (provider(x)?.checks ?? ["pkce"]).includes("state") || x.world.proxied;

const field = (answer, name) => answer.shown.fields[name] ?? answer.shown.fields[`url ${name}`];
const landsAt = (answer) => String(field(answer, "location") ?? "").replace(/^\w+:\/\/[^/]+/, "");
const refused = (answer) => (field(answer, "location?error") !== undefined && /\/(signin|error|in|oops)$/.test(landsAt(answer))) || answer.answer.status >= 400;
const signedIn = (answer) => answer.shown.fields["cookie session"] !== undefined;
const sentHome = (x) => landsAt(x.actual) === `${x.world.basePath}/signin` && !refused(x.actual);
const claims = (x) => ({ ...x.answers.token?.idToken?.claims, ...x.answers.userinfo?.merge });
const failedWith = (x, pattern) => x.log.some((l) => pattern.test(l));
// Whether the answer was believed, whatever became of the sign-in then.
const judged = (answer) => signedIn(answer) || !refused(answer) || /^(AccessDenied|OAuthAccountNotLinked)$/.test(field(answer, "location?error"));
const unwritable = /ByteString|Headers\.(append|set)/;
const readable = (location) => location?.replace(/[\t\r\n]/g, "").replace(/[^ -~]/gu, encodeURIComponent);
const failedMapping = (x) => callback(x) && failedWith(x, /^OAuthProfileParseError/) && sentHome(x);
const about = (d, pattern) => pattern.test(d.field);

export const divergences = [
    { id: "cache-headers", often: true, explains: (x, d) => d.field === "cache-control" && d.actual === "private, no-cache, no-store" },
    { id: "state", often: true, explains: (x, d) => {
        const cookie = x.world.cookieNames.state;
        if ((d.field === `cookie ${cookie}` || about(d, /location\?state$/)) && d.expected && untimed(d.actual) === untimed(d.expected)) return true;
        if (!provider(x) || checksState(x)) return false;
        const without = (v) => list(v).filter((n) => n !== "state" && n !== cookie);
        if (about(d, /location\?state$/) || d.field === `cookie ${cookie}`) return d.expected === undefined;
        if (about(d, /location text$/)) return d.actual === undefined && action(x) === "signin";
        if (about(d, /location order$/) || d.field === "cookies") return is(without(d.actual), d.expected ?? []);
        if (!about(d, /^cookie /) || !d.actual?.[0]?.state || !d.expected) return false;
        const { state: _, ...rest } = d.actual[0];
        return untimed([rest, ...d.actual.slice(1)]) === untimed(d.expected);
    } },
    // A callback without the state that we sent, for a provider that Auth.js checks none with.
    { id: "state-checked", whole: true, explains: (x) => callback(x) && !checksState(x) && !signedIn(x.actual) && (signedIn(x.expected) || !refused(x.expected) || failedWith(x, /OAuthCallbackError|AccessDenied|OAuthAccountNotLinked/))
        && (is(provider(x).checks, ["none"]) || !x.actual.pending || new URL(x.actual.pending).searchParams.get("state") !== query(x.actual.request).get("state")) },
    { id: "reason", often: true, explains: (x, d) => (about(d, /location\?(reason|ref)$/) && d.expected === undefined)
        || (about(d, /location order$/) && is(list(d.actual).filter((n) => n !== "reason" && n !== "ref"), d.expected))
        || (about(d, /location text$/) && d.actual?.replace(/[?&](reason|ref)=[^&]*/g, "") === d.expected)
        || (d.field === "page" && /\/div\/p( @class=reference| "Reference: .*)?$/.test(d.actual ?? "")) },
    { id: "logos", often: true, explains: (x, d) => d.field === "page" && /\/button\/img( |$)/.test(d.expected ?? d.actual) },
    { id: "page-markup", explains: (x, d) => d.field === "page" && [
        /\/(button|span) @style=/, /\/button @class=button( brand-\d+)?$/, /\/body\/div\/div\/style$/, /\/div\/h1( @class=unseen| "Sign In")?$/, /\/input @autocomplete=/, /\/button @id=submitButton$/,
    ].some((p) => p.test(d.expected ?? d.actual)) },
    // Auth.js glues "/signin" to the URL of the request: the error page's button, a mapping that failed.
    { id: "glued-signin", whole: failedMapping, explains: (x, d) => failedMapping(x) || (d.field === "page" && action(x) === "error" && /\/a @href=.*\/signin$/.test(d.expected ?? d.actual)) },
    { id: "second-question-mark", explains: (x, d) => Object.values(x.world.pages).some((page) => page.includes("?")) && about(d, /location(\?| order| text)/)
        && /\?[^?]*\?/.test(field(x.expected, "location text") ?? "") && !/\?[^?]*\?/.test(field(x.actual, "location text") ?? "") },
    { id: "still-signed-in", whole: true, explains: (x) => callback(x) && failedWith(x, /^(InvalidCheck|CallbackRouteError)/) && x.request.headers.cookie?.includes(x.world.cookieNames.sessionToken)
        && !refused(x.actual) && !sentHome(x) && !(x.actual.shown.fields.cookies ?? []).some((n) => /session|sid|state|nonce|pkce|^st$/.test(n)) },
    { id: "doubled-parameters", whole: true, explains: (x) => callback(x) && ["code", "state", "iss", "error"].some((n) => given(x).getAll(n).length > 1) && (refused(x.actual) || !signedIn(x.actual)) },
    // What Auth.js believes too easily: no 2xx from userinfo, nobody's id, a forged signature.
    { id: "too-trusting", whole: true, explains: (x) => callback(x) && (judged(x.expected) || failedWith(x, /invalid provider account$|^AdapterError: NOT NULL/)) && !signedIn(x.actual) && (sentHome(x) || refused(x.actual))
        && ((x.answers.userinfo && (!claims(x).sub || x.answers.userinfo.status >= 300)) || claims(x).sub === "" || x.answers.token?.idToken?.key === "stranger" || x.answers.token?.idToken?.mangle === "flip" || x.answers.token?.idToken?.mangle === "unsigned") },
    // What real services send, and Auth.js refuses.
    { id: "lenient-answers", whole: true, explains: (x) => callback(x) && failedWith(x, /^CallbackRouteError/) && judged(x.actual) && (["token_type", "scope"].some((n) => n in (x.answers.token?.merge ?? {})) || (provider(x).type === "oauth" && (x.answers.token?.merge?.id_token !== undefined || given(x).has("iss")))) },
    { id: "failed-callback", whole: true, explains: (x) => failedWith(x, /^Error: redirect$|^AccessDenied: redirect|: (jwt|session)$/) },
    { id: "far-characters", whole: (x) => failedWith(x, unwritable), explains: (x, d) => failedWith(x, unwritable) || (about(d, /location( text)?$/) && /[^ -~]/.test(d.expected) && readable(d.expected) === d.actual) },
    { id: "typed-callback-url", explains: (x, d) => d.field === "calls" && /callbackUrl":[{[\d]/.test(x.request.body ?? "") },
    { id: "own-parameters", explains: (x, d) => action(x) === "signin" && /[?&](client_id|redirect_uri|response_type|state|nonce|code_challenge)/.test(x.request.target) && about(d, /location/) },
    { id: "sign-in-loop", explains: (x, d) => about(d, /location/) && action(x) === "callback" && new RegExp(`^${x.world.basePath}/(signin|callback|signout)`).test(landsAt(x.expected)) },
    { id: "expired-session", whole: true, explains: (x) => x.world.strategy === "database" && action(x) === "callback" && x.row && Date.parse(new Date(x.row.expires)) < Date.now() },
    { id: "two-sessions", whole: true, explains: (x) => new RegExp(`${x.world.cookieNames.sessionToken}=([^;]*);.*${x.world.cookieNames.sessionToken}=(?!\\1(;|$))`).test(x.request.headers.cookie ?? "") },
    { id: "head", whole: true, explains: (x) => x.request.method === "HEAD" },
];
