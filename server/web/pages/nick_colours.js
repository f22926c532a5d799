/**
 * A stable colour for each nickname.
 *
 * Only the hue comes from the name. Lightness and chroma are fixed for each
 * scheme in the style sheet, in OKLCH, so that every nickname has the same
 * contrast with the page (WCAG 2.2, 1.4.3).
 */

import { fold } from "./names.js";

const STEPS = 24; // more could not be told apart

/** The hue for a nickname, in degrees: 32-bit FNV-1a over its folded code points. */
export function hueOf(nick) {
  let hash = 0x811c9dc5;
  for (const character of fold(nick)) {
    hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193) >>> 0;
  }
  // FNV's low bits are weak for short names.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
  return ((hash >>> 8) % STEPS) * (360 / STEPS);
}
