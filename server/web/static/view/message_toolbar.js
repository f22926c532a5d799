/**
 * Toolbar with actions for one message, usable by mouse, touch and keyboard.
 *
 * - One toolbar element is moved to the focused or hovered message.
 * - Single-letter shortcuts are active only on the message that the user selected with the arrow keys (WCAG 2.2,
 *   2.1.4). A click or a jump also focuses a message, but selects none.
 * - The message that was selected or tapped shows the members of its reactions. The members appear at the click, because a
 *   change at the press of the pointer would move the row below the pointer.
 */

import { strings } from "../i18n/strings.js";
import { closestElement, createElement, createIcon, createIconButton, queryElement, requireElement } from "./dom.js";
import { findLastVisible } from "./viewport.js";

/** @typedef {{item: any, isOwn: boolean, canDelete: boolean}} MessageState Loaded message with the permissions of the user. */

/** @type {{name: string, key: string, isAvailable?: (message: MessageState) => boolean}[]} */
const TOOLS = [
  { name: "react", key: "a" },
  { name: "reply", key: "r" },
  { name: "edit", key: "e", isAvailable: ({ isOwn }) => isOwn },
  { name: "copy", key: "y" },
  { name: "markUnread", key: "n" },
  { name: "delete", key: "d", isAvailable: ({ canDelete }) => canDelete },
];

/** Selector of the element that a key clicks in the selected message, by key. */
const CLICK_TARGETS = { u: ".undo", o: ".message-text a, .attachment" };

const NO_HOVER_QUERY = globalThis.matchMedia("(hover: none)");

/** Toolbar and keyboard control of the messages in the timeline. */
export class MessageToolbar {
  #scroller = requireElement("timeline");
  #list = requireElement("timeline-lines");
  #toolbar = createElement("div", "message-toolbar");
  #actions;
  #getMessage;
  #onExit;
  /** @type {HTMLElement | null} */
  #selectedStop = null; // message or gap button that the arrow keys reached last
  /** @type {Element | null} */
  #reactorsRow = null; // message that shows the members of its reactions

  /**
   * @param {object} options
   * @param {Record<string, (item: object, row: HTMLElement) => void>} options.actions Handlers by tool name.
   * @param {(seq: number) => MessageState | null} options.getMessage See `MessageActions.describe`.
   * @param {() => void} options.onExit Returns the focus to the composer.
   */
  constructor({ actions, getMessage, onExit }) {
    this.#actions = actions;
    this.#getMessage = getMessage;
    this.#onExit = onExit;
    this.#toolbar.setAttribute("role", "toolbar");
    this.#toolbar.setAttribute("aria-live", "off"); // do not announce the toolbar as part of the log
    this.#list.addEventListener("pointerover", ({ target, pointerType }) => {
      if (pointerType === "mouse") this.#attach(closestRow(target));
    });
    this.#list.addEventListener("pointerleave", () => this.#attach(this.#focusedRow));
    this.#list.addEventListener("click", ({ target }) => {
      const row = closestRow(target);
      this.#showReactors(NO_HOVER_QUERY.matches ? row : null);
      if (row && !closestElement(target, "a, button") && !getSelection()?.toString()) this.#attach(row);
    });
    this.#list.addEventListener("pointerdown", () => (this.#selectedStop = null));
    this.#list.addEventListener("focusin", ({ target }) => this.#attach(closestRow(target)));
    this.#list.addEventListener("focusout", ({ relatedTarget }) => {
      if (closestElement(relatedTarget, "#timeline-lines")) return;
      this.#attach(null);
      if (relatedTarget) this.#showReactors(null);
    });
    this.#scroller.addEventListener("keydown", (event) => this.#onKeyDown(event));
  }

  /** Remove the toolbar; its labels are rendered again on next use. */
  rerender() {
    this.#attach(null);
  }

  /** Move the toolbar to the new element of a replaced row. */
  onRowReplaced(previous, row) {
    if (this.#selectedStop === previous) this.#selectedStop = row;
    if (this.#reactorsRow === previous) this.#showReactors(row);
    if (this.#toolbar.parentNode === previous) this.#attach(row, { replaceRow: true });
  }

  get #focusedRow() {
    return closestRow(document.activeElement);
  }

  /** Move the toolbar to a message row with its available tools; remove the toolbar without such a row. */
  #attach(row, { replaceRow = false } = {}) {
    if (!replaceRow && row && this.#toolbar.parentNode === row) return;
    const message = row && this.#getMessage(Number(row.dataset.seq));
    if (!message) {
      this.#toolbar.remove();
      return;
    }
    this.#toolbar.setAttribute("aria-label", strings.messageActions);
    const visibleTools = TOOLS.filter((tool) => isAvailable(tool, message));
    if (!replaceRow || this.#toolbar.childElementCount !== visibleTools.length) {
      this.#toolbar.replaceChildren(
        ...visibleTools.map(({ name, key }) => {
          const button = createIconButton("toolbar-button", createIcon(name), strings[name], () => this.#runAction(name));
          button.title = `${strings[name]} (${key.toUpperCase()})`;
          return button;
        }),
      );
    }
    row.append(this.#toolbar);
  }

  #showReactors(row) {
    this.#reactorsRow?.classList.remove("shows-reactors");
    this.#reactorsRow = row;
    row?.classList.add("shows-reactors");
  }

  #runAction(name, row = closestRow(this.#toolbar)) {
    const message = row && this.#getMessage(Number(row.dataset.seq));
    const tool = TOOLS.find((candidate) => candidate.name === name);
    if (message && tool && isAvailable(tool, message)) this.#actions[name](message.item, row);
  }

  /** Handle the keys of the timeline. Letters act only on the selected message. */
  #onKeyDown(event) {
    if (isScrollKey(event)) return;
    // Audio and video players handle their keys themselves.
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, video")) return;
    const row = event.target.closest(".line");
    const isSelected = event.target === this.#selectedStop;
    const isOnButton = event.target.closest("a, button");
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const tool = TOOLS.find((candidate) => candidate.key === key);
    if (key === "ArrowUp" || (isSelected && key === "k")) this.#moveFocus(row, -1);
    else if (key === "ArrowDown" || (isSelected && key === "j")) this.#moveFocus(row, 1);
    else if (tool && isSelected && !isOnButton) this.#runAction(tool.name, row);
    else if (isSelected && CLICK_TARGETS[key]) queryElement(row, CLICK_TARGETS[key])?.click();
    else if (key === "Enter" && row && !isOnButton) row.querySelector(".gap button, .message-text a, .attachment, .quote")?.click();
    else if (key === "Escape" && row) this.#onExit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Select the previous or next message or gap; from outside, the last visible one. After the last one, call `onExit`. */
  #moveFocus(row, step) {
    const stops = [...this.#list.querySelectorAll(".message, .gap button")];
    const currentIndex = row ? stops.findIndex((stop) => row.contains(stop)) : -1;
    // From a link or button inside a message, the first step focuses the message.
    const isInsideStop = currentIndex >= 0 && stops[currentIndex] !== document.activeElement;
    const next = currentIndex < 0 ? findLastVisible(this.#scroller, stops) : stops[isInsideStop ? currentIndex : currentIndex + step];
    if (!next && step < 0) return;
    this.#selectedStop = next ?? null;
    this.#showReactors(closestRow(next ?? null));
    if (next) {
      next.focus({ preventScroll: true });
      next.scrollIntoView({ block: "nearest" });
    } else {
      this.#onExit();
    }
  }
}

function isAvailable(tool, message) {
  return tool.isAvailable?.(message) ?? true;
}

/**
 * Return whether an arrow or page key scrolls the focused text box of a long message; false at the end of the box.
 * @param {KeyboardEvent} event
 */
export function isScrollKey({ key, target }) {
  if (!/^(?:Arrow|Page)(?:Up|Down)$/.test(key) || !(target instanceof Element && target.matches(".message-text.scrollable"))) return false;
  const { scrollTop, scrollHeight, clientHeight } = target;
  return (key.endsWith("Up") ? scrollTop : scrollHeight - clientHeight - scrollTop) >= 1; // px
}

/**
 * Return the message row that contains an event target; null outside of the rows.
 * @param {EventTarget | null} target
 */
function closestRow(target) {
  return closestElement(target, "#timeline-lines .message[data-seq]");
}
