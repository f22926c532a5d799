/**
 * Row visibility in a scroll container.
 */

/** Return the first visible row that can serve as a scroll anchor, or null. */
export function findFirstVisible(scroller, list) {
  const { top } = scroller.getBoundingClientRect();
  const rows = list.children;
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

/** Return the last visible row, or null. */
export function findLastVisible(scroller, rows) {
  const { bottom } = scroller.getBoundingClientRect();
  return [...rows].findLast((row) => row.getBoundingClientRect().top < bottom) ?? null;
}

/** Return whether a row is within `distance` px of the viewport. */
export function isNearViewport(scroller, row, distance) {
  const view = scroller.getBoundingClientRect();
  const { top, bottom } = row.getBoundingClientRect();
  return bottom > view.top - distance && top < view.bottom + distance;
}
