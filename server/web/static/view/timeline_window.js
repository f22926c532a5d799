/**
 * Part of a log that the timeline renders.
 *
 * Items over the limit are removed at the top while the view follows new messages or the user scrolls down, otherwise at the
 * bottom.
 */

const STEP = 100; // items per extension
const MAX_FOLLOWING_ITEMS = 400;
const MAX_SCROLLED_ITEMS = 600;

/**
 * @typedef {import("../state/room_log.js").Item} Item
 * @typedef {object} WindowRange
 * @property {number | null} start `seq` of the first rendered item; null for the newest items.
 * @property {number | null} end `seq` of the last rendered item; null at the end of the log.
 */

/** @type {WindowRange} */
export const FOLLOWING_RANGE = { start: null, end: null };

/** Range of rendered items, initially the newest ones. */
export class TimelineWindow {
  range = FOLLOWING_RANGE;

  /** Let the window end with the log; `select` limits its start. */
  moveToEnd() {
    this.range = { ...this.range, end: null };
  }

  /**
   * Move the window around an item.
   * @param {Item[]} items Items of the log, at least one.
   * @param {number} index
   */
  center(items, index) {
    const end = index + STEP / 2;
    this.range = { start: items[Math.max(0, index - STEP / 2)].seq, end: end >= items.length - 1 ? null : items[end].seq };
  }

  /**
   * Limit the window to the loaded items and the maximum size, and return its items.
   * @param {Item[]} items Items of the log.
   * @param {boolean} isFollowing
   */
  select(items, isFollowing) {
    if (!items.length) return items;
    const { start: startSeq, end: endSeq } = this.range;
    const end = endSeq === null ? items.length : indexAtOrBefore(items, endSeq) + 1;
    const limit = isFollowing ? MAX_FOLLOWING_ITEMS : MAX_SCROLLED_ITEMS;
    const isOutside = startSeq === null || startSeq < items[0].seq || startSeq > items[end - 1]?.seq;
    let start = isOutside ? Math.max(0, end - STEP) : indexAtOrBefore(items, startSeq);
    if (isFollowing && end - start > limit) start = end - STEP;
    const isOverLimit = end - start > limit;
    this.range = { start: items[start].seq, end: isOverLimit ? items[start + limit - 1].seq : endSeq };
    return items.slice(start, isOverLimit ? start + limit : end);
  }

  /**
   * Extend the end by `STEP` items, and drop items at the start that are over the limit.
   * @param {Item[]} items Items of the log.
   */
  extendDown(items) {
    const end = Math.min(items.length - 1, indexAtOrBefore(items, this.range.end ?? Infinity) + STEP);
    const firstAllowed = items[Math.max(0, end + 1 - MAX_SCROLLED_ITEMS)].seq;
    this.range = { start: Math.max(this.range.start ?? 0, firstAllowed), end: end === items.length - 1 ? null : items[end].seq };
  }

  /**
   * Extend the start by `STEP` items.
   * @param {Item[]} items Items of the log.
   * @returns {boolean} False if the window already starts with the first item.
   */
  extendUp(items) {
    const { start: startSeq, end } = this.range;
    const start = items.length && startSeq !== null ? indexAtOrBefore(items, startSeq) : 0;
    if (start <= 0) return false;
    this.range = { start: items[Math.max(0, start - STEP)].seq, end };
    return true;
  }
}

/**
 * Return the index of the last item whose `seq` is at most this `seq`; 0 without such an item.
 * @param {Item[]} items
 * @param {number} seq
 */
export function indexAtOrBefore(items, seq) {
  let low = 0;
  let high = items.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (items[middle].seq > seq) high = middle - 1;
    else low = middle;
  }
  return low;
}
