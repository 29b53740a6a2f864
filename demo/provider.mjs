// An OpenID provider with two people and no passwords, on this machine only: what `make run` signs in
// with. Nothing of it is part of the module.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

// It warns that keys, store and life times are made for development: this provider is nothing else.
for (const how of ['info', 'warn']) {
    const say = console[how];
    console[how] = (text, ...more) => /oidc-provider (NOTICE|WARNING)/.test(text) || say(text, ...more);
}
const { default: Provider } = await import('oidc-provider');

export const people = {
    ada: { name: 'Ada Lovelace', email: 'ada@example.com', about: 'wrote programs first' },
    grace: { name: 'Grace Hopper', email: 'grace@example.com', about: 'wrote the first compiler' },
};

const style = readFileSync(new URL('html/style.css', import.meta.url), 'utf8');
export const page = (title, body) => `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header><span class="who">${title}</span></header>
<main>
${body}
</main>
</body>
</html>
`;
const chooser = (uid) => page('Demo Provider', `<h1>Who are you?</h1>
<p>This provider runs on your machine and takes your word for it.</p>
<form method="post" action="/interaction/${uid}">
${Object.entries(people).map(([id, p]) => `<button name="person" value="${id}">${p.name}
<small>${p.about}</small></button>`).join('\n')}
</form>
<p><a href="/interaction/${uid}/abort">Cancel</a></p>`);

// provider answers a listening http.Server for one client: who is at `issuer`, comes back to one of
// `redirects` and knows `secret`. `extra` is oidc-provider's own configuration, for tests.
export async function provider({ issuer, secret, redirects, extra = {} }) {
    const { hostname, port } = new URL(issuer);
    const oidc = new Provider(issuer, {
        clients: [{
            client_id: 'demo', client_secret: secret, redirect_uris: redirects,
            response_types: ['code'], grant_types: ['authorization_code'],
        }],
        claims: { openid: ['sub'], profile: ['name', 'picture'], email: ['email', 'email_verified'] },
        conformIdTokenClaims: false,  // the person's name is in the ID token, where Auth.js looks
        findAccount: (ctx, id) => people[id] && {
            accountId: id,
            claims: () => ({ sub: id, name: people[id].name, email: people[id].email,
                             email_verified: true }),
        },
        // Whoever chose a person has agreed to hand over the name.
        loadExistingGrant: async (ctx) => {
            const grant = new ctx.oidc.provider.Grant({
                clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
            grant.addOIDCScope('openid profile email');
            await grant.save();
            return grant;
        },
        features: { devInteractions: { enabled: false } },
        interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
        cookies: { keys: [secret] },
        ...extra,
    });
    const answer = oidc.callback();
    const server = createServer(async (req, res) => {
        const [, route, uid, what] = new URL(req.url, issuer).pathname.split('/');
        if (route !== 'interaction' || !uid) return answer(req, res);
        try {
            await oidc.interactionDetails(req, res);
            if (what === 'abort') {
                return await oidc.interactionFinished(req, res, {
                    error: 'access_denied', error_description: 'the person changed their mind' });
            }
            if (req.method === 'POST') {
                let body = '';
                for await (const chunk of req) body += chunk;
                const id = new URLSearchParams(body).get('person');
                if (Object.hasOwn(people, id)) {
                    return await oidc.interactionFinished(req, res, { login: { accountId: id } });
                }
            }
            res.setHeader('content-type', 'text/html; charset=utf-8');
            res.end(chooser(uid));
        } catch {
            res.statusCode = 400;
            res.setHeader('content-type', 'text/html; charset=utf-8');
            res.end(page('Too late', '<h1>Too late</h1><p>Please start again from the site.</p>'));
        }
    });
    await new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(Number(port), hostname, resolve);
    });
    return server;
}
