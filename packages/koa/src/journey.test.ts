/** From registration to revocation, on every kind of storage. */
import Koa from "koa";
import Koa2 from "koa2";
import { describe } from "vitest";
import { testJourneys } from "../../contracts/test/journeys.ts";
import { koaSubject } from "../test/subject.ts";

describe.each([
  ["Koa 3", Koa],
  ["Koa 2", Koa2],
])("%s", (_, App) => testJourneys(koaSubject(App)));
