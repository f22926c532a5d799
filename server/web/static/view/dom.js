/**
 * Small pieces of the document. What people wrote goes in as text nodes.
 */

import { canonicalName } from "../state/canonical_name.js";
import { graphemes } from "./message_text.js";

const HUE_STEPS = 24; // more could not be told apart

/** An element with a class and children; strings become text. */
export function createElement(tag, classes, ...children) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  element.append(...children);
  return element;
}

/** A button that does something. */
export function createButton(classes, label, onClick) {
  const element = createElement("button", classes, label);
  element.type = "button";
  element.addEventListener("click", onClick);
  return element;
}

/** A button that shows only a sign; its meaning is its name. */
export function createIconButton(classes, icon, label, onClick) {
  const element = createButton(classes, "", onClick);
  element.append(icon);
  element.title = label;
  element.setAttribute("aria-label", label);
  return element;
}

/** One of the signs that the document defines (`#sign-…`). */
export function createIcon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** A face: the first character of a nickname on its colour. For the eye only. */
export function createAvatar(nick) {
  const avatar = applyNickColour(createElement("span", "avatar", graphemes(nick)[0] ?? ""), nick);
  avatar.setAttribute("aria-hidden", "true");
  return avatar;
}

/** A nickname in its colour. */
export function createNickname(nick) {
  return applyNickColour(createElement("bdi", "nick", nick), nick);
}

/** Says it in an element that may say so already. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function applyNickColour(element, nick) {
  element.style.setProperty("--hue", nickHue(nick));
  return element;
}

/** The hue for a nickname, in degrees: 32-bit FNV-1a over its folded code points. */
export function nickHue(nick) {
  let hash = 0x811c9dc5;
  for (const character of canonicalName(nick)) {
    hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193) >>> 0;
  }
  // FNV's low bits are weak for short names.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
  return ((hash >>> 8) % HUE_STEPS) * (360 / HUE_STEPS);
}
