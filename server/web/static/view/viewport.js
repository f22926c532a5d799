/** Row visibility in a scroll container. */

/**
 * Return the first visible row that can serve as a scroll anchor; null without one.
 * @param {HTMLElement} scroller
 * @param {HTMLElement} list Rows in display order.
 * @returns {HTMLElement | null}
 */
export function findFirstVisible(scroller, list) {
  const { top } = scroller.getBoundingClientRect();
  const rows = /** @type {HTMLCollectionOf<HTMLElement>} */ (list.children);
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].getBoundingClientRect().bottom <= top) low = middle + 1;
    else high = middle;
  }
  // Dividers and gaps can move or disappear, so they cannot be anchors.
  while (rows[low]?.matches(".divider, .gap")) low += 1;
  return rows[low] ?? null;
}

/** Return the last row that starts above the bottom edge of the viewport; null without one. */
export function findLastVisible(scroller, rows) {
  const { bottom } = scroller.getBoundingClientRect();
  return [...rows].findLast((row) => row.getBoundingClientRect().top < bottom) ?? null;
}

/** Return whether a row is visible or less than `distance` px outside of the viewport. */
export function isNearViewport(scroller, row, distance) {
  const view = scroller.getBoundingClientRect();
  const { top, bottom } = row.getBoundingClientRect();
  return bottom > view.top - distance && top < view.bottom + distance;
}
