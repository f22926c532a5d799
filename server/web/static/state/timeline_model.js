/**
 * What the timeline shows, as a plain list: days, messages, notices, the line
 * above what is new, what is missing in between, and what is still to be sent.
 * Pure, so that drawing is only a comparison of two lists.
 *
 * @typedef {object} Line
 * @property {string} key Unique in the list, stable while the line lives.
 * @property {"day" | "message" | "topic" | "notices" | "unread" | "gap" | "pending"} kind
 */

import { actionOf } from "./command_parser.js";
import { mentions } from "./mentions.js";

const TOGETHER = 5 * 60_000; // ms between messages of one person that share a head

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
export function linesOf({ items, gaps, notices, waiting, changes, item, mine, nick, unreadAfter, now }) {
  const lines = [];
  let day = 0;
  const days = new Set();
  const today = dayOf(now);
  const yesterday = dayOf(new Date(now).setHours(-12));
  let before = null; // the message just above, if nothing stands between
  let unread = unreadAfter !== null;
  let next = 0;
  const first = items.length ? items[0].seq : 1;
  while (next < notices.length && notices[next].after < first - 1) next += 1;
  let gap = 0;
  while (gap < gaps.length && gaps[gap].before <= first) gap += 1;

  const dated = (ts) => {
    if (dayOf(ts) === day) return;
    day = dayOf(ts);
    const age = { [today]: "today", [yesterday]: "yesterday" }[day] ?? "older";
    const again = days.has(day) ? `-${lines.length}` : ""; // clocks differ
    days.add(day);
    lines.push({ key: `d${day}${again}`, kind: "day", ts, age });
    before = null;
  };
  const noticesUpTo = (seq) => {
    const some = [];
    while (next < notices.length && notices[next].after < seq) some.push(notices[next++]);
    if (!some.length) return;
    dated(some[0].ts);
    lines.push({ key: `n${some[0].id}`, kind: "notices", last: some.at(-1), notices: some });
    before = null;
  };

  for (const one of items) {
    for (; gap < gaps.length && gaps[gap].before <= one.seq; gap += 1) {
      const { after, before: end } = gaps[gap];
      lines.push({ key: `g${after}-${end}`, kind: "gap", after, before: end });
      before = null;
    }
    noticesUpTo(one.seq);
    dated(one.ts);
    const own = mine.has(one.memberId);
    if (unread && one.seq > unreadAfter && !own) {
      lines.push({ key: "unread", kind: "unread" });
      unread = false;
      before = null;
    }
    if (one.kind === "topic") {
      lines.push({ key: `t${one.seq}`, kind: "topic", item: one });
      before = null;
      continue;
    }
    const quoted = one.replyTo ? (item(one.replyTo) ?? null) : null;
    const action = !one.deleted && actionOf(one.message) !== null;
    const head = !action && (one.replyTo !== undefined || !follows(before, one));
    lines.push({
      key: `m${one.seq}`,
      kind: "message",
      item: one,
      head,
      own,
      mention: !own && named(one, nick),
      quoted,
      posts: changes.get(one.seq) ?? null,
    });
    before = action ? null : one;
  }
  noticesUpTo(Infinity);
  for (const one of waiting) {
    if (one.seq !== undefined && item(one.seq)) continue;
    dated(one.ts);
    const author = { memberId: "", nickName: nick, ts: one.ts };
    const above = before && mine.has(before.memberId) ? { ...before, memberId: "" } : before;
    const quoted = one.body.replyTo ? (item(one.body.replyTo) ?? null) : null;
    const action = actionOf(one.body.message) !== null;
    const head = !action && (one.body.replyTo !== undefined || !follows(above, author));
    lines.push({ key: `p${one.clientId}`, kind: "pending", pending: one, nick, head, quoted });
    before = action ? null : author;
  }
  return lines;
}

/** Whether two lines of one key look the same; a day's first moment and older notices are told by the rest. */
export function same(one, other) {
  return Object.keys(one).every((field) => field === "ts" || field === "notices" || one[field] === other[field]);
}

const known = new WeakMap(); // item → the last nickname it was looked through for, and whether it has it

function named(item, nick) {
  const before = known.get(item);
  if (before?.nick === nick) return before.named;
  const found = mentions(item.message, nick);
  known.set(item, { nick, named: found });
  return found;
}

function follows(before, one) {
  return (
    before !== null &&
    before.memberId === one.memberId &&
    before.nickName === one.nickName &&
    one.ts - before.ts < TOGETHER
  );
}

function dayOf(ts) {
  const date = new Date(ts);
  return date.getFullYear() * 10_000 + (date.getMonth() + 1) * 100 + date.getDate();
}
