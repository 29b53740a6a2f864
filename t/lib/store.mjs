// A site whose sessions live in SQLite, for tests: nginx with a store, a provider, and the rows.
import fs from "node:fs";
import path from "node:path";
import Database from "libsql";

import { Browser } from "./browser.mjs";
import { startNginx } from "./nginx.mjs";

export const secret = "store-tests-store-tests-store-tests-0123";

// storeSite: `adapter` is the directive's value ({{prefix}} is filled in), `more` further lines of
// the server, `handler` further lines beside auth_js_handler.
export async function storeSite({ provider, adapter = "sqlite {{prefix}}/db/auth.db", more = "", http = "", session = "", providers, ...rest } = {}) {
    const site = await startNginx({
        // Workers are whoever runs the tests, so that they may reach a folder of the tests' own.
        main: process.getuid() === 0 ? "user root;" : "",
        http,
        server: `
            auth_js_secret ${secret};
            auth_js_adapter ${adapter};
            ${session}
            ${providers ?? oauthBlock(provider, "forge") + oauthBlock(provider, "other")}
            location /auth/ { auth_js_handler; }
            location /private { auth_js on; try_files /index.html =404; add_header X-User "$auth_js_user_id|$auth_js_email|$auth_js_claim_role|$auth_js_status" always; }
            location /free { auth_js optional; try_files /index.html =404; add_header X-User "$auth_js_user_id|$auth_js_status" always; }
            location = /verify { auth_js_verify; }
            location /asked { auth_request /verify; try_files /index.html =404; }
            ${more}`,
        ...rest,
    });
    site.plant(secret);
    site.file = path.join(site.prefix, "db/auth.db");
    return site;
}

// A plain OAuth provider, so that the profile is the mock's userinfo as it is.
export const oauthBlock = (provider, id, more = "") => `
    auth_js_provider ${id} {
        type oauth; client_id ${provider.clientId}; client_secret ${provider.clientSecret};
        authorization_url ${provider.origin}/authorize; token_url ${provider.origin}/token; userinfo_url ${provider.origin}/userinfo;
        ${more}
    }`;

// rows: what another process sees; `one` opens and closes, so that no lock is left behind.
export function rows(file, sql, ...values) {
    const db = new Database(file, { timeout: 5000 });
    try {
        const st = db.prepare(sql);
        return st.reader === false || !/^\s*(select|pragma|with)/i.test(sql) ? st.run(...values) : st.all(...values).map(({ _metadata, ...r }) => r);
    } finally {
        db.close();
    }
}
export const count = (file, table) => Number(rows(file, `SELECT count(*) AS n FROM "${table}"`)[0].n);
export const integrity = (file) => rows(file, "PRAGMA integrity_check")[0].integrity_check;
export const browserOf = (site, options) => new Browser(site.origin, options);
export const exists = fs.existsSync;
