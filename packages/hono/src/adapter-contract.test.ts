/** The adapter contract, on Hono's own Node.js server and on a listener that passes URLs on as they are. */
import { adapterContract, underWaivers, type Waivers } from "@sallyport/contracts/adapters";
import { Hono } from "hono";
import { Hono as OldestHono } from "hono-oldest";
import { describe, test } from "vitest";
import { fetchSubject, honoSubject } from "../test/subject.ts";

const waivers: Waivers = {
  "target-as-sent":
    "The URL of a Request is normalised by the Fetch standard and so by @hono/node-server: dot segments are gone before any app sees it. Routes and endpoints see the same URL.",
};

describe.each([
  ["Hono 4", Hono],
  ["the oldest Hono 4", OldestHono],
])("%s", (_, App) => {
  describe("on @hono/node-server", () => {
    const subject = honoSubject(App);
    for (const { clause, waived } of underWaivers(adapterContract, waivers))
      test(clause.sentence, async ({ skip }) => {
        if (waived !== undefined) skip(waived);
        await clause.check(subject);
      });
  });

  describe("as a fetch function", () => {
    const subject = fetchSubject(App);
    for (const { sentence, check } of adapterContract) test(sentence, () => check(subject));
  });
});
