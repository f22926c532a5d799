/**
 * Test vectors in Node.js.
 *
 * Arguments: the folder of the page's modules, and the vector files. Prints the report as one JSON line.
 */

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { runVectors } from "./run_vectors.mjs";

const [folder, ...paths] = process.argv.slice(2);
const files = Object.fromEntries(paths.map((path) => [basename(path, ".json"), JSON.parse(readFileSync(path, "utf8"))]));
const report = await runVectors((module) => import(pathToFileURL(`${folder}/${module}.js`).href), files);
console.log(JSON.stringify(report));
