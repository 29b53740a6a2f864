// What no log record of ours, no `nginx -T` and no error page may hold: secrets of configurations,
// and every cookie, code, token and verifier that the test's browser and provider come by. Who meets
// one plants it here; nginx.mjs looks for all of them whenever an nginx ends, browser.mjs on pages.
const planted = new Set();

export function plant(...secrets) {
    for (const s of secrets.flat()) if (typeof s === "string" && s.length >= 10) planted.add(s);
}

// found: the first planted secret in `text`, or undefined.
export function found(text) {
    for (const s of planted) if (text.includes(s)) return s;
    return undefined;
}

// plantConfiguration: what a configuration text, or an environment, keeps secret.
export function plantConfiguration(text, env = {}) {
    const lines = /\b(?:auth_js_secret|client_secret|api_key)\s+([^;{}]+);/g;
    for (const [, words] of text.matchAll(lines)) plant(words.split(/\s+/).map((w) => w.replace(/^(["'])(.*)\1$/, "$2")).filter((w) => !/^(env|file):/.test(w)));
    for (const [, , value] of text.matchAll(/^\s*(?:export )?(\w*(?:SECRET|_KEY)\w*)=["']?([^"'\n]+)/gm)) plant(value);
    for (const [name, value] of Object.entries(env)) if (/SECRET|_KEY/.test(name)) plant(value);
}
