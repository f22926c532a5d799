/**
 * Small pieces of the document. What people wrote goes in as text nodes.
 */

import { fold } from "../state/canonical_name.js";
import { graphemes } from "./message_text.js";

/** An element with a class and children; strings become text. */
export function element(tag, classes, ...children) {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  made.append(...children);
  return made;
}

/** A button that does something. */
export function button(classes, label, act) {
  const made = element("button", classes, label);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

/** A button that shows only a sign; its meaning is its name. */
export function signButton(classes, sign, meaning, act) {
  const made = button(classes, "", act);
  made.append(sign);
  made.title = meaning;
  made.setAttribute("aria-label", meaning);
  return made;
}

/** One of the signs that the document defines (`#sign-…`). */
export function sign(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#sign-${name}`);
  svg.append(use);
  return svg;
}

/** A face: the first character of a nickname on its colour. For the eye only. */
export function face(nick) {
  const mark = coloured(element("span", "face", graphemes(nick)[0] ?? ""), nick);
  mark.setAttribute("aria-hidden", "true");
  return mark;
}

/** A nickname in its colour. */
export function nickname(nick) {
  return coloured(element("bdi", "nick", nick), nick);
}

/** Says it in an element that may say so already. */
export function say(made, text) {
  if (made.textContent !== text) made.textContent = text;
}

function coloured(made, nick) {
  made.style.setProperty("--hue", hueOf(nick));
  return made;
}

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
