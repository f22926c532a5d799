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

import { applyChange } from "./apply_change.js";
import { SeqRanges } from "./seq_ranges.js";

/**
 * @typedef {object} Item A message or a change of topic, in its present state:
 *   the entry's own fields (docs/protocol.md, "Entries") and
 * @property {number} asOf The `seq` up to which changes are included.
 */

const MAX_EARLY_ENTRIES = 1000; // what is beyond comes with history anyway
const MAX_ORPHAN_TARGETS = 5000; // targets; a page that is read later has their changes

export class RoomLog {
  /** @type {Item[]} */
  #items = [];
  #ranges = new SeqRanges();
  #itemsBySeq = new Map(); // seq of an item → the item
  #earlyEntries = new Map(); // seq → entry that came too early
  #orphanChanges = new Map(); // seq of a message that is not held → changes to it
  #layeredChanges = new Map(); // seq → {base, changes}: messages with a gap among their changes
  #expectedSeq = 0;
  #reachedStart = false;
  #trimmedAtSeq = 0; // the newest `seq` when it was last trimmed
  #topicAsOf = 0;

  /** The `seq` of the newest entry held, 0 in an empty room, null before `open`. */
  lastSeq = null;
  topic = "";

  /** Messages and topic changes, ascending. Not to be changed. */
  get items() {
    return this.#items;
  }

  /** The `seq` of the oldest entry held; `last + 1` while there is none. */
  get firstSeq() {
    return this.#ranges.ranges[0]?.first ?? this.lastSeq + 1;
  }

  /** There are entries before `first`. */
  get hasOlder() {
    return !this.#reachedStart && this.firstSeq > 1;
  }

  /** @returns {{after: number, before: number}[]} What is missing in between, ascending. */
  get gaps() {
    return this.#ranges.gaps;
  }

  /** Entries exist after `last` that have not been applied. */
  get isBehind() {
    return this.lastSeq !== null && this.#expectedSeq > this.lastSeq;
  }

  /** @returns {Item | undefined} The message or topic change with this `seq`, if held. */
  getItem(seq) {
    return this.#itemsBySeq.get(seq);
  }

  /** Whether the entry with this `seq` is held, of whatever kind. */
  has(seq) {
    return this.#ranges.contains(seq);
  }

  /**
   * Goes on with the newest page; what was held before stays, with a gap where
   * they do not touch.
   * @param {object[]} entries Ascending, without holes, up to the newest.
   * @param {{lastSeq: number, hasOlder?: boolean}} page
   */
  loadNewest(entries, { lastSeq, hasOlder = true }) {
    this.expectSeq(lastSeq);
    for (const seq of this.#earlyEntries.keys()) this.expectSeq(seq);
    if (entries.length && this.lastSeq !== null && entries[0].seq > this.lastSeq + 1) this.lastSeq = entries[0].seq - 1;
    this.lastSeq ??= entries.length ? entries[0].seq - 1 : lastSeq;
    this.insertPage(entries, { lastSeq, hasOlder });
  }

  /** The room's newest entry is (at least) this one. */
  expectSeq(seq) {
    this.#expectedSeq = Math.max(this.#expectedSeq, seq);
  }

  /** The topic as it was when the newest entry was `asOf`. */
  setTopic(topic, asOf) {
    if (asOf < this.#topicAsOf) return;
    this.topic = topic;
    this.#topicAsOf = asOf;
  }

  /**
   * An entry that was pushed.
   * @returns {boolean} Whether it was applied now.
   */
  push(entry) {
    this.expectSeq(entry.seq);
    if (this.lastSeq === null || entry.seq > this.lastSeq + 1) {
      if (this.#earlyEntries.size < MAX_EARLY_ENTRIES) this.#earlyEntries.set(entry.seq, entry);
      return false;
    }
    if (entry.seq <= this.lastSeq) return false;
    this.#append(entry, entry.seq);
    this.#applyEarlyEntries();
    return true;
  }

  /**
   * A page of history, wherever it belongs.
   * @param {object[]} entries Ascending, without holes.
   * @param {{lastSeq: number, hasOlder?: boolean, before?: number}} page The room's
   *   newest `seq` when it was read; `hasOlder` false says that nothing is before its
   *   first entry, or before the `seq` that was asked for.
   */
  insertPage(entries, { lastSeq, hasOlder = true, before }) {
    this.expectSeq(lastSeq);
    const applied = entries.filter(({ seq }) => seq <= this.lastSeq);
    // A page that was read before the last trimming may lack changes that are forgotten now.
    if (lastSeq >= this.#trimmedAtSeq) {
      const oldest = entries[0]?.seq ?? before;
      if (!hasOlder && (entries.length ? oldest <= this.firstSeq : oldest === this.firstSeq)) this.#reachedStart = true;
      if (applied.length) this.#insertEntries(applied, lastSeq);
    }
    for (const entry of entries.slice(applied.length)) {
      if (entry.seq === this.lastSeq + 1) this.#append(entry, lastSeq);
    }
    this.#applyEarlyEntries();
  }

  /** Forgets the oldest when there are more than twice as many items as this; they come again with history. */
  trim(maxItems) {
    if (this.#items.length <= 2 * maxItems) return;
    const { seq } = this.#items.at(-maxItems);
    for (const item of this.#items.slice(0, -maxItems)) {
      this.#itemsBySeq.delete(item.seq);
      this.#layeredChanges.delete(item.seq);
    }
    this.#items = this.#items.slice(-maxItems);
    this.#ranges.truncate(seq);
    this.#reachedStart = false;
    this.#trimmedAtSeq = this.lastSeq;
  }

  #insertEntries(entries, asOf) {
    const first = entries[0].seq;
    const last = entries.at(-1).seq;
    const newEntries = entries.filter(({ seq }) => !this.#ranges.contains(seq));
    const items = entries.filter(isVisible).map((entry) => this.#mergeItem(entry, asOf));
    this.#items = [
      ...this.#items.slice(0, this.#upperBound(first - 1)),
      ...items,
      ...this.#items.slice(this.#upperBound(last)),
    ];
    this.#ranges.add(first, last);
    for (const entry of newEntries) this.#applySideEffects(entry);
  }

  #append(entry, asOf) {
    this.lastSeq = entry.seq;
    this.#earlyEntries.delete(entry.seq);
    if (this.#ranges.contains(entry.seq - 1)) this.#ranges.extendLast();
    else this.#ranges.add(entry.seq, entry.seq);
    if (isVisible(entry)) this.#items.push(this.#mergeItem(entry, asOf));
    this.#applySideEffects(entry);
  }

  #applyEarlyEntries() {
    if (this.lastSeq === null) return;
    for (;;) {
      const entry = this.#earlyEntries.get(this.lastSeq + 1);
      if (!entry) break;
      this.#append(entry, entry.seq);
    }
    for (const seq of this.#earlyEntries.keys()) {
      if (seq <= this.lastSeq) this.#earlyEntries.delete(seq);
    }
  }

  /** What an entry means for others that are held. */
  #applySideEffects(entry) {
    if (entry.kind === "topic") this.setTopic(entry.topic, entry.seq);
    if (isVisible(entry) || !entry.target) return;
    if (this.#itemsBySeq.has(entry.target)) this.#applyToItem(entry);
    else this.#storeOrphan(entry);
  }

  /** The item of an entry from a page: what is known already stays where it is newer. */
  #mergeItem(entry, asOf) {
    const applied = this.#itemsBySeq.get(entry.seq);
    if (applied && applied.asOf >= asOf) return applied;
    const pending = this.#layeredChanges.get(entry.seq)?.changes ?? this.#orphanChanges.get(entry.seq) ?? [];
    this.#layeredChanges.delete(entry.seq);
    this.#orphanChanges.delete(entry.seq);
    this.#itemsBySeq.set(entry.seq, { ...entry, asOf });
    for (const change of pending) this.#applyToItem(change, { silent: true });
    return this.#itemsBySeq.get(entry.seq);
  }

  #storeOrphan(change) {
    const changes = this.#orphanChanges.get(change.target);
    if (changes) return changes.push(change);
    this.#orphanChanges.set(change.target, [change]);
    if (this.#orphanChanges.size > MAX_ORPHAN_TARGETS) this.#orphanChanges.delete(this.#orphanChanges.keys().next().value);
    return undefined;
  }

  #applyToItem(change, { silent = false } = {}) {
    const current = this.#itemsBySeq.get(change.target);
    const layered = this.#layeredChanges.get(change.target);
    let updated;
    if (!layered && this.#ranges.contains(current.asOf + 1, change.seq)) {
      updated = applyChange(current, change);
    } else if (change.seq > current.asOf) {
      const { base, changes } = layered ?? { base: current, changes: [] };
      const ordered = [...changes.filter(({ seq }) => seq !== change.seq), change].sort((a, b) => a.seq - b.seq);
      this.#layeredChanges.set(change.target, { base, changes: ordered });
      // It may miss what a gap holds, so it does not count as being of a later time.
      updated = { ...ordered.reduce(applyChange, base), asOf: base.asOf };
    } else {
      return;
    }
    if (updated === current) return;
    this.#itemsBySeq.set(updated.seq, updated);
    if (!silent) this.#items[this.#upperBound(updated.seq) - 1] = updated;
  }

  /** How many items have this `seq` or a smaller one. */
  #upperBound(seq) {
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

function isVisible(entry) {
  return entry.kind === "message" || entry.kind === "topic";
}
