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

import { strings } from "../i18n/strings.js";
import { buildLines, isSameLine } from "../state/timeline_model.js";
import { setText } from "./dom.js";
import { renderLine } from "./render_line.js";
import { findFirstVisible, isNearViewport } from "./viewport.js";

const WINDOW_STEP = 100; // items that are put in at a time
const MAX_FOLLOWING_ITEMS = 400; // items in the document while at the bottom
const MAX_SCROLLED_ITEMS = 600; // items in the document while further up
const MAX_LOG_ITEMS = 20_000; // items in memory while at the bottom
const LOAD_MARGIN = 800; // px from an end at which more is put in
const MUTE_DURATION = 500; // ms
const BOTTOM_TOLERANCE = 40; // px that still count as the bottom
const NO_UNREAD = { unread: 0, unreadAfter: null };

export class Timeline {
  #scroller = document.getElementById("timeline");
  #list = document.getElementById("timeline-lines");
  #jumpButton = document.getElementById("jump-to-newest");
  #historyStart = document.getElementById("history-start");
  #actions;
  #onFollowChange;
  #onRowReplaced;
  #room = null;
  #savedPositions = new WeakMap(); // room → where it was left
  #rows = new Map(); // key → {line, row}
  #windowStart = null; // seq of the first item in the document
  #windowEnd = null; // seq of the last one, null: it follows the log
  #isFollowing = true;
  #bottomSize = ""; // of the timeline when it was last put to the bottom
  #bottomScrollTop = 0; // its scrollTop then
  #readState = NO_UNREAD;
  #announcedSeq = 0; // seq of the first item at the last drawing
  #muteTimer = 0;

  /**
   * @param {object} to
   * @param {object} to.acts What the rows do: see `rowOf`; `nameOf`, `me`, `onReach` and `onFill` are made here.
   * @param {() => void} to.onScroll The bottom was reached or left.
   * @param {(old: Element, row: Element) => void} to.onReplace A line has another element.
   */
  constructor({ actions, onFollowChange, onRowReplaced }) {
    this.#actions = {
      ...actions,
      nickOf: (memberId) => this.#room?.members.get(memberId)?.nickName ?? "",
      ownMemberId: () => this.#room?.memberId ?? "",
      onJumpTo: (seq) => this.jumpTo(seq).then((found) => found || actions.onUnavailable()),
      onFillGap: (gap) => this.#room.fillGap(gap, true),
    };
    this.#onFollowChange = onFollowChange;
    this.#onRowReplaced = onRowReplaced;
    this.#scroller.addEventListener("scroll", () => this.#onScrolled(), { passive: true });
    this.#jumpButton.addEventListener("click", () => this.scrollToNewest());
    const resizeObserver = new ResizeObserver(() => this.#onScrolled());
    resizeObserver.observe(this.#scroller);
    resizeObserver.observe(this.#list);
  }

  /** The newest line is in view. */
  get isFollowing() {
    return this.#isFollowing;
  }

  /** Shows another room, where it was left. */
  showRoom(room) {
    if (this.#room) this.#savedPositions.set(this.#room, this.#capturePosition());
    this.#room = room;
    this.rerender();
    const saved = this.#savedPositions.get(room);
    this.#windowStart = saved?.windowStart ?? null;
    this.#windowEnd = saved?.windowEnd ?? null;
    this.#isFollowing = !saved || saved.isFollowing;
    if (this.#isFollowing) return;
    this.render({ ...NO_UNREAD, unreadAfter: room.readTracker.unreadAfter });
    const row = this.#rows.get(saved.key)?.row;
    if (row) this.#scroller.scrollTop += row.getBoundingClientRect().top - saved.top;
  }

  /** Makes all lines anew at the next drawing: the words are others. */
  rerender() {
    this.#rows.clear();
    this.#list.replaceChildren();
    this.#muteAnnouncements();
  }

  /** Goes down to the newest line and stays there. */
  scrollToNewest() {
    this.#windowEnd = null;
    this.#isFollowing = true;
    this.render({ ...this.#readState, unread: 0 });
    this.#scrollToBottom();
    this.#onFollowChange();
  }

  /** Moves by so many screens; negative is up. */
  scrollByPages(pages) {
    this.#scroller.scrollBy({ top: pages * this.#scroller.clientHeight * 0.9 });
  }

  /**
   * Goes to a message, wherever it is in the room's log.
   * @returns {Promise<boolean>} False when it could not be had.
   */
  async jumpTo(seq) {
    const room = this.#room;
    if (!(await room.loadAround(seq))) return false;
    if (room !== this.#room) return true;
    const { items } = room.log;
    const index = indexAtOrBefore(items, seq);
    const target = items[index]?.seq ?? seq;
    if (!this.#rows.has(`m${target}`)) {
      const end = index + WINDOW_STEP / 2;
      this.#windowStart = items[Math.max(0, index - WINDOW_STEP / 2)].seq;
      this.#windowEnd = end >= items.length - 1 ? null : items[end].seq;
    }
    this.#isFollowing = false;
    this.#muteAnnouncements();
    this.render(this.#readState);
    const row = this.#rows.get(`m${target}`)?.row;
    row?.scrollIntoView({ block: "center" });
    row?.classList.add("highlighted");
    row?.focus({ preventScroll: true });
    return true;
  }

  /** Goes up to the line above what is new, if there is one. */
  jumpToFirstUnread() {
    const { unreadAfter } = this.#readState;
    const first = this.#room?.log.items.find(
      ({ seq, kind, memberId }) => seq > (unreadAfter ?? Infinity) && kind === "message" && !this.#room.ownMemberIds.has(memberId),
    );
    if (first) this.jumpTo(first.seq);
  }

  /**
   * @param {object} state
   * @param {number} state.unread How many messages you have not seen.
   * @param {number | null} state.unreadAfter The last `seq` before those, or null for no line.
   */
  render(state) {
    const room = this.#room;
    if (!room) return;
    this.#readState = state;
    const { log, notices, outbox, ownMemberIds, nick } = room;
    if (this.#isFollowing) log.trim(MAX_LOG_ITEMS);
    const items = this.#selectWindow(log.items);
    const isAtEnd = this.#windowEnd === null;
    if (items[0]?.seq < this.#announcedSeq) this.#muteAnnouncements();
    this.#announcedSeq = items[0]?.seq ?? 0;
    const last = items.at(-1)?.seq ?? 0;
    const lines = buildLines({
      items,
      gaps: log.lastSeq === null ? [] : log.gaps.filter(({ before }) => before <= last),
      notices: isAtEnd ? notices : notices.filter(({ after }) => after < this.#windowEnd),
      pendingItems: isAtEnd ? outbox.items.filter(({ event }) => event === "sendMessage") : [],
      changesBySeq: outbox.changesBySeq,
      getItem: (seq) => log.getItem(seq),
      ownMemberIds,
      nick,
      unreadAfter: state.unreadAfter,
      now: Date.now(),
    });
    const isAtTop = items[0] === log.items[0];
    this.#withAnchor(() => {
      const hasOnlyOtherLines = room.hasJoined && isAtTop && !log.hasOlder && !log.items.length && lines.length > 0;
      this.#historyStart.hidden = hasOnlyOtherLines;
      setText(this.#historyStart, room.hasJoined ? historyStartText(log, isAtTop) : strings.joiningRoom);
      this.#reconcile(lines);
    });
    this.#jumpButton.hidden = this.#isFollowing;
    setText(this.#jumpButton, `${strings.newMessages(state.unread)} ↓`);
    this.#extendWindow();
  }

  #capturePosition() {
    const row = this.#isFollowing ? null : findFirstVisible(this.#scroller, this.#list);
    return {
      windowStart: this.#windowStart,
      windowEnd: this.#windowEnd,
      isFollowing: !row,
      key: row?.dataset.key,
      top: row?.getBoundingClientRect().top,
    };
  }

  #selectWindow(items) {
    if (!items.length) return items;
    const end = this.#windowEnd === null ? items.length : indexAtOrBefore(items, this.#windowEnd) + 1;
    const limit = this.#isFollowing ? MAX_FOLLOWING_ITEMS : MAX_SCROLLED_ITEMS;
    const isOutside = this.#windowStart === null || this.#windowStart < items[0].seq || this.#windowStart > items[end - 1]?.seq;
    let start = isOutside ? Math.max(0, end - WINDOW_STEP) : indexAtOrBefore(items, this.#windowStart);
    if (this.#isFollowing && end - start > limit) start = end - WINDOW_STEP;
    this.#windowStart = items[start].seq;
    if (end - start <= limit) return items.slice(start, end);
    this.#windowEnd = items[start + limit - 1].seq;
    return items.slice(start, start + limit);
  }

  /** What is put in now was said long ago: it is not to be read out. */
  #muteAnnouncements() {
    this.#scroller.setAttribute("aria-busy", "true");
    clearTimeout(this.#muteTimer);
    this.#muteTimer = setTimeout(() => this.#scroller.removeAttribute("aria-busy"), MUTE_DURATION);
  }

  #reconcile(lines) {
    const keys = new Set(lines.map(({ key }) => key));
    for (const [key, { row }] of this.#rows) {
      if (keys.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    let cursor = this.#list.firstChild;
    for (const line of lines) {
      const existing = this.#rows.get(line.key);
      let row = existing?.row;
      if (!existing || !isSameLine(existing.line, line)) {
        row = renderLine(line, this.#actions);
        row.dataset.key = line.key;
        if (existing) {
          if (cursor === existing.row) cursor = row;
          this.#replaceRow(existing.row, row);
        }
        this.#rows.set(line.key, { line, row });
      }
      if (row === cursor) cursor = cursor.nextSibling;
      else this.#list.insertBefore(row, cursor);
    }
  }

  #replaceRow(previous, row) {
    const focused = previous.contains(document.activeElement) ? document.activeElement : null;
    previous.replaceWith(row);
    this.#onRowReplaced(previous, row);
    if (focused) (row.contains(focused) ? focused : row).focus({ preventScroll: true });
  }

  #withAnchor(update) {
    const anchor = this.#isFollowing ? null : findFirstVisible(this.#scroller, this.#list);
    // Its lower edge: the upper one moves when a message above takes over its head.
    const before = anchor?.getBoundingClientRect().bottom;
    const key = anchor?.dataset.key;
    update();
    if (this.#isFollowing) {
      this.#scrollToBottom();
    } else if (anchor) {
      const after = this.#rows.get(key)?.row.getBoundingClientRect().bottom;
      if (after !== undefined) this.#scroller.scrollTop += after - before;
    }
  }

  #scrollToBottom() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#bottomSize = sizeKey(this.#scroller);
    this.#bottomScrollTop = this.#scroller.scrollTop;
  }

  /** The reader went up since then; a timeline that grew taller also has a smaller scrollTop, but is at its end. */
  #hasScrolledUp() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    return scrollTop < Math.min(this.#bottomScrollTop, scrollHeight - clientHeight) - BOTTOM_TOLERANCE;
  }

  #onScrolled() {
    if (this.#isFollowing && sizeKey(this.#scroller) !== this.#bottomSize && !this.#hasScrolledUp()) {
      this.#scrollToBottom(); // the composer grew, or a window did
      return;
    }
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const isFollowing = this.#windowEnd === null && scrollHeight - scrollTop - clientHeight < BOTTOM_TOLERANCE;
    if (isFollowing !== this.#isFollowing) {
      this.#isFollowing = isFollowing;
      this.#onFollowChange();
    }
    this.#extendWindow();
  }

  /** Puts in what is near an end of the window, and what is missing near what you read. */
  #extendWindow() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    if (!clientHeight || !this.#room) return;
    const { log } = this.#room;
    const { items } = log;
    this.#loadVisibleGaps();
    if (this.#windowEnd !== null && scrollHeight - scrollTop - clientHeight < LOAD_MARGIN) {
      const end = Math.min(items.length - 1, indexAtOrBefore(items, this.#windowEnd) + WINDOW_STEP);
      const reachesEnd = end === items.length - 1;
      this.#windowEnd = reachesEnd ? null : items[end].seq;
      // What is far above makes room, or the window could not move on.
      const start = Math.max(0, end + 1 - MAX_SCROLLED_ITEMS);
      if (this.#windowStart < items[start].seq) this.#windowStart = items[start].seq;
      this.#onFollowChange();
      return;
    }
    if (scrollTop >= LOAD_MARGIN || (this.#isFollowing && scrollHeight > clientHeight)) return;
    const start = items.length && this.#windowStart !== null ? indexAtOrBefore(items, this.#windowStart) : 0;
    if (start > 0) {
      this.#windowStart = items[Math.max(0, start - WINDOW_STEP)].seq;
      this.#onFollowChange();
    } else if (log.lastSeq !== null && log.hasOlder) {
      this.#loadOlder();
    }
  }

  #loadVisibleGaps() {
    const margin = this.#isFollowing ? 0 : LOAD_MARGIN;
    for (const row of this.#list.querySelectorAll(".gap")) {
      if (!isNearViewport(this.#scroller, row, margin)) continue;
      const { top, height } = this.#scroller.getBoundingClientRect();
      const newestFirst = row.getBoundingClientRect().top > top + height / 2;
      this.#room.fillGap({ after: Number(row.dataset.after), before: Number(row.dataset.before) }, newestFirst);
    }
  }

  async #loadOlder() {
    const room = this.#room;
    if ((await room.loadOlder()) && room === this.#room) this.#extendWindow();
  }
}

function sizeKey({ scrollHeight, clientHeight }) {
  return `${scrollHeight}/${clientHeight}`;
}

function historyStartText(log, isAtTop) {
  if (!isAtTop || log.hasOlder) return strings.loadingOlder;
  return log.items.length ? strings.historyStart : strings.emptyRoom;
}

/** The index of the last item with this `seq` or a smaller one, at least 0. */
function indexAtOrBefore(items, seq) {
  let low = 0;
  let high = items.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (items[middle].seq > seq) high = middle - 1;
    else low = middle;
  }
  return low;
}
