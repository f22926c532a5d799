/**
 * Log of one room as a pure state machine, without I/O (docs/protocol.md, "Synchronization"); the same algorithm as in
 * `tui_chat/client/sync/room_log.py`.
 *
 * - Sequence: known entries form ranges (`seq_ranges.js`), missing ranges between them are gaps. The live end is the end
 *   of the last range. A joined log without entries is the range of `seq` 0.
 * - Pushes: a push at live end + 1 is applied, a lower `seq` is a duplicate, a higher `seq` is buffered until the
 *   entries between are fetched (`missingAfter`). Outside a joined connection, all pushes are buffered.
 * - Base state: an item is displayed as base plus changes. A message from a response includes all changes up to the
 *   response's `lastSeq`, its `asOf`. A base with a higher `asOf` replaces a lower one.
 * - Changes: changes after `asOf` apply in order of `seq`. Changes are folded into the base once all entries between are
 *   known, because a gap may contain an earlier change. A change without its target is stored until the message arrives.
 * - Limit: above `MAX_PENDING_CHANGES`, the changes of the least recently changed target are folded despite unknown
 *   entries, or dropped without a loaded target, whose page later includes the changes.
 * - Trim: a page that was read before a trim does not extend the log below the trim, because the trim drops changes
 *   that the page can lack.
 * - Items are immutable; a change creates a new object.
 */

import { applyChange } from "./apply_change.js";
import { SeqRanges } from "./seq_ranges.js";

/**
 * @typedef {object} Entry Element of the log (docs/protocol.md, "Entries").
 * @property {number} seq
 * @property {string} kind
 * @property {string} memberId
 * @property {string} nickName
 * @property {number} ts
 * @property {string} [message]
 * @property {number} [replyTo]
 * @property {number} [n] Ordinal among the messages of the room.
 * @property {number} [edited]
 * @property {boolean} [deleted]
 * @property {Attachment[]} [attachments]
 * @property {Record<string, ReactionSummary>} [reactions] Summaries by emoji.
 * @property {boolean} [bot] The author is a bot or a webhook.
 * @property {number | MemberRef} [target] `seq` of the changed message, or affected member.
 * @property {string} [emoji]
 * @property {boolean} [on]
 * @property {string} [topic]
 * @property {string} [action] Kind of a `member` entry.
 * @property {MemberRef} [by]
 * @property {number} [until]
 * @property {string} [reason]
 * @property {string} [role]
 *
 * @typedef {object} Attachment File of a message (docs/protocol.md, "Attachments").
 * @property {string} id
 * @property {string} name
 * @property {string} type Media type.
 * @property {number} size Bytes.
 * @property {string} path Unsigned path, empty for an invalid one.
 * @property {number} width Pixels of an image, 0 for other files.
 * @property {number} height
 * @property {string} preview Unsigned path of a smaller version of an image, empty without one.
 * @property {string} poster Unsigned path of the title image of a video, empty without one.
 *
 * @typedef {{memberId: string, nickName: string, account?: string}} MemberRef
 *
 * @typedef {object} ReactionSummary
 * @property {number} count
 * @property {{memberId: string, nickName: string}[]} by Sample of the members.
 * @property {boolean} own
 *
 * @typedef {Entry} Item Message in its current state, or entry of another kind that the timeline shows.
 * @typedef {{after: number, before: number}} Gap Missing entries, as exclusive bounds.
 * @typedef {{after?: number, before?: number, around?: number}} PageRange Requested range of a history page.
 */

/** Kinds of entries that the timeline shows; all other known kinds change a message. */
const ITEM_KINDS = new Set(["message", "topic", "member", "policy"]);

const MAX_BUFFERED_PUSHES = 1000; // later pushes are fetched as history
const MAX_PENDING_CHANGES = 1000; // not folded yet

/** Entries of one room as items, initially not joined. */
export class RoomLog {
  /** @type {Item[]} */
  #items = []; // ascending
  /** @type {Map<number, Item>} */
  #itemsBySeq = new Map();
  /** @type {Map<number, number>} */
  #asOf = new Map(); // `asOf` of each item
  /** @type {Map<number, Entry[]>} */
  #changes = new Map(); // not folded yet, by target, ascending
  /** @type {Map<number, Item>} */
  #bases = new Map(); // bases of the items in `#changes`
  #ranges = new SeqRanges();
  /** @type {Map<number, Entry>} */
  #bufferedPushes = new Map();
  #expectedSeq = 0; // newest known `seq` of the server on this connection
  #isLive = false;
  #trimmedAt = 0; // live end at the latest trim
  #topicAsOf = 0;

  topic = "";
  /** User's member id, for `own` of reactions; empty before the first join. */
  memberId = "";

  /** `logId` of the server's log; empty before the first join. */
  id = "";
  /** Protocol field `firstSeq`: oldest entry that the server has not removed. */
  oldestStored = 1;

  /** Loaded items in ascending order. Read only. */
  get items() {
    return this.#items;
  }

  /** Live end: `seq` of the newest entry, 0 in an empty room, null before the first join. */
  get lastSeq() {
    return this.#ranges.last;
  }

  /** `seq` of the oldest known entry; 1 for an empty log. */
  get firstSeq() {
    return Math.max(this.#ranges.first ?? 1, 1);
  }

  /** True if the server has entries before `firstSeq`. */
  get hasOlder() {
    return this.firstSeq > this.oldestStored;
  }

  /** Missing ranges between known entries, ascending. Entries that the server has removed are not missing. */
  get gaps() {
    return this.#ranges.gaps
      .filter(({ before }) => before > this.oldestStored)
      .map(({ after, before }) => ({ after: Math.max(after, this.oldestStored - 1), before }));
  }

  /** `after` of a `history` request for the entries after the live end; null if none are missing. */
  get missingAfter() {
    const { lastSeq } = this;
    return this.#isLive && lastSeq !== null && this.#expectedSeq > lastSeq ? lastSeq : null;
  }

  /**
   * Return a loaded item; undefined for an unknown `seq` and for entries that are no items.
   * @param {number} seq
   */
  getItem(seq) {
    return this.#itemsBySeq.get(seq);
  }

  /**
   * Return whether the entry with this `seq` is known, regardless of its kind.
   * @param {number} seq
   */
  has(seq) {
    return this.#ranges.contains(seq);
  }

  /**
   * Return the number of messages in the room up to an entry (docs/protocol.md, "Entries"); null if neither the message
   * before the entry nor the message after it is loaded without a gap between.
   * @param {number} seq
   */
  ordinalAt(seq) {
    const index = this.#upperBound(seq);
    const previous = this.#items.slice(0, index).findLast(({ kind }) => kind === "message");
    if (previous?.n && this.#ranges.contains(previous.seq, seq)) return previous.n;
    const next = this.#items.slice(index).find(({ kind }) => kind === "message");
    return next?.n && this.#ranges.contains(seq + 1, next.seq) ? next.n - 1 : null;
  }

  /** Discard buffered pushes and buffer new ones until the next join. */
  onDisconnected() {
    this.#isLive = false;
    this.#bufferedPushes.clear();
    this.#expectedSeq = 0;
  }

  /** Return an empty log for a replaced server log; buffered pushes belong to the new log and remain. */
  replacement() {
    const log = new RoomLog();
    log.#bufferedPushes = this.#bufferedPushes;
    log.#expectedSeq = this.#expectedSeq;
    log.memberId = this.memberId;
    return log;
  }

  /**
   * Record that the server has at least this `seq`.
   * @param {number} seq
   */
  expectSeq(seq) {
    this.#expectedSeq = Math.max(this.#expectedSeq, seq);
  }

  /**
   * Set the topic as of entry `asOf`; older values are ignored.
   * @param {string} topic
   * @param {number} asOf
   */
  setTopic(topic, asOf) {
    if (asOf < this.#topicAsOf) return;
    this.topic = topic;
    this.#topicAsOf = asOf;
  }

  /**
   * Apply a join response and all buffered pushes that follow.
   * @param {{lastSeq: number, messages: Entry[], hasMore: boolean}} response
   * @param {number | null} since `since` of the request; null for a full join.
   */
  applyJoin({ lastSeq, messages, hasMore }, since) {
    this.#isLive = true;
    this.expectSeq(lastSeq);
    let oldest = since === null ? 0 : since + 1;
    if (hasMore) oldest = messages.length ? Math.min(...messages.map(({ seq }) => seq)) : lastSeq + 1;
    this.#applyRange(messages, oldest, lastSeq, lastSeq);
    this.#applyBufferedPushes();
  }

  /**
   * Apply a history page. On a joined connection, a page beyond the live end is ignored; `missingAfter` then includes
   * its entries.
   * @param {{lastSeq: number, messages: Entry[], hasMore: boolean}} page
   * @param {PageRange} request
   */
  applyPage({ lastSeq, messages, hasMore }, { after, before }) {
    this.expectSeq(lastSeq);
    const seqs = messages.map(({ seq }) => seq);
    let oldest = seqs.length ? Math.min(...seqs) : 1;
    let newest = seqs.length ? Math.max(...seqs) : 0;
    if (after !== undefined) {
      oldest = after + 1;
      if (!hasMore) newest = Math.max(newest, lastSeq);
    } else if (before !== undefined) {
      newest = Math.min(before - 1, lastSeq);
      if (!hasMore) oldest = 0;
      else if (!seqs.length) oldest = before;
    }
    // Later pushes of the entries between would count as duplicates.
    if (this.#isLive && oldest > (this.lastSeq ?? 0) + 1) return;
    this.#applyRange(messages, oldest, newest, lastSeq);
    this.#applyBufferedPushes();
  }

  /**
   * Apply or buffer a pushed entry; a duplicate, and an entry above `MAX_BUFFERED_PUSHES`, only updates `missingAfter`.
   * @param {Entry} entry
   */
  applyPush(entry) {
    this.expectSeq(entry.seq);
    const isNew = !this.#isLive || entry.seq > (this.lastSeq ?? 0);
    if (isNew && this.#bufferedPushes.size < MAX_BUFFERED_PUSHES) this.#bufferedPushes.set(entry.seq, entry);
    this.#applyBufferedPushes();
  }

  /**
   * Release the oldest items with their pending changes.
   * @param {number} maxItems Number of items to retain, at least one.
   */
  trim(maxItems) {
    if (this.#items.length <= maxItems) return;
    const first = this.#items[this.#items.length - maxItems].seq;
    for (const map of [this.#itemsBySeq, this.#asOf, this.#bases, this.#changes]) {
      for (const seq of map.keys()) if (seq < first) map.delete(seq);
    }
    this.#items = this.#items.slice(-maxItems);
    this.#ranges.truncate(first);
    this.#trimmedAt = this.lastSeq ?? 0;
  }

  /** Apply the buffered pushes that continue the live end. */
  #applyBufferedPushes() {
    while (this.#isLive) {
      const entry = this.#bufferedPushes.get((this.lastSeq ?? 0) + 1);
      if (!entry) return;
      this.#bufferedPushes.delete(entry.seq);
      this.#ranges.add(entry.seq, entry.seq);
      this.#addEntries([entry], entry.seq);
    }
  }

  /**
   * Apply a contiguous range whose messages include all changes up to `asOf`.
   * @param {Entry[]} entries
   * @param {number} first
   * @param {number} last
   * @param {number} asOf
   */
  #applyRange(entries, first, last, asOf) {
    const start = asOf < this.#trimmedAt ? Math.max(first, this.firstSeq) : first;
    this.#ranges.add(start, last);
    if (this.#isLive) for (const seq of this.#bufferedPushes.keys()) if (seq <= (this.lastSeq ?? 0)) this.#bufferedPushes.delete(seq);
    const ascending = entries.filter(({ seq }) => start <= seq && seq <= last).sort((left, right) => left.seq - right.seq);
    this.#addEntries(ascending, asOf);
  }

  /**
   * Add items and changes, and rebuild the affected items.
   * @param {Entry[]} entries Entries of known ranges, ascending.
   * @param {number} asOf
   */
  #addEntries(entries, asOf) {
    // All changes are added before the first fold, which assumes complete ranges.
    const affected = new Set();
    for (const entry of entries) {
      if (entry.kind === "topic") this.setTopic(entry.topic ?? "", entry.seq);
      if (ITEM_KINDS.has(entry.kind)) {
        if ((this.#asOf.get(entry.seq) ?? -1) >= asOf) continue;
        this.#bases.set(entry.seq, entry);
        this.#asOf.set(entry.seq, asOf);
        affected.add(entry.seq);
      } else if (typeof entry.target === "number" && this.#addChange(entry, entry.target)) affected.add(entry.target);
    }
    for (const seq of affected) this.#rebuild(seq);
    this.#limitChanges();
  }

  /** Fold or drop the changes of the least recently changed targets above `MAX_PENDING_CHANGES`. */
  #limitChanges() {
    let count = 0;
    for (const changes of this.#changes.values()) count += changes.length;
    for (const [target, changes] of this.#changes) {
      if (count <= MAX_PENDING_CHANGES) return;
      this.#changes.delete(target);
      if (this.#bases.delete(target)) this.#asOf.set(target, changes.at(-1)?.seq ?? target);
      count -= changes.length;
    }
  }

  /**
   * Insert a change in order of `seq`; a change of an unknown message is stored for later.
   * @param {Entry} change
   * @param {number} target
   * @returns {boolean} True if the target is loaded and does not include the change.
   */
  #addChange(change, target) {
    const base = this.#bases.get(target) ?? this.#itemsBySeq.get(target);
    if (base ? base.kind !== "message" || change.seq <= (this.#asOf.get(target) ?? 0) : this.#ranges.contains(target)) return false;
    const pending = this.#changes.get(target) ?? [];
    if (pending.some(({ seq }) => seq === change.seq)) return false;
    this.#changes.delete(target); // the most recently changed target is last
    this.#changes.set(target, [...pending, change].sort((left, right) => left.seq - right.seq));
    return base !== undefined;
  }

  /**
   * Apply the pending changes to the base, and fold them if no entry between is unknown.
   * @param {number} seq
   */
  #rebuild(seq) {
    const asOf = this.#asOf.get(seq) ?? seq;
    const base = this.#bases.get(seq) ?? this.#itemsBySeq.get(seq);
    const pending = (this.#changes.get(seq) ?? []).filter((change) => change.seq > asOf);
    this.#changes.delete(seq);
    this.#bases.delete(seq);
    if (!base) return;
    const newest = pending.at(-1);
    if (newest && this.#ranges.contains(asOf + 1, newest.seq)) {
      this.#asOf.set(seq, newest.seq);
    } else if (newest) {
      this.#changes.set(seq, pending);
      this.#bases.set(seq, base);
    }
    this.#put(pending.reduce((item, change) => applyChange(item, change, this.memberId), base));
  }

  /**
   * Insert an item in order of `seq`, or replace its earlier version.
   * @param {Item} item
   */
  #put(item) {
    const index = this.#upperBound(item.seq);
    const isKnown = this.#itemsBySeq.has(item.seq);
    this.#items.splice(isKnown ? index - 1 : index, isKnown ? 1 : 0, item);
    this.#itemsBySeq.set(item.seq, item);
  }

  /**
   * Return the number of items with this `seq` or a lower one.
   * @param {number} seq
   */
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
