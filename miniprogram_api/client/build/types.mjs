// Writes src/api/schema.d.ts from the OpenAPI document (`npm run types`). It is not in git: what is made anew cannot be out of date.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import openapiTS, { astToString } from "openapi-typescript";
import { CLIENT, SOURCE, write } from "./files.mjs";

const HOUSE = path.join(CLIENT, "../..");
const PREFIX = "/api/v1";

/** Paths as `api.ts` names them, and of the answers those that are no refusal: every refusal is a Problem. */
export function forTheClient(document) {
  const paths = {};
  for (const [address, item] of Object.entries(document.paths)) {
    for (const operation of Object.values(item)) {
      if (!operation?.responses) continue;
      operation.responses = Object.fromEntries(Object.entries(operation.responses).filter(([status]) => status.startsWith("2")));
    }
    paths[address.startsWith(PREFIX) ? address.slice(PREFIX.length) : address] = item;
  }
  return { ...document, paths };
}

/** The document of a file that is given, else of the platform's own sources. */
function read(given) {
  if (given) return fs.readFileSync(given, "utf8");
  const python = [path.join(HOUSE, ".venv/bin/python"), "python3"].find((name) => !path.isAbsolute(name) || fs.existsSync(name));
  return execFileSync(python, ["-m", "miniprogram_api.openapi"], { cwd: HOUSE, encoding: "utf8", maxBuffer: 64 * 2 ** 20 });
}

if (process.argv[1] === import.meta.filename) {
  const document = forTheClient(JSON.parse(read(process.argv[2])));
  write(SOURCE, "api/schema.d.ts", astToString(await openapiTS(document, { alphabetize: true, defaultNonNullable: false })));
}
