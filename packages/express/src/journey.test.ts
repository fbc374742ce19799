import express from "express";
import express4 from "express4";
import { describe } from "vitest";
import { testJourneys } from "../../contracts/test/journeys.ts";
import { expressSubject } from "../test/subject.ts";

describe("Express 5", () => testJourneys(expressSubject({ express, extended: true })));
describe("Express 4", () => testJourneys(expressSubject({ express: express4, extended: true })));
