/** From registration to revocation, on every kind of storage. */
import { testJourneys } from "../../contracts/test/journeys.ts";
import { tried } from "../test/tried.ts";

testJourneys(tried);
