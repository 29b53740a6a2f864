// The search for secrets that every flow ends with (lib/canaries.mjs) finds what is there.
import assert from "node:assert";
import { test } from "node:test";

import { Browser } from "../lib/browser.mjs";
import { found } from "../lib/canaries.mjs";
import { startNginx } from "../lib/nginx.mjs";

const secret = "canary-0123456789abcdef0123456789abcdef";

test("a planted text is found in a record of ours, in nginx -T and on an error page", async (t) => {
    const nginx = await startNginx({
        http: `auth_js_secret ${secret}; auth_js_url http://127.0.0.1:{{port}};`,
        server: "location /auth/ { auth_js_handler; } location = /error { return 200 $arg_text; }",
    });
    t.after(() => nginx.stop({ check: false }));
    const browser = new Browser(nginx.origin);
    assert.ok(found(`x${secret}x`), "the configuration's secrets are planted");
    await browser.csrf();
    assert.ok(found(browser.jar.get("authjs.csrf-token")), "and cookies");
    await browser.get("/auth/signin/somebody-unheard-of");
    nginx.checkLog();
    nginx.checkDump();

    nginx.plant("configuration file");
    assert.throws(() => nginx.checkDump(), /tells a secret/);
    nginx.plant("somebody-unheard-of");
    assert.throws(() => nginx.checkLog(), /a secret stands in the log/);
    await assert.rejects(browser.get("/error?text=somebody-unheard-of"), /an error page tells a secret/);
});
