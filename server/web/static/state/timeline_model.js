/**
 * What the timeline shows, as a plain list: days, messages, notices, the line
 * above what is new, what is missing in between, and what is still to be sent.
 * Pure, so that drawing is only a comparison of two lists.
 *
 * @typedef {object} Line
 * @property {string} key Unique in the list, stable while the line lives.
 * @property {"day" | "message" | "topic" | "notices" | "unread" | "gap" | "pending"} kind
 */

import { actionText } from "./command_parser.js";
import { mentionsNick } from "./mentions.js";

const GROUP_WINDOW = 5 * 60_000; // ms between messages of one person that share a head

/**
 * @param {object} from
 * @param {object[]} from.items Of the log, ascending.
 * @param {{after: number, before: number}[]} from.gaps Ascending: what the log does not hold.
 * @param {object[]} from.notices With `after`: the `seq` of the entry they came after.
 * @param {object[]} from.waiting Messages of the outbox.
 * @param {Map<number, object[]>} from.changes Its changes, by the `seq` that they are about.
 * @param {(seq: number) => object | undefined} from.item An item that is held, shown or not.
 * @param {Set<string>} from.mine Your own member ids.
 * @param {string} from.nick Your nickname.
 * @param {number | null} from.unreadAfter The last `seq` you had seen when new ones came, or null.
 * @param {number} from.now Milliseconds since the epoch.
 * @returns {Line[]}
 */
export function buildLines({ items, gaps, notices, pendingItems, changesBySeq, getItem, ownMemberIds, nick, unreadAfter, now }) {
  const lines = [];
  let day = 0;
  const seenDays = new Set();
  const today = dayNumber(now);
  const yesterday = dayNumber(new Date(now).setHours(-12));
  let previous = null; // the message just above, if nothing stands between
  let needsDivider = unreadAfter !== null;
  let nextNotice = 0;
  const firstSeq = items.length ? items[0].seq : 1;
  while (nextNotice < notices.length && notices[nextNotice].after < firstSeq - 1) nextNotice += 1;
  let nextGap = 0;
  while (nextGap < gaps.length && gaps[nextGap].before <= firstSeq) nextGap += 1;

  const addDayDivider = (ts) => {
    if (dayNumber(ts) === day) return;
    day = dayNumber(ts);
    const age = { [today]: "today", [yesterday]: "yesterday" }[day] ?? "older";
    const suffix = seenDays.has(day) ? `-${lines.length}` : ""; // clocks differ
    seenDays.add(day);
    lines.push({ key: `d${day}${suffix}`, kind: "day", ts, age });
    previous = null;
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
    if (needsDivider && entry.seq > unreadAfter && !isOwn) {
      lines.push({ key: "unread", kind: "unread" });
      needsDivider = false;
      previous = null;
    }
    if (entry.kind === "topic") {
      lines.push({ key: `t${entry.seq}`, kind: "topic", item: entry });
      previous = null;
      continue;
    }
    const quoted = entry.replyTo ? (getItem(entry.replyTo) ?? null) : null;
    const isAction = !entry.deleted && actionText(entry.message) !== null;
    const startsGroup = !isAction && (entry.replyTo !== undefined || !continuesGroup(previous, entry));
    lines.push({
      key: `m${entry.seq}`,
      kind: "message",
      item: entry,
      startsGroup,
      isOwn,
      isMention: !isOwn && hasMention(entry, nick),
      quoted,
      changes: changesBySeq.get(entry.seq) ?? null,
    });
    previous = isAction ? null : entry;
  }
  addNotices(Infinity);
  for (const item of pendingItems) {
    if (item.seq !== undefined && getItem(item.seq)) continue;
    addDayDivider(item.ts);
    const provisional = { memberId: "", nickName: nick, ts: item.ts };
    const previousAuthor = previous && ownMemberIds.has(previous.memberId) ? { ...previous, memberId: "" } : previous;
    const quoted = item.body.replyTo ? (getItem(item.body.replyTo) ?? null) : null;
    const isAction = actionText(item.body.message) !== null;
    const startsGroup = !isAction && (item.body.replyTo !== undefined || !continuesGroup(previousAuthor, provisional));
    lines.push({ key: `p${item.clientId}`, kind: "pending", item, nick, startsGroup, quoted });
    previous = isAction ? null : provisional;
  }
  return lines;
}

/** Whether two lines of one key look the same; a day's first moment and older notices are told by the rest. */
export function isSameLine(line, other) {
  return Object.keys(line).every((field) => field === "ts" || field === "notices" || line[field] === other[field]);
}

const mentionCache = new WeakMap(); // item → the last nickname it was looked through for, and whether it has it

function hasMention(item, nick) {
  const previous = mentionCache.get(item);
  if (previous?.nick === nick) return previous.hasMention;
  const isMentioned = mentionsNick(item.message, nick);
  mentionCache.set(item, { nick, hasMention: isMentioned });
  return isMentioned;
}

function continuesGroup(previous, entry) {
  return (
    previous !== null &&
    previous.memberId === entry.memberId &&
    previous.nickName === entry.nickName &&
    entry.ts - previous.ts < GROUP_WINDOW
  );
}

function dayNumber(ts) {
  const date = new Date(ts);
  return date.getFullYear() * 10_000 + (date.getMonth() + 1) * 100 + date.getDate();
}
