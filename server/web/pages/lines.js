/**
 * What the timeline shows, as a plain list: days, messages, notices, the line
 * above what is new, and what is still to be sent. Pure, so that drawing is only
 * a comparison of two lists.
 *
 * @typedef {object} Line
 * @property {string} key Unique in the list, stable while the line lives.
 * @property {"day" | "message" | "topic" | "notices" | "unread" | "pending"} kind
 */

const TOGETHER = 5 * 60_000; // ms between messages of one person that share a head

/**
 * @param {object} from
 * @param {object[]} from.items Of the log, ascending.
 * @param {object[]} from.notices With `after`: the `seq` of the entry they came after.
 * @param {object[]} from.waiting Of the outbox.
 * @param {(seq: number) => object | undefined} from.item An item that is held, shown or not.
 * @param {Set<string>} from.mine Your own member ids.
 * @param {string} from.nick Your nickname.
 * @param {number | null} from.unreadAfter The last `seq` you had seen when new ones came, or null.
 * @param {number} from.now Milliseconds since the epoch.
 * @returns {Line[]}
 */
export function linesOf({ items, notices, waiting, item, mine, nick, unreadAfter, now }) {
  const lines = [];
  let day = 0;
  const today = dayOf(now);
  const yesterday = dayOf(new Date(now).setHours(-12));
  let before = null; // the message just above, if nothing stands between
  let unread = unreadAfter !== null;
  let next = 0;
  const first = items.length ? items[0].seq : 1;
  while (next < notices.length && notices[next].after < first - 1) next += 1;

  const dated = (ts) => {
    if (dayOf(ts) === day) return;
    day = dayOf(ts);
    const age = { [today]: "today", [yesterday]: "yesterday" }[day] ?? "older";
    lines.push({ key: `d${day}`, kind: "day", ts, age });
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
    const head = one.replyTo !== undefined || !follows(before, one);
    lines.push({
      key: `m${one.seq}`,
      kind: "message",
      item: one,
      head,
      own,
      mention: !own && mentions(one.message, nick),
      quoted,
    });
    before = one;
  }
  noticesUpTo(Infinity);
  for (const one of waiting) {
    if (one.seq !== undefined && item(one.seq)) continue;
    dated(one.ts);
    const author = { memberId: "", nickName: nick, ts: one.ts };
    const above = before && mine.has(before.memberId) ? { ...before, memberId: "" } : before;
    lines.push({ key: `p${one.clientId}`, kind: "pending", pending: one, nick, head: !follows(above, author) });
    before = author;
  }
  return lines;
}

/** Whether two lines of one key look the same; a day's first moment and older notices are told by the rest. */
export function same(one, other) {
  return Object.keys(one).every((field) => field === "ts" || field === "notices" || one[field] === other[field]);
}

/** Whether a text names somebody, as a word of its own; case does not matter. */
export function mentions(text, nick) {
  const folded = text.toLowerCase();
  const name = nick.toLowerCase();
  for (let at = folded.indexOf(name); at >= 0 && name; at = folded.indexOf(name, at + 1)) {
    if (!joined(folded, at) && !joined(folded, at + name.length)) return true;
  }
  return false;
}

/** Whether a word goes on over this place. Scripts without spaces have no such words. */
function joined(text, place) {
  const before = text.slice(0, place).match(/[\p{L}\p{N}_]$/u)?.[0];
  const after = text.slice(place).match(/^[\p{L}\p{N}_]/u)?.[0];
  return Boolean(before && after && !spaceless(before) && !spaceless(after));
}

function spaceless(character) {
  return /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u.test(character);
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
