import type { Login, User, UserListOptions, UserPage, UserStore } from "@sallyport/accounts";
import { DatabaseError, type Pool, type QueryResult } from "pg";

const COLUMNS =
  "id, username, email, email_verified, name, password_hash, roles, claims, disabled, epoch, created_at, version";

const INSERT = `INSERT INTO users (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0)`;

// Compare and swap in one statement: it finds no row where another version is stored by now.
const UPDATE = `UPDATE users SET username = $2, email = $3, email_verified = $4, name = $5, password_hash = $6,
  roles = $7, claims = $8, disabled = $9, epoch = $10, created_at = $11, version = version + 1
  WHERE id = $1 AND version = $12`;

const UNIQUE_VIOLATION = "23505";
/** What PostgreSQL undoes as a whole because others came first: serialization failures and deadlocks. */
const UNDONE = ["40001", "40P01"];

export class SqlUsers implements UserStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async find(id: string): Promise<User | undefined> {
    const { rows } = await this.#query(`SELECT ${COLUMNS} FROM users WHERE id = $1`, [id]);
    return rows.map(userOf)[0];
  }

  async findByLogin(login: Login): Promise<User | undefined> {
    const [column, name] = "username" in login ? ["username", login.username] : ["email", login.email];
    const { rows } = await this.#query(`SELECT ${COLUMNS} FROM users WHERE ${column} = $1`, [name]);
    return rows.map(userOf)[0];
  }

  async create(user: User): Promise<"created" | "taken"> {
    const { rowCount } = await this.#unlessTaken(INSERT, valuesOf(user));
    return rowCount === 1 ? "created" : "taken";
  }

  async update(user: User): Promise<"updated" | "stale" | "taken"> {
    const { rowCount } = await this.#unlessTaken(UPDATE, [...valuesOf(user), user.version]);
    if (rowCount === undefined) return "taken";
    return rowCount === 1 ? "updated" : "stale";
  }

  /** By id, and from the last id of the page before: nobody is skipped or met twice when others come and go. */
  async list({ cursor = "", limit = 100 }: UserListOptions = {}): Promise<UserPage> {
    const page = `SELECT ${COLUMNS} FROM users WHERE id > $1 ORDER BY id LIMIT $2`;
    const users = (await this.#query(page, [cursor, limit])).rows.map(userOf);
    const last = users.at(-1);
    return users.length === limit && last !== undefined ? { users, cursor: last.id } : { users };
  }

  /** How many rows were written; `undefined` where the id, the username or the address is another's. Everything else that fails, fails. */
  async #unlessTaken(text: string, values: readonly unknown[]): Promise<{ readonly rowCount?: number | null }> {
    try {
      return await this.#query(text, values);
    } catch (error) {
      if (error instanceof DatabaseError && error.code === UNIQUE_VIOLATION) return {};
      throw error;
    }
  }

  async #query(text: string, values: readonly unknown[]): Promise<QueryResult<Row>> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#pool.query<Row>(text, [...values]);
      } catch (error) {
        if (tries === 5 || !(error instanceof DatabaseError && UNDONE.includes(error.code ?? ""))) throw error;
      }
    }
  }
}

interface Row {
  readonly id: string;
  readonly username: string | null;
  readonly email: string | null;
  readonly email_verified: boolean;
  readonly name: string | null;
  readonly password_hash: string | null;
  readonly roles: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
  readonly disabled: boolean;
  readonly epoch: number;
  readonly created_at: string;
  readonly version: number;
}

function userOf(row: Row): User {
  return {
    id: row.id,
    username: row.username ?? undefined,
    email: row.email ?? undefined,
    emailVerified: row.email_verified,
    name: row.name ?? undefined,
    passwordHash: row.password_hash ?? undefined,
    roles: row.roles,
    claims: row.claims,
    disabled: row.disabled,
    epoch: row.epoch,
    createdAt: Number(row.created_at), // a bigint, which the client hands on as text
    version: row.version,
  };
}

/** $1 to $11. Lists are handed over as JSON text, because the client would make arrays of PostgreSQL's of them. */
function valuesOf(user: User): readonly unknown[] {
  const { id, username, email, emailVerified, name, passwordHash, roles, claims, disabled, epoch, createdAt } = user;
  const [rolesText, claimsText] = [JSON.stringify(roles), JSON.stringify(claims)];
  return [id, username, email, emailVerified, name, passwordHash, rolesText, claimsText, disabled, epoch, createdAt];
}
