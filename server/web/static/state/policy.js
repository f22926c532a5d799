/** Fields of a room policy (docs/protocol.md, "Rooms and policies"). */

const AUDIENCES = ["everyone", "members", "moderators"];
const MANAGERS = ["members", "moderators", "owner"];

/**
 * Selectable values by field, with the default first. Private rooms have a fixed `visibility`.
 * @type {Record<string, string[]>}
 */
export const POLICY_VALUES = {
  visibility: ["public", "unlisted"],
  speak: AUDIENCES,
  guestPost: ["true", "false"],
  react: AUDIENCES,
  upload: AUDIENCES,
  topic: MANAGERS,
  invite: MANAGERS,
};

/** All fields, in order of their display. */
export const POLICY_FIELDS = [...Object.keys(POLICY_VALUES), "keep"];

const RETENTION_EXAMPLES = ["30d", "1000", "all"];
const MAX_DAYS = 36_500;
const MAX_MESSAGES = 10_000_000;

/**
 * Return the default value of a field as it appears in a policy.
 * @param {string} field Field of `POLICY_VALUES`.
 */
export function defaultValue(field) {
  return toWireValue(POLICY_VALUES[field][0]);
}

/**
 * Convert a selected value to the value of a request.
 * @param {string} value
 */
export function toWireValue(value) {
  return value === "true" || value === "false" ? value === "true" : value;
}

/**
 * Return the possible values of a field, examples for `keep`; empty for an unknown field.
 * @param {string} typedName Name in any letter case.
 * @returns {string[]}
 */
export function policyValues(typedName) {
  const field = findField(typedName);
  return field === undefined ? [] : (POLICY_VALUES[field] ?? RETENTION_EXAMPLES);
}

/**
 * Return the field with a name in any letter case; undefined for an unknown name.
 * @param {string} typedName
 */
function findField(typedName) {
  return POLICY_FIELDS.find((name) => name.toLowerCase() === typedName.toLowerCase());
}

/**
 * Return the changed field of a typed assignment such as `speak members` or `keep 30d`, in any letter case.
 * @param {string} typedName
 * @param {string} typedValue
 * @returns {{change: object} | {field: string, expected: string[]}} The field of an `updateRoom` request; otherwise the
 *   possible fields, with an empty `field`, or the possible values.
 */
export function parsePolicyChange(typedName, typedValue) {
  const field = findField(typedName);
  if (field === undefined) return { field: "", expected: POLICY_FIELDS };
  const value = typedValue.toLowerCase();
  if (field === "keep") {
    const keep = parseRetention(value);
    return keep ? { change: { keep } } : { field, expected: RETENTION_EXAMPLES };
  }
  return POLICY_VALUES[field].includes(value) ? { change: { [field]: toWireValue(value) } } : { field, expected: POLICY_VALUES[field] };
}

/**
 * Return the value of `keep`, empty for no limit; null for an invalid text.
 * @param {string} value Number of days (`30d`), number of messages (`1000`), `all` or `everything`.
 * @returns {{days?: number, messages?: number} | null}
 */
function parseRetention(value) {
  if (value === "all" || value === "everything") return {};
  const [, digits, unit] = value.match(/^(\d{1,8})(d?)$/) ?? [];
  const count = Number(digits);
  if (!(count >= 1) || count > (unit ? MAX_DAYS : MAX_MESSAGES)) return null;
  return unit ? { days: count } : { messages: count };
}
