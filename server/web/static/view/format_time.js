/** Date and time formats in the UI language and the local time zone. Times are in ms since the epoch. */

import { strings } from "../i18n/strings.js";

const FORMATS = {
  clock: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  timestamp: { dateStyle: "full", timeStyle: "medium", hourCycle: "h23" },
  day: { weekday: "long", day: "numeric", month: "long" },
  date: { dateStyle: "full" },
  shortDate: { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" },
};
const formatters = new Map();

/** Return a function that formats a time in the current language; formatters are created once per language. */
function createFormatter(format) {
  return (ts) => {
    const key = `${strings.lang} ${format}`;
    if (!formatters.has(key)) formatters.set(key, new Intl.DateTimeFormat(strings.lang, FORMATS[format]));
    return formatters.get(key).format(ts);
  };
}

/** Return the time of day: `15:05`. */
export const formatClock = createFormatter("clock");
/** Return a complete date with the time to the second. */
export const formatTimestamp = createFormatter("timestamp");
/** Return a date without its year: `Friday, November 20`. */
export const formatDay = createFormatter("day");
/** Return a complete date: `Friday, November 20, 2026`. */
export const formatDate = createFormatter("date");
/** Return an abbreviated date with the time: `Nov 20, 2026, 15:05`. */
export const formatShortDate = createFormatter("shortDate");

/** @type {Record<string, number>} */
const RELATIVE_UNITS = { week: 604_800, day: 86_400, hour: 3600, minute: 60, second: 1 };

/**
 * Return a duration in the largest unit that divides it: `90 minutes`, `1 week`.
 * @param {number} seconds
 */
export function formatDuration(seconds) {
  const [unit, unitSeconds] = Object.entries(RELATIVE_UNITS).find(([, size]) => seconds % size === 0) ?? ["second", 1];
  return new Intl.NumberFormat(strings.lang, { style: "unit", unit, unitDisplay: "long" }).format(seconds / unitSeconds);
}
