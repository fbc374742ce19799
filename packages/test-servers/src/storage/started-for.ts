/** Programs for one test. */

import type { TestContext } from "vitest";
import { Program } from "../program.ts";

/** Starts a program, which does not outlive the test. */
export function startedFor(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  file: URL,
  ...args: readonly string[]
): Program {
  const program = new Program(file, ...args);
  onTestFinished(() => program.kill());
  return program;
}
