/** The adapter contract, on the newest and the oldest Fastify that the package is for. */
import { adapterContract } from "@sallyport/contracts/adapters";
import { fastify } from "fastify";
import { fastify as oldestFastify } from "fastify-oldest";
import { describe, test } from "vitest";
import { fastifySubject } from "../test/subject.ts";

describe.each([
  ["Fastify 5", fastify],
  ["the oldest Fastify 5", oldestFastify],
])("%s", (_, create) => {
  const subject = fastifySubject(create);
  for (const { sentence, check } of adapterContract) test(sentence, () => check(subject));
});
