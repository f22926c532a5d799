/**
 * Parser of durations and of the end of a sanction; the same rules as in `tui_chat/session/duration_parser.py`.
 *
 * - Durations: `30m`, `2h`, `7d`, `2w`, `1h30m`, `30分钟`, `2小时`, `7天`, `2周`.
 * - Dates: `2026-12-01`, the start of this day in local time, and `2026-12-01T18:30`.
 */

import { MAX_TIMESTAMP } from "./sanitize.js";

/** @type {Record<string, number>} */
const UNIT_SECONDS = { m: 60, min: 60, h: 3600, d: 86_400, w: 604_800, 分钟: 60, 分: 60, 小时: 3600, 天: 86_400, 周: 604_800 };
const DURATION_PART = "(\\d{1,6})(min|m|h|d|w|分钟|分|小时|天|周)";
const DURATION = new RegExp(`^(?:${DURATION_PART})+$`, "u");
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}))?$/i;

/**
 * Return whether a word starts with a digit, as each duration and date does.
 * @param {string} word
 */
export function isDurationLike(word) {
  return /^\d/.test(word);
}

/**
 * Return the seconds of a duration; null for another form.
 * @param {string} word Duration in any case.
 */
export function parseDuration(word) {
  const normalized = word.toLowerCase();
  if (!DURATION.test(normalized)) return null;
  const parts = [...normalized.matchAll(new RegExp(DURATION_PART, "gu"))];
  return parts.reduce((seconds, [, count, unit]) => seconds + Number(count) * UNIT_SECONDS[unit], 0);
}

/**
 * Return the end in ms since the epoch; null for an unknown form or a time outside the calendar.
 * @param {string} word Duration or date in local time, in any case.
 * @param {number} now Start of a duration, in ms since the epoch.
 */
export function parseEnd(word, now) {
  const seconds = parseDuration(word);
  const end = seconds === null ? parseDate(word) : now + seconds * 1000;
  return end !== null && end >= 0 && end < MAX_TIMESTAMP ? end : null;
}

/** @param {string} word */
function parseDate(word) {
  const [year, month, day, hour = 0, minute = 0] = (word.match(DATE) ?? []).slice(1).map((part) => Number(part ?? 0));
  if (year === undefined) return null;
  const date = new Date(year, month - 1, day, hour, minute);
  const isInCalendar = date.getFullYear() === year && date.getMonth() === month - 1 && date.getDate() === day && hour < 24 && minute < 60;
  return isInCalendar ? date.getTime() : null;
}
