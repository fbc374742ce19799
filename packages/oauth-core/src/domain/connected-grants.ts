/** Who is connected: the living grants, of everybody or of one person, for operators to look at and to end. */

import type { Entry } from "../state/collection.ts";
import { beginningsOf } from "./grant-id.ts";
import { type GrantRecord, type Grants, isLiving, type LivingEntry } from "./grants.ts";
import type { Keys } from "./keys.ts";
import type { UpstreamSessions } from "./upstream-sessions.ts";

/** One installation of a client that a person let in. Nothing of it is a credential. */
export interface ConnectedGrant {
  /** What `revokeGrant` takes. It is no credential, and events name it `grant`. */
  readonly id: string;
  readonly subject: string;
  readonly clientId: string;
  /** As the client called itself, unless the operator configured it: a stranger's text, to be escaped on a page. */
  readonly clientName?: string | undefined;
  readonly scopes: readonly string[];
  /** What its tokens are for. RFC 8707. */
  readonly resources: readonly string[];
  /** What the identity provider says of the person, as far as it is passed on. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  /** When the person signed in, in seconds since 1970. */
  readonly createdAt: number;
  /** When it ends unless the client refreshes before, in seconds since 1970. */
  readonly expiresAt: number;
}

/** Whose grants. */
export interface GrantSelection {
  /** The person, as `Access` and events name them. Left out: everybody. `undefined` is refused, so that nobody's page shows everybody's by mistake. */
  readonly subject?: string;
  /**
   * Reads the grants of everybody to find those of `subject`. Only so are those found that began under a secret which has been taken out of
   * the option `secret` since. Default false.
   */
  readonly thorough?: boolean | undefined;
}

/** Which page of them. */
export interface GrantListOptions extends GrantSelection {
  /** The `cursor` of the page before, for the same selection; absent for the first page. */
  readonly cursor?: string | undefined;
  /** How many grants a page aims at, 1 to 1000. A page may have fewer, or none, and still name a cursor. Default 100. */
  readonly limit?: number | undefined;
}

/** One page of connections, in no particular order. */
export interface GrantPage {
  readonly grants: readonly ConnectedGrant[];
  /** Where the next page begins; absent on the last one. */
  readonly cursor?: string | undefined;
}

export interface ConnectedGrantsOptions {
  readonly grants: Grants;
  readonly upstreamSessions: UpstreamSessions;
  readonly subjectKeys: Keys;
  readonly now: () => number;
}

const LARGEST_PAGE = 1000;
const DEFAULT_PAGE = 100;

/** The connections of one server. */
export class ConnectedGrants {
  readonly #options: ConnectedGrantsOptions;

  constructor(options: ConnectedGrantsOptions) {
    this.#options = options;
  }

  /**
   * One page of living grants. One page of the storage's `list`, and one read for each name on it.
   *
   * @throws {ConfigurationError} where the storage can't list
   * @throws {RangeError} for a limit or a cursor that is none
   */
  async list({ cursor, limit = DEFAULT_PAGE, ...selection }: GrantListOptions): Promise<GrantPage> {
    const page = await this.#page(selection, cursor, limit);
    return {
      grants: page.living.map(([id, entry]) => connectionOf(id, entry)),
      ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
    };
  }

  /** Ends one, as the client could by revoking its token. Whether it was alive until then, and of that person where one is named. */
  async end(grantId: string, selection: Pick<GrantSelection, "subject">): Promise<boolean> {
    assertSubject(selection);
    const entry = await this.#options.grants.get(grantId);
    return isConnected(entry, selection, this.#options.now()) && this.#end(grantId, entry);
  }

  /** Ends all of one person, page by page, and says how many that were. */
  async endAll(selection: GrantSelection & { readonly subject: string }): Promise<number> {
    assertSubject(selection, "needed");
    let ended = 0;
    let cursor: string | undefined;
    do {
      const page = await this.#page(selection, cursor, DEFAULT_PAGE);
      const endings = await Promise.all(page.living.map(([id, entry]) => this.#end(id, entry)));
      ended += endings.filter(Boolean).length;
      cursor = page.cursor;
    } while (cursor !== undefined);
    return ended;
  }

  #end(grantId: string, entry: LivingEntry): Promise<boolean> {
    return this.#options.upstreamSessions.end(grantId, entry, "operator");
  }

  async #page(selection: GrantSelection, cursor: string | undefined, limit: number): Promise<Page> {
    if (!(Number.isInteger(limit) && limit >= 1 && limit <= LARGEST_PAGE))
      throw new RangeError(`limit: has to be a whole number from 1 to ${LARGEST_PAGE}.`);
    assertSubject(selection);
    const { grants, now } = this.#options;
    const beginnings = this.#beginnings(selection);
    const { index, inner } = parseCursor(cursor);
    const beginning = beginnings[index];
    if (beginning === undefined) throw new RangeError("cursor: none of this selection.");

    const { ids, cursor: next } = await grants.list(beginning, { cursor: inner, limit });
    const entries = await Promise.all(ids.map(async (id) => [id, await grants.get(id)] as const));
    const living = entries.flatMap(([id, entry]) =>
      isConnected(entry, selection, now()) ? [[id, entry] as const] : [],
    );
    if (next !== undefined) return { living, cursor: `${index}.${next}` };
    return { living, cursor: index + 1 < beginnings.length ? `${index + 1}.` : undefined };
  }

  /** What the names begin with, of which each is walked through in its turn. */
  #beginnings({ subject, thorough = false }: GrantSelection): readonly string[] {
    return subject === undefined || thorough ? [""] : beginningsOf(this.#options.subjectKeys, subject);
  }
}

interface Page {
  readonly living: readonly (readonly [string, LivingEntry])[];
  readonly cursor: string | undefined;
}

/** A cursor of ours is the number of the beginning that is walked through, and the storage's own cursor in it. */
function parseCursor(cursor: string | undefined): { readonly index: number; readonly inner: string | undefined } {
  if (cursor === undefined) return { index: 0, inner: undefined };
  const [, index, inner] = /^([0-9]{1,3})\.(.*)$/s.exec(cursor) ?? [];
  if (index === undefined) throw new RangeError("cursor: none of ours.");
  return { index: Number(index), inner: inner === "" ? undefined : inner };
}

/** Whether a grant lives and is one of the selection. A storage may keep it for longer than it lives. */
function isConnected(
  entry: Entry<GrantRecord> | undefined,
  { subject }: GrantSelection,
  now: number,
): entry is LivingEntry {
  if (entry === undefined || !isLiving(entry) || entry.value.expiresAt <= now) return false;
  return subject === undefined || entry.value.subject === subject;
}

/** A person who was asked for and has no name is a mistake of the caller's, and must not stand for everybody. */
function assertSubject(selection: { readonly subject?: string }, needed?: "needed"): void {
  if (!("subject" in selection) && needed === undefined) return;
  if (typeof selection.subject !== "string" || selection.subject === "")
    throw new TypeError("subject: has to name a person; leave it out to list everybody.");
}

function connectionOf(id: string, { value }: LivingEntry): ConnectedGrant {
  const { subject, clientId, clientName, scope, resources, claims, createdAt, expiresAt } = value;
  return {
    id,
    subject,
    clientId,
    ...(clientName === undefined ? {} : { clientName }),
    scopes: scope,
    resources,
    ...(Object.keys(claims).length === 0 ? {} : { claims }),
    createdAt,
    expiresAt,
  };
}
