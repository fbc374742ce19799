/** The adapter contract, on the newest and the oldest version of each major that the package is for. */
import { adapterContract } from "@sallyport/contracts/adapters";
import Koa from "koa";
import Koa2 from "koa2";
import OldestKoa2 from "koa2-oldest";
import OldestKoa3 from "koa3-oldest";
import { describe, test } from "vitest";
import { koaSubject } from "../test/subject.ts";

describe.each([
  ["Koa 3", Koa],
  ["Koa 2", Koa2],
  ["the oldest Koa 3", OldestKoa3],
  ["the oldest Koa 2", OldestKoa2],
])("%s", (_, App) => {
  const subject = koaSubject(App);
  for (const { sentence, check } of adapterContract) test(sentence, () => check(subject));
});
