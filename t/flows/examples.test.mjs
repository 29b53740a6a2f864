// Every file of conf.examples/ is loaded as it stands, but for its ports and paths, and asked.
import assert from "node:assert";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { modulePath, startNginx } from "../lib/nginx.mjs";

const folder = new URL("../../conf.examples/", import.meta.url);
let tls, upstream;

const env_file = ["AUTH_SECRET=0123456789abcdef0123456789abcdef", "AUTH_GITHUB_ID=gh", "AUTH_GITHUB_SECRET=gh-secret",
    "AUTH_GOOGLE_ID=go", "AUTH_GOOGLE_SECRET=go-secret", "AUTH_GITLAB_ID=gl", "AUTH_GITLAB_SECRET=gl-secret",
    "FORGE_SECRET=forge-secret", "SSO_SECRET=sso-secret"].join("\n");

before(async () => {
    tls = fs.mkdtempSync(path.join(os.tmpdir(), "auth_js-tls-"));
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=*.example.com", "-keyout", `${tls}/key`, "-out", `${tls}/crt`], { stdio: "ignore" });
    fs.writeFileSync(`${tls}/env`, env_file, { mode: 0o600 });
    upstream = http.createServer((req, res) => res.end(`application ${req.url} cookie=${req.headers.cookie ?? ""}\n`));
    await new Promise((done) => upstream.listen(0, "127.0.0.1", done));
});
after(() => {
    upstream.close();
    fs.rmSync(tls, { recursive: true });
});

// load starts an example with what it names: the module, certificates, the environment file, pages.
async function load(name) {
    const conf = fs.readFileSync(new URL(name, folder), "utf8")
        .replace("modules/ngx_http_auth_js_module.so", modulePath)
        .replace("events { }", "pid {{prefix}}/logs/nginx.pid; error_log {{prefix}}/logs/error.log info; events { }")
        .replace("http {", "http { access_log off; client_body_temp_path {{prefix}}/b; proxy_temp_path {{prefix}}/p;" +
            "fastcgi_temp_path {{prefix}}/f; uwsgi_temp_path {{prefix}}/u; scgi_temp_path {{prefix}}/s;")
        .replaceAll("listen 443 ssl", "listen 127.0.0.1:{{port}} ssl")
        .replaceAll("127.0.0.1:3000", `127.0.0.1:${upstream.address().port}`)
        .replaceAll(/\/etc\/nginx\/tls\/\S+\.(crt|key);/g, (_, kind) => `${tls}/${kind};`)
        .replace("/etc/nginx/auth_js.env;", `${tls}/env;`)
        .replaceAll(/root \/var\/www\/\w+;/g, "root {{html}};");
    return startNginx({ conf, files: {
        "html/members/index.html": "members\n", "html/assets/a.css": "css\n", "html/robots.txt": "robots\n",
    } });
}

// ask, as the browser (html) or a program would, one of the example's hosts.
const ask = (nginx, url, headers = {}) => new Promise((done, failed) => {
    const { host, pathname, search } = new URL(url);
    https.get({ host: "127.0.0.1", port: nginx.port, path: pathname + search, servername: host, rejectUnauthorized: false,
        headers: { host, ...headers } }, (res) => {
        let body = "";
        res.setEncoding("utf8").on("data", (d) => { body += d; }).on("end", () => done({ status: res.statusCode, headers: res.headers, body }));
    }).on("error", failed);
});
const html = { accept: "text/html" };
const signin = (base, target) => `${base}/auth/signin?callbackUrl=${encodeURIComponent(target)}`;

// Per example: [url, request headers, status, what the answer's Location or body is].
const asked = {
    "one-site.conf": [
        ["https://www.example.com/", html, 200, /home/],
        ["https://www.example.com/members/?a=b", html, 302, signin("https://www.example.com", "https://www.example.com/members/?a=b")],
        ["https://www.example.com/members/", {}, 401, /401/],
        ["https://www.example.com/app/", {}, 401, /401/],
        ["https://www.example.com/auth/providers", {}, 200, /"callbackUrl":"https:\/\/www\.example\.com\/auth\/callback\/github"/],
        ["https://www.example.com/auth/signin", html, 200, /Sign in with GitHub/],
    ],
    "protect-all-but-assets.conf": [
        ["https://intranet.example.com/assets/a.css", {}, 200, /css/],
        ["https://intranet.example.com/robots.txt", {}, 200, /robots/],
        ["https://intranet.example.com/", html, 302, /^https:\/\/intranet\.example\.com\/auth\/signin\/google\?callbackUrl=https%3A%2F%2Fintranet\.example\.com%2F&go=/],
        ["https://intranet.example.com/x", {}, 401, /401/],
        ["https://intranet.example.com/api/x", html, 401, /401/],
    ],
    "one-signin-host.conf": [
        ["https://login.example.com/", html, 302, /\/auth\/signin$/],
        ["https://login.example.com/auth/signin", html, 200, /Sign in with Google/],
        ["https://wiki.example.com/page?x=1", html, 302, signin("https://login.example.com", "https://wiki.example.com/page?x=1")],
        ["https://files.example.com/", {}, 401, /401/],
    ],
    "custom-oauth.conf": [
        ["https://www.example.com/auth/signin", html, 200, /Sign in with Forge/],
        ["https://www.example.com/", html, 302, signin("https://www.example.com", "https://www.example.com/")],
    ],
    "custom-oidc.conf": [
        ["https://www.example.com/auth/signin", html, 200, /Sign in with the company/],
        ["https://www.example.com/", html, 302, /\/auth\/signin\/company\?callbackUrl=/],
    ],
    "only-my-domain.conf": [
        ["https://intranet.example.com/auth/signin", html, 200, /Sign in with Google/],
        ["https://intranet.example.com/", {}, 401, /401/],
    ],
    "only-members.conf": [
        ["https://intranet.example.com/auth/signin", html, 200, /Sign in with Keycloak/],
        ["https://intranet.example.com/admin/", {}, 401, /401/],
    ],
    "forward-auth.conf": [
        ["https://login.example.com/verify-api", html, 401, ""],
        ["https://login.example.com/verify", { ...html, "x-forwarded-proto": "https", "x-forwarded-host": "wiki.example.com", "x-forwarded-uri": "/a?b=c" },
            302, signin("https://login.example.com", "https://wiki.example.com/a?b=c")],
    ],
};

test("every example is asked", () => {
    assert.deepStrictEqual(fs.readdirSync(folder).sort(), Object.keys(asked).sort());
});

for (const [name, requests] of Object.entries(asked)) {
    test(name, async (t) => {
        const nginx = await load(name);
        t.after(() => nginx.stop());
        assert.doesNotMatch(nginx.stderr + nginx.log, /\[warn\]/, "an example gives no warning");
        for (const [url, headers, status, expected] of requests) {
            const res = await ask(nginx, url, headers);
            assert.strictEqual(res.status, status, `${url}: ${res.body}`);
            const got = status === 302 ? res.headers.location : res.body;
            if (expected instanceof RegExp) assert.match(got, expected, url);
            else assert.strictEqual(got, expected, url);
        }
    });
}
