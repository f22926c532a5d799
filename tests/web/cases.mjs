/** Runner and helpers of the unit tests of the page's modules. */

import { pathToFileURL } from "node:url";

/** Noon of a day in local time, in ms since the epoch. */
export const NOON = new Date(2026, 10, 20, 12).getTime();

/** Import a module of the page; the first argument of the script is the folder of the modules. */
export const load = (name) => import(pathToFileURL(`${process.argv[2]}/${name}.js`).href);

/** Return a message entry whose nickname is the member id. */
export function messageEntry(seq, memberId, ts, overrides = {}) {
  return { kind: "message", seq, memberId, nickName: memberId, message: `text ${seq}`, ts, ...overrides };
}

/** Run the cases, and print one JSON line with their number; exit status 1 after the first failure. */
export async function runCases(cases) {
  for (const [name, run] of Object.entries(cases)) {
    try {
      await run();
    } catch (error) {
      console.log(JSON.stringify({ failed: name, error: error.message }));
      process.exit(1);
    }
  }
  console.log(JSON.stringify({ cases: Object.keys(cases).length, failed: 0 }));
}
