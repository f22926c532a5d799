/**
 * Factories of DOM elements. User content is inserted as text nodes only.
 *
 * Nickname colors vary in hue. Lightness and chroma are fixed per color scheme in base.css (OKLCH), so all
 * nicknames have the same contrast (WCAG 2.2, 1.4.3).
 */

import { strings } from "../i18n/strings.js";
import { canonicalName, graphemes } from "../state/names.js";

const HUE_STEPS = 24; // a finer resolution is not distinguishable

/**
 * Return an element of index.html.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [type] Class of the element.
 * @returns {T}
 * @throws {TypeError} The page has no such element.
 */
export function requireElement(id, type = /** @type {new () => T} */ (/** @type {unknown} */ (HTMLElement))) {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new TypeError(`no ${type.name} with the id ${id}`);
}

/**
 * Return the first descendant that matches a selector; null without one.
 * @param {ParentNode} parent
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function queryElement(parent, selector) {
  return parent.querySelector(selector);
}

/**
 * Return the event target or its closest ancestor that matches a selector; null without one.
 * @param {EventTarget | null} target
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function closestElement(target, selector) {
  return target instanceof Element ? target.closest(selector) : null;
}

/**
 * Create an element; string children become text nodes.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} classes
 * @param {...(Node | string)} children
 */
export function createElement(tag, classes, ...children) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  element.append(...children);
  return element;
}

/**
 * Create a button with a click handler.
 * @param {string} classes
 * @param {Node | string} label
 * @param {(event: MouseEvent) => void} onClick
 */
export function createButton(classes, label, onClick) {
  const element = createElement("button", classes, label);
  element.type = "button";
  element.addEventListener("click", onClick);
  return element;
}

/**
 * Replace all children of a list with rows. Rows that are in order already are not moved, because a move ends a click and the
 * focus.
 * @param {HTMLElement} list
 * @param {HTMLElement[]} rows
 */
export function placeRows(list, rows) {
  const placed = /** @type {Set<Element>} */ (new Set(rows));
  for (const row of [...list.children]) if (!placed.has(row)) row.remove();
  rows.forEach((row, index) => {
    if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
  });
}

/** Set the accessible name and the tooltip of a button. */
export function setButtonLabel(button, label) {
  button.title = label;
  button.setAttribute("aria-label", label);
}

/** Create a button that contains only an icon, with an accessible name. */
export function createIconButton(classes, icon, label, onClick) {
  const element = createButton(classes, "", onClick);
  element.append(icon);
  setButtonLabel(element, label);
  return element;
}

/** Create an SVG reference to the `#icon-<name>` symbol in index.html. */
export function createIcon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Create an avatar from the first grapheme cluster of a nickname; hidden from screen readers. */
export function createAvatar(nick) {
  const avatar = applyNickColor(createElement("span", "avatar", graphemes(nick)[0] ?? ""), nick);
  avatar.setAttribute("aria-hidden", "true");
  return avatar;
}

/** Create a colored nickname. */
export function createNickname(nick) {
  return applyNickColor(createElement("bdi", "nick", nick), nick);
}

/** Create the sign of a nickname that looks like another one, with an accessible name. */
export function createConfusableSign() {
  const sign = createElement("span", "confusable", "!");
  sign.setAttribute("role", "img");
  sign.setAttribute("aria-label", strings.looksLikeAnother);
  sign.title = strings.looksLikeAnother;
  return sign;
}

/** Create the badge of a bot or a webhook. */
export function createBotBadge() {
  return createElement("span", "bot-badge", strings.bot);
}

/** Create the sign of a registered member, with the account as accessible name. */
export function createAccountSign(account) {
  const sign = createElement("span", "account-sign", "✓");
  const label = strings.accountDetail(account);
  sign.setAttribute("role", "img");
  sign.setAttribute("aria-label", label);
  sign.title = label;
  return sign;
}

/**
 * Select one option of a list that a text field controls.
 * @param {HTMLElement} field
 * @param {Element[]} options
 * @param {number} index -1 for no option.
 */
export function selectOption(field, options, index) {
  for (const [position, option] of options.entries()) option.setAttribute("aria-selected", String(position === index));
  if (options[index]) field.setAttribute("aria-activedescendant", options[index].id);
  else field.removeAttribute("aria-activedescendant");
}

/** Focus an element of a dialog if the dialog is open and does not contain the focus, which a disabled button loses. */
export function restoreFocus(dialog, element) {
  if (dialog.open && !dialog.contains(document.activeElement)) element.focus();
}

/** Set the text content unless it is unchanged. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Mark a text field as invalid for screen readers and styles. */
export function markInvalid(field, isInvalid) {
  if (isInvalid) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

function applyNickColor(element, nick) {
  element.style.setProperty("--hue", nickHue(nick));
  return element;
}

/** Return the hue of a nickname, a multiple of 15 degrees, from the 32-bit FNV-1a hash of its canonical form. */
export function nickHue(nick) {
  let hash = 0x811c9dc5;
  for (const character of canonicalName(nick)) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  // The low bits of FNV-1a are biased for short inputs.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
  return ((hash >>> 8) % HUE_STEPS) * (360 / HUE_STEPS);
}
