import { adapterContract } from "@sallyport/contracts/adapters";
import express from "express";
import express4 from "express4";
import express4Oldest from "express4-oldest";
import express5Oldest from "express5-oldest";
import { describe, test } from "vitest";
import { expressSubject, type Flavour } from "../test/subject.ts";

describe.each<[string, Flavour]>([
  ["Express 5", { express, extended: true }],
  ["Express 4", { express: express4, extended: true }],
  ["Express 5.0.0, with simple forms", { express: express5Oldest, extended: false }],
  ["Express 4.20.0, with simple forms", { express: express4Oldest, extended: false }],
])("%s", (_, flavour) => {
  for (const clause of adapterContract) test(clause.sentence, () => clause.check(expressSubject(flavour)));
});
