/** What the store does beyond the contract: with a real server, and every client. */

import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { inspect } from "node:util";
import { installedPostgres, type PostgresServer, startPostgres, until } from "@sallyport/test-servers";
import { everyKey, everyVerbWorks, refusesWhatNoStorageTakes } from "@sallyport/test-servers/storage-proofs";
import { Client, Pool } from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type Access, CLIENTS, CUT, type OpenClient } from "../test/clients.ts";
import { PostgresStore, type PostgresStoreOptions } from "./postgres-store.ts";

const LONG = 3600;
const TABLE = "sallyport_records";
/** Short, where a test waits for it. */
const IMPATIENT_MS = 200;
/** Long, because this machine may have more to do. */
const PATIENT_MS = 15_000;

type Open = (access: Access) => OpenClient;

/** Every verb that asks the server. */
const verbsOf = (store: PostgresStore): Readonly<Record<string, () => Promise<unknown>>> => ({
  get: () => store.get("record"),
  save: () => store.save("record", "value", LONG),
  delete: () => store.delete("record"),
  take: () => store.take("record"),
  claim: () => store.claim("record", "value", LONG),
  replace: () => store.replace("record", "value", "new", LONG),
  list: () => store.list("rec"),
  cleanup: () => store.cleanup(),
});

/** A store that does not wait for long, once it has found its table, and one that does. */
async function twoStores(client: PostgresStoreOptions["client"]): Promise<readonly [PostgresStore, PostgresStore]> {
  const impatient = new PostgresStore({ client, timeoutMs: IMPATIENT_MS });
  await until("the table was found", async () => (await impatient.get("record")) === undefined);
  return [impatient, new PostgresStore({ client, timeoutMs: PATIENT_MS })];
}

describe.skipIf((await installedPostgres()) === undefined)("with PostgreSQL", () => {
  let server: PostgresServer;
  let operator: OpenClient;
  beforeAll(async () => {
    server = await startPostgres();
    operator = CLIENTS.pg({ ...server, connections: 2 });
    await operator.query("CREATE SCHEMA odd; CREATE ROLE clerk LOGIN; CREATE ROLE stranger LOGIN");
    await new PostgresStore({ client: operator.client }).migrate();
  }, 60_000);
  afterAll(async () => {
    await operator.close();
    await server.stop();
  });
  beforeEach(async () => {
    await operator.query(`TRUNCATE ${TABLE}`);
  });

  /** A client for one test. */
  function opened(open: Open, access: Partial<Access> = {}): OpenClient {
    const client = open({ url: server.url, ...access });
    onTestFinished(() => client.close());
    return client;
  }

  const as = (role: string): string => server.url.replace("sallyport@", `${role}@`);

  /** A transaction of somebody else's, which ends with the answer to this or with the test. */
  async function elsewhere(...statements: readonly string[]): Promise<() => Promise<unknown>> {
    const client = new Client(server.url);
    await client.connect();
    onTestFinished(() => client.end());
    for (const statement of ["BEGIN", ...statements]) await client.query(statement);
    return () => client.query("COMMIT");
  }

  describe.each<[string, Open]>(Object.entries(CLIENTS))("%s", (name, open) => {
    test("on one connection any number of calls come through", async () => {
      const { client } = opened(open, { connections: 1 });
      const store = new PostgresStore({ client, timeoutMs: PATIENT_MS });
      const keys = Array.from({ length: 200 }, (_, index) => `record:${index}`).sort();
      await Promise.all([
        store.migrate(),
        ...keys.map((key) => store.claim(key, "value", LONG)),
        store.cleanup(),
        store.migrate(),
      ]);
      expect(await Promise.all(keys.map((key) => store.take(key)))).toEqual(keys.map(() => "value"));
    });

    test("a call that has to wait too long rejects, and the next ones work", async () => {
      const { client, query } = opened(open);
      const [impatient, store] = await twoStores(client);
      await store.save("record", "value", LONG);
      const unlock = await elsewhere(`LOCK TABLE ${TABLE}`);
      for (const [verb, call] of Object.entries(verbsOf(impatient))) {
        await expect(call(), verb).rejects.toMatchObject({ name: "PostgresStoreError", reason: "timeout" });
      }
      await unlock();
      // What had been sent happens now, though nobody waits for it.
      await until("nothing happens any more", async () => {
        const others = "backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()";
        return (await query(`SELECT count(*) FROM pg_stat_activity WHERE ${others}`))[0]?.[0] === "0";
      });
      await store.save("record", "after", LONG);
      expect(await store.get("record")).toBe("after");
    });

    test("the server's own limit of time is one too", async () => {
      const { client } = opened(open, { settings: { statement_timeout: "500" } });
      const store = new PostgresStore({ client, timeoutMs: PATIENT_MS });
      await store.save("record", "value", LONG);
      const unlock = await elsewhere(`LOCK TABLE ${TABLE}`);
      await expect(store.get("record")).rejects.toMatchObject({ reason: "timeout", sqlState: "57014" });
      await unlock();
    });

    test("close leaves the client connected and as it was", async () => {
      const { client, healthy } = opened(open);
      await healthy();
      const listeners = () => (client instanceof EventEmitter ? client.listenerCount("error") : 0);
      const before = listeners();
      const store = new PostgresStore({ client });
      await store.save("record", "value", LONG);
      await store.close();
      await store.close();
      expect(listeners()).toBe(before);
      for (const call of [...Object.values(verbsOf(store)), () => store.migrate()]) {
        await expect(call()).rejects.toMatchObject({ name: "PostgresStoreError", reason: "closed" });
      }
      expect(await new PostgresStore({ client }).get("record")).toBe("value");
    });

    test("without the table every verb says so, and works as soon as it is there", async () => {
      const { client, query } = opened(open);
      for (const table of [`absent_${name}`, "nowhere.records"]) {
        const store = new PostgresStore({ client, table });
        for (const [verb, call] of Object.entries(verbsOf(store))) {
          await expect(call(), verb).rejects.toMatchObject({
            reason: "no_table",
            message: expect.stringContaining("migrate()"),
          });
        }
      }
      const store = new PostgresStore({ client, table: `absent_${name}` });
      await expect(store.get("record")).rejects.toMatchObject({ reason: "no_table" });
      await store.migrate();
      for (const call of Object.values(verbsOf(store))) await call();
      await query(`DROP TABLE absent_${name}`);
      await expect(store.get("record")).rejects.toMatchObject({ reason: "no_table", sqlState: "42P01" });
    });

    test("a table that is not ours is left alone, by migrate too", async () => {
      const { client, query } = opened(open);
      await operator.query(`
        CREATE TABLE theirs_${name} (key text PRIMARY KEY, value text);
        CREATE TABLE newer_${name} (id bigint);
        COMMENT ON TABLE newer_${name} IS 'Sallyport storage, schema 2'
      `);
      for (const [table, reason] of [
        [`theirs_${name}`, "foreign"],
        [`newer_${name}`, "newer"],
      ] as const) {
        const store = new PostgresStore({ client, table });
        await expect(store.save("record", "value")).rejects.toMatchObject({ reason });
        await expect(store.migrate()).rejects.toMatchObject({ reason });
      }
      expect(await query(`SELECT * FROM theirs_${name}`)).toEqual([]);
    });

    test("names that are words of SQL, or differ in case only, name tables of their own", async () => {
      const { client } = opened(open);
      const tables = [`select`, `Select`, `odd.select`, `odd.${"t".repeat(56)}`];
      const stores = tables.map((table) => new PostgresStore({ client, table }));
      for (const [index, store] of stores.entries()) {
        await store.migrate();
        await store.save("record", index, LONG);
      }
      expect(await Promise.all(stores.map((store) => store.get("record")))).toEqual([0, 1, 2, 3]);
    });

    test("a role without the right to make tables does with what was made for it; one without any is told so", async () => {
      await operator.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${TABLE} TO clerk`);
      const store = new PostgresStore({ client: opened(open, { url: as("clerk") }).client });
      await store.migrate();
      for (const call of Object.values(verbsOf(store))) await call();

      const strange = new PostgresStore({ client: opened(open, { url: as("stranger") }).client });
      await expect(strange.get("record")).rejects.toMatchObject({ reason: "no_access", sqlState: "42501" });
      const nobody = new PostgresStore({ client: opened(open, { url: as("nobody_at_all") }).client });
      await expect(nobody.get("record")).rejects.toMatchObject({ reason: "no_access" });
    });

    test("what can only be read is refused, and a standby for reading too", async () => {
      const readOnly = opened(open, { settings: { default_transaction_read_only: "on" } });
      await expect(new PostgresStore({ client: readOnly.client }).save("record", "value")).rejects.toMatchObject({
        reason: "read_only",
        sqlState: "25006",
      });
      // A server that says of itself that it is one.
      await operator.query(
        "CREATE OR REPLACE FUNCTION odd.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
      );
      const standby = opened(open, { settings: { search_path: "odd,pg_catalog,public" } });
      const store = new PostgresStore({ client: standby.client });
      await expect(store.get("record")).rejects.toMatchObject({ reason: "read_only" });
      await expect(store.list("")).rejects.toMatchObject({ reason: "read_only" });
      // One that becomes a standby after the store has seen it as a primary.
      await operator.query(
        "CREATE OR REPLACE FUNCTION odd.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT false'",
      );
      expect(await store.get("record")).toBeUndefined();
      expect(await store.list("")).toEqual({ keys: [] });
      await operator.query(
        "CREATE OR REPLACE FUNCTION odd.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
      );
      await expect(store.get("record")).rejects.toMatchObject({ reason: "read_only" });
      await expect(store.list("")).rejects.toMatchObject({ reason: "read_only" });
    });

    test("a database that can't hold Unicode is refused", async () => {
      await operator.query(
        `CREATE DATABASE latin_${name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
      );
      const { client } = opened(open, { url: server.url.replace(/[^/]+$/, `latin_${name}`) });
      await expect(new PostgresStore({ client }).migrate()).rejects.toMatchObject({ reason: "encoding" });
    });

    test("no error says what was stored, or under which key", async () => {
      const { client } = opened(open);
      const store = new PostgresStore({ client });
      await operator.query(`ALTER TABLE ${TABLE} ADD CONSTRAINT odd CHECK (value <> '"s3cret"')`);
      onTestFinished(async () => void (await operator.query(`ALTER TABLE ${TABLE} DROP CONSTRAINT odd`)));
      const refused = await store.save("s3cret key", "s3cret").catch((error: unknown) => error);
      expect(refused).toMatchObject({ reason: "refused", sqlState: "23514" });
      expect(inspect(refused, { showHidden: true, depth: null })).not.toContain("s3cret");

      await operator.query(`INSERT INTO ${TABLE} VALUES ('s3cret key', 's3cret, and no JSON')`);
      const damaged = await store.get("s3cret key").catch((error: unknown) => error);
      expect(damaged).toMatchObject({ reason: "damaged" });
      expect(inspect(damaged, { showHidden: true, depth: null })).not.toContain("s3cret");
    });

    test("a lifetime is counted by the server, in seconds, up to the longest", async () => {
      const { client } = opened(open);
      const store = new PostgresStore({ client });
      const left = async (key: string): Promise<number> => {
        const [[seconds] = []] = await operator.query(
          `SELECT coalesce(extract(epoch FROM expires_at - clock_timestamp()), -1) FROM ${TABLE} WHERE key = '${key}'`,
        );
        return Number(seconds);
      };
      await store.save("record", "value", 3600);
      expect(await left("record")).toBeGreaterThan(3500);
      expect(await left("record")).toBeLessThanOrEqual(3600);
      await store.replace("record", "value", "other", 7200);
      expect(await left("record")).toBeGreaterThan(7100);
      await store.replace("record", "other", "forever");
      expect(await left("record")).toBe(-1);
      await store.save("years", "value", 3_000_000_000_000);
      expect(await left("years")).toBeGreaterThan(2_999_999_999_000);
      expect(await store.claim("longest", "value", Number.MAX_SAFE_INTEGER)).toBe(true);
      expect(await left("longest")).toBe(-1);
      expect(await store.get("longest")).toBe("value");
    });

    test("cleanup removes everything that has expired, whatever the amount, and waits for nobody", async () => {
      const { client } = opened(open);
      const store = new PostgresStore({ client });
      await operator.query(`
        INSERT INTO ${TABLE} SELECT 'expired:' || n, '1', now() - interval '1 second' FROM generate_series(1, 4500) AS n;
        INSERT INTO ${TABLE} SELECT 'living:' || n, '1', now() + interval '1 hour' FROM generate_series(1, 100) AS n;
        INSERT INTO ${TABLE} SELECT 'forever:' || n, '1' FROM generate_series(1, 100) AS n
      `);
      const release = await elsewhere(`SELECT FROM ${TABLE} WHERE key = 'expired:17' FOR UPDATE`);
      await Promise.all([store.cleanup(), new PostgresStore({ client }).cleanup()]);
      const count = async () => (await operator.query(`SELECT count(*) FROM ${TABLE}`))[0]?.[0];
      expect(await count()).toBe("201");
      await release();
      await store.cleanup();
      expect(await count()).toBe("200");
      expect(await everyKey(store, "living:")).toHaveLength(100);
    });

    test("list has pages in one order, goes past what has expired, and refuses the cursor of another walk", async () => {
      const { client } = opened(open);
      const store = new PostgresStore({ client });
      await operator.query(
        `INSERT INTO ${TABLE} SELECT 'k:' || n, '1', now() + CASE WHEN n < 30 THEN interval '-1 hour' ELSE interval '1 hour' END FROM generate_series(10, 49) AS n`,
      );
      const living = Array.from({ length: 20 }, (_, index) => `k:${30 + index}`);
      for (const limit of [1, 7, 1000, undefined, 0, -1, 2.5])
        expect(await everyKey(store, "k:", limit)).toEqual(living);
      expect((await store.list("k:", { limit: 5 })).keys).toEqual([]);
      await expect(store.list("other:", { cursor: "k:10" })).rejects.toThrow(/^cursor: /);
    });

    test("keys that PostgreSQL can't hold as they are name records of their own, and the longest fit", async () => {
      const { client } = opened(open);
      const store = new PostgresStore({ client });
      // Random, so that it does not become shorter by compression.
      const long = randomBytes(1536).toString("base64");
      expect(long).toHaveLength(2048);
      const keys = ["", "\0", "\0\0", "\ud800", "\ud801", "\ufffd", "\uffff", "\u{10ffff}", "\u0001", long];
      for (const key of keys) expect(await store.claim(key, { key }, LONG)).toBe(true);
      for (const key of keys) expect(await store.get(key)).toEqual({ key });
      expect((await everyKey(store, "", 1)).sort()).toEqual(keys.toSorted());
      await expect(store.get(`${long}x`)).rejects.toThrow(RangeError);
      await expect(store.save(`${long}x`, "value")).rejects.toThrow(RangeError);
    });

    test("a value or a ttl that no storage takes is refused before anything is sent", async () => {
      const { client } = opened(open);
      await refusesWhatNoStorageTakes(new PostgresStore({ client }));
    });

    test.each([
      [true, 8],
      [false, 0],
    ])("prepare: %s leaves %i statements of the store's on a connection", async (prepare, expected) => {
      const { client, query } = opened(open, { connections: 1 });
      const store = new PostgresStore({ client, prepare });
      for (let round = 0; round < 2; round += 1) for (const call of Object.values(verbsOf(store))) await call();
      const [[count] = []] = await query(
        `SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%${TABLE}%' AND statement NOT LIKE '%pg_prepared%'`,
      );
      expect(count).toBe(String(expected));
    });
  });

  test("pg: closing one store of several over a pool, even twice, is nothing to the others", async () => {
    const { client } = opened(CLIENTS.pg);
    const pool = client as Pool;
    const before = pool.listenerCount("error");
    const [store] = [new PostgresStore({ client }), new PostgresStore({ client })];
    await store.close();
    await store.close();
    expect(pool.listenerCount("error")).toBe(before + 1);
  });

  test("pg: what waits for a connection is forgotten when its time is up, and the connection is kept", async () => {
    const { client, query } = opened(CLIENTS.pg, { connections: 1 });
    const destroyed: unknown[] = [];
    (client as Pool).on("remove", (connection) => destroyed.push(connection));
    const [impatient, store] = await twoStores(client);
    await store.save("record", "value", LONG);
    const unlock = await elsewhere(`LOCK TABLE ${TABLE}`);
    const busy = query(`SELECT pg_backend_pid(), count(*) FROM ${TABLE}`);
    await expect(impatient.save("record", "late", LONG)).rejects.toMatchObject({ reason: "timeout" });
    await unlock();
    const [[connection] = []] = await busy;
    expect(await store.get("record")).toBe("value");
    // It was lent after all, when nobody wanted it any more, and given back as good as it was.
    expect(await query("SELECT pg_backend_pid()")).toEqual([[connection]]);
    expect((client as Pool).totalCount).toBe(1);
    expect(destroyed).toEqual([]);
  });

  test("postgres: what waits for a connection does nothing when its time is up", async () => {
    let gate = Promise.resolve();
    let closed: Promise<unknown> = Promise.resolve();
    const socket = async () => {
      await gate;
      const connection = connect(server.port, "127.0.0.1");
      await once(connection, "connect");
      closed = once(connection, "close");
      return connection;
    };
    const sql = postgres(server.url, { max: 1, fetch_types: false, ...{ socket } });
    onTestFinished(() => sql.end());
    const [impatient, store] = await twoStores(sql);
    for (const verb of ["save", "delete", "take", "replace", "claim"]) {
      await store.save("record", "value", LONG);
      await store.delete("free");
      let open = (): void => undefined;
      gate = new Promise((resolve) => {
        open = resolve;
      });
      await operator.query(CUT);
      await closed;
      const calls: Readonly<Record<string, () => Promise<unknown>>> = {
        save: () => impatient.save("record", "late", LONG),
        delete: () => impatient.delete("record"),
        take: () => impatient.take("record"),
        replace: () => impatient.replace("record", "value", "late", LONG),
        claim: () => impatient.claim("free", "late", LONG),
      };
      await expect(calls[verb]?.()).rejects.toMatchObject({ reason: "timeout" });
      open();
      await until("it connects again", () => sql`SELECT 1`);
      expect(await operator.query(`SELECT key, value FROM ${TABLE}`)).toEqual([["record", '"value"']]);
    }
  });

  test("pg: a connection that did not answer in time is not used again", async () => {
    const { client } = opened(CLIENTS.pg);
    const [impatient, store] = await twoStores(client);
    await store.save("record", "value", LONG);
    const unlock = await elsewhere(`LOCK TABLE ${TABLE}`);
    await expect(impatient.get("record")).rejects.toMatchObject({ reason: "timeout" });
    expect((client as Pool).totalCount).toBe(0);
    await unlock();
    expect(await store.get("record")).toBe("value");
  });

  test("pg: a pool without any listener of its own does not end the process when its connections are lost", async () => {
    const pool = new Pool({ connectionString: server.url });
    const store = new PostgresStore({ client: pool });
    await Promise.all(Object.values(verbsOf(store)).map((call) => call()));
    await operator.query(CUT);
    await until("the pool has noticed", () => pool.totalCount === 0);
    await store.save("record", "value", LONG);
    expect(await store.get("record")).toBe("value");
    await pool.end();
  });

  test("pg: with connectionTimeoutMillis a pool can be ended while a server says nothing", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const pool = new Pool({ host: "127.0.0.1", port, connectionTimeoutMillis: 2 * IMPATIENT_MS });
    const store = new PostgresStore({ client: pool, timeoutMs: IMPATIENT_MS });
    await expect(store.get("record")).rejects.toMatchObject({ reason: "timeout" });
    await pool.end();
  });

  describe("options of the client", () => {
    const nonsense = () => "nonsense";

    test.each<[string, () => Pool]>([
      ["parsers of types", () => new Pool({ connectionString: server.url, types: { getTypeParser: () => nonsense } })],
      ["binary", () => new Pool({ connectionString: server.url, ...{ binary: true } })],
      ["query_timeout", () => new Pool({ connectionString: server.url, query_timeout: PATIENT_MS })],
      ["maxUses", () => new Pool({ connectionString: server.url, maxUses: 1 })],
      ["pipeline", () => new Pool({ connectionString: server.url, pipeline: true })],
    ])("pg: %s changes nothing", async (_option, open) => {
      const pool = open();
      await everyVerbWorks(new PostgresStore({ client: pool }));
      await pool.end();
    });

    test.each<[string, NonNullable<Parameters<typeof postgres>[1]>]>([
      ["transformations", { transform: { value: nonsense, column: nonsense } }],
      ["fetch_types", { fetch_types: true }],
      ["prepare: false", { prepare: false }],
      ["max_pipeline", { max: 1, ...{ max_pipeline: 1 } }],
      ["camel case", { transform: postgres.camel }],
      ["a type of one's own", { types: { text: { to: 25, from: [25], serialize: String, parse: nonsense } } }],
    ])("postgres: %s changes nothing", async (_option, options) => {
      const sql = postgres(server.url, { fetch_types: false, ...options });
      await everyVerbWorks(new PostgresStore({ client: sql }));
      await sql.end();
    });

    test("what can't keep the promises is refused, and the option is named", async () => {
      const sql = postgres(server.url, { fetch_types: false, max: 1 });
      await sql.begin(async (transaction) => {
        expect(() => new PostgresStore({ client: transaction as unknown as typeof sql })).toThrow(/^client: /);
      });
      await sql.end();
    });
  });
});

test("options that can't work are refused, and the option is named", async () => {
  const client = new Pool();
  const single = new Client();
  for (const wrong of [undefined, null, {}, "postgres://127.0.0.1", single, () => undefined, new EventEmitter()]) {
    expect(() => new PostgresStore({ client: wrong as unknown as Pool })).toThrow(/^client: /);
  }
  for (const timeoutMs of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
    expect(() => new PostgresStore({ client, timeoutMs })).toThrow(/^timeoutMs: /);
  }
  expect(() => new PostgresStore({ client, table: 'a"; DROP TABLE users; --' })).toThrow(/^table: /);
  expect(() => new PostgresStore({ client, prepare: "no" as unknown as boolean })).toThrow(/^prepare: /);
  expect(client.listenerCount("error")).toBe(0);
});

test("where nobody listens, calls reject in time and tell the cause", async () => {
  const pool = new Pool({ connectionString: "postgres://user:s3cret@127.0.0.1:1/database" });
  const failure = await new PostgresStore({ client: pool }).get("record").catch((error: unknown) => error);
  expect(failure).toMatchObject({ reason: "unreachable", cause: { code: "ECONNREFUSED" } });
  expect(inspect(failure, { showHidden: true, depth: null })).not.toContain("s3cret");
  await pool.end();
});
