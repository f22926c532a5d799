/**
 * Scroll position of a list as an anchor row, and detection of scrolling by the user.
 *
 * Inserted rows, a resized window, zooming and side panels move the scroll position too.
 */

import { findFirstVisible } from "./viewport.js";

const SCROLL_TOLERANCE = 1.5; // px; element sizes are rounded

/**
 * @typedef {object} Anchor Position of a row in px below the top edge of the view.
 * @property {string} key
 * @property {number} top
 * @property {number} bottom
 */

/** Scroll position of one list, compared with that of the last `save`. */
export class ScrollPosition {
  #scroller;
  #list;
  #getRow;
  // At the last call of `save()`:
  #layoutKey = ""; // content and viewport size
  #scrollTop = 0;
  #devicePixelRatio = 0; // changes on zooming

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} list Rows in display order, with their keys in `dataset.key`.
   * @param {(key: string) => HTMLElement | undefined} getRow
   */
  constructor(scroller, list, getRow) {
    this.#scroller = scroller;
    this.#list = list;
    this.#getRow = getRow;
  }

  /**
   * Return the position of the first visible row; null without rows.
   * @returns {Anchor | null}
   */
  capture() {
    const row = findFirstVisible(this.#scroller, this.#list);
    return row && { key: row.dataset.key ?? "", ...this.#measure(row) };
  }

  /**
   * Scroll the top of a row to its captured position; no effect if the row was removed.
   * @param {Anchor} anchor
   */
  restore(anchor) {
    this.#scrollBy(anchor, ({ top, bottom }) => {
      // The part of the row above the view grows and shrinks with the row.
      const growth = anchor.top < 0 ? (bottom - top) / (anchor.bottom - anchor.top) : 1;
      return top - anchor.top * growth;
    });
  }

  /**
   * Scroll the bottom of a row to its captured position; no effect if the row was removed.
   * @param {Anchor} anchor
   */
  restoreBottom(anchor) {
    this.#scrollBy(anchor, ({ bottom }) => bottom - anchor.bottom);
  }

  /** Record the layout and the scroll position. */
  save() {
    this.#layoutKey = this.#currentLayoutKey;
    this.#scrollTop = this.#scroller.scrollTop;
    this.#devicePixelRatio = devicePixelRatio;
  }

  /** True if the user scrolled after `save()`. A smaller layout reduces scrollTop to the maximum, and zooming scales it. */
  get hasUserScrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const isZoomed = devicePixelRatio !== this.#devicePixelRatio;
    return !isZoomed && Math.abs(scrollTop - Math.min(this.#scrollTop, scrollHeight - clientHeight)) > SCROLL_TOLERANCE;
  }

  /** True if the layout changed after `save()`. */
  get hasLayoutChanged() {
    return this.#currentLayoutKey !== this.#layoutKey;
  }

  get #currentLayoutKey() {
    const { scrollHeight, clientHeight, clientWidth } = this.#scroller;
    return `${scrollHeight}/${clientHeight}/${clientWidth}/${devicePixelRatio}`;
  }

  #scrollBy({ key }, distance) {
    const row = this.#getRow(key);
    if (row) this.#scroller.scrollTop += distance(this.#measure(row));
  }

  /** Return top and bottom of a row in px below the top edge of the view. */
  #measure(row) {
    const { top, bottom } = row.getBoundingClientRect();
    const viewTop = this.#scroller.getBoundingClientRect().top;
    return { top: top - viewTop, bottom: bottom - viewTop };
  }
}
