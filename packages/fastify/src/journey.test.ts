/** From registration to revocation, on every kind of storage. */
import { fastify } from "fastify";
import { testJourneys } from "../../contracts/test/journeys.ts";
import { fastifySubject } from "../test/subject.ts";

testJourneys(fastifySubject(fastify));
