/**
 * What can be done with one message: by mouse, touch and keyboard.
 *
 * The one that is picked has the focus; one small toolbar goes where it is, or
 * where the pointer is. Single letters work only while a message is picked
 * (WCAG 2.2, 2.1.4).
 */

import { strings } from "../i18n/strings.js";
import { createElement, createIcon, createIconButton } from "./dom.js";
import { findLastVisible } from "./viewport.js";

const TOOLS = [
  { name: "react", key: "a" },
  { name: "reply", key: "r" },
  { name: "edit", key: "e", ownOnly: true },
  { name: "copy", key: "y" },
  { name: "delete", key: "d", ownOnly: true },
];

export class MessageToolbar {
  #scroller = document.getElementById("timeline");
  #list = document.getElementById("timeline-lines");
  #toolbar = createElement("div", "message-toolbar");
  #actions;
  #messageAt;
  #onExit;

  /**
   * @param {object} to
   * @param {Record<string, (item: object, row: Element) => void>} to.acts By the names of the tools.
   * @param {(seq: number) => {item: object, own: boolean} | null} to.itemOf
   * @param {() => void} to.onLeave Back to writing.
   */
  constructor({ actions, messageAt, onExit }) {
    this.#actions = actions;
    this.#messageAt = messageAt;
    this.#onExit = onExit;
    this.#toolbar.setAttribute("role", "toolbar");
    this.#toolbar.setAttribute("aria-live", "off"); // it stands in a live log, and says nothing new
    const onPointerOver = ({ target, pointerType }) => {
      const row = target.closest?.(".message[data-seq]");
      if (pointerType === "mouse") this.#attach(row ?? null);
    };
    this.#list.addEventListener("pointerover", onPointerOver);
    this.#list.addEventListener("pointerleave", () => this.#attach(this.#focusedRow));
    this.#list.addEventListener("click", ({ target }) => {
      const row = target.closest(".message[data-seq]");
      if (row && !target.closest("a, button") && !getSelection().toString()) this.#attach(row);
    });
    this.#list.addEventListener("focusin", ({ target }) => this.#attach(target.closest(".message[data-seq]")));
    this.#list.addEventListener("focusout", ({ relatedTarget }) => {
      if (!this.#list.contains(relatedTarget)) this.#attach(null);
    });
    this.#scroller.addEventListener("keydown", (event) => this.#onKeyDown(event));
  }

  /** Makes the toolbar anew where it is wanted next: the words are others. */
  rerender() {
    this.#attach(null);
  }

  /** Goes along when a line gets another element. */
  onRowReplaced(previous, row) {
    if (this.#toolbar.parentNode === previous) this.#attach(row, { replaceRow: true });
  }

  get #focusedRow() {
    const focused = document.activeElement;
    return this.#list.contains(focused) ? focused.closest(".message[data-seq]") : null;
  }

  #attach(row, { replaceRow = false } = {}) {
    if (!replaceRow && row && this.#toolbar.parentNode === row) return;
    const target = row && this.#messageAt(Number(row.dataset.seq));
    if (!target || target.item.deleted) {
      this.#toolbar.remove();
      return;
    }
    this.#toolbar.setAttribute("aria-label", strings.messageActions);
    const visibleTools = TOOLS.filter(({ ownOnly }) => target.isOwn || !ownOnly);
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

  #runAction(name, row = this.#toolbar.parentNode) {
    const target = row && this.#messageAt(Number(row.dataset.seq));
    if (!target || target.item.deleted) return;
    if (TOOLS.some((tool) => tool.name === name && tool.ownOnly) && !target.isOwn) return;
    this.#actions[name](target.item, row);
  }

  #onKeyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input")) return;
    const row = event.target.closest(".line");
    const isOnButton = event.target.closest("a, button");
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const tool = TOOLS.find((candidate) => candidate.key === key);
    if (key === "ArrowUp" || (row && key === "k")) this.#moveFocus(row, -1);
    else if (key === "ArrowDown" || (row && key === "j")) this.#moveFocus(row, 1);
    else if (tool && row && !isOnButton) this.#runAction(tool.name, row);
    else if (key === "Enter" && row && !isOnButton) row.querySelector(".gap button, .message-text a, .quote")?.click();
    else if (key === "Escape" && row) this.#onExit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #moveFocus(row, step) {
    const stops = [...this.#list.querySelectorAll(".message, .gap button")];
    const currentIndex = row ? stops.findIndex((stop) => row.contains(stop)) : -1;
    // From a link or a button in it, a message itself comes first.
    const isInsideStop = currentIndex >= 0 && stops[currentIndex] !== document.activeElement;
    const next = currentIndex < 0 ? findLastVisible(this.#scroller, stops) : stops[isInsideStop ? currentIndex : currentIndex + step];
    if (next) {
      next.focus({ preventScroll: true });
      next.scrollIntoView({ block: "nearest" });
    } else if (step > 0) {
      this.#onExit();
    }
  }
}
