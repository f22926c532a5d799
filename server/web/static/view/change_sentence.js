/** Sentences about changes of the topic, members and policy of a room. */

import { strings } from "../i18n/strings.js";
import { quoteName } from "../state/names.js";
import { formatShortDate } from "./format_time.js";

/** Fields of a policy, in order of their display (docs/protocol.md, "Rooms and policies"). */
const POLICY_FIELDS = ["visibility", "speak", "guestPost", "react", "upload", "topic", "invite"];

/**
 * Describe an entry that is no message and changes no message.
 * @param {any} entry
 */
export function changeSentence(entry) {
  if (entry.kind === "member") return memberSentence(entry);
  return entry.kind === "policy" ? policySentence(entry) : topicSentence(entry);
}

function topicSentence({ nickName, topic }) {
  return topic ? strings.topicSet(quoteName(nickName), topic) : strings.topicCleared(quoteName(nickName));
}

function memberSentence({ action, by, target, until, reason, role }) {
  const sentence = strings.memberChanges[action]?.(quoteName(by.nickName), quoteName(target.nickName), strings.roleNames[role] ?? role);
  const details = [until === undefined ? "" : strings.untilTime(formatShortDate(until)), reason ?? ""].filter(Boolean);
  return details.length ? `${sentence ?? action} (${details.join(", ")})` : (sentence ?? action);
}

function policySentence(entry) {
  const values = POLICY_FIELDS.filter((field) => field in entry).map((field) => `${field} = ${entry[field]}`);
  const name = entry.newName ?? entry.title;
  if (name !== undefined) values.unshift(strings.roomNameValue(name));
  if (entry.keep) values.push(`keep = ${strings.retention(entry.keep)}`);
  return strings.policyChanged(quoteName(entry.nickName), values.join(", "));
}
