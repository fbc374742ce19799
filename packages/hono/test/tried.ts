/** The newest and the oldest Hono that the adapter is for, each on its own Node.js server and on a listener that passes URLs on as they are. */

import type { Waivers } from "@sallyport/contracts/adapters";
import { Hono } from "hono";
import { Hono as OldestHono } from "hono-oldest";
import type { Tried } from "../../contracts/test/tried.ts";
import { fetchSubject, honoSubject } from "./subject.ts";

const framework = "Hono";
const remark = "as a fetch function";
const waivers: Waivers = {
  "target-as-sent":
    "`@hono/node-server` normalises the URL, as the Fetch standard has it: dot segments are gone before any app sees it. Routes and endpoints see the same URL.",
};

export const tried: readonly Tried[] = [
  { framework, module: "hono", subject: honoSubject(Hono), waivers },
  { framework, module: "hono", remark, subject: fetchSubject(Hono) },
  { framework, module: "hono-oldest", subject: honoSubject(OldestHono), waivers },
  { framework, module: "hono-oldest", remark, subject: fetchSubject(OldestHono) },
];
