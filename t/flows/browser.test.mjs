// The demo as a person sees it: Chromium signs in and out and looks at every page, on a phone and on a
// desk, in light and dark. With SCREENSHOTS=<folder> it leaves pictures there.
import assert from "node:assert";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { freePorts, modulePath } from "../lib/nginx.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pictures = process.env.SCREENSHOTS;
let demo, folder, browser, site, provider, mailbox;

before(async () => {
    const [port, provider_port, api_port, mailbox_port, smtp_port] = await freePorts(5);
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "auth_js-demo-"));
    site = `http://127.0.0.1:${port}`;
    provider = `http://127.0.0.1:${provider_port}`;
    mailbox = `http://127.0.0.1:${mailbox_port}`;
    demo = spawn(process.execPath, [path.join(root, "demo/run.mjs"), modulePath, folder], {
        env: { ...process.env, PORT: port, PROVIDER_PORT: provider_port, API_PORT: api_port,
               MAILBOX_PORT: mailbox_port, SMTP_PORT: smtp_port }, stdio: ["ignore", "pipe", "pipe"] });
    demo.said = "";
    for (const stream of [demo.stdout, demo.stderr]) stream.on("data", (d) => { demo.said += d; });
    demo.ended = new Promise((done) => demo.once("exit", done));
    for (const end = Date.now() + 20_000; !demo.said.includes("Ctrl-C"); await new Promise((r) => setTimeout(r, 20)))
        assert.ok(demo.exitCode === null && Date.now() < end, `the demo does not start:\n${demo.said}`);
    // The page lists no flag that lets a page do more; these keep the browser off the network.
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--headless", "--no-sandbox",
        "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
});
after(async () => {
    await browser?.close();
    demo?.kill("SIGINT");
    await demo?.ended;
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
});

// person: a browser of one's own, which notes what no page may do.
async function person(scheme, width) {
    const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 740 } });
    const page = await context.newPage();
    const wrong = [];
    page.on("console", (m) => { if (["error", "warning"].includes(m.type())) wrong.push(`console: ${m.text()}`); });
    page.on("pageerror", (e) => wrong.push(`script: ${e.message}`));
    page.on("request", (r) => {
        if (!/^(data|about):/.test(r.url()) && ![site, provider, mailbox].includes(new URL(r.url()).origin)) wrong.push(`foreign request: ${r.url()}`);
    });
    let shot = 0;
    // look at the page that is there: nothing wrong, nothing to scroll sideways, a readable colour.
    const look = async (name) => {
        const seen = await page.evaluate(() => ({
            wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
            // How far the card of a built-in page is off the middle.
            aside: (({ left, right } = { left: 0, right: innerWidth }) => Math.abs(left - (document.documentElement.clientWidth - right)))(
                document.querySelector(".card")?.getBoundingClientRect()),
            title: document.title, text: document.body.innerText,
            paper: getComputedStyle(document.documentElement).backgroundColor, body: getComputedStyle(document.body).backgroundColor,
        }));
        if (pictures) {
            fs.mkdirSync(pictures, { recursive: true });
            await page.screenshot({ path: path.join(pictures, `${scheme}-${width}-${String(++shot).padStart(2, "0")}-${name}.png`) });
        }
        assert.deepStrictEqual(wrong, [], `${name}, ${scheme}, ${width} px`);
        assert.ok(seen.wide <= 0, `${name} at ${width} px scrolls sideways by ${seen.wide} px`);
        assert.ok(seen.aside <= 1, `${name} at ${width} px is ${seen.aside} px off the middle`);
        assert.ok(seen.title, `${name} has a title`);
        const paper = [seen.body, seen.paper].map((c) => c.match(/[\d.]+/g).map(Number)).find((c) => c[3] !== 0);
        if (paper) assert.strictEqual((paper[0] + paper[1] + paper[2]) / 3 < 128, scheme === "dark", `${name} is ${scheme}`);
        return seen.text;
    };
    return { context, page, look, wrong, close: () => context.close() };
}

for (const scheme of ["light", "dark"]) for (const width of [360, 1280]) {
    test(`in and out, ${scheme}, ${width} px`, async (t) => {
        const p = await person(scheme, width);
        t.after(p.close);
        const { page, look } = p;

        await page.goto(`${site}/`);
        assert.match(await look("public"), /A page for everybody/);

        // The protected page asks who it is, and is there afterwards.
        await page.goto(`${site}/account/`);
        assert.strictEqual(new URL(page.url()).pathname, "/auth/signin");
        assert.match(await look("signin"), /Sign in with Demo Provider/);
        await page.getByRole("button", { name: /Demo Provider/ }).click();
        await page.waitForURL(`${provider}/**`);
        assert.match(await look("provider"), /Who are you\?/);
        await page.getByRole("button", { name: /Ada Lovelace/ }).click();
        await page.waitForURL(`${site}/account/`);
        assert.match(await look("account"), /Hello, Ada Lovelace\.[\s\S]*ada@example\.com/);

        // The application behind nginx is told who asks, and does not see the session.
        const told = await page.evaluate(async () => (await fetch("/api/me")).json());
        assert.deepStrictEqual([told.hello, told.email], ["Ada Lovelace", "ada@example.com"]);
        assert.ok(!/session-token/.test(told.cookie), "the application does not see the session cookie");

        await page.goto(`${site}/`);
        assert.match(await look("public-signed-in"), /Hello, Ada Lovelace\./);

        await page.getByRole("link", { name: "Sign out" }).click();
        await page.waitForURL(`${site}/auth/signout**`);
        assert.match(await look("signout"), /Are you sure you want to sign out\?/);
        await page.getByRole("button", { name: "Sign out" }).click();
        await page.waitForURL(`${site}/`);
        assert.match(await look("signed-out"), /A page for everybody/);

        // Whoever cancels at the provider, and every page that a mistake leads to.
        await page.goto(`${site}/auth/signin`);
        await page.getByRole("button", { name: /Demo Provider/ }).click();
        await page.waitForURL(`${provider}/**`);
        await page.getByRole("link", { name: "Cancel" }).click();
        await page.waitForURL(`${site}/auth/**`);
        await look("cancelled");
        for (const error of ["Configuration", "AccessDenied", "Verification", "nonsense"]) {
            await page.goto(`${site}/auth/error?error=${error}`).catch(() => {});
            p.wrong.splice(0, Infinity, ...p.wrong.filter((w) => !/Failed to load resource.*status of (403|500)/.test(w)));  // the page's own status
            await look(`error-${error}`);
        }
        await page.goto(`${site}/auth/signin?error=OAuthAccountNotLinked`);
        assert.match(await look("signin-error"), /To confirm your identity/);
    });
}

test("by a letter", async (t) => {
    const p = await person("light", 360);
    t.after(p.close);
    const { page, look } = p;
    await page.goto(`${site}/account/`);
    await page.getByLabel("Email").fill("Edith@Example.com");
    await page.getByRole("button", { name: "Sign in with E-mail" }).click();
    await page.waitForURL(`${site}/auth/verify-request**`);
    assert.match(await look("verify-request"), /Check your email/);
    await page.goto(`${mailbox}/`);
    assert.match(await look("mailbox"), /To edith@example\.com/);
    const link = await page.locator("article a").first().getAttribute("href");
    await page.goto(link);
    assert.strictEqual(page.url(), `${site}/account/`);
    assert.match(await look("account-by-letter"), /edith@example\.com/);
    // A link is good for one time.
    await p.context.clearCookies();
    await page.goto(link);
    p.wrong.splice(0, Infinity, ...p.wrong.filter((w) => !/Failed to load resource.*status of 403/.test(w)));
    assert.match(await look("link-used"), /no longer valid/);
});

test("without a session the application is never asked: curl gets 401", () => {
    const curl = spawnSync("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", `${site}/api/me`], { encoding: "utf8" });
    assert.strictEqual(curl.stdout, "401");
});

test("a second demo on the same port says so, and ends", () => {
    const port = new URL(site).port;
    const other = fs.mkdtempSync(path.join(os.tmpdir(), "auth_js-demo-"));
    const run = spawnSync(process.execPath, [path.join(root, "demo/run.mjs"), modulePath, other], { env: { ...process.env, PORT: port }, encoding: "utf8" });
    fs.rmSync(other, { recursive: true });
    assert.strictEqual(run.status, 1);
    assert.match(run.stderr, new RegExp(`port ${port} of 127\\.0\\.0\\.1 is in use`));
});
