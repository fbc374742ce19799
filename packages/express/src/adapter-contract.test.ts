/** The adapter contract, on everything that the package is for. */
import { testContract } from "../../contracts/test/keeps-contract.ts";
import { tried } from "../test/tried.ts";

testContract(tried);
