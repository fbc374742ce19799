/** Programs of this folder as processes of their own. */

import type { Program } from "@sallyport/test-servers";
import { startedFor } from "@sallyport/test-servers/storage-proofs";
import type { TestContext } from "vitest";

/** Starts a file of this folder, named without `.ts`, for one test. */
export function started(
  context: Pick<TestContext, "onTestFinished">,
  name: string,
  ...args: readonly string[]
): Program {
  return startedFor(context, new URL(`${name}.ts`, import.meta.url), ...args);
}
