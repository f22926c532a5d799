/** Sentences about changes of the topic, members and policy of a room. */

import { strings } from "../i18n/strings.js";
import { quoteName } from "../state/names.js";
import { POLICY_FIELDS } from "../state/policy.js";
import { formatShortDate } from "./format_time.js";

/**
 * Return the sentence of an entry that is no message and changes no message.
 * @param {any} entry Entry of the kind `topic`, `member` or `policy`.
 */
export function changeSentence(entry) {
  if (entry.kind === "member") return memberSentence(entry);
  return entry.kind === "policy" ? policySentence(entry) : topicSentence(entry);
}

function topicSentence({ nickName, topic }) {
  return topic ? strings.topicSet(quoteName(nickName), topic) : strings.topicCleared(quoteName(nickName));
}

function memberSentence({ action, by, target, until, reason, role }) {
  const describe = Object.hasOwn(strings.memberChanges, action) ? strings.memberChanges[action] : strings.memberChanged;
  const sentence = describe(quoteName(by.nickName), quoteName(target.nickName), strings.roles[role] ?? role);
  const details = [until === undefined ? "" : strings.untilTime(formatShortDate(until)), reason ?? ""].filter(Boolean);
  return details.length ? `${sentence} (${details.join(", ")})` : sentence;
}

function policySentence(entry) {
  const fields = POLICY_FIELDS.filter((field) => entry[field] !== undefined);
  const values = fields.map((field) => `${field} = ${field === "keep" ? strings.retention(entry.keep) : entry[field]}`);
  const name = entry.newName ?? entry.title;
  if (name !== undefined) values.unshift(strings.roomNameValue(name));
  return strings.policyChanged(quoteName(entry.nickName), values.join(", "));
}
