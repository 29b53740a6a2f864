// One database on each side of a pair, in the layout of one of Auth.js's adapters: the real adapter
// has the first file, the module the second. What a test changes it changes in both.
import path from "node:path";
import Database from "libsql";

import { makeTables, openers } from "./adapters.mjs";
import { masked, moment } from "./picture.mjs";

const q = (name) => `"${name}"`;
const dates = /^(emailVerified|expires)$/, users = /^users?$/i, sessions = /^sessions?$/i;

export class Twins {
    constructor(layout, name) { Object.assign(this, { layout, name }); }

    // file: the module's, as its directive names it.
    file(prefix, which = 1) { return path.join(prefix, "twins", `${this.name}-${which}.db`); }

    async open(prefix) {
        this.files = [0, 1].map((which) => this.file(prefix, which));
        for (const file of this.files) makeTables(file, this.layout);
        const opened = await openers[this.layout](this.files[0]);
        Object.assign(this, { adapter: opened.adapter, closeAdapter: opened.close });
        this.sides = this.files.map((file) => new Database(file, { timeout: 5000 }));
        this.sides[0].pragma("journal_mode = WAL");
        for (const db of this.sides) db.pragma("synchronous = OFF");
        this.tables = this.#all(this.sides[0], "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid").map((t) => t.name);
        [this.users, this.sessions] = [users, sessions].map((kind) => this.tables.find((t) => kind.test(t)));
        this.sides[1].exec(`ATTACH '${this.files[0]}' AS twin; PRAGMA twin.synchronous = OFF`);
    }
    async close() {
        for (const db of this.sides) db.close();
        await this.closeAdapter();
    }

    // libsql adds a member of its own.
    #all(db, sql, ...values) { return db.prepare(sql).all(...values).map(({ _metadata, ...row }) => row); }

    // change does the same on both sides; `values`: which side -> what is bound.
    change(sql, values = () => []) {
        this.sides.forEach((db, which) => {
            db.pragma("foreign_keys = ON");
            db.prepare(sql).run(...values(which));
        });
    }
    clear() { this.#exchange((t) => [`DELETE FROM main.${t}`, `DELETE FROM twin.${t}`]); }

    // With the rows of Auth.js's side the module's goes on, or each with the other's.
    #exchange(statements) {
        const db = this.sides[1];
        db.pragma("foreign_keys = OFF");
        db.exec(`BEGIN IMMEDIATE; ${this.tables.flatMap((t) => statements(q(t))).join("; ")}; COMMIT`);
    }
    copy() { this.#exchange((t) => [`DELETE FROM main.${t}`, `INSERT INTO main.${t} SELECT * FROM twin.${t} ORDER BY rowid`]); }
    swap() {
        this.#exchange((t) => [`CREATE TEMP TABLE aside AS SELECT * FROM main.${t} ORDER BY rowid`,
            `DELETE FROM main.${t}`, `INSERT INTO main.${t} SELECT * FROM twin.${t} ORDER BY rowid`,
            `DELETE FROM twin.${t}`, `INSERT INTO twin.${t} SELECT * FROM temp.aside ORDER BY rowid`, "DROP TABLE temp.aside"]);
    }

    session(which, token) {
        return this.#all(this.sides[which], `SELECT * FROM ${q(this.sessions)} WHERE "sessionToken" = ?`, token)[0];
    }
    // date: a moment as this layout writes it.
    date(t) { return this.layout === "drizzle" ? t : new Date(t).toISOString(); }

    // picture answers { tables: name -> rows, names }: rows in the order they were written, every id
    // and session token as a name that says which one it is, dates as distances from now.
    picture(which) {
        const all = Object.fromEntries(this.tables.map((t) => [t, this.#all(this.sides[which], `SELECT * FROM ${q(t)} ORDER BY rowid`)]));
        const names = new Map();
        all[this.users].forEach((row, i) => names.set(row.id, `<user ${i + 1}>`));
        all[this.sessions].forEach((row, i) => names.set(row.sessionToken, `<session ${i + 1}>`));
        const value = (v, column) => (names.has(v) ? names.get(v)
            : v !== null && dates.test(column) ? `${moment(new Date(v) / 1000)}, ${typeof v} ${String(v).slice(19)}`.replace(/\.\d{3}/, "") : masked(v, column));
        const tables = Object.fromEntries(Object.entries(all).map(([t, rows]) =>
            [t, rows.map((row) => Object.fromEntries(Object.entries(row).map(([c, v]) => [c, value(v, c)])))]));
        return { tables, names };
    }
}
