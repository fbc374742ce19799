/** The newest and the oldest Fastify that the adapter is for. */
import { fastify } from "fastify";
import { fastify as oldestFastify } from "fastify-oldest";
import type { Tried } from "../../contracts/test/tried.ts";
import { fastifySubject } from "./subject.ts";

const framework = "Fastify";

export const tried: readonly Tried[] = [
  { framework, module: "fastify", subject: fastifySubject(fastify) },
  { framework, module: "fastify-oldest", subject: fastifySubject(oldestFastify) },
];
