/**
 * A line that tells what happened, and goes by itself.
 */

const LASTS = 6000; // ms

const line = document.getElementById("toast");
const told = new Set();
let timer = 0;

/** @param {{once?: boolean}} [how] Once: not again while the page lives. */
export function toast(text, { once = false } = {}) {
  if (once && told.has(text)) return;
  told.add(text);
  clearTimeout(timer);
  line.textContent = text;
  line.hidden = false;
  timer = setTimeout(() => (line.hidden = true), LASTS);
}
