/** Measures the product, and says which targets it keeps. Exit code 1 where it misses one. */

import { benchAccounts } from "./accounts.ts";
import { benchAdapters } from "./adapters.ts";
import { print, printMachine } from "./report.ts";
import { benchStorageDisk } from "./storage-disk.ts";
import { benchVerification } from "./verification.ts";

const ROUNDS = 15;

printMachine();
console.log("Median of the rounds [range]\n");
const results = [
  ...(await benchAdapters(ROUNDS)),
  ...(await benchStorageDisk(ROUNDS)),
  ...(await benchVerification(ROUNDS)),
  ...(await benchAccounts(ROUNDS)),
];
const kept = results.map(print);
if (kept.includes(false)) process.exitCode = 1;
