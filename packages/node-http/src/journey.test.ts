import { testJourneys } from "../../contracts/test/journeys.ts";
import { nodeHttp } from "../test/subject.ts";

testJourneys(nodeHttp);
