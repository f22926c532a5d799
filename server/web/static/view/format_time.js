/**
 * Moments as the page writes them, in its language and the reader's time zone.
 */

import { words } from "../i18n/strings.js";

const FORMS = {
  clock: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  moment: { dateStyle: "full", timeStyle: "medium", hourCycle: "h23" },
  fullDay: { weekday: "long", day: "numeric", month: "long" },
  fullDate: { dateStyle: "full" },
  shortDate: { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" },
};
const made = new Map();

function formatted(form) {
  return (ts) => {
    const key = `${words.lang} ${form}`;
    if (!made.has(key)) made.set(key, new Intl.DateTimeFormat(words.lang, FORMS[form]));
    return made.get(key).format(ts);
  };
}

/** Each takes milliseconds since the epoch. */
export const clock = formatted("clock");
export const moment = formatted("moment");
export const fullDay = formatted("fullDay");
export const fullDate = formatted("fullDate");
export const shortDate = formatted("shortDate");
