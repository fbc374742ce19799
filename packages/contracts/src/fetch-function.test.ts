/** From registration to revocation without any adapter, on every kind of storage. */
import { tried } from "../test/fetch-function.ts";
import { testJourneys } from "../test/journeys.ts";

testJourneys(tried);
