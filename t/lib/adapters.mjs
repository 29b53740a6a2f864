// The real JavaScript adapters of Auth.js over one SQLite file, each as { adapter, close() }, and the
// tables as their tools make them.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import Database from "libsql";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const { layouts } = JSON.parse(fs.readFileSync(path.join(root, "t/vectors/sql/sqlite-layouts.json")));
const q = (name) => `"${name}"`;
const list = (names) => names.map(q).join(", ");

// makeTables: what the catalog of a database that the real tool made says, as CREATE TABLE.
export function makeTables(file, layout) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const db = new Database(file);
    for (const [name, t] of Object.entries(layouts[layout])) {
        const parts = t.columns.map((c) => `${q(c.name)} ${c.type}${c.nullable ? "" : " NOT NULL"}${c.default ? ` DEFAULT ${c.default}` : ""}`);
        if (t.primaryKey.length) parts.push(`PRIMARY KEY (${list(t.primaryKey)})`);
        for (const u of t.unique) parts.push(`UNIQUE (${list(u.columns)})`);
        for (const f of t.foreignKeys) parts.push(`FOREIGN KEY (${list(f.columns)}) REFERENCES ${q(f.table)} (${list(f.references)}) ON DELETE ${f.onDelete}`);
        db.exec(`CREATE TABLE ${q(name)} (${parts.join(", ")})`);
    }
    db.close();
}

// node-sqlite3's interface, as far as Sequelize asks for it.
const sqlite3 = {
    OPEN_READWRITE: 2, OPEN_CREATE: 4,
    Database: class {
        constructor(file, mode, done) {
            this.filename = file;
            this.db = new Database(file, { timeout: 5000 });
            setImmediate(done ?? mode, null);
        }
        serialize(f) { f(); }
        close(done) { this.db.close(); done?.(null); }
        exec(sql, done) { this.run(sql, [], done); }
        run(sql, params, done) { this.#ask(sql, params, done, "run"); }
        all(sql, params, done) { this.#ask(sql, params, done, "all"); }
        #ask(sql, params, done, how) {
            if (typeof params === "function") [params, done] = [[], params];
            params ??= [];
            const named = Array.isArray(params) ? params : [Object.fromEntries(Object.entries(params).map(([k, v]) => [k.slice(1), v]))];
            try {
                const st = this.db.prepare(sql);
                const bound = Array.isArray(params) ? named : Object.keys(named[0]).length ? named : [];
                const out = how === "all" || /\breturning\b/i.test(sql) ? st.all(...bound) : st.run(...bound);
                done?.call({ lastID: out.lastInsertRowid, changes: out.changes, sql }, null, Array.isArray(out) ? out : undefined);
            } catch (e) {
                done?.call({}, e);
            }
        }
    },
};

const connect = (file) => {
    const db = new Database(file, { timeout: 5000 });
    db.pragma("foreign_keys = ON");
    db.pragma("synchronous = OFF");    // nobody's power fails here
    return db;
};

// Values bound once for all, which libsql's statements lack when they stand in for better-sqlite3's.
async function bindsValues() {
    const { default: Sqlite } = await import("better-sqlite3");
    const { prototype } = new Sqlite(":memory:").prepare("SELECT 1").constructor;
    prototype.bind = function (values) {
        for (const how of ["run", "all"]) this[how] = () => prototype[how].call(this, values);
        return this;
    };
}

// Prisma's client as its generator would write it, made from the catalog: the schema's text for the
// query compiler, the models for the client. No plan is shared between queries ("AAAA": an empty graph).
async function prismaClient() {
    const types = { TEXT: "String", DATETIME: "DateTime", INTEGER: "Int", BOOLEAN: "Boolean" };
    const children = Object.keys(layouts.prisma).filter((name) => layouts.prisma[name].foreignKeys.length);
    const words = (t, { name }) => (t.primaryKey.join() === name ? ` @id${name === "id" ? " @default(cuid())" : ""}` : "")
        + (t.unique.some((u) => u.columns.join() === name) ? " @unique" : "") + ({ createdAt: " @default(now())", updatedAt: " @updatedAt" }[name] ?? "");
    const models = {};
    let schema = 'datasource db {\n provider = "sqlite"\n}\n';
    for (const [name, t] of Object.entries(layouts.prisma)) {
        const lines = t.columns.map((c) => `${c.name} ${types[c.type]}${c.nullable ? "?" : ""}${words(t, c)}`);
        const fields = t.columns.map((c) => ({ name: c.name, kind: "scalar", type: types[c.type] }));
        const relation = (field, type, from) => fields.push({ name: field, kind: "object", type, relationName: `${from}ToUser` });
        if (t.foreignKeys.length) lines.push("user User @relation(fields: [userId], references: [id], onDelete: Cascade)"), relation("user", "User", name);
        if (name === "User") for (const child of children) lines.push(`${child.toLowerCase()}s ${child}[]`), relation(`${child.toLowerCase()}s`, child, child);
        if (t.primaryKey.length > 1) lines.push(`@@id([${t.primaryKey}])`);
        for (const u of t.unique) if (u.columns.length > 1) lines.push(`@@unique([${u.columns}])`);
        schema += `model ${name} {\n ${lines.join("\n ")}\n}\n`;
        models[name] = { fields, dbName: null, schema: null };
    }
    const require = createRequire(import.meta.url);
    const { getPrismaClient } = require("@prisma/client/runtime/client");
    const PrismaClient = getPrismaClient({
        previewFeatures: [], clientVersion: require("@prisma/client/package.json").version, engineVersion: "", activeProvider: "sqlite",
        inlineSchema: schema, runtimeDataModel: { models, enums: {}, types: {} }, parameterizationSchema: { strings: [], graph: "AAAA" },
        compilerWasm: {
            getRuntime: async () => require("@prisma/client/runtime/query_compiler_fast_bg.sqlite.js"),
            getQueryCompilerWasmModule: async () => new WebAssembly.Module(Buffer.from(require("@prisma/client/runtime/query_compiler_fast_bg.sqlite.wasm-base64.js").wasm, "base64")),
            importName: "./query_compiler_fast_bg.js",
        },
    });
    return PrismaClient;
}

export const openers = {
    async prisma(file) {
        const { PrismaAdapter } = await import("@auth/prisma-adapter");
        const { PrismaBetterSqlite3 } = await import("@prisma/adapter-better-sqlite3");
        const PrismaClient = await prismaClient();
        await bindsValues();
        const prisma = new PrismaClient({ adapter: new PrismaBetterSqlite3({ url: `file:${file}` }) });
        return { adapter: PrismaAdapter(prisma), close: () => prisma.$disconnect() };
    },
    async drizzle(file) {
        const { DrizzleAdapter } = await import("@auth/drizzle-adapter");
        const { drizzle } = await import("drizzle-orm/better-sqlite3");
        const db = connect(file);
        return { adapter: DrizzleAdapter(drizzle(db)), close: () => db.close() };
    },
    async kysely(file) {
        const { Kysely, SqliteDialect } = await import("kysely");
        const { KyselyAdapter } = await import("@auth/kysely-adapter");
        const db = new Kysely({ dialect: new SqliteDialect({ database: connect(file) }) });
        return { adapter: KyselyAdapter(db), close: () => db.destroy() };
    },
    async typeorm(file) {
        process.env.NODE_ENV = "production";   // no implicit synchronize
        await import("reflect-metadata");
        const { TypeORMAdapter } = await import("@auth/typeorm-adapter");
        const adapter = TypeORMAdapter({ type: "better-sqlite3", database: file });
        return { adapter, close: () => adapter.__disconnect().catch(() => {}) };
    },
    async sequelize(file) {
        const { Sequelize } = await import("sequelize");
        const { default: SequelizeAdapter } = await import("@auth/sequelize-adapter");
        const db = new Sequelize({ dialect: "sqlite", dialectModule: sqlite3, storage: file, logging: false });
        return { adapter: SequelizeAdapter(db, { synchronize: false }), close: () => db.close() };
    },
    async "mikro-orm"(file) {
        const { MikroOrmAdapter } = await import("@auth/mikro-orm-adapter");
        const adapter = MikroOrmAdapter({ type: "better-sqlite", dbName: file, discovery: { warnWhenNoEntities: false } });
        return { adapter, close() {} };    // it knits its own connection, which goes with the process
    },
    async d1(file) {
        const { D1Adapter } = await import("@auth/d1-adapter");
        const db = connect(file);
        // Cloudflare's binding, over the file.
        const prepare = (sql, values = []) => ({
            bind: (...v) => prepare(sql, v),
            run: async () => { const r = db.prepare(sql).run(...values); return { success: true, meta: { changes: r.changes } }; },
            all: async () => ({ success: true, results: db.prepare(sql).all(...values) }),
            first: async () => { const { _metadata, ...row } = db.prepare(sql).get(...values) ?? {}; return _metadata ? row : null; },
        });
        return { adapter: D1Adapter({ prepare }), close: () => db.close() };
    },
};
