/**
 * Set of sequence numbers as sorted ranges.
 *
 * - A range includes both of its ends.
 * - Ranges are disjoint, ascending and never adjacent.
 */
export class SeqRanges {
  /** @type {{first: number, last: number}[]} */
  #ranges = [];

  /** Lowest number; null for an empty set. */
  get first() {
    return this.#ranges[0]?.first ?? null;
  }

  /** Highest number; null for an empty set. */
  get last() {
    return this.#ranges.at(-1)?.last ?? null;
  }

  /** Missing ranges, ascending, as exclusive bounds. */
  get gaps() {
    return this.#ranges.slice(1).map(({ first }, index) => ({ after: this.#ranges[index].last, before: first }));
  }

  /**
   * Return whether all numbers from `first` to `last` are included.
   * @param {number} first
   * @param {number} [last]
   */
  contains(first, last = first) {
    const range = this.#ranges.findLast((candidate) => candidate.first <= first);
    return range !== undefined && last <= range.last;
  }

  /**
   * Include all numbers from `first` to `last`; merge adjacent ranges. No effect if `last < first`.
   * @param {number} first
   * @param {number} last
   */
  add(first, last) {
    if (last < first) return;
    const isSeparate = (/** @type {{first: number, last: number}} */ range) => range.last < first - 1 || range.first > last + 1;
    const overlapping = this.#ranges.filter((range) => !isSeparate(range));
    const merged = {
      first: Math.min(first, ...overlapping.map((range) => range.first)),
      last: Math.max(last, ...overlapping.map((range) => range.last)),
    };
    this.#ranges = [...this.#ranges.filter(isSeparate), merged].sort((left, right) => left.first - right.first);
  }

  /**
   * Remove all numbers below `first`.
   * @param {number} first
   */
  truncate(first) {
    const remaining = this.#ranges.filter(({ last }) => last >= first);
    this.#ranges = remaining.map((range) => ({ first: Math.max(range.first, first), last: range.last }));
  }
}
