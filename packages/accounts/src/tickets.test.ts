import { createHash } from "node:crypto";
import { KeyRing, seal } from "@sallyport/oauth-core/accounts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HOSTILE, keysOf, Records } from "../test/records.ts";
import { Tickets } from "./tickets.ts";

const VERIFIER = "v".repeat(43);
const CHALLENGE = createHash("sha256").update(VERIFIER).digest("base64url");
const ASKED = {
  state: "s".repeat(43),
  codeChallenge: CHALLENGE,
  formTarget: "https://client.example",
  expiresAt: new Records().now + 600,
};

function arranged() {
  const records = new Records();
  const tickets = (...keys: readonly [string, ...string[]]) =>
    new Tickets({ ring: new KeyRing(keysOf(...keys)), runtime: records.runtime });
  const signedIn = { userId: "u1", epoch: 3, at: records.now, methods: ["pwd"], codeChallenge: CHALLENGE };
  return { records, tickets, signedIn };
}

describe("a ticket", () => {
  test("says at the callback who signed in, in any instance with the same key", () => {
    const { records, tickets, signedIn } = arranged();
    const ticket = tickets("a").issue(signedIn);
    expect(tickets("a").open(ticket, VERIFIER)).toEqual({ ...signedIn, expiresAt: records.now + 60 });
  });

  test("RFC 9700 §4.5: is worth nothing to who has another verifier, such as the victim of an injected code", () => {
    const { tickets, signedIn } = arranged();
    const ticket = tickets("a").issue(signedIn);
    for (const verifier of ["w".repeat(43), "", CHALLENGE]) expect(tickets("a").open(ticket, verifier)).toBeUndefined();
  });

  test("ends after a minute", () => {
    const { records, tickets, signedIn } = arranged();
    const ticket = tickets("a").issue(signedIn);
    records.now += 59;
    expect(tickets("a").open(ticket, VERIFIER)).toBeDefined();
    records.now += 1;
    expect(tickets("a").open(ticket, VERIFIER)).toBeUndefined();
  });

  test("opens while its key is still in the ring, and not after", () => {
    const { tickets, signedIn } = arranged();
    const ticket = tickets("old").issue(signedIn);
    expect(tickets("new", "old").open(ticket, VERIFIER)).toBeDefined();
    expect(tickets("new").open(ticket, VERIFIER)).toBeUndefined();
  });

  test("shows nothing of what it says, and no two are the same", () => {
    const { tickets, signedIn } = arranged();
    const [one, other] = [tickets("a").issue(signedIn), tickets("a").issue(signedIn)];
    expect(one).not.toBe(other);
    expect(one).toMatch(/^[A-Za-z0-9_.-]+$/);
    expect(Buffer.from(one.split(".")[2] ?? "", "base64url").toString("latin1")).not.toContain("u1");
  });
});

describe("the request of a sign-in page", () => {
  test("comes back as it was sealed, until the sign-in is over that it belongs to", () => {
    const { records, tickets } = arranged();
    const request = tickets("a").request(ASKED);
    expect(tickets("a").openRequest(request)).toEqual(ASKED);
    records.now = ASKED.expiresAt - 1;
    expect(tickets("a").openRequest(request)).toBeDefined();
    records.now += 1;
    expect(tickets("a").openRequest(request)).toBeUndefined();
  });

  test("holds the longest state and target that there are", () => {
    const { tickets } = arranged();
    const longest = { ...ASKED, state: "s".repeat(87), formTarget: `https://${"a".repeat(253)}:65535` };
    expect(tickets("a").openRequest(tickets("a").request(longest))).toMatchObject(longest);
  });
});

describe("what is none", () => {
  test("a request is no ticket and a ticket is no request", () => {
    const { tickets, signedIn } = arranged();
    const { issue, request, open, openRequest } = bound(tickets("a"));
    expect(open(request(ASKED), VERIFIER)).toBeUndefined();
    expect(openRequest(issue(signedIn))).toBeUndefined();
  });

  test("a record that was sealed with the same key for the storage is neither", () => {
    const { records, tickets, signedIn } = arranged();
    const text = JSON.stringify({ ...signedIn, ...ASKED, expiresAt: records.now + 60 });
    for (const place of ["accounts-ticket:", "accounts-session:x", "accounts-sign-in-request:", ""]) {
      const record = seal(new KeyRing(keysOf("a")), place, text);
      expect(tickets("a").open(record, VERIFIER)).toBeUndefined();
      expect(tickets("a").openRequest(record)).toBeUndefined();
    }
  });

  test("a text longer than any of ours is not opened, even if it would", () => {
    const { records, tickets, signedIn } = arranged();
    const sealed = (more: string) =>
      seal(
        new KeyRing(keysOf("a")),
        "accounts-ticket",
        JSON.stringify({ ...signedIn, more, expiresAt: records.now + 60 }),
      );
    expect(tickets("a").open(sealed(""), VERIFIER)).toBeDefined();
    expect(tickets("a").open(sealed("x".repeat(4096)), VERIFIER)).toBeUndefined();
  });

  test("a hostile text is neither", () => {
    const { tickets } = arranged();
    for (const text of HOSTILE) {
      expect(tickets("a").open(text, VERIFIER)).toBeUndefined();
      expect(tickets("a").openRequest(text)).toBeUndefined();
    }
  });

  test("a ticket that was changed anywhere, cut or lengthened is none", () => {
    const { tickets, signedIn } = arranged();
    const ticket = tickets("a").issue(signedIn);
    fc.assert(
      fc.property(fc.nat(ticket.length - 1), fc.constantFrom("A", "z", "-", "\0", ""), (at, instead) => {
        const changed = ticket.slice(0, at) + instead + ticket.slice(at + 1);
        fc.pre(changed !== ticket);
        expect(tickets("a").open(changed, VERIFIER)).toBeUndefined();
      }),
    );
    for (const changed of [ticket.slice(0, -1), `${ticket}A`, ` ${ticket}`, `${ticket}\n`, ticket.toUpperCase()])
      expect(tickets("a").open(changed, VERIFIER)).toBeUndefined();
  });
});

/** The verbs by themselves. */
const bound = (tickets: Tickets) => ({
  issue: tickets.issue.bind(tickets),
  request: tickets.request.bind(tickets),
  open: tickets.open.bind(tickets),
  openRequest: tickets.openRequest.bind(tickets),
});
