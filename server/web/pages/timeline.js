/**
 * The timeline on the screen.
 *
 * Rule 1  At the bottom it stays at the bottom; anywhere else what you read does
 *         not move, whatever is put above, below or in between.
 * Rule 2  Only a window of the log is in the document: what is far above is taken
 *         out while you follow the newest, and what is far below is not put in
 *         while you read further up.
 * Rule 3  A line that looks the same keeps its element, so that a selection stays.
 */

import { linesOf, same } from "./lines.js";
import { rowOf } from "./rows.js";
import { words } from "./words.js";

const STEP = 100; // items that are put in at a time
const FOLLOWING_AT_MOST = 400; // items in the document while at the bottom
const READING_AT_MOST = 1200; // items in the document while further up
const NEAR = 800; // px from an end at which more is put in
const HUSH = 500; // ms
const BOTTOM = 40; // px that still count as the bottom

export class Timeline {
  #scroller = document.getElementById("timeline");
  #list = document.getElementById("lines");
  #newer = document.getElementById("newer");
  #beginning = document.getElementById("beginning");
  #acts;
  #onScroll;
  #session = null;
  #rows = new Map(); // key → {line, row}
  #from = null; // seq of the first item in the document
  #to = null; // seq of the last one, null: it follows the log
  #following = true;
  #size = ""; // of the timeline when it was last put to the bottom
  #top = 0; // its scrollTop then
  #unreadAfter = null;
  #announced = 0; // seq of the first item at the last drawing
  #hushed = 0;

  /**
   * @param {object} to
   * @param {(clientId: string) => void} to.onRetry
   * @param {(clientId: string) => void} to.onDiscard
   * @param {() => void} to.onScroll The bottom was reached or left.
   */
  constructor({ onRetry, onDiscard, onScroll }) {
    const nameOf = (memberId) => this.#session?.members.get(memberId)?.nickName ?? "";
    this.#acts = { onRetry, onDiscard, nameOf };
    this.#onScroll = onScroll;
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#newer.addEventListener("click", () => this.toNewest());
    const sized = new ResizeObserver(() => this.#scrolled());
    sized.observe(this.#scroller);
    sized.observe(this.#list);
  }

  /** The newest line is in view. */
  get following() {
    return this.#following;
  }

  /** Begins anew, for another visit. */
  open(session) {
    this.#session = session;
    this.#rows.clear();
    this.#list.replaceChildren();
    this.#from = this.#to = null;
    this.#following = true;
    this.#hush();
  }

  /** Goes down to the newest line and stays there. */
  toNewest() {
    this.#to = null;
    this.#following = true;
    this.draw({ unread: 0, unreadAfter: this.#unreadAfter });
    this.#toBottom();
    this.#onScroll();
  }

  /** Moves by so many screens; negative is up. */
  page(screens) {
    this.#scroller.scrollBy({ top: screens * this.#scroller.clientHeight * 0.9 });
  }

  /**
   * @param {object} state
   * @param {number} state.unread How many messages you have not seen.
   * @param {number | null} state.unreadAfter The last `seq` before those, or null for no line.
   */
  draw({ unread, unreadAfter }) {
    const session = this.#session;
    if (!session) return;
    this.#unreadAfter = unreadAfter;
    const { log, notices, outbox, mine, nick } = session;
    const items = this.#window(log.items);
    const atEnd = this.#to === null;
    if (items[0]?.seq < this.#announced) this.#hush();
    this.#announced = items[0]?.seq ?? 0;
    const lines = linesOf({
      items,
      notices: atEnd ? notices : notices.filter(({ after }) => after < this.#to),
      waiting: atEnd ? outbox.waiting : [],
      item: (seq) => log.item(seq),
      mine,
      nick,
      unreadAfter,
      now: Date.now(),
    });
    const top = items[0] === log.items[0];
    this.#keepingPlace(() => {
      this.#beginning.hidden = !session.entered || (top && !log.hasOlder && !log.items.length && lines.length > 0);
      this.#beginning.textContent = beginningWords(log, top);
      this.#reconcile(lines);
    });
    this.#newer.hidden = this.#following;
    this.#newer.textContent = `${words.newer(unread)} ↓`;
    this.#fill();
  }

  #window(items) {
    if (!items.length) return items;
    const end = this.#to === null ? items.length : indexOf(items, this.#to) + 1;
    const room = this.#following ? FOLLOWING_AT_MOST : READING_AT_MOST;
    const gone = this.#from === null || this.#from < items[0].seq || this.#from > items[end - 1]?.seq;
    let start = gone ? Math.max(0, end - STEP) : indexOf(items, this.#from);
    if (this.#following && end - start > room) start = end - STEP;
    this.#from = items[start].seq;
    if (end - start <= room) return items.slice(start, end);
    this.#to = items[start + room - 1].seq;
    return items.slice(start, start + room);
  }

  /** What is put in now was said long ago: it is not to be read out. */
  #hush() {
    this.#scroller.setAttribute("aria-busy", "true");
    clearTimeout(this.#hushed);
    this.#hushed = setTimeout(() => this.#scroller.removeAttribute("aria-busy"), HUSH);
  }

  #reconcile(lines) {
    const keys = new Set(lines.map(({ key }) => key));
    for (const [key, { row }] of this.#rows) {
      if (keys.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    let place = this.#list.firstChild;
    for (const line of lines) {
      const known = this.#rows.get(line.key);
      let row = known?.row;
      if (!known || !same(known.line, line)) {
        row = rowOf(line, this.#acts);
        row.dataset.key = line.key;
        if (known) {
          if (place === known.row) place = row;
          known.row.replaceWith(row);
        }
        this.#rows.set(line.key, { line, row });
      }
      if (row === place) place = place.nextSibling;
      else this.#list.insertBefore(row, place);
    }
  }

  #keepingPlace(change) {
    const scroller = this.#scroller;
    const anchor = this.#following ? null : this.#firstInView();
    // Its lower edge: the upper one moves when a message above takes over its head.
    const before = anchor?.getBoundingClientRect().bottom;
    const key = anchor?.dataset.key;
    change();
    if (this.#following) {
      this.#toBottom();
    } else if (anchor) {
      const after = this.#rows.get(key)?.row.getBoundingClientRect().bottom;
      if (after !== undefined) scroller.scrollTop += after - before;
    }
  }

  #firstInView() {
    const { top } = this.#scroller.getBoundingClientRect();
    const rows = this.#list.children;
    let low = 0;
    let high = rows.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle].getBoundingClientRect().bottom <= top) low = middle + 1;
      else high = middle;
    }
    // Rules go where their first message goes, so they hold no place.
    while (rows[low]?.classList.contains("rule")) low += 1;
    return rows[low] ?? null;
  }

  #toBottom() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#size = sizeOf(this.#scroller);
    this.#top = this.#scroller.scrollTop;
  }

  /** The reader went up since then; a timeline that grew taller also has a smaller scrollTop, but is at its end. */
  #wentUp() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    return scrollTop < Math.min(this.#top, scrollHeight - clientHeight) - BOTTOM;
  }

  #scrolled() {
    if (this.#following && sizeOf(this.#scroller) !== this.#size && !this.#wentUp()) {
      this.#toBottom(); // the composer grew, or a window did
      return;
    }
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const following = this.#to === null && scrollHeight - scrollTop - clientHeight < BOTTOM;
    if (following !== this.#following) {
      this.#following = following;
      this.#onScroll();
    }
    this.#fill();
  }

  /** Puts in what is near an end of the window. */
  #fill() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    if (!clientHeight || !this.#session) return;
    const { log } = this.#session;
    const { items } = log;
    if (this.#to !== null && scrollHeight - scrollTop - clientHeight < NEAR) {
      const end = Math.min(items.length - 1, indexOf(items, this.#to) + STEP);
      const whole = end === items.length - 1;
      this.#to = whole ? null : items[end].seq;
      // What is far above makes room, or the window could not move on.
      const start = Math.max(0, end + 1 - READING_AT_MOST);
      if (this.#from < items[start].seq) this.#from = items[start].seq;
      this.#onScroll();
      return;
    }
    if (scrollTop >= NEAR || (this.#following && scrollHeight > clientHeight)) return;
    const start = items.length && this.#from !== null ? indexOf(items, this.#from) : 0;
    if (start > 0) {
      this.#from = items[Math.max(0, start - STEP)].seq;
      this.#onScroll();
    } else if (log.hasOlder) {
      this.#fetchOlder();
    }
  }

  async #fetchOlder() {
    const session = this.#session;
    const before = session.log.first;
    await session.older();
    if (session === this.#session && session.log.first !== before) this.#fill();
  }
}

function sizeOf({ scrollHeight, clientHeight }) {
  return `${scrollHeight}/${clientHeight}`;
}

function beginningWords(log, top) {
  if (!top || log.hasOlder) return words.loading;
  return log.items.length ? words.beginning : words.empty;
}

/** The index of the last item with this `seq` or a smaller one, at least 0. */
function indexOf(items, seq) {
  let low = 0;
  let high = items.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (items[middle].seq > seq) high = middle - 1;
    else low = middle;
  }
  return low;
}
