/** From registration to revocation, on every kind of storage. */
import { Hono } from "hono";
import { testJourneys } from "../../contracts/test/journeys.ts";
import { honoSubject } from "../test/subject.ts";

testJourneys(honoSubject(Hono));
