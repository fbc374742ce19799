/** Which identities of other providers belong to which account of ours. OpenID Connect Core §5.7: an identity is named by its provider and its subject together. */
import {
  type Collection,
  digest,
  type Entry,
  type Keys,
  mac,
  OAuthProxyError,
  type Runtime,
} from "@sallyport/oauth-core/accounts";
import { plainText } from "./plain-text.ts";

/** An identity of another provider. */
export interface ForeignIdentity {
  /** The id of the provider. */
  readonly provider: string;
  /** As the provider names the person. */
  readonly subject: string;
}

/** A way to sign in to an account, as its person is shown it. */
export interface Link extends ForeignIdentity {
  /** How the person knows the identity, such as its address: a stranger's text, to be escaped. */
  readonly label: string;
  /** Seconds since 1970. */
  readonly linkedAt: number;
}

/** Whose an identity is; nobody's, for the moment in which it is let go of. */
export interface LinkHolderRecord {
  readonly userId?: string | undefined;
  /** Another one with each writing, so that no two records are equal and compare-and-swap tells them apart, sealed or not. */
  readonly mark: string;
}

/** All links of one person. */
export interface LinkListRecord {
  readonly links: readonly Link[];
}

export interface LinksOptions {
  /** From an identity to its holder, for good. */
  readonly holders: Collection<LinkHolderRecord>;
  /** From a person to their links, for good. */
  readonly lists: Collection<LinkListRecord>;
  /** What hides an identity in the name of its record. */
  readonly keys: Keys;
  readonly runtime: Runtime;
}

/** Links of one person. */
export const MOST_LINKS = 20;
const LONGEST_LABEL = 200;
/** Rounds of compare-and-swap after which something is wrong. */
const ATTEMPTS = 64;

/**
 * The links of one server.
 *
 * A link is written twice: in the list of the person, which they are shown, and under the identity, where a sign-in finds it. **It counts only where both say
 * the same.** So whatever crashes in between, and whoever links and unlinks at once, there never is a way in that its person does not see; and what was left
 * halfway is finished by doing it again, or gives way to the next one who links the identity.
 *
 * While secrets are rotated an identity has a name under each key, and a process takes it under all that it knows, in the order of the names: two processes
 * that share one key agree on who was first. The name of a list is not keyed, because a person has to have one list and not several. Whoever reads the storage
 * can thus look up whether an account whose id they know has ever been linked, and with what they can't see.
 */
export class Links {
  readonly #options: LinksOptions;

  constructor(options: LinksOptions) {
    this.#options = options;
  }

  /** Whose account an identity is linked with; `undefined` where it is nobody's. Whether that person may sign in is another question. */
  async find(identity: ForeignIdentity): Promise<string | undefined> {
    const { userId } = await this.#resolve(identity);
    return userId;
  }

  /** What a person linked. What was left halfway by a crash is among it, and can be unlinked. */
  async list(userId: string): Promise<readonly Link[]> {
    return (await this.#options.lists.get(listName(userId)))?.value.links ?? [];
  }

  /**
   * Links an identity with an account. **Only for a person who has just proved to be both.** Of any number of people who link one identity at once, exactly one
   * is told `linked`.
   *
   * @returns `taken` where the identity is somebody else's, and `full` where the person has {@link MOST_LINKS}; then nothing is left of it
   * @throws {OAuthProxyError} `storage_unavailable`; it may be linked or not, and doing it again brings it to an end
   */
  async link(
    userId: string,
    { provider, subject, label }: Omit<Link, "linkedAt">,
  ): Promise<"linked" | "taken" | "full"> {
    const identity = { provider, subject };
    const holder = await this.find(identity);
    if (holder !== undefined && holder !== userId) return "taken";

    // The list first: a way in that is not seen must not be, a line in the list that is no way in may.
    const link = { ...identity, label: plainText(label, LONGEST_LABEL), linkedAt: this.#options.runtime.now() };
    if (!(await this.#change(userId, (links) => added(links, link)))) return "full";
    if ((await this.#occupyAll(userId, identity)) && (await this.find(identity)) === userId) return "linked";
    await this.unlink(userId, identity);
    return "taken";
  }

  /** Ends a link, and says whether the person had it. What anybody else linked goes on. */
  async unlink(userId: string, { provider, subject }: ForeignIdentity): Promise<boolean> {
    const identity = { provider, subject };
    // The way in first, and then what is seen of it.
    await Promise.all(this.#namesOf(identity).map((name) => this.#vacate(name, userId)));
    return this.#change(userId, (links) => {
      const left = links.filter((link) => !isSame(link, identity));
      return left.length === links.length ? undefined : left;
    });
  }

  /** Writes the links of a person again where a key that will be taken away still holds them, and says how many records that were. */
  async reseal(userId: string): Promise<number> {
    const entry = await this.#options.lists.get(listName(userId));
    if (entry === undefined) return 0;
    let written = await this.#resealList(userId, entry);
    for (const link of entry.value.links) written += (await this.#resolve(link)).written;
    return written;
  }

  /** Whose an identity is. Its records are brought up to today's keys on the way, since nobody else may ever write them again. */
  async #resolve(identity: ForeignIdentity): Promise<Resolved> {
    const { holders } = this.#options;
    const entries = await Promise.all(
      this.#namesOf(identity).map(async (name) => ({ name, entry: await holders.get(name) })),
    );
    // Names are taken in their order: of two people on their way, only one can have got to the last.
    for (const { entry } of entries.toReversed()) {
      const userId = entry?.value.userId;
      const list = userId === undefined ? undefined : await this.#listNaming(userId, identity);
      if (userId === undefined || list === undefined) continue;
      const written = (await this.#resealList(userId, list)) + (await this.#resealHolders(userId, entries));
      return { userId, written };
    }
    return { userId: undefined, written: 0 };
  }

  async #resealList(userId: string, entry: Entry<LinkListRecord>): Promise<number> {
    return entry.outdated === true && (await this.#options.lists.replace(listName(userId), entry, entry.value)) ? 1 : 0;
  }

  /** An unlinking that goes on meanwhile is not undone by it: then the list says no. */
  async #resealHolders(userId: string, entries: readonly NamedEntry[]): Promise<number> {
    const { holders } = this.#options;
    const written = await Promise.all(
      entries.map(({ name, entry }) => {
        if (entry === undefined) return holders.claim(name, this.#heldBy(userId));
        const isOld = entry.outdated === true && entry.value.userId === userId;
        return isOld && holders.replace(name, entry, this.#heldBy(userId));
      }),
    );
    return written.filter(Boolean).length;
  }

  /** Takes an identity under each of its names, and stops where somebody else has it. */
  async #occupyAll(userId: string, identity: ForeignIdentity): Promise<boolean> {
    for (const name of this.#namesOf(identity)) if (!(await this.#occupy(name, userId, identity))) return false;
    return true;
  }

  /**
   * Takes one name. Who has it and does not see it in their list lost it halfway, and gives way.
   *
   * It is written anew where it is one's own already: another process may just have found that it was lost, and must not win after this.
   */
  async #occupy(name: string, userId: string, identity: ForeignIdentity): Promise<boolean> {
    const { holders } = this.#options;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const entry = await holders.get(name);
      const holder = entry?.value.userId;
      if (holder !== undefined && holder !== userId && (await this.#listNaming(holder, identity)) !== undefined)
        return false;
      const mine = this.#heldBy(userId);
      if (entry === undefined ? await holders.claim(name, mine) : await holders.replace(name, entry, mine)) return true;
    }
    throw new OAuthProxyError("storage_unavailable");
  }

  /** Lets go of a name where it is this person's, and by compare-and-swap: a delete could take it from who has it next. */
  async #vacate(name: string, userId: string): Promise<void> {
    const { holders } = this.#options;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const entry = await holders.get(name);
      if (entry === undefined || entry.value.userId !== userId) return;
      if (await holders.replace(name, entry, this.#heldBy(undefined), 1)) return;
    }
    throw new OAuthProxyError("storage_unavailable");
  }

  /** Changes the list of a person, and says whether there was anything to change. */
  async #change(userId: string, change: (links: readonly Link[]) => readonly Link[] | undefined): Promise<boolean> {
    const { lists } = this.#options;
    const name = listName(userId);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const entry = await lists.get(name);
      const links = change(entry?.value.links ?? []);
      if (links === undefined) return false;
      if (entry === undefined ? await lists.claim(name, { links }) : await lists.replace(name, entry, { links }))
        return true;
    }
    throw new OAuthProxyError("storage_unavailable");
  }

  /** The list of a person, where the identity is in it. */
  async #listNaming(userId: string, identity: ForeignIdentity): Promise<Entry<LinkListRecord> | undefined> {
    const entry = await this.#options.lists.get(listName(userId));
    return entry?.value.links.some((link) => isSame(link, identity)) ? entry : undefined;
  }

  #heldBy(userId: string | undefined): LinkHolderRecord {
    return { userId, mark: Buffer.from(this.#options.runtime.randomBytes(9)).toString("base64url") };
  }

  /** One for each key, in an order on which all processes agree. */
  #namesOf({ provider, subject }: ForeignIdentity): readonly string[] {
    return this.#options.keys
      .map((key) => Buffer.from(mac(key, "link", provider, subject)).toString("base64url"))
      .sort();
  }
}

interface Resolved {
  readonly userId: string | undefined;
  /** Records that were written on the way. */
  readonly written: number;
}

interface NamedEntry {
  readonly name: string;
  readonly entry: Entry<LinkHolderRecord> | undefined;
}

/** The links with this one among them; `undefined` where there is no room. Once linked it keeps its place and its time. */
function added(links: readonly Link[], link: Link): readonly Link[] | undefined {
  if (links.some((other) => isSame(other, link)))
    return links.map((other) => (isSame(other, link) ? { ...link, linkedAt: other.linkedAt } : other));
  return links.length < MOST_LINKS ? [...links, link] : undefined;
}

function isSame(one: ForeignIdentity, other: ForeignIdentity): boolean {
  return one.provider === other.provider && one.subject === other.subject;
}

function listName(userId: string): string {
  return digest(`links\0${userId}`);
}
