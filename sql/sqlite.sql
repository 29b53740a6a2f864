-- The store of `auth_js_adapter sqlite FILE`, made by the module where FILE has no tables yet.
-- It is the layout of Auth.js's Drizzle adapter for SQLite to the letter: a Node application with
-- `DrizzleAdapter(db)` shares the file with nginx. Further columns of your own (a `role` in
-- "user", say) are welcome: the session callback and $auth_js_claim_<name> see them.
--
-- Instants are integers, milliseconds since 1970. The journal is WAL: back up with
-- `sqlite3 FILE ".backup COPY"`, not by copying FILE alone. Each "version" below is run once, in
-- one transaction, and noted in `PRAGMA user_version`.

-- version 1

-- One row per person. "emailVerified" is when a magic link to "email" was used last.
CREATE TABLE IF NOT EXISTS "user" (
    "id" text PRIMARY KEY NOT NULL,
    "name" text,
    "email" text,
    "emailVerified" integer,
    "image" text
);
CREATE UNIQUE INDEX IF NOT EXISTS "user_email_unique" ON "user" ("email");

-- One row per account at a provider; a person may have several. Tokens are what the provider gave
-- at the first sign-in. To unlink one: delete its row.
CREATE TABLE IF NOT EXISTS "account" (
    "userId" text NOT NULL,
    "type" text NOT NULL,
    "provider" text NOT NULL,
    "providerAccountId" text NOT NULL,
    "refresh_token" text,
    "access_token" text,
    "expires_at" integer,
    "token_type" text,
    "scope" text,
    "id_token" text,
    "session_state" text,
    PRIMARY KEY ("provider", "providerAccountId"),
    FOREIGN KEY ("userId") REFERENCES "user" ("id") ON UPDATE no action ON DELETE cascade
);

-- One row per browser that is signed in (strategy=database). Deleting a row signs it out, within
-- `auth_js_session cache=`. Expired rows are removed by the module in small batches.
CREATE TABLE IF NOT EXISTS "session" (
    "sessionToken" text PRIMARY KEY NOT NULL,
    "userId" text NOT NULL,
    "expires" integer NOT NULL,
    FOREIGN KEY ("userId") REFERENCES "user" ("id") ON UPDATE no action ON DELETE cascade
);

-- One row per magic link under way. "token" is SHA-256 of the link's token and the secret: whoever
-- reads this table cannot sign in with it.
CREATE TABLE IF NOT EXISTS "verificationToken" (
    "identifier" text NOT NULL,
    "token" text NOT NULL,
    "expires" integer NOT NULL,
    PRIMARY KEY ("identifier", "token")
);

-- Passkeys, for the Node side of a shared file.
CREATE TABLE IF NOT EXISTS "authenticator" (
    "credentialID" text NOT NULL,
    "userId" text NOT NULL,
    "providerAccountId" text NOT NULL,
    "credentialPublicKey" text NOT NULL,
    "counter" integer NOT NULL,
    "credentialDeviceType" text NOT NULL,
    "credentialBackedUp" integer NOT NULL,
    "transports" text,
    PRIMARY KEY ("userId", "credentialID"),
    FOREIGN KEY ("userId") REFERENCES "user" ("id") ON UPDATE no action ON DELETE cascade
);
CREATE UNIQUE INDEX IF NOT EXISTS "authenticator_credentialID_unique"
    ON "authenticator" ("credentialID");
