/** jose, loaded by the first token or key that needs it: a program that imports this package and verifies nothing pays nothing. */

type Jose = typeof import("jose");

let loading: Promise<Jose> | undefined;

/** The library, once it is there. */
export function loadJose(): Promise<Jose> {
  loading ??= import("jose");
  return loading;
}
