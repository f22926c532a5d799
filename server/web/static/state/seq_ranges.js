/**
 * Which stretches of a room's log are held: pure arithmetic over `seq`.
 *
 * Rule 1  A stretch holds every `seq` from `first` to `last`, both included.
 * Rule 2  Stretches ascend, and between two of them at least one `seq` is missing.
 */

export class SeqRanges {
  /** @type {{first: number, last: number}[]} */
  #ranges = [];

  /** The stretches, ascending. Not to be changed. */
  get ranges() {
    return this.#ranges;
  }

  /** What is missing between stretches, ascending: after which `seq`, and before which. */
  get gaps() {
    return this.#ranges.slice(1).map(({ first }, index) => ({ after: this.#ranges[index].last, before: first }));
  }

  /** Whether every `seq` from `first` to `last` is held; of nothing, everything is. */
  contains(first, last = first) {
    if (last < first) return true;
    const range = this.#ranges[this.#indexAt(first)];
    return range !== undefined && range.first <= first && last <= range.last;
  }

  /** Everything from `first` to `last` is held; what it touches becomes one stretch with it. */
  add(first, last) {
    if (last < first) return;
    const isSeparate = (range) => range.last < first - 1 || range.first > last + 1;
    const overlapping = this.#ranges.filter((range) => !isSeparate(range));
    const merged = {
      first: Math.min(first, ...overlapping.map((range) => range.first)),
      last: Math.max(last, ...overlapping.map((range) => range.last)),
    };
    this.#ranges = [...this.#ranges.filter(isSeparate), merged].sort((one, other) => one.first - other.first);
  }

  /** `last + 1` of the newest stretch is held too. */
  extendLast() {
    this.#ranges.at(-1).last += 1;
  }

  /** Nothing before `first` is held any more. */
  truncate(first) {
    const remaining = this.#ranges.filter(({ last }) => last >= first);
    this.#ranges = remaining.map((range) => ({ first: Math.max(range.first, first), last: range.last }));
  }

  /** The index of the first stretch that ends at `seq` or later. */
  #indexAt(seq) {
    const index = this.#ranges.findIndex(({ last }) => last >= seq);
    return index < 0 ? this.#ranges.length : index;
  }
}
