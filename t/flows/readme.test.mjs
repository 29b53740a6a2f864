// README keeps up with the module: every directive and variable of the tables is described, nothing else
// is, and nginx accepts each example where one would paste it.
import assert from "node:assert";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";

import { modulePath } from "../lib/nginx.mjs";

const read = (name) => fs.readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");
const readme = read("README.md");
const found = (text, pattern) => [...new Set([...text.matchAll(pattern)].map((m) => m[1]))].sort();

test("every directive is described", () => {
    assert.deepStrictEqual(found(readme, /^#### (auth_js\w*)$/gm), found(read("src/nginx/directives.cpp"), /^    (?:\w+<[^>]*>\(|\{)"(auth_js\w*)"/gm));
});
test("every variable is described", () => {
    const table = readme.slice(readme.indexOf("## Variables"), readme.indexOf("## Auth.js option"));
    const described = found(table.replace(/\|[^|]*\|$/gm, ""), /`\$(auth_js_\w+)`/g).filter((n) => n !== "auth_js_claim_NAME");
    assert.deepStrictEqual(described, found(read("src/nginx/variables.cpp"), /"(auth_js_\w+[a-z])", *(?:needs::)(?!session, filtered)/g));
});

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "auth_js-readme-"));
after(() => fs.rmSync(folder, { recursive: true }));
fs.writeFileSync(`${folder}/secret`, "0123456789abcdef0123456789abcdef");
fs.writeFileSync(`${folder}/env`, "AUTH_GITHUB_ID=a\nAUTH_GITHUB_SECRET=b\n", { mode: 0o600 });
fs.writeFileSync(`${folder}/users`, "ada:{PLAIN}x\n");
fs.mkdirSync(`${folder}/providers`);
spawnSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=ca",
    "-keyout", `${folder}/key`, "-out", `${folder}/crt`]);

// nginx -t of an example, in the innermost place that takes it.
function accepted(example) {
    const lines = example.replace(/^load_module.*$/gm, "")
        .replaceAll("/etc/nginx/auth_js.env", `${folder}/env`).replaceAll(/\/etc\/nginx\/auth_js\.secret(\.old)?/g, `${folder}/secret`)
        .replaceAll("/etc/nginx/users", `${folder}/users`).replaceAll("/etc/nginx/auth_js.providers", `${folder}/providers`)
        .replaceAll(/\/etc\/ssl\/certs\/\S+\.pem/g, `${folder}/crt`).replaceAll("/var/lib/nginx/auth_js", `${folder}/users.db`);
    const handler = /auth_js_handler/.test(lines) ? "" : "location /auth/ { auth_js_handler; }";
    const said = [];
    for (const place of /^http \{/m.test(lines) ? ["main"] : ["server", "location", "http"]) {
        const at = (p) => (p === place ? lines : "");
        fs.writeFileSync(`${folder}/nginx.conf`, `load_module ${modulePath}; pid ${folder}/pid; events { }
${place === "main" ? lines : `http { access_log off; log_format off off; limit_req_zone $remote_addr zone=logins:1m rate=1r/s; ${at("http")}
server { listen 127.0.0.1:1; server_name www.example.com; ${at("server")} ${handler}
location /example/ { ${at("location")} } } }`}`);
        const run = spawnSync("nginx", ["-t", "-p", folder, "-c", `${folder}/nginx.conf`, "-e", "stderr"], { encoding: "utf8", env: {
            PATH: process.env.PATH, AUTH_SECRET: "0123456789abcdef0123456789abcdef", FORGE_SECRET: "x",
            ...Object.fromEntries(["GITHUB", "GOOGLE", "KEYCLOAK", "STAFF"].flatMap((p) => [[`AUTH_${p}_ID`, "a"], [`AUTH_${p}_SECRET`, "b"]])) } });
        if (run.status === 0) return;
        said.push(`in ${place}: ${run.stderr.replace(/^.*\[warn\].*\n/gm, "")}`);
    }
    assert.fail(`nginx refuses\n${example}\n${said.join("\n")}`);
}

const sections = readme.split(/^#{2,4} /m).map((s) => [s.slice(0, s.indexOf("\n")), ...s.matchAll(/```nginx\n([\s\S]*?)```/g)]);
for (const [title, ...examples] of sections.filter((s) => s.length > 1)) {
    test(`example: ${title}`, () => examples.forEach(([, text]) => accepted(text)));
}
// The variables' examples, each where it may stand.
for (const [, name, example] of readme.matchAll(/^\| (`\$auth_js_.*?`) \|.*\| `([^`]+)` \|$/gm)) {
    test(`example of ${name}`, () => accepted(example.replace("{ ... }", "{ volatile; default 1; }")));
}
