/**
 * Which stretches of a room's log are held: pure arithmetic over `seq`.
 *
 * Rule 1  A stretch holds every `seq` from `first` to `last`, both included.
 * Rule 2  Stretches ascend, and between two of them at least one `seq` is missing.
 */

export class Spans {
  /** @type {{first: number, last: number}[]} */
  #all = [];

  /** The stretches, ascending. Not to be changed. */
  get all() {
    return this.#all;
  }

  /** What is missing between stretches, ascending: after which `seq`, and before which. */
  get gaps() {
    return this.#all.slice(1).map(({ first }, index) => ({ after: this.#all[index].last, before: first }));
  }

  /** Whether every `seq` from `first` to `last` is held; of nothing, everything is. */
  hold(first, last = first) {
    if (last < first) return true;
    const span = this.#all[this.#at(first)];
    return span !== undefined && span.first <= first && last <= span.last;
  }

  /** Everything from `first` to `last` is held; what it touches becomes one stretch with it. */
  add(first, last) {
    if (last < first) return;
    const apart = (span) => span.last < first - 1 || span.first > last + 1;
    const touched = this.#all.filter((span) => !apart(span));
    const whole = {
      first: Math.min(first, ...touched.map((span) => span.first)),
      last: Math.max(last, ...touched.map((span) => span.last)),
    };
    this.#all = [...this.#all.filter(apart), whole].sort((one, other) => one.first - other.first);
  }

  /** `last + 1` of the newest stretch is held too. */
  grow() {
    this.#all.at(-1).last += 1;
  }

  /** Nothing before `first` is held any more. */
  cut(first) {
    const left = this.#all.filter(({ last }) => last >= first);
    this.#all = left.map((span) => ({ first: Math.max(span.first, first), last: span.last }));
  }

  /** The index of the first stretch that ends at `seq` or later. */
  #at(seq) {
    const found = this.#all.findIndex(({ last }) => last >= seq);
    return found < 0 ? this.#all.length : found;
  }
}
