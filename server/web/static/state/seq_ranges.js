/**
 * Set of sequence numbers as sorted ranges.
 *
 * - A range includes both of its ends.
 * - Ranges are disjoint, ascending and never adjacent.
 */

export class SeqRanges {
  /** @type {{first: number, last: number}[]} */
  #ranges = [];

  /** Sorted ranges. Read only. */
  get ranges() {
    return this.#ranges;
  }

  /** Missing ranges, ascending, as exclusive bounds. */
  get gaps() {
    return this.#ranges.slice(1).map(({ first }, index) => ({ after: this.#ranges[index].last, before: first }));
  }

  /** Return whether all numbers from `first` to `last` are included; true for an empty interval. */
  contains(first, last = first) {
    if (last < first) return true;
    const range = this.#ranges[this.#indexAt(first)];
    return range !== undefined && range.first <= first && last <= range.last;
  }

  /** Include all numbers from `first` to `last`; merge adjacent ranges. */
  add(first, last) {
    if (last < first) return;
    const isSeparate = (range) => range.last < first - 1 || range.first > last + 1;
    const overlapping = this.#ranges.filter((range) => !isSeparate(range));
    const merged = {
      first: Math.min(first, ...overlapping.map((range) => range.first)),
      last: Math.max(last, ...overlapping.map((range) => range.last)),
    };
    this.#ranges = [...this.#ranges.filter(isSeparate), merged].sort((left, right) => left.first - right.first);
  }

  /** Extend the newest range by one. */
  extendLast() {
    this.#ranges.at(-1).last += 1;
  }

  /** Remove all numbers below `first`. */
  truncate(first) {
    const remaining = this.#ranges.filter(({ last }) => last >= first);
    this.#ranges = remaining.map((range) => ({ first: Math.max(range.first, first), last: range.last }));
  }

  /** Return the index of the first range with an end of at least `seq`. */
  #indexAt(seq) {
    const index = this.#ranges.findIndex(({ last }) => last >= seq);
    return index < 0 ? this.#ranges.length : index;
  }
}
