/**
 * Sanitizing and validation of texts (docs/protocol.md, "Text and names"); the same rules as in
 * `tui_chat/protocol/sanitize.py`.
 *
 * - A text without a visible character counts as empty.
 * - Sent texts are sanitized before the outbox, so that a pending message equals its log entry.
 * - Received texts are sanitized again, because the page does not rely on the server.
 */

import { RequestError } from "../net/request_error.js";
import { ATTACHMENTS_PER_MESSAGE, MESSAGE_CHARACTERS, PATH_CHARACTERS, QUERY_CHARACTERS, REACTION_NAMES, REACTIONS_PER_MESSAGE, SECRET_CHARACTERS, TOPIC_CHARACTERS } from "./limits.js";

const PRINTABLE_ASCII = /^[ -~]*$/;
const LINE_BREAKS = /\r\n|[\r\u0085\u2028\u2029]/g;
const FORBIDDEN_IN_BODY = /[\0-\b\v-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
const FORBIDDEN_IN_LINE = /[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
const VISIBLE = /[^\p{Z}\p{Cc}\p{Default_Ignorable_Code_Point}\u2800\ufff9-\ufffc\u{13430}-\u{13442}\u{1d159}]/u;
export const MAX_TIMESTAMP = 253_402_214_400_000; // ms since the epoch, the start of 9999-12-31 UTC
const FILE_PATH = /^\/api\/uploads\/[\w-]+(?:\.preview)?\/[\w.~!$&'()*+,;=:@%-]+$/;
const SURROUNDING_SPACE = /^[\p{Z}\t-\r]+|[\p{Z}\t-\r]+$/gu;

/**
 * Return a message body of any length in sanitized form; all line breaks become newlines.
 * @param {string} text
 * @throws {RequestError} `bad_request` for a lone surrogate, which no encoding supports.
 */
export function sanitizeBody(text) {
  if (PRINTABLE_ASCII.test(text)) return text;
  requireEncodable(text);
  return text.replace(LINE_BREAKS, "\n").replace(FORBIDDEN_IN_BODY, "").normalize("NFC");
}

/**
 * Return a text as one sanitized line without surrounding space; the result may be empty.
 * @param {string} text
 * @throws {RequestError} `bad_request` for a lone surrogate.
 */
export function sanitizeLine(text) {
  requireEncodable(text);
  const line = text.replace(LINE_BREAKS, "\n").replace(/[\n\t]/g, " ").replace(FORBIDDEN_IN_LINE, "");
  return stripSpace(line.normalize("NFC"));
}

/**
 * Return a sanitized message body that is neither blank nor too long.
 * @param {string} text
 * @throws {RequestError} `bad_request` or `too_long`.
 */
export function validateMessage(text) {
  const body = requireMaxLength(sanitizeBody(text), MESSAGE_CHARACTERS, "message_too_long");
  if (isBlank(body)) throw new RequestError("bad_request", { reason: "message_empty" });
  return body;
}

/**
 * Return a sanitized topic, empty for a blank one.
 * @param {string} text
 * @throws {RequestError} `bad_request` or `too_long`.
 */
export function validateTopic(text) {
  return validateLine(text, TOPIC_CHARACTERS, "topic_too_long");
}

/**
 * Return a sanitized search query, empty for a blank one.
 * @param {string} text
 * @throws {RequestError} `bad_request` or `too_long`.
 */
export function validateQuery(text) {
  return validateLine(text, QUERY_CHARACTERS, "query_too_long");
}

/**
 * Return whether a text has no visible character.
 * @param {string} text
 */
export function isBlank(text) {
  return !VISIBLE.test(text);
}

/**
 * Return a timestamp in ms since the epoch, clamped to the years that dates of the page and of other clients support; 0 for
 * an invalid one.
 * @param {unknown} ts
 */
export function sanitizeTimestamp(ts) {
  return typeof ts === "number" && ts > 0 ? Math.min(ts, MAX_TIMESTAMP) : 0;
}

/**
 * Return a received number of members, bytes or pixels; 0 for an invalid one.
 * @param {unknown} count
 */
export function sanitizeCount(count) {
  return typeof count === "number" && Number.isSafeInteger(count) && count > 0 ? count : 0;
}

/**
 * Return a received entry, notice or member with sanitized texts and timestamp, and with sanitized members, reactions
 * and files. The result is the same object if the received one has none of these three and is valid.
 * @template {object} T
 * @param {T} received
 * @returns {T}
 */
export function sanitizeReceived(received) {
  const record = /** @type {Record<string, unknown>} */ (received);
  let sanitized = record;
  for (const [field, sanitize] of Object.entries(SANITIZERS)) {
    const value = record[field];
    const safe = typeof value === "string" ? sanitize(value.toWellFormed()) : value;
    if (safe !== value) sanitized = { ...sanitized, [field]: safe };
  }
  const ts = "kind" in record ? sanitizeTimestamp(record.ts) : record.ts;
  if (ts !== record.ts) sanitized = { ...sanitized, ts };
  for (const field of ["by", "target"]) {
    const member = record[field];
    if (typeof member === "object" && member) sanitized = { ...sanitized, [field]: sanitizeReceived(member) };
  }
  if (record.reactions) sanitized = { ...sanitized, reactions: sanitizeReactions(record.reactions) };
  if (record.attachments) sanitized = { ...sanitized, attachments: sanitizeAttachments(record.attachments) };
  return /** @type {T} */ (sanitized);
}

/** @param {any} reactions Summaries by emoji. */
function sanitizeReactions(reactions) {
  const summaries = Object.entries(reactions).slice(0, REACTIONS_PER_MESSAGE);
  return Object.fromEntries(
    summaries.map(([emoji, { count, by, own }]) => [sanitizeLine(emoji.toWellFormed()), { count, by: by.slice(0, REACTION_NAMES).map(sanitizeReceived), own }]),
  );
}

/** @param {any} attachments */
function sanitizeAttachments(attachments) {
  return attachments.slice(0, ATTACHMENTS_PER_MESSAGE).map(sanitizeUpload);
}

/**
 * Return a received description of a file with sanitized fields: an invalid path is empty, an invalid number 0.
 * @param {any} attachment
 * @returns {import("./room_log.js").Attachment}
 */
export function sanitizeUpload({ id, name, type, size, path, width, height, preview, poster }) {
  return {
    id: String(id),
    name: sanitizeLine(String(name).toWellFormed()),
    type: sanitizeLine(String(type).toWellFormed()),
    size: sanitizeCount(size),
    path: sanitizePath(path),
    width: sanitizeCount(width),
    height: sanitizeCount(height),
    preview: sanitizePath(preview),
    poster: sanitizePath(poster),
  };
}

/** Return the path of a file; empty for any other path. */
function sanitizePath(path) {
  return typeof path === "string" && path.length <= PATH_CHARACTERS && FILE_PATH.test(path) ? path : "";
}

const SANITIZERS = { message: sanitizeBody, nickName: sanitizeLine, oldNickName: sanitizeLine, topic: sanitizeLine, emoji: sanitizeLine, away: sanitizeLine, reason: sanitizeLine, title: sanitizeLine, newName: sanitizeLine };

/**
 * Remove surrounding white space, without the further characters that `String.trim` removes.
 * @param {string} text
 */
export function stripSpace(text) {
  return text.replace(SURROUNDING_SPACE, "");
}

/**
 * Count the code points of a text.
 * @param {string} text
 */
export function countCodePoints(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/**
 * Return the length of a message for the limit: the code points of its sanitized form.
 * @param {string} text
 */
export function messageLength(text) {
  return countCodePoints(sanitizeBody(text.toWellFormed()));
}

/**
 * Reject a text with a lone surrogate, such as half an emoji.
 * @param {string} text
 * @throws {RequestError} `bad_request`.
 */
export function requireEncodable(text) {
  if (!text.isWellFormed()) throw new RequestError("bad_request", { reason: "text_unencodable" });
}

/**
 * Reject a response with an invalid opaque string, which is stored but never displayed.
 * @param {unknown[]} values Guest keys and log ids.
 * @throws {RequestError} `internal`.
 */
export function requireOpaqueStrings(...values) {
  const isValid = values.every((value) => typeof value === "string" && value.length <= SECRET_CHARACTERS);
  if (!isValid) throw new RequestError("internal", { reason: "response_invalid" });
}

/**
 * @param {string} text
 * @param {number} limit Code points.
 */
function validateLine(text, limit, reason) {
  const line = requireMaxLength(sanitizeLine(text), limit, reason);
  return isBlank(line) ? "" : line;
}

/**
 * @param {string} text
 * @param {number} limit Code points.
 */
function requireMaxLength(text, limit, reason) {
  if (text.length > limit && countCodePoints(text) > limit) {
    throw new RequestError("too_long", { reason, params: { limit, count: countCodePoints(text) } });
  }
  return text;
}
