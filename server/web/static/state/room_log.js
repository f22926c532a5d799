/**
 * Log of one room as a pure state machine, without I/O.
 *
 * - Entries are stored in contiguous ranges (`seq_ranges.js`). The newest range ends at `lastSeq` and grows
 *   with pushed entries. Missing ranges between them are gaps.
 * - A pushed entry is applied if its `seq` is `lastSeq + 1`, dropped if lower, and buffered if higher. While
 *   entries are buffered, `isBehind` is true until a history page supplies the missing entries
 *   (docs/protocol.md, "Synchronization").
 * - A message from a history page includes all changes up to the page's `lastSeq`. The item records that
 *   `seq` as `asOf`, which makes change application exactly-once.
 * - Changes apply in `seq` order. If a gap may contain further changes, the item is recomputed from its page
 *   version plus all known changes.
 * - Items are immutable; a change creates a new object.
 */

import { applyChange } from "./apply_change.js";
import { SeqRanges } from "./seq_ranges.js";

/**
 * @typedef {object} Item Message or topic change in its current state: the entry's fields (docs/protocol.md,
 *   "Entries") plus `asOf`.
 * @property {number} seq
 * @property {string} kind
 * @property {string} memberId
 * @property {string} nickName
 * @property {number} ts
 * @property {string} [message]
 * @property {boolean} [deleted]
 * @property {number} asOf Newest `seq` whose changes are included.
 */

const MAX_EARLY_ENTRIES = 1000; // later entries are loaded as history
const MAX_ORPHAN_TARGETS = 5000; // history pages include the changes of evicted targets

export class RoomLog {
  /** @type {Item[]} */
  #items = [];
  #ranges = new SeqRanges();
  #itemsBySeq = new Map(); // seq → item
  #earlyEntries = new Map(); // seq → buffered entry
  #orphanChanges = new Map(); // seq of a message that is not loaded → its changes
  #partialChanges = new Map(); // seq → page version and known changes, if a gap may contain further changes
  #expectedSeq = 0;
  #reachedStart = false;
  #trimmedAtSeq = 0; // value of `lastSeq` at the latest trim
  #topicAsOf = 0;

  /** `seq` of the newest entry; 0 in an empty room, null before `loadNewest()`. */
  lastSeq = null;
  topic = "";

  /** Visible items (messages and topic changes) in ascending order. Read only. */
  get items() {
    return this.#items;
  }

  /** `seq` of the oldest loaded entry; `lastSeq + 1` if there is none. */
  get firstSeq() {
    return this.#ranges.ranges[0]?.first ?? this.lastSeq + 1;
  }

  /** True if the server has entries before `firstSeq`. */
  get hasOlder() {
    return !this.#reachedStart && this.firstSeq > 1;
  }

  /** @returns {{after: number, before: number}[]} Missing ranges between loaded entries, ascending. */
  get gaps() {
    return this.#ranges.gaps;
  }

  /** True if the server has entries after `lastSeq`. */
  get isBehind() {
    return this.lastSeq !== null && this.#expectedSeq > this.lastSeq;
  }

  /** @returns {Item | undefined} Loaded message or topic change, looked up by `seq`. */
  getItem(seq) {
    return this.#itemsBySeq.get(seq);
  }

  /** Return whether the entry with this `seq` is loaded, regardless of its kind. */
  has(seq) {
    return this.#ranges.contains(seq);
  }

  /**
   * Continue with the newest history page. Older entries stay loaded, and missing entries before the page become a gap.
   * @param {object[]} entries Contiguous and ascending, ending with the newest entry.
   * @param {{lastSeq: number, hasOlder?: boolean}} page
   */
  loadNewest(entries, { lastSeq, hasOlder = true }) {
    this.expectSeq(lastSeq);
    for (const seq of this.#earlyEntries.keys()) this.expectSeq(seq);
    if (entries.length && this.lastSeq !== null && entries[0].seq > this.lastSeq + 1) this.lastSeq = entries[0].seq - 1;
    this.lastSeq ??= entries.length ? entries[0].seq - 1 : lastSeq;
    this.insertPage(entries, { lastSeq, hasOlder });
  }

  /** Record that the server has at least this `seq`. */
  expectSeq(seq) {
    this.#expectedSeq = Math.max(this.#expectedSeq, seq);
  }

  /** Set the topic as of entry `asOf`; older values are ignored. */
  setTopic(topic, asOf) {
    if (asOf < this.#topicAsOf) return;
    this.topic = topic;
    this.#topicAsOf = asOf;
  }

  /**
   * Handle a pushed entry.
   * @returns {boolean} True if the entry was applied immediately.
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
   * Insert a history page at its position.
   * @param {object[]} entries Contiguous and ascending.
   * @param {{lastSeq: number, hasOlder?: boolean, before?: number}} page `lastSeq` is the newest `seq` at read
   *   time. `hasOlder` is false if nothing precedes the first entry, or the requested `before` of an empty page.
   */
  insertPage(entries, { lastSeq, hasOlder = true, before }) {
    this.expectSeq(lastSeq);
    const upToNewest = entries.filter(({ seq }) => seq <= this.lastSeq);
    // Pages read before the latest trim can lack changes that the trim dropped.
    if (lastSeq >= this.#trimmedAtSeq) {
      const oldest = entries[0]?.seq ?? before;
      if (!hasOlder && (entries.length ? oldest <= this.firstSeq : oldest === this.firstSeq)) this.#reachedStart = true;
      if (upToNewest.length) this.#insertEntries(upToNewest, lastSeq);
    }
    for (const entry of entries.slice(upToNewest.length)) {
      if (entry.seq === this.lastSeq + 1) this.#append(entry, lastSeq);
    }
    this.#applyEarlyEntries();
  }

  /** Drop the oldest items once there are more than `2 * maxItems`; history loads them again on demand. */
  trim(maxItems) {
    if (this.#items.length <= 2 * maxItems) return;
    const { seq } = this.#items.at(-maxItems);
    for (const item of this.#items.slice(0, -maxItems)) {
      this.#itemsBySeq.delete(item.seq);
      this.#partialChanges.delete(item.seq);
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

  /** Apply the topic or target change that an entry carries. */
  #applySideEffects(entry) {
    if (entry.kind === "topic") this.setTopic(entry.topic, entry.seq);
    if (isVisible(entry) || !entry.target) return;
    if (this.#itemsBySeq.has(entry.target)) this.#applyToItem(entry);
    else this.#storeOrphan(entry);
  }

  /** Store the item of a page or pushed entry, combined with newer known changes, and return the item. */
  #mergeItem(entry, asOf) {
    const existing = this.#itemsBySeq.get(entry.seq);
    if (existing && existing.asOf >= asOf) return existing;
    const changes = this.#partialChanges.get(entry.seq)?.changes ?? this.#orphanChanges.get(entry.seq) ?? [];
    this.#partialChanges.delete(entry.seq);
    this.#orphanChanges.delete(entry.seq);
    this.#itemsBySeq.set(entry.seq, { ...entry, asOf });
    for (const change of changes) this.#applyToItem(change, { isListed: false });
    return this.#itemsBySeq.get(entry.seq);
  }

  #storeOrphan(change) {
    const changes = this.#orphanChanges.get(change.target);
    if (changes) return changes.push(change);
    this.#orphanChanges.set(change.target, [change]);
    if (this.#orphanChanges.size > MAX_ORPHAN_TARGETS) this.#orphanChanges.delete(this.#orphanChanges.keys().next().value);
    return undefined;
  }

  /** Apply a change to its loaded target; `isListed` is false until the target is in `items`. */
  #applyToItem(change, { isListed = true } = {}) {
    const current = this.#itemsBySeq.get(change.target);
    const partial = this.#partialChanges.get(change.target);
    let updated;
    if (!partial && this.#ranges.contains(current.asOf + 1, change.seq)) {
      updated = applyChange(current, change);
    } else if (change.seq > current.asOf) {
      const { base, changes } = partial ?? { base: current, changes: [] };
      const ordered = [...changes.filter(({ seq }) => seq !== change.seq), change].sort((a, b) => a.seq - b.seq);
      this.#partialChanges.set(change.target, { base, changes: ordered });
      // A gap may contain further changes, so `asOf` stays at the base version.
      updated = { ...ordered.reduce(applyChange, base), asOf: base.asOf };
    } else {
      return;
    }
    if (updated === current) return;
    this.#itemsBySeq.set(updated.seq, updated);
    if (isListed) this.#items[this.#upperBound(updated.seq) - 1] = updated;
  }

  /** Return the number of items with this `seq` or a lower one. */
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
