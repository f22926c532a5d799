/**
 * A room's log as this page holds it: a pure state machine, no network, no screen.
 *
 * Rule 1  What is held are stretches without holes (`spans.js`); the newest one
 *         ends at `last` and grows with what is pushed. What is missing between
 *         two of them is a gap that can be named and filled.
 * Rule 2  An entry that arrives is applied when its `seq` is `last + 1`, dropped
 *         when it is `last` or less, and held back when it is more: then `missing`
 *         is true until a page of history has closed the hole (docs/protocol.md,
 *         "Staying complete").
 * Rule 3  A message from a page already shows every change up to the page's
 *         `lastSeq`; each message remembers that (`asOf`), so no change is
 *         applied to it twice, and none is left out.
 * Rule 4  Changes of one message are applied in the order of their `seq`, however
 *         they come: where a gap may still hold one, the message is made anew
 *         from its page and all changes known since.
 * Rule 5  An item is never changed in place: what reads otherwise is a new object.
 */

import { changed } from "./apply_change.js";
import { Spans } from "./seq_ranges.js";

/**
 * @typedef {object} Item A message or a change of topic, in its present state:
 *   the entry's own fields (docs/protocol.md, "Entries") and
 * @property {number} asOf The `seq` up to which changes are included.
 */

const HELD_AT_MOST = 1000; // what is beyond comes with history anyway
const REMEMBERED_AT_MOST = 5000; // targets; a page that is read later has their changes

export class RoomLog {
  /** @type {Item[]} */
  #items = [];
  #spans = new Spans();
  #place = new Map(); // seq of an item → the item
  #early = new Map(); // seq → entry that came too early
  #remembered = new Map(); // seq of a message that is not held → changes to it
  #layered = new Map(); // seq → {base, changes}: messages with a gap among their changes
  #expected = 0;
  #began = false;
  #trimmed = 0; // the newest `seq` when it was last trimmed
  #topicAsOf = 0;

  /** The `seq` of the newest entry held, 0 in an empty room, null before `open`. */
  last = null;
  topic = "";

  /** Messages and topic changes, ascending. Not to be changed. */
  get items() {
    return this.#items;
  }

  /** The `seq` of the oldest entry held; `last + 1` while there is none. */
  get first() {
    return this.#spans.all[0]?.first ?? this.last + 1;
  }

  /** There are entries before `first`. */
  get hasOlder() {
    return !this.#began && this.first > 1;
  }

  /** @returns {{after: number, before: number}[]} What is missing in between, ascending. */
  get gaps() {
    return this.#spans.gaps;
  }

  /** Entries exist after `last` that have not been applied. */
  get missing() {
    return this.last !== null && this.#expected > this.last;
  }

  /** @returns {Item | undefined} The message or topic change with this `seq`, if held. */
  item(seq) {
    return this.#place.get(seq);
  }

  /** Whether the entry with this `seq` is held, of whatever kind. */
  holds(seq) {
    return this.#spans.hold(seq);
  }

  /**
   * Goes on with the newest page; what was held before stays, with a gap where
   * they do not touch.
   * @param {object[]} entries Ascending, without holes, up to the newest.
   * @param {{lastSeq: number, hasOlder?: boolean}} page
   */
  open(entries, { lastSeq, hasOlder = true }) {
    this.expect(lastSeq);
    for (const seq of this.#early.keys()) this.expect(seq);
    if (entries.length && this.last !== null && entries[0].seq > this.last + 1) this.last = entries[0].seq - 1;
    this.last ??= entries.length ? entries[0].seq - 1 : lastSeq;
    this.insert(entries, { lastSeq, hasOlder });
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
      if (this.#early.size < HELD_AT_MOST) this.#early.set(entry.seq, entry);
      return false;
    }
    if (entry.seq <= this.last) return false;
    this.#append(entry, entry.seq);
    this.#release();
    return true;
  }

  /**
   * A page of history, wherever it belongs.
   * @param {object[]} entries Ascending, without holes.
   * @param {{lastSeq: number, hasOlder?: boolean, before?: number}} page The room's
   *   newest `seq` when it was read; `hasOlder` false says that nothing is before its
   *   first entry, or before the `seq` that was asked for.
   */
  insert(entries, { lastSeq, hasOlder = true, before }) {
    this.expect(lastSeq);
    const known = entries.filter(({ seq }) => seq <= this.last);
    // A page that was read before the last trimming may lack changes that are forgotten now.
    if (lastSeq >= this.#trimmed) {
      const oldest = entries[0]?.seq ?? before;
      if (!hasOlder && (entries.length ? oldest <= this.first : oldest === this.first)) this.#began = true;
      if (known.length) this.#put(known, lastSeq);
    }
    for (const entry of entries.slice(known.length)) {
      if (entry.seq === this.last + 1) this.#append(entry, lastSeq);
    }
    this.#release();
  }

  /** Forgets the oldest when there are more than twice as many items as this; they come again with history. */
  trim(most) {
    if (this.#items.length <= 2 * most) return;
    const { seq } = this.#items.at(-most);
    for (const item of this.#items.slice(0, -most)) {
      this.#place.delete(item.seq);
      this.#layered.delete(item.seq);
    }
    this.#items = this.#items.slice(-most);
    this.#spans.cut(seq);
    this.#began = false;
    this.#trimmed = this.last;
  }

  #put(entries, asOf) {
    const first = entries[0].seq;
    const last = entries.at(-1).seq;
    const fresh = entries.filter(({ seq }) => !this.#spans.hold(seq));
    const items = entries.filter(shown).map((entry) => this.#settled(entry, asOf));
    this.#items = [
      ...this.#items.slice(0, this.#indexAfter(first - 1)),
      ...items,
      ...this.#items.slice(this.#indexAfter(last)),
    ];
    this.#spans.add(first, last);
    for (const entry of fresh) this.#note(entry);
  }

  #append(entry, asOf) {
    this.last = entry.seq;
    this.#early.delete(entry.seq);
    if (this.#spans.hold(entry.seq - 1)) this.#spans.grow();
    else this.#spans.add(entry.seq, entry.seq);
    if (shown(entry)) this.#items.push(this.#settled(entry, asOf));
    this.#note(entry);
  }

  #release() {
    if (this.last === null) return;
    for (;;) {
      const entry = this.#early.get(this.last + 1);
      if (!entry) break;
      this.#append(entry, entry.seq);
    }
    for (const seq of this.#early.keys()) {
      if (seq <= this.last) this.#early.delete(seq);
    }
  }

  /** What an entry means for others that are held. */
  #note(entry) {
    if (entry.kind === "topic") this.knowTopic(entry.topic, entry.seq);
    if (shown(entry) || !entry.target) return;
    if (this.#place.has(entry.target)) this.#change(entry);
    else this.#remember(entry);
  }

  /** The item of an entry from a page: what is known already stays where it is newer. */
  #settled(entry, asOf) {
    const known = this.#place.get(entry.seq);
    if (known && known.asOf >= asOf) return known;
    const later = this.#layered.get(entry.seq)?.changes ?? this.#remembered.get(entry.seq) ?? [];
    this.#layered.delete(entry.seq);
    this.#remembered.delete(entry.seq);
    this.#place.set(entry.seq, { ...entry, asOf });
    for (const change of later) this.#change(change, { quietly: true });
    return this.#place.get(entry.seq);
  }

  #remember(change) {
    const waiting = this.#remembered.get(change.target);
    if (waiting) return waiting.push(change);
    this.#remembered.set(change.target, [change]);
    if (this.#remembered.size > REMEMBERED_AT_MOST) this.#remembered.delete(this.#remembered.keys().next().value);
    return undefined;
  }

  #change(change, { quietly = false } = {}) {
    const before = this.#place.get(change.target);
    const layers = this.#layered.get(change.target);
    let after;
    if (!layers && this.#spans.hold(before.asOf + 1, change.seq)) {
      after = changed(before, change);
    } else if (change.seq > before.asOf) {
      const { base, changes } = layers ?? { base: before, changes: [] };
      const ordered = [...changes.filter(({ seq }) => seq !== change.seq), change].sort((a, b) => a.seq - b.seq);
      this.#layered.set(change.target, { base, changes: ordered });
      // It may miss what a gap holds, so it does not count as being of a later time.
      after = { ...ordered.reduce(changed, base), asOf: base.asOf };
    } else {
      return;
    }
    if (after === before) return;
    this.#place.set(after.seq, after);
    if (!quietly) this.#items[this.#indexAfter(after.seq) - 1] = after;
  }

  /** How many items have this `seq` or a smaller one. */
  #indexAfter(seq) {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#items[middle].seq <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function shown(entry) {
  return entry.kind === "message" || entry.kind === "topic";
}
