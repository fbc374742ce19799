import { type Collection, digest, type Keys } from "@sallyport/oauth-core/accounts";
import { describe, expect, test } from "vitest";
import { FAULTS, type Fault, keysOf, Records } from "../test/records.ts";
import { type LinkHolderRecord, type LinkListRecord, Links, MOST_LINKS } from "./links.ts";

const GOOGLE = { provider: "google", subject: "1234567890" };
const GITHUB = { provider: "github", subject: "1234567890" };
const LINK = { ...GOOGLE, label: "alice@example.com" };

function arranged() {
  const records = new Records();
  const links = (keys: Keys = keysOf("name"), seal: Keys = keysOf("seal")) =>
    new Links({
      holders: records.collection<LinkHolderRecord>("accounts-link", seal),
      lists: records.collection<LinkListRecord>("accounts-links", seal),
      keys,
      runtime: records.runtime,
    });
  const unsealed = () =>
    new Links({
      holders: records.unsealed<LinkHolderRecord>("accounts-link"),
      lists: records.unsealed<LinkListRecord>("accounts-links"),
      keys: keysOf("name"),
      runtime: records.runtime,
    });
  return { records, links, unsealed };
}

const subjectsOf = async (links: Links, userId: string) =>
  (await links.list(userId)).map(({ provider, subject }) => `${provider} ${subject}`);

describe("a link", () => {
  test("leads from an identity to its person in every instance, and is shown to them", async () => {
    const { records, links } = arranged();
    expect(await links().find(GOOGLE)).toBeUndefined();
    expect(await links().link("alice", LINK)).toBe("linked");
    expect(await links().find(GOOGLE)).toBe("alice");
    expect(await links().list("alice")).toEqual([{ ...LINK, linkedAt: records.now }]);
    expect(await links().list("bob")).toEqual([]);
  });

  test("OpenID Connect Core §5.7: is of one provider and one subject, to the letter", async () => {
    const { links } = arranged();
    await links().link("alice", { provider: "ab", subject: "c", label: "" });
    for (const other of [
      { provider: "a", subject: "bc" },
      { provider: "ab", subject: "C" },
      { provider: "ab", subject: "c\0" },
      { provider: "ab", subject: "c " },
      { provider: "", subject: "abc" },
      { provider: "c", subject: "ab" },
    ])
      expect(await links().find(other)).toBeUndefined();
    expect(await links().link("bob", { provider: "a", subject: "bc", label: "" })).toBe("linked");
    expect(await links().find({ provider: "ab", subject: "c" })).toBe("alice");
  });

  test("of an identity that is somebody else's is refused, and leaves nothing", async () => {
    const { links } = arranged();
    await links().link("alice", LINK);
    expect(await links().link("bob", LINK)).toBe("taken");
    expect(await links().find(GOOGLE)).toBe("alice");
    expect(await links().list("bob")).toEqual([]);
    expect(await subjectsOf(links(), "alice")).toEqual(["google 1234567890"]);
  });

  test("done again changes its label and nothing else", async () => {
    const { records, links } = arranged();
    await links().link("alice", LINK);
    await links().link("alice", { ...GITHUB, label: "alice" });
    const linkedAt = records.now;
    records.now += 60;
    expect(await links().link("alice", { ...LINK, label: "new@example.com" })).toBe("linked");
    expect(await links().list("alice")).toEqual([
      { ...GOOGLE, label: "new@example.com", linkedAt },
      { ...GITHUB, label: "alice", linkedAt },
    ]);
  });

  test("keeps of its label what can be shown", async () => {
    const { links } = arranged();
    await links().link("alice", { ...GOOGLE, label: `\u202e\0<b>${"x".repeat(1e6)}` });
    expect((await links().list("alice"))[0]?.label).toBe(`<b>${"x".repeat(197)}`);
  });

  test("lasts", async () => {
    const { records, links } = arranged();
    await links().link("alice", LINK);
    records.now += 20 * 365 * 86_400;
    expect(await links().find(GOOGLE)).toBe("alice");
  });

  test("is one of twenty at most; of the next nothing is left", async () => {
    const { links } = arranged();
    for (let more = 0; more < MOST_LINKS; more++)
      expect(await links().link("alice", { provider: "google", subject: String(more), label: "" })).toBe("linked");
    expect(MOST_LINKS).toBe(20);
    expect(await links().link("alice", LINK)).toBe("full");
    expect(await links().find(GOOGLE)).toBeUndefined();
    expect(await links().link("bob", LINK)).toBe("linked");
    expect(await links().link("alice", { provider: "google", subject: "0", label: "again" })).toBe("linked");
    await links().unlink("alice", { provider: "google", subject: "7" });
    expect(await links().link("alice", { ...GITHUB, label: "" })).toBe("linked");
  });

  test("is hidden at rest: no name and no value says whose it is", async () => {
    const { records, links } = arranged();
    await links().link("alice", LINK);
    const dump = await records.dump();
    for (const text of ["alice", "google", GOOGLE.subject, digest(GOOGLE.subject), digest("google1234567890")])
      expect(dump).not.toContain(text);
  });

  test("costs a sign-in two reads", async () => {
    const { records, links } = arranged();
    await links().link("alice", LINK);
    records.calls.length = 0;
    await links().find(GOOGLE);
    expect(records.calls.map((call) => call.split(" ")[0])).toEqual(["get", "get"]);
  });

  test.each(["accounts-link", "accounts-links"])(
    "is not absent where the storage of %s can't be reached",
    async (kind) => {
      const { records, links } = arranged();
      await links().link("alice", LINK);
      records.before = (call) => {
        if (call.startsWith(`get ${kind}:`)) throw new Error("the storage can not be reached");
      };
      await expect(links().find(GOOGLE)).rejects.toThrow("can not be reached");
    },
  );
});

describe("unlinking", () => {
  test("ends the way in, and anybody may have the identity then", async () => {
    const { links } = arranged();
    await links().link("alice", LINK);
    await links().link("alice", { ...GITHUB, label: "" });
    expect(await links().unlink("alice", GOOGLE)).toBe(true);
    expect(await links().find(GOOGLE)).toBeUndefined();
    expect(await subjectsOf(links(), "alice")).toEqual(["github 1234567890"]);
    expect(await links().link("bob", LINK)).toBe("linked");
    expect(await links().find(GOOGLE)).toBe("bob");
    expect(await links().unlink("alice", GOOGLE)).toBe(false);
    expect(await links().find(GOOGLE)).toBe("bob");
  });

  test("leaves no record of the identity", async () => {
    const { records, links } = arranged();
    await links().link("alice", LINK);
    await links().unlink("alice", GOOGLE);
    records.now += 2;
    expect((await records.names()).filter((name) => name.startsWith("accounts-link:"))).toEqual([]);
  });

  test("what somebody else linked changes nothing", async () => {
    const { links } = arranged();
    await links().link("alice", LINK);
    expect(await links().unlink("bob", GOOGLE)).toBe(false);
    expect(await links().unlink("", GOOGLE)).toBe(false);
    expect(await links().find(GOOGLE)).toBe("alice");
    expect(await subjectsOf(links(), "alice")).toHaveLength(1);
  });

  test("what nobody linked is no error", async () => {
    const { links } = arranged();
    expect(await links().unlink("alice", { provider: "\0", subject: "x".repeat(1024 * 1024) })).toBe(false);
  });
});

describe("at once", () => {
  test.each(["sealed", "unsealed"])("of 32 people who link one identity exactly one has it, %s", async (kind) => {
    for (let round = 0; round < 10; round++) {
      const { records, links, unsealed } = arranged();
      records.shuffled = true;
      const another = () => (kind === "sealed" ? links() : unsealed());
      const people = Array.from({ length: 32 }, (_, person) => `person-${person}`);
      const told = await Promise.all(people.map((person) => another().link(person, LINK)));
      const winners = people.filter((_, person) => told[person] === "linked");
      expect(winners).toHaveLength(1);
      expect(new Set(told)).toEqual(new Set(["linked", "taken"]));
      expect(await another().find(GOOGLE)).toBe(winners[0]);
      for (const person of people)
        expect(await subjectsOf(another(), person)).toHaveLength(person === winners[0] ? 1 : 0);
    }
  });

  test("of two processes, of which one has been given the next key already, exactly one links it", async () => {
    for (const words of [
      ["a", "b"],
      ["b", "a"],
      ["c", "d"],
      ["d", "c"],
    ] as const) {
      for (let round = 0; round < 10; round++) {
        const { records, links } = arranged();
        records.shuffled = true;
        const processes = [
          links(keysOf(words[0])),
          links(keysOf(words[1], words[0])),
          links(keysOf(words[0], words[1])),
        ];
        const told = await Promise.all(
          Array.from({ length: 12 }, (_, person) => processes[person % 3]?.link(`person-${person}`, LINK)),
        );
        expect(told.filter((answer) => answer === "linked")).toHaveLength(1);
        const winner = `person-${told.indexOf("linked")}`;
        for (const process of processes) expect(await process.find(GOOGLE)).toBe(winner);
      }
    }
  });

  test("32 identities that one person links are each linked or refused, and never more than twenty", async () => {
    const { records, links } = arranged();
    records.shuffled = true;
    const identities = Array.from({ length: 32 }, (_, at) => ({ provider: "google", subject: String(at) }));
    const told = await Promise.all(identities.map((one) => links().link("alice", { ...one, label: "" })));
    expect(told.filter((answer) => answer === "linked")).toHaveLength(MOST_LINKS);
    expect(told.filter((answer) => answer === "full")).toHaveLength(32 - MOST_LINKS);
    for (const [at, identity] of identities.entries())
      expect(await links().find(identity)).toBe(told[at] === "linked" ? "alice" : undefined);
  });

  test("a person who links twice has it once", async () => {
    for (let round = 0; round < 10; round++) {
      const { records, links } = arranged();
      records.shuffled = true;
      const told = await Promise.all(Array.from({ length: 8 }, () => links().link("alice", LINK)));
      expect(new Set(told)).toEqual(new Set(["linked"]));
      expect(await subjectsOf(links(), "alice")).toHaveLength(1);
    }
  });

  test("linking and unlinking by several people never leaves a way in that its person does not see", async () => {
    for (let round = 0; round < 30; round++) {
      const { records, links } = arranged();
      records.shuffled = true;
      const people = ["alice", "bob", "carol"];
      await Promise.all(
        Array.from({ length: 24 }, (_, step) => {
          const person = people[step % 3] ?? "";
          return step % 2 === 0 ? links().link(person, LINK) : links().unlink(person, GOOGLE);
        }),
      );
      const holder = await links().find(GOOGLE);
      if (holder !== undefined) expect(await subjectsOf(links(), holder)).toEqual(["google 1234567890"]);
      // Whatever is left, the identity is nobody's for ever: whoever is shown it can let go of it, and then anybody may link it.
      for (const person of people) await links().unlink(person, GOOGLE);
      expect(await links().find(GOOGLE)).toBeUndefined();
      expect(await links().link("dave", LINK)).toBe("linked");
      expect(await links().find(GOOGLE)).toBe("dave");
    }
  });

  test("of two processes that name their keys in another order exactly one links it, and not none", async () => {
    for (let round = 0; round < 100; round++) {
      const { records, links } = arranged();
      records.shuffled = true;
      const told = await Promise.all([
        links(keysOf("a", "b")).link("alice", LINK),
        links(keysOf("b", "a")).link("bob", LINK),
      ]);
      expect([...told].sort()).toEqual(["linked", "taken"]);
    }
  });

  test.each([
    ["old", "new"],
    ["new", "old"],
  ])("who is halfway (%s, then %s) is not taken for who got there", async (old, next) => {
    const { records, links } = arranged();
    const both = keysOf(next, old);
    let [alice, found, claims] = ["", undefined as string | undefined, 0];
    records.before = async (call) => {
      if (!call.startsWith("claim accounts-link:") || ++claims < 2) return;
      records.before = () => undefined;
      alice = await links(keysOf(old)).link("alice", LINK);
      found = await links(both).find(GOOGLE);
    };
    const bob = await links(both).link("bob", LINK);
    expect([alice, bob].sort()).toEqual(["linked", "taken"]);
    expect(found).toBe(alice === "linked" ? "alice" : "bob");
    expect(await links(both).find(GOOGLE)).toBe(found);
  });

  test("who is told that it is linked has it, although they let go of it on the way", async () => {
    const { records, links } = arranged();
    records.before = async (call) => {
      if (!call.startsWith("claim accounts-link:")) return;
      records.before = () => undefined;
      await links().unlink("alice", GOOGLE);
    };
    expect(await links().link("alice", LINK)).toBe("taken");
    expect(await links().find(GOOGLE)).toBeUndefined();
    expect(await links().list("alice")).toEqual([]);
    expect(await links().link("bob", LINK)).toBe("linked");
  });

  test("who lets go of it a second time does not take it from the next one", async () => {
    const { records, links } = arranged();
    await links().link("alice", LINK);
    records.before = async (call) => {
      if (!/^(replace|delete) accounts-link:/.test(call)) return;
      records.before = () => undefined;
      await links().unlink("alice", GOOGLE);
      await links().link("bob", LINK);
    };
    await links().unlink("alice", GOOGLE);
    expect(await links().find(GOOGLE)).toBe("bob");
  });

  test.each(["sealed", "unsealed"])(
    "who was found to have lost it and has it again is not passed over, %s",
    async (kind) => {
      const { records, links, unsealed } = arranged();
      const another = () => (kind === "sealed" ? links() : unsealed());
      await another().link("alice", LINK);
      await records.memory.delete(`accounts-links:${digest("links\0alice")}`);
      let alice = "";
      records.before = async (call) => {
        if (!call.startsWith("replace accounts-link:")) return;
        records.before = () => undefined;
        alice = await another().link("alice", LINK);
      };
      expect(await another().link("bob", LINK)).toBe("taken");
      expect(alice).toBe("linked");
      expect(await another().find(GOOGLE)).toBe("alice");
    },
  );

  test("a name that its person does not see goes to one of two: to who takes it over, or back to its person", async () => {
    for (let round = 0; round < 30; round++) {
      const { records, links } = arranged();
      await links().link("alice", LINK);
      await records.memory.delete(`accounts-links:${digest("links\0alice")}`);
      expect(await links().find(GOOGLE)).toBeUndefined();
      records.shuffled = true;
      const told = await Promise.all([links().link("alice", LINK), links().link("bob", LINK)]);
      expect([...told].sort()).toEqual(["linked", "taken"]);
      expect(await links().find(GOOGLE)).toBe(told[0] === "linked" ? "alice" : "bob");
    }
  });
});

/** Does it with every possible call going wrong in its turn, and looks at what is left each time. */
async function atEveryCall(
  fault: Fault,
  before: (links: Links) => Promise<unknown>,
  deed: (links: Links) => Promise<unknown>,
  look: (links: Links, happened: "fulfilled" | "rejected") => Promise<void>,
): Promise<number> {
  for (let nth = 1; ; nth++) {
    const { records, links } = arranged();
    const keys = keysOf("new", "old");
    await before(links(keys));
    records.breakAt(nth, fault);
    const [outcome] = await Promise.allSettled([deed(links(keys))]);
    if (!records.recover()) return nth - 1;
    await look(links(keys), outcome?.status ?? "rejected");
  }
}

describe.each(FAULTS)("where the storage %s in the middle", (fault) => {
  test("linking leaves no way in that is not seen, and is brought to an end by doing it again", async () => {
    const calls = await atEveryCall(
      fault,
      async () => undefined,
      (links) => links.link("alice", LINK),
      async (links) => {
        const listed = await subjectsOf(links, "alice");
        expect([undefined, "alice"]).toContain(await links.find(GOOGLE));
        if ((await links.find(GOOGLE)) === "alice") expect(listed).toEqual(["google 1234567890"]);
        expect(await links.link("alice", LINK)).toBe("linked");
        expect(await links.find(GOOGLE)).toBe("alice");
        expect(await subjectsOf(links, "alice")).toEqual(["google 1234567890"]);
      },
    );
    expect(calls).toBeGreaterThanOrEqual(8);
  });

  test("linking can be given up, and the identity be linked by somebody else", async () => {
    await atEveryCall(
      fault,
      async () => undefined,
      (links) => links.link("alice", LINK),
      async (links) => {
        await links.unlink("alice", GOOGLE);
        expect(await links.find(GOOGLE)).toBeUndefined();
        expect(await links.list("alice")).toEqual([]);
        expect(await links.link("bob", LINK)).toBe("linked");
      },
    );
  });

  test("unlinking leaves no way in that is not seen, and is brought to an end by doing it again", async () => {
    const calls = await atEveryCall(
      fault,
      (links) => links.link("alice", LINK),
      (links) => links.unlink("alice", GOOGLE),
      async (links, happened) => {
        const listed = await subjectsOf(links, "alice");
        if (happened === "fulfilled") expect(listed).toEqual([]);
        if ((await links.find(GOOGLE)) !== undefined) expect(listed).toEqual(["google 1234567890"]);
        await links.unlink("alice", GOOGLE);
        expect(await links.find(GOOGLE)).toBeUndefined();
        expect(await links.list("alice")).toEqual([]);
        expect(await links.link("bob", LINK)).toBe("linked");
        expect(await links.find(GOOGLE)).toBe("bob");
      },
    );
    expect(calls).toBeGreaterThanOrEqual(4);
  });

  test("an attempt at what is somebody else's never gets it, and theirs goes on", async () => {
    await atEveryCall(
      fault,
      (links) => links.link("alice", LINK),
      (links) => links.link("bob", LINK),
      async (links) => {
        expect(await links.find(GOOGLE)).toBe("alice");
        expect(await links.list("bob")).toEqual([]);
      },
    );
  });
});

test("who lost a race and crashed on the way back sees what is no way in, and can let go of it", async () => {
  const { records, links } = arranged();
  records.before = async (call) => {
    // Bob has looked, and found the identity free; alice links it before he is on.
    if (!call.startsWith("claim accounts-links:")) return;
    records.before = () => undefined;
    await links().link("alice", LINK);
    records.before = (next) => {
      if (next.startsWith("replace accounts-links:")) throw new Error("the storage can not be reached");
    };
  };
  await expect(links().link("bob", LINK)).rejects.toThrow("can not be reached");
  records.before = () => undefined;
  expect(await subjectsOf(links(), "bob")).toEqual(["google 1234567890"]);
  expect(await links().find(GOOGLE)).toBe("alice");
  expect(await links().unlink("bob", GOOGLE)).toBe(true);
  expect(await links().list("bob")).toEqual([]);
  expect(await links().find(GOOGLE)).toBe("alice");
});

describe("while secrets are rotated", () => {
  const [OLD, BOTH, NEW] = [keysOf("old"), keysOf("new", "old"), keysOf("new")];

  test("a link is found under every key, and refused to others by every process", async () => {
    const { links } = arranged();
    await links(OLD).link("alice", LINK);
    await links(BOTH).link("bob", { ...GITHUB, label: "" });
    for (const process of [links(OLD), links(BOTH), links(keysOf("old", "new"))]) {
      expect(await process.find(GOOGLE)).toBe("alice");
      expect(await process.find(GITHUB)).toBe("bob");
      expect(await process.link("carol", LINK)).toBe("taken");
      expect(await process.link("carol", { ...GITHUB, label: "" })).toBe("taken");
    }
  });

  test("what a process ends that knows only the old key is ended everywhere", async () => {
    const { links } = arranged();
    await links(BOTH).link("alice", LINK);
    expect(await links(OLD).unlink("alice", GOOGLE)).toBe(true);
    for (const process of [links(OLD), links(BOTH), links(NEW)]) {
      expect(await process.find(GOOGLE)).toBeUndefined();
      expect(await process.list("alice")).toEqual([]);
    }
    expect(await links(BOTH).link("bob", LINK)).toBe("linked");
    for (const process of [links(OLD), links(BOTH), links(NEW)]) expect(await process.find(GOOGLE)).toBe("bob");
  });

  test("a link that was used meanwhile outlives the old keys, of names and of seals", async () => {
    const { links } = arranged();
    await links(OLD, keysOf("old seal")).link("alice", LINK);
    expect(await links(BOTH, keysOf("new seal", "old seal")).find(GOOGLE)).toBe("alice");
    const after = links(NEW, keysOf("new seal"));
    expect(await after.find(GOOGLE)).toBe("alice");
    expect(await subjectsOf(after, "alice")).toHaveLength(1);
    expect(await after.link("bob", LINK)).toBe("taken");
  });

  test("one that was not used does when it is sealed again, and without that is nobody's", async () => {
    for (const [sealed, written] of [
      [true, 4],
      [false, 0],
    ] as const) {
      const { links } = arranged();
      const [old, both] = [links(OLD, keysOf("old seal")), links(BOTH, keysOf("new seal", "old seal"))];
      await old.link("alice", LINK);
      // The list; the holder under the old name; and under the new one.
      if (sealed) expect(await both.reseal("alice")).toBe(written - 1);
      if (sealed) expect(await both.reseal("alice")).toBe(0);
      expect(await both.reseal("nobody")).toBe(0);
      expect(await links(NEW, keysOf("new seal")).find(GOOGLE)).toBe(sealed ? "alice" : undefined);
    }
  });

  test("sealing again does not bring back what was left halfway", async () => {
    const { records, links } = arranged();
    await links(OLD).link("alice", LINK);
    // The way in is gone; the process was too, before it struck the line from the list.
    records.before = (call) => {
      if (call.startsWith("get accounts-links:")) throw new Error("the storage can not be reached");
    };
    await expect(links(OLD).unlink("alice", GOOGLE)).rejects.toThrow("can not be reached");
    records.before = () => undefined;
    records.now += 2;
    await links(BOTH, keysOf("new seal", "seal")).reseal("alice");
    expect(await links(BOTH, keysOf("new seal", "seal")).find(GOOGLE)).toBeUndefined();
  });

  test("a process with the keys of another server finds and reveals nothing", async () => {
    const { links } = arranged();
    await links().link("alice", LINK);
    const stranger = links(keysOf("theirs"), keysOf("their seal"));
    expect(await stranger.find(GOOGLE)).toBeUndefined();
    expect(await stranger.list("alice")).toEqual([]);
  });
});

test("works where the storage can't list", async () => {
  const { records } = arranged();
  const collection = <T>(prefix: string): Collection<T> =>
    records.collection<T>(prefix, keysOf("seal"), { list: false });
  const links = new Links({
    holders: collection("accounts-link"),
    lists: collection("accounts-links"),
    keys: keysOf("name"),
    runtime: records.runtime,
  });
  expect(await links.link("alice", LINK)).toBe("linked");
  expect(await links.find(GOOGLE)).toBe("alice");
  expect(await links.unlink("alice", GOOGLE)).toBe(true);
});

test("a record that can't be read is in the way of a link, and nobody waits for ever", async () => {
  const { records, links } = arranged();
  await links().link("alice", LINK);
  const [name = ""] = (await records.names()).filter((key) => key.startsWith("accounts-link:"));
  await records.memory.save(name, "s1.damaged");
  await expect(links().link("bob", LINK)).rejects.toMatchObject({ reason: "storage_unavailable" });
  expect(await links().find(GOOGLE)).toBeUndefined();
});
