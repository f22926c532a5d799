/**
 * The timeline on the screen.
 *
 * Rule 1  At the bottom it stays at the bottom; anywhere else what you read does
 *         not move, whatever is put above, below or in between.
 * Rule 2  Only a window of the log is in the document: what is far above is taken
 *         out while you follow the newest, and what is far below is not put in
 *         while you read further up.
 * Rule 3  A line that looks the same keeps its element, so that a selection stays.
 * Rule 4  Each room keeps its own place.
 */

import { words } from "../i18n/strings.js";
import { linesOf, same } from "../state/timeline_model.js";
import { say } from "./dom.js";
import { rowOf } from "./render_line.js";
import { firstInView, isNear } from "./viewport.js";

const STEP = 100; // items that are put in at a time
const FOLLOWING_AT_MOST = 400; // items in the document while at the bottom
const READING_AT_MOST = 600; // items in the document while further up
const KEPT_AT_MOST = 20_000; // items in memory while at the bottom
const NEAR = 800; // px from an end at which more is put in
const HUSH = 500; // ms
const BOTTOM = 40; // px that still count as the bottom
const NOTHING = { unread: 0, unreadAfter: null };

export class Timeline {
  #scroller = document.getElementById("timeline");
  #list = document.getElementById("lines");
  #newer = document.getElementById("newer");
  #beginning = document.getElementById("beginning");
  #acts;
  #onScroll;
  #onReplace;
  #room = null;
  #places = new WeakMap(); // room → where it was left
  #rows = new Map(); // key → {line, row}
  #from = null; // seq of the first item in the document
  #to = null; // seq of the last one, null: it follows the log
  #following = true;
  #size = ""; // of the timeline when it was last put to the bottom
  #top = 0; // its scrollTop then
  #state = NOTHING;
  #announced = 0; // seq of the first item at the last drawing
  #hushed = 0;

  /**
   * @param {object} to
   * @param {object} to.acts What the rows do: see `rowOf`; `nameOf`, `me`, `onReach` and `onFill` are made here.
   * @param {() => void} to.onScroll The bottom was reached or left.
   * @param {(old: Element, row: Element) => void} to.onReplace A line has another element.
   */
  constructor({ acts, onScroll, onReplace }) {
    this.#acts = {
      ...acts,
      nameOf: (memberId) => this.#room?.members.get(memberId)?.nickName ?? "",
      me: () => this.#room?.memberId ?? "",
      onReach: (seq) => this.reach(seq).then((there) => there || acts.onUnreachable()),
      onFill: (gap) => this.#room.fill(gap, true),
    };
    this.#onScroll = onScroll;
    this.#onReplace = onReplace;
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

  /** Shows another room, where it was left. */
  show(room) {
    if (this.#room) this.#places.set(this.#room, this.#place());
    this.#room = room;
    this.anew();
    const place = this.#places.get(room);
    this.#from = place?.from ?? null;
    this.#to = place?.to ?? null;
    this.#following = !place || place.following;
    if (this.#following) return;
    this.draw({ ...NOTHING, unreadAfter: room.reading.unreadAfter });
    const row = this.#rows.get(place.key)?.row;
    if (row) this.#scroller.scrollTop += row.getBoundingClientRect().top - place.top;
  }

  /** Makes all lines anew at the next drawing: the words are others. */
  anew() {
    this.#rows.clear();
    this.#list.replaceChildren();
    this.#hush();
  }

  /** Goes down to the newest line and stays there. */
  toNewest() {
    this.#to = null;
    this.#following = true;
    this.draw({ ...this.#state, unread: 0 });
    this.#toBottom();
    this.#onScroll();
  }

  /** Moves by so many screens; negative is up. */
  page(screens) {
    this.#scroller.scrollBy({ top: screens * this.#scroller.clientHeight * 0.9 });
  }

  /**
   * Goes to a message, wherever it is in the room's log.
   * @returns {Promise<boolean>} False when it could not be had.
   */
  async reach(seq) {
    const room = this.#room;
    if (!(await room.reach(seq))) return false;
    if (room !== this.#room) return true;
    const { items } = room.log;
    const index = indexOf(items, seq);
    const target = items[index]?.seq ?? seq;
    if (!this.#rows.has(`m${target}`)) {
      const end = index + STEP / 2;
      this.#from = items[Math.max(0, index - STEP / 2)].seq;
      this.#to = end >= items.length - 1 ? null : items[end].seq;
    }
    this.#following = false;
    this.#hush();
    this.draw(this.#state);
    const row = this.#rows.get(`m${target}`)?.row;
    row?.scrollIntoView({ block: "center" });
    row?.classList.add("found");
    row?.focus({ preventScroll: true });
    return true;
  }

  /** Goes up to the line above what is new, if there is one. */
  toFirstUnread() {
    const { unreadAfter } = this.#state;
    const first = this.#room?.log.items.find(
      ({ seq, kind, memberId }) => seq > (unreadAfter ?? Infinity) && kind === "message" && !this.#room.mine.has(memberId),
    );
    if (first) this.reach(first.seq);
  }

  /**
   * @param {object} state
   * @param {number} state.unread How many messages you have not seen.
   * @param {number | null} state.unreadAfter The last `seq` before those, or null for no line.
   */
  draw(state) {
    const room = this.#room;
    if (!room) return;
    this.#state = state;
    const { log, notices, outbox, mine, nick } = room;
    if (this.#following) log.trim(KEPT_AT_MOST);
    const items = this.#window(log.items);
    const atEnd = this.#to === null;
    if (items[0]?.seq < this.#announced) this.#hush();
    this.#announced = items[0]?.seq ?? 0;
    const last = items.at(-1)?.seq ?? 0;
    const lines = linesOf({
      items,
      gaps: log.last === null ? [] : log.gaps.filter(({ before }) => before <= last),
      notices: atEnd ? notices : notices.filter(({ after }) => after < this.#to),
      waiting: atEnd ? outbox.waiting.filter(({ event }) => event === "sendMessage") : [],
      changes: outbox.changes,
      item: (seq) => log.item(seq),
      mine,
      nick,
      unreadAfter: state.unreadAfter,
      now: Date.now(),
    });
    const top = items[0] === log.items[0];
    this.#keepingPlace(() => {
      const bare = room.entered && top && !log.hasOlder && !log.items.length && lines.length > 0;
      this.#beginning.hidden = bare;
      say(this.#beginning, room.entered ? beginningWords(log, top) : words.joining);
      this.#reconcile(lines);
    });
    this.#newer.hidden = this.#following;
    say(this.#newer, `${words.newer(state.unread)} ↓`);
    this.#fill();
  }

  #place() {
    const row = this.#following ? null : firstInView(this.#scroller, this.#list);
    return {
      from: this.#from,
      to: this.#to,
      following: !row,
      key: row?.dataset.key,
      top: row?.getBoundingClientRect().top,
    };
  }

  #window(items) {
    if (!items.length) return items;
    const end = this.#to === null ? items.length : indexOf(items, this.#to) + 1;
    const most = this.#following ? FOLLOWING_AT_MOST : READING_AT_MOST;
    const gone = this.#from === null || this.#from < items[0].seq || this.#from > items[end - 1]?.seq;
    let start = gone ? Math.max(0, end - STEP) : indexOf(items, this.#from);
    if (this.#following && end - start > most) start = end - STEP;
    this.#from = items[start].seq;
    if (end - start <= most) return items.slice(start, end);
    this.#to = items[start + most - 1].seq;
    return items.slice(start, start + most);
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
          this.#replace(known.row, row);
        }
        this.#rows.set(line.key, { line, row });
      }
      if (row === place) place = place.nextSibling;
      else this.#list.insertBefore(row, place);
    }
  }

  #replace(old, row) {
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    old.replaceWith(row);
    this.#onReplace(old, row);
    if (focused) (row.contains(focused) ? focused : row).focus({ preventScroll: true });
  }

  #keepingPlace(change) {
    const anchor = this.#following ? null : firstInView(this.#scroller, this.#list);
    // Its lower edge: the upper one moves when a message above takes over its head.
    const before = anchor?.getBoundingClientRect().bottom;
    const key = anchor?.dataset.key;
    change();
    if (this.#following) {
      this.#toBottom();
    } else if (anchor) {
      const after = this.#rows.get(key)?.row.getBoundingClientRect().bottom;
      if (after !== undefined) this.#scroller.scrollTop += after - before;
    }
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

  /** Puts in what is near an end of the window, and what is missing near what you read. */
  #fill() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    if (!clientHeight || !this.#room) return;
    const { log } = this.#room;
    const { items } = log;
    this.#fillGaps();
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
    } else if (log.last !== null && log.hasOlder) {
      this.#fetchOlder();
    }
  }

  #fillGaps() {
    const near = this.#following ? 0 : NEAR;
    for (const row of this.#list.querySelectorAll(".gap")) {
      if (!isNear(this.#scroller, row, near)) continue;
      const { top, height } = this.#scroller.getBoundingClientRect();
      const below = row.getBoundingClientRect().top > top + height / 2;
      this.#room.fill({ after: Number(row.dataset.after), before: Number(row.dataset.before) }, below);
    }
  }

  async #fetchOlder() {
    const room = this.#room;
    if ((await room.older()) && room === this.#room) this.#fill();
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
