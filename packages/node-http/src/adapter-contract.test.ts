import { adapterContract } from "@sallyport/contracts/adapters";
import { test } from "vitest";
import { nodeHttp } from "../test/subject.ts";

for (const clause of adapterContract) test(clause.sentence, () => clause.check(nodeHttp));
