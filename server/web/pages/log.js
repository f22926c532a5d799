/**
 * A room's log as this page holds it: a pure state machine, no network, no screen.
 *
 * Rule 1  What is held is one piece without holes, from `first` to `last`.
 * Rule 2  An entry that arrives is applied when its `seq` is `last + 1`, dropped
 *         when it is `last` or less, and held back when it is more: then `missing`
 *         is true until a page of history has closed the hole (docs/protocol.md,
 *         "Resume").
 * Rule 3  A message from a page already shows every change up to the page's
 *         `lastSeq`; each message remembers that (`asOf`), so no change is
 *         applied to it twice, and none is left out.
 * Rule 4  An item is never changed in place: what reads otherwise is a new object.
 */

/**
 * @typedef {object} Item A message or a change of topic, in its present state:
 *   the entry's own fields (docs/protocol.md, "Entries") and
 * @property {number} asOf The `seq` up to which changes are included.
 */

const HELD_AT_MOST = 1000; // what is beyond comes with history anyway

export class RoomLog {
  /** @type {Item[]} */
  #items = [];
  #place = new Map(); // seq of an item → the item
  #held = new Map(); // seq → entry that came too early
  #early = new Map(); // seq of a message before `first` → changes to it, in order
  #expected = 0;

  /** The `seq` of the oldest entry held; `last + 1` while there is none. */
  first = null;
  /** The `seq` of the newest entry held, 0 in an empty room, null before `open`. */
  last = null;
  /** There are entries before `first`. */
  hasOlder = false;
  topic = "";
  #topicAsOf = 0;

  /** Messages and topic changes, ascending. Not to be changed. */
  get items() {
    return this.#items;
  }

  /** Entries exist after `last` that have not been applied. */
  get missing() {
    return this.last !== null && this.#expected > this.last;
  }

  /** @returns {Item | undefined} The message or topic change with this `seq`, if held. */
  item(seq) {
    return this.#place.get(seq);
  }

  /**
   * Begins with the newest page, forgetting all before it.
   * @param {object[]} entries Ascending, up to `lastSeq`.
   * @param {{lastSeq: number, hasOlder: boolean}} page
   */
  open(entries, { lastSeq, hasOlder }) {
    this.#items = [];
    this.#place.clear();
    this.#early.clear();
    this.#expected = lastSeq;
    for (const seq of this.#held.keys()) this.#expected = Math.max(this.#expected, seq);
    this.first = entries.length ? entries[0].seq : lastSeq + 1;
    this.last = this.first - 1;
    this.hasOlder = hasOlder;
    this.extend(entries, lastSeq);
  }

  /** The room's newest entry is (at least) this one. */
  expect(seq) {
    this.#expected = Math.max(this.#expected, seq);
  }

  /** The topic as it was when the newest entry was `asOf`. */
  knowTopic(topic, asOf) {
    if (asOf < this.#topicAsOf) return;
    this.topic = topic;
    this.#topicAsOf = asOf;
  }

  /**
   * An entry that was pushed.
   * @returns {boolean} Whether it was applied now.
   */
  push(entry) {
    this.expect(entry.seq);
    if (this.last === null || entry.seq > this.last + 1) {
      if (this.#held.size < HELD_AT_MOST) this.#held.set(entry.seq, entry);
      return false;
    }
    if (entry.seq <= this.last) return false;
    this.#append(entry, entry.seq);
    this.#release();
    return true;
  }

  /**
   * A page that follows `last`; what is held already is passed over.
   * @param {object[]} entries Ascending, without holes.
   * @param {number} lastSeq The room's newest `seq` when the page was read.
   */
  extend(entries, lastSeq) {
    this.expect(lastSeq);
    for (const entry of entries) {
      if (entry.seq === this.last + 1) this.#append(entry, lastSeq);
    }
    this.#release();
  }

  /**
   * A page that ends just before `first`; anything else is passed over.
   * @param {object[]} entries Ascending, without holes.
   * @param {{lastSeq: number, hasOlder: boolean}} page
   */
  prepend(entries, { lastSeq, hasOlder }) {
    if (!entries.length) {
      this.hasOlder = hasOlder;
      return;
    }
    if (entries[entries.length - 1].seq !== this.first - 1) return;
    // The changes among them are in their messages already, and will be in those of an older page.
    const older = entries.filter(shown).map((entry) => this.#settled(entry, lastSeq));
    this.#items = older.concat(this.#items);
    this.first = entries[0].seq;
    this.hasOlder = hasOlder;
  }

  #append(entry, asOf) {
    this.last = entry.seq;
    this.#held.delete(entry.seq);
    if (shown(entry)) this.#items.push(this.#settled(entry, asOf));
    else if (entry.target >= this.first) this.#change(entry);
    else if (entry.target) this.#remember(entry);
    if (entry.kind === "topic") this.knowTopic(entry.topic, entry.seq);
  }

  #release() {
    for (;;) {
      const entry = this.#held.get(this.last + 1);
      if (!entry) break;
      this.#append(entry, entry.seq);
    }
    for (const seq of this.#held.keys()) {
      if (seq <= this.last) this.#held.delete(seq);
    }
  }

  #settled(entry, asOf) {
    let item = { ...entry, asOf };
    const early = this.#early.get(entry.seq);
    if (early) {
      this.#early.delete(entry.seq);
      for (const change of early) item = changed(item, change);
    }
    this.#place.set(item.seq, item);
    return item;
  }

  #remember(change) {
    const waiting = this.#early.get(change.target);
    if (waiting) waiting.push(change);
    else this.#early.set(change.target, [change]);
  }

  #change(change) {
    const before = this.#place.get(change.target);
    if (!before) return;
    const after = changed(before, change);
    if (after === before) return;
    this.#place.set(after.seq, after);
    this.#items[this.#index(after.seq)] = after;
  }

  #index(seq) {
    let low = 0;
    let high = this.#items.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#items[middle].seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function shown(entry) {
  return entry.kind === "message" || entry.kind === "topic";
}

function changed(item, change) {
  if (change.seq <= item.asOf || item.kind !== "message") return item;
  const after = { ...item, asOf: change.seq };
  if (item.deleted) return after;
  if (change.kind === "edit") {
    after.message = change.message;
    after.edited = change.seq;
  } else if (change.kind === "delete") {
    after.message = "";
    after.deleted = true;
    delete after.reactions;
  } else if (change.kind === "reaction") {
    after.reactions = reacted(item.reactions ?? {}, change);
  }
  return after;
}

function reacted(reactions, { emoji, memberId, on }) {
  const others = (reactions[emoji] ?? []).filter((id) => id !== memberId);
  const after = { ...reactions, [emoji]: on ? [...others, memberId] : others };
  if (!after[emoji].length) delete after[emoji];
  return after;
}
