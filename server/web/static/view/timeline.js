/**
 * Scrollable timeline of one room.
 *
 * - Scroll anchoring: at the bottom, the view follows new messages. Elsewhere, visible messages keep their
 *   position when lines are inserted above, below or between them, and when the size of the view changes.
 * - Only scrolling by the user starts or ends following, because other moves of the scroll position (`scroll_position.js`)
 *   would mark messages as read.
 * - Windowing: the document contains a part of the log (`timeline_window.js`).
 * - Unchanged lines keep their elements, which preserves text selections.
 * - Each room has its own scroll position.
 */

import { strings } from "../i18n/strings.js";
import { isNoticeVisible, storedJoinVisibility } from "../state/join_visibility.js";
import { buildLines, isSameLine } from "../state/timeline_model.js";
import { queryElement, requireElement, setText } from "./dom.js";
import { formatSelection } from "./copy_messages.js";
import { renderLine } from "./render_line.js";
import { ScrollPosition } from "./scroll_position.js";
import { FOLLOWING_RANGE, TimelineWindow, indexAtOrBefore } from "./timeline_window.js";
import { isNearViewport } from "./viewport.js";

const MAX_LOG_ITEMS = 20_000; // after a trim, which twice as many loaded items cause while following
const LOAD_MARGIN = 800; // px from an end of the window at which more lines are loaded
const MUTE_DURATION = 500; // ms
const BOTTOM_TOLERANCE = 40; // px
/** @type {{unreadCount: number, unreadAfter: number | null}} */
const NO_UNREAD = { unreadCount: 0, unreadAfter: null };

/** Timeline of the visible room. */
export class Timeline {
  #scroller = requireElement("timeline");
  #list = requireElement("timeline-lines");
  #jumpButton = requireElement("jump-to-newest", HTMLButtonElement);
  #historyStart = requireElement("history-start");
  #actions;
  #onFollowChange;
  #onRowReplaced;
  #isDeleting;
  /** @type {import("../state/room.js").Room | null} */
  #room = null;
  #savedPositions = new WeakMap(); // room → scroll position
  #rows = new Map(); // key → {line, row}
  #window = new TimelineWindow();
  #isFollowing = true;
  #position = new ScrollPosition(this.#scroller, this.#list, (key) => this.#rows.get(key)?.row);
  /** @type {import("./scroll_position.js").Anchor | null} */
  #anchor = null; // first visible row after the last scroll of the user; null while following
  #readState = NO_UNREAD;
  #joinVisibility = storedJoinVisibility();
  #announcedSeq = 0; // seq of the first item in the previous render
  #muteTimer = 0;

  /**
   * @param {object} options
   * @param {object} options.actions Line actions, see `renderLine`; `ownMember`, `onJumpTo` and
   *   `onFillGap` are added here.
   * @param {() => void} options.onFollowChange Called when the user reaches or leaves the bottom, after `scrollToNewest`, and
   *   when the window is extended.
   * @param {(previous: Element, row: Element) => void} options.onRowReplaced
   * @param {(room: import("../state/room.js").Room, seq: number) => boolean} options.isDeleting Returns whether a message
   *   has a deletion that can be undone.
   */
  constructor({ actions, onFollowChange, onRowReplaced, isDeleting }) {
    this.#actions = {
      ...actions,
      ownMember: () => ({ memberId: this.#room?.memberId ?? "", nickName: this.#room?.nick ?? "" }),
      onJumpTo: (seq) => this.jumpTo(seq).then((found) => found || actions.onUnavailable()),
      onFillGap: async (gap) => (await this.#room?.history.fillGap(gap, true)) ?? false,
    };
    this.#onFollowChange = onFollowChange;
    this.#onRowReplaced = onRowReplaced;
    this.#isDeleting = isDeleting;
    this.#scroller.addEventListener("scroll", () => this.#onScrolled(), { passive: true });
    this.#jumpButton.addEventListener("click", () => this.scrollToNewest());
    // At the bottom, scrolling down causes no scroll event.
    this.#scroller.addEventListener("wheel", ({ deltaY }) => deltaY > 0 && this.#followAtBottom(), { passive: true });
    this.#scroller.addEventListener("touchmove", () => this.#followAtBottom(), { passive: true });
    document.addEventListener("copy", (event) => this.#onCopy(event));
    const resizeObserver = new ResizeObserver(() => this.#onScrolled());
    resizeObserver.observe(this.#scroller);
    resizeObserver.observe(this.#list);
  }

  /** True while the view follows the newest line at the bottom. */
  get isFollowing() {
    return this.#isFollowing;
  }

  /** Switch to a room, render its lines at once so that the next key reaches them, and restore its scroll position. */
  showRoom(room) {
    this.#applyScroll();
    if (this.#room) this.#savedPositions.set(this.#room, { range: this.#window.range, anchor: this.#anchor });
    this.#room = room;
    this.rerender();
    const saved = this.#savedPositions.get(room);
    this.#window.range = saved?.range ?? FOLLOWING_RANGE;
    this.#anchor = saved?.anchor ?? null;
    this.#isFollowing = !this.#anchor;
    const { unreadCount, unreadAfter } = room.readTracker;
    this.#update({ unreadCount, unreadAfter });
  }

  /** Discard all rows so that the next render recreates them. */
  rerender() {
    this.#rows.clear();
    this.#list.replaceChildren();
    this.#muteAnnouncements();
  }

  /**
   * Change the visible membership notices, and discard all rows; takes effect with the next render.
   * @param {import("../state/join_visibility.js").JoinVisibility} visibility
   */
  setJoinVisibility(visibility) {
    this.#joinVisibility = visibility;
    this.rerender();
  }

  /** Resume following at the newest line; messages that the user has marked as unread become read. */
  scrollToNewest() {
    this.#room?.readTracker.resume();
    this.#window.moveToEnd();
    this.#isFollowing = true;
    this.#anchor = null;
    this.#update({ ...this.#readState, unreadCount: 0 });
    this.#onFollowChange();
  }

  /** Scroll by a number of pages, each 90 % of the view height; negative values scroll up. */
  scrollByPages(pages) {
    this.#scroller.scrollBy({ top: pages * this.#scroller.clientHeight * 0.9 });
    if (pages > 0) this.#followAtBottom();
  }

  /**
   * Scroll to a message anywhere in the log, highlight it and focus it; for a change of a message, the item before the change.
   * @param {number} seq
   * @returns {Promise<boolean>} False if the message could not be loaded, and without a room; true without scrolling after a
   *   room switch.
   */
  async jumpTo(seq) {
    const room = this.#room;
    if (!room || !(await room.history.loadAround(seq))) return false;
    if (room !== this.#room) return true;
    const { items } = room.log;
    const index = indexAtOrBefore(items, seq);
    const target = items[index]?.seq ?? seq;
    if (!this.#rows.has(`m${target}`)) this.#window.center(items, index);
    this.#isFollowing = false;
    this.#muteAnnouncements();
    this.#update(this.#readState);
    const row = this.#rows.get(`m${target}`)?.row;
    row?.scrollIntoView({ block: "center" });
    this.#onUserScroll();
    queryElement(this.#list, ".highlighted")?.classList.remove("highlighted");
    row?.classList.add("highlighted");
    this.focusMessage(target);
    return true;
  }

  /** Focus a message of the visible room without scrolling; no effect if the message is not rendered. */
  focusMessage(seq) {
    this.#rows.get(`m${seq}`)?.row.focus({ preventScroll: true });
  }

  /**
   * Jump to the first message of another member below the unread divider; load the messages there if necessary. No effect
   * without a divider or after a room switch.
   */
  async jumpToFirstUnread() {
    const { unreadAfter } = this.#readState;
    const room = this.#room;
    if (!room || unreadAfter === null) return;
    await room.history.loadAround(unreadAfter + 1);
    if (room !== this.#room) return;
    const first = room.log.items.find(
      ({ seq, kind, memberId }) => seq > unreadAfter && kind === "message" && !room.ownMemberIds.has(memberId) && !room.isBlocked(memberId),
    );
    if (first) await this.jumpTo(first.seq);
  }

  /**
   * Render the visible room.
   * @param {object} state
   * @param {number} state.unreadCount Number of unread messages.
   * @param {number | null} state.unreadAfter `seq` above the unread divider; null without a divider.
   */
  render(state) {
    this.#applyScroll();
    this.#update(state);
  }

  /** Render the lines of the window, and keep the scroll position. No effect without a room. */
  #update(state) {
    const room = this.#room;
    if (!room) return;
    this.#readState = state;
    const { log, notices, outbox, ownMemberIds, nick, members } = room;
    if (this.#isFollowing && log.items.length > 2 * MAX_LOG_ITEMS) log.trim(MAX_LOG_ITEMS);
    const items = this.#window.select(log.items, this.#isFollowing);
    const { end } = this.#window.range;
    const isAtEnd = end === null;
    if (items[0]?.seq < this.#announcedSeq) this.#muteAnnouncements();
    this.#announcedSeq = items[0]?.seq ?? 0;
    const last = items.at(-1)?.seq ?? 0;
    const visibleNotices = notices.items.filter(
      (notice) => isNoticeVisible(notice, this.#joinVisibility) && !room.isBlocked(notice.memberId ?? "") && (isAtEnd || notice.after < end),
    );
    const lines = buildLines({
      items,
      gaps: log.gaps.filter(({ before }) => before <= last),
      notices: visibleNotices,
      pendingItems: isAtEnd ? outbox.items.filter(({ event }) => event === "sendMessage") : [],
      changesBySeq: outbox.changesBySeq,
      getItem: (seq) => log.getItem(seq),
      ownMemberIds,
      nick,
      members,
      isConfusable: (author) => room.confusableAuthors.has(author),
      isBlocked: (memberId) => room.isBlocked(memberId),
      unreadAfter: state.unreadAfter,
      now: Date.now(),
      isDeleting: (seq) => this.#isDeleting(room, seq),
    });
    const isAtTop = items[0] === log.items[0];
    this.#withAnchor(() => {
      const hasNoticesOnly = room.hasJoined && isAtTop && !log.hasOlder && !log.items.length && lines.length > 0;
      this.#historyStart.hidden = hasNoticesOnly;
      setText(this.#historyStart, room.hasJoined ? historyStartText(log, isAtTop) : strings.joiningRoom);
      this.#reconcile(lines);
    });
    this.#jumpButton.hidden = this.#isFollowing;
    setText(this.#jumpButton, `${strings.newMessages(state.unreadCount)} ↓`);
    this.#extendWindow();
  }

  /** Suppress screen reader announcements while old messages are inserted. */
  #muteAnnouncements() {
    this.#scroller.setAttribute("aria-busy", "true");
    clearTimeout(this.#muteTimer);
    this.#muteTimer = setTimeout(() => this.#scroller.removeAttribute("aria-busy"), MUTE_DURATION);
  }

  /** Remove, create and move rows for these lines; unchanged lines keep their rows. */
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
      if (row === cursor) cursor = row.nextSibling;
      else this.#list.insertBefore(row, cursor);
    }
  }

  /**
   * Copy a selection of several lines as plain text (`formatSelection`).
   * @param {ClipboardEvent} event
   */
  #onCopy(event) {
    const selection = getSelection();
    if (!selection?.rangeCount || event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLInputElement) return;
    const rows = /** @type {HTMLElement[]} */ ([...this.#list.children]);
    const entries = rows.map(({ dataset }) => this.#rows.get(dataset.key)).filter((entry) => entry);
    const text = formatSelection(selection.getRangeAt(0), entries);
    if (text === null) return;
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
  }

  /** Replace a row with its new version, which receives the focus of the previous one. */
  #replaceRow(previous, row) {
    const focused = previous.contains(document.activeElement) ? document.activeElement : null;
    previous.replaceWith(row);
    this.#onRowReplaced(previous, row);
    if (focused) (row.contains(focused) ? focused : row).focus({ preventScroll: true });
  }

  /** Change the rows without moving the visible ones; while following, scroll to the bottom. */
  #withAnchor(update) {
    const anchor = this.#isFollowing ? null : this.#position.capture();
    update();
    // Compare bottom edges, because the top edge moves when the previous group loses its header.
    if (anchor) this.#position.restoreBottom(anchor);
    else this.#restorePosition();
    if (this.#anchor && !this.#rows.has(this.#anchor.key)) this.#anchor = this.#position.capture();
    this.#position.save();
  }

  #restorePosition() {
    if (this.#isFollowing) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    else if (this.#anchor) this.#position.restore(this.#anchor);
  }

  get #isAtBottom() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    return this.#window.range.end === null && scrollHeight - scrollTop - clientHeight < BOTTOM_TOLERANCE;
  }

  /** Start or end following by the scroll position, and record the anchor. */
  #onUserScroll() {
    const wasFollowing = this.#isFollowing;
    this.#isFollowing = this.#isAtBottom;
    this.#anchor = this.#isFollowing ? null : this.#position.capture();
    this.#position.save();
    if (this.#isFollowing !== wasFollowing) this.#onFollowChange();
  }

  /** Start following if the newest line is in view. */
  #followAtBottom() {
    if (!this.#isFollowing && this.#isAtBottom) this.#onUserScroll();
  }

  /** Apply a scroll of the user, or restore the position after a change of the layout. */
  #applyScroll() {
    if (!this.#scroller.clientHeight) return;
    if (this.#position.hasUserScrolled) this.#onUserScroll();
    else if (this.#position.hasLayoutChanged) {
      this.#restorePosition();
      this.#position.save();
    }
  }

  #onScrolled() {
    this.#applyScroll();
    this.#extendWindow();
  }

  /** Render or load more lines near the ends of the window, and load visible gaps. */
  #extendWindow() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    if (!clientHeight || !this.#room) return;
    const { log } = this.#room;
    const { items } = log;
    this.#loadVisibleGaps();
    if (this.#window.range.end !== null && scrollHeight - scrollTop - clientHeight < LOAD_MARGIN) {
      this.#window.extendDown(items);
      this.#onFollowChange();
      return;
    }
    if (scrollTop >= LOAD_MARGIN || (this.#isFollowing && scrollHeight > clientHeight)) return;
    if (this.#window.extendUp(items)) this.#onFollowChange();
    else if (log.lastSeq !== null && log.hasOlder) this.#loadOlder();
  }

  /** Load the gaps in view, or near the view while not following, from the nearer end. */
  #loadVisibleGaps() {
    const margin = this.#isFollowing ? 0 : LOAD_MARGIN;
    /** @type {NodeListOf<HTMLElement>} */
    const rows = this.#list.querySelectorAll(".gap");
    for (const row of rows) {
      if (!isNearViewport(this.#scroller, row, margin)) continue;
      const { top, height } = this.#scroller.getBoundingClientRect();
      const oldestFirst = row.getBoundingClientRect().top > top + height / 2;
      this.#room?.history.fillGap({ after: Number(row.dataset.after), before: Number(row.dataset.before) }, oldestFirst);
    }
  }

  async #loadOlder() {
    const room = this.#room;
    if ((await room?.history.loadOlder()) && room === this.#room) this.#extendWindow();
  }
}

function historyStartText(log, isAtTop) {
  if (!isAtTop || log.hasOlder) return strings.loadingOlder;
  return log.items.length ? strings.historyStart : strings.emptyRoom;
}
