/** What the programs of storages' tests do, each with the store that it has opened. They run without a test runner. */
export { raceForEverything, ready } from "./storage/racer.ts";
export { writeWithoutEnd } from "./storage/writer.ts";
