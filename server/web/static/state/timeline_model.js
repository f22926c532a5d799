/**
 * Timeline as a flat list of lines: day dividers, messages, notices, the unread divider, gaps and pending
 * messages. Pure, so the view only has to compare two lists.
 *
 * @typedef {object} Line
 * @property {string} key Unique in the list and stable for the lifetime of the line.
 * @property {number} [count] Number of messages that a "hidden" line replaces.
 * @property {string} kind One of "day", "message", "change", "notices", "unread", "gap",
 *   "hidden" and "pending".
 */

import { actionText } from "./command_parser.js";
import { isMentioned } from "./mentions.js";

const GROUP_WINDOW = 5 * 60_000; // ms; maximum distance of messages in one group

/** Stands for a quoted message of a blocked member. */
const BLOCKED_QUOTE = Object.freeze({ kind: "blocked" });

/**
 * Return the lines of the timeline, from top to bottom. Notices and gaps before the first item are omitted, and pending
 * messages whose log item is loaded.
 * @param {object} options
 * @param {object[]} options.items Log items, ascending.
 * @param {{after: number, before: number}[]} options.gaps Missing ranges, ascending.
 * @param {object[]} options.notices Each with `after`, the `seq` of the preceding entry.
 * @param {object[]} options.pendingItems Messages of the outbox.
 * @param {Map<number, object[]>} options.changesBySeq Changes of the outbox by target.
 * @param {(seq: number) => boolean} [options.isDeleting] Returns whether a message has a deletion that can be undone.
 * @param {(seq: number) => object | undefined} options.getItem Returns any loaded item, including items outside
 *   of `items`.
 * @param {Set<string>} options.ownMemberIds
 * @param {string} options.nick Nickname of the user.
 * @param {Map<string, import("./room.js").Member>} options.members Present members.
 * @param {(author: {memberId: string, nickName: string}) => boolean} options.isConfusable Returns whether the nickname
 *   looks like that of another member.
 * @param {(memberId: string) => boolean} options.isBlocked Returns whether the user has blocked a member, whose
 *   consecutive messages become one "hidden" line.
 * @param {number | null} options.unreadAfter `seq` above the unread divider; null without a divider.
 * @param {number} options.now ms since the epoch.
 * @returns {Line[]}
 */
export function buildLines({ items, gaps, notices, pendingItems, changesBySeq, getItem, ownMemberIds, nick, members, isConfusable, isBlocked, unreadAfter, now, isDeleting = () => false }) {
  /** @type {(Line & Record<string, any>)[]} */
  const lines = [];
  let day = 0;
  const seenDays = new Set();
  const today = dayNumber(now);
  const yesterday = dayNumber(new Date(now).setHours(-12));
  let previous = null; // message directly above that the next message can continue
  let dividerAfter = unreadAfter ?? Infinity;
  let nextNotice = 0;
  const firstSeq = items.length ? items[0].seq : 1;
  while (nextNotice < notices.length && notices[nextNotice].after < firstSeq - 1) nextNotice += 1;
  let nextGap = 0;
  while (nextGap < gaps.length && gaps[nextGap].before <= firstSeq) nextGap += 1;

  const addDayDivider = (ts) => {
    if (dayNumber(ts) === day) return;
    day = dayNumber(ts);
    const age = { [today]: "today", [yesterday]: "yesterday" }[day] ?? "older";
    const suffix = seenDays.has(day) ? `-${lines.length}` : ""; // local and server clocks can differ
    seenDays.add(day);
    lines.push({ key: `d${day}${suffix}`, kind: "day", ts, age });
    previous = null;
  };
  const findQuoted = (seq) => {
    const quoted = seq ? (getItem(seq) ?? null) : null;
    return quoted && isBlocked(quoted.memberId) ? BLOCKED_QUOTE : quoted;
  };
  const addNotices = (seq) => {
    const group = [];
    while (nextNotice < notices.length && notices[nextNotice].after < seq) group.push(notices[nextNotice++]);
    if (!group.length) return;
    addDayDivider(group[0].ts);
    lines.push({ key: `n${group[0].id}`, kind: "notices", last: group.at(-1), notices: group });
    previous = null;
  };

  for (const entry of items) {
    for (; nextGap < gaps.length && gaps[nextGap].before <= entry.seq; nextGap += 1) {
      const { after, before } = gaps[nextGap];
      lines.push({ key: `g${after}-${before}`, kind: "gap", after, before });
      previous = null;
    }
    addNotices(entry.seq);
    addDayDivider(entry.ts);
    const isOwn = ownMemberIds.has(entry.memberId);
    if (entry.seq > dividerAfter && !isOwn) {
      lines.push({ key: "unread", kind: "unread" });
      dividerAfter = Infinity;
      previous = null;
    }
    if (entry.kind !== "message") {
      lines.push({ key: `t${entry.seq}`, kind: "change", item: entry });
      previous = null;
      continue;
    }
    if (isBlocked(entry.memberId)) {
      const last = lines.at(-1);
      if (last?.kind === "hidden") lines[lines.length - 1] = { ...last, count: (last.count ?? 0) + 1 };
      else lines.push({ key: `h${entry.seq}`, kind: "hidden", count: 1 });
      previous = null;
      continue;
    }
    const quoted = findQuoted(entry.replyTo);
    const isAction = !entry.deleted && actionText(entry.message) !== null;
    const startsGroup = !isAction && (entry.replyTo !== undefined || !continuesGroup(previous, entry));
    lines.push({
      key: `m${entry.seq}`,
      kind: "message",
      item: entry,
      startsGroup,
      isOwn,
      isMention: !isOwn && isMentioned(entry, { nick, ownMemberIds, members }),
      isConfusable: isConfusable(entry),
      quoted,
      changes: changesBySeq.get(entry.seq) ?? null,
      isDeleting: isDeleting(entry.seq),
    });
    previous = isAction ? null : entry;
  }
  addNotices(Infinity);
  for (const item of pendingItems) {
    if (item.seq !== undefined && getItem(item.seq)) continue;
    addDayDivider(item.ts);
    const provisional = { memberId: "", nickName: nick, ts: item.ts };
    const previousAuthor = previous && ownMemberIds.has(previous.memberId) ? { ...previous, memberId: "" } : previous;
    const quoted = findQuoted(item.body.replyTo);
    const isAction = actionText(item.body.message) !== null;
    const startsGroup = !isAction && (item.body.replyTo !== undefined || !continuesGroup(previousAuthor, provisional));
    lines.push({ key: `p${item.clientId}`, kind: "pending", item, nick, startsGroup, quoted });
    previous = isAction ? null : provisional;
  }
  return lines;
}

/**
 * Return whether two lines with the same key are equal. `ts` of a day and all notices except the last are not compared,
 * because they follow from the other fields.
 */
export function isSameLine(line, otherLine) {
  return Object.keys(line).every((field) => field === "ts" || field === "notices" || line[field] === otherLine[field]);
}

/** Return whether a message continues the group of the previous one: same author and nickname within `GROUP_WINDOW`. */
function continuesGroup(previous, entry) {
  return (
    previous !== null &&
    previous.memberId === entry.memberId &&
    previous.nickName === entry.nickName &&
    entry.ts - previous.ts < GROUP_WINDOW
  );
}

/** Return the calendar day of a time in the local time zone as a number, such as 20261120. */
function dayNumber(ts) {
  const date = new Date(ts);
  return date.getFullYear() * 10_000 + (date.getMonth() + 1) * 100 + date.getDate();
}
