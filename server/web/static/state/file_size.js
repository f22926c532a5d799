/** Sizes of files as text. */

const UNITS = ["B", "KiB", "MiB", "GiB"];

/**
 * Return a size in bytes as a short text, such as `812 B` or `1.2 MiB`, rounded half up.
 * @param {number} size
 */
export function describeSize(size) {
  let value = size;
  let unit = 0;
  for (; value >= 1000 && unit < UNITS.length - 1; unit += 1) value /= 1024;
  return `${value.toFixed(unit && value < 100 ? 1 : 0)} ${UNITS[unit]}`;
}
