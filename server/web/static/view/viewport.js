/**
 * Where lines are on the screen.
 */

/** The first line of a list that is in view and holds its place; null when there is none. */
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
  // Rules go where their first message goes, and gaps away, so they hold no place.
  while (rows[low]?.matches(".divider, .gap")) low += 1;
  return rows[low] ?? null;
}

/** The last line of a list that is in view; null when there is none. */
export function findLastVisible(scroller, rows) {
  const { bottom } = scroller.getBoundingClientRect();
  return [...rows].findLast((row) => row.getBoundingClientRect().top < bottom) ?? null;
}

/** Whether a line is in view, or not further than this many px from it. */
export function isNearViewport(scroller, row, distance) {
  const view = scroller.getBoundingClientRect();
  const { top, bottom } = row.getBoundingClientRect();
  return bottom > view.top - distance && top < view.bottom + distance;
}
