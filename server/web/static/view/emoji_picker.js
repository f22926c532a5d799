/** Popover with frequent emoji and a text field for all other reactions. */

import { errorText, strings } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { REACTION_CODE_POINTS } from "../state/limits.js";
import { validateReaction } from "../state/reactions.js";
import { createButton, createElement, markInvalid, requireElement } from "./dom.js";

const EMOJIS = ["👍", "❤️", "😂", "🎉", "😮", "👀", "🙏", "🔥", "✅", "🤔", "😢", "👋"];
const MARGIN = 8; // px between popover and window

/** Popover that selects a reaction to one message. */
export class EmojiPicker {
  #popover = requireElement("emoji-picker");
  #onFocusLost = () => {};

  constructor() {
    this.#popover.addEventListener("toggle", ({ newState }) => {
      const focusLost = !document.activeElement || document.activeElement === document.body;
      if (newState === "closed" && focusLost) this.#onFocusLost();
    });
    this.#popover.addEventListener("keydown", (event) => this.#onKeyDown(event));
  }

  /**
   * Show the popover above or below a message, and focus its first emoji. An invalid text shows its error in the field.
   * @param {HTMLElement} row Message row used as the anchor.
   * @param {object} callbacks
   * @param {(emoji: string) => void} callbacks.onSelect Called with a valid reaction.
   * @param {() => void} callbacks.onFocusLost Called before `onSelect`, and if the popover does not return the focus on
   *   closing.
   */
  open(row, { onSelect, onFocusLost }) {
    this.#onFocusLost = onFocusLost;
    const finish = (emoji) => {
      this.#popover.hidePopover();
      onFocusLost();
      onSelect(emoji);
    };
    const field = createElement("input", "");
    field.setAttribute("aria-label", strings.anyEmoji);
    field.placeholder = strings.anyEmoji;
    field.maxLength = 2 * REACTION_CODE_POINTS; // the browser counts UTF-16 units
    field.addEventListener("input", () => {
      field.setCustomValidity("");
      markInvalid(field, false);
    });
    const form = createElement("form", "", field);
    form.autocomplete = "off";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!field.value.trim()) return;
      try {
        finish(validateReaction(field.value));
      } catch (error) {
        field.setCustomValidity(errorText(requireRequestError(error)));
        markInvalid(field, true);
        field.reportValidity();
      }
    });
    const buttons = EMOJIS.map((emoji) => createButton("", emoji, () => finish(emoji)));
    this.#popover.replaceChildren(createElement("div", "emoji-grid", ...buttons), form);
    this.#popover.showPopover();
    const { right, top, bottom } = row.getBoundingClientRect();
    const { width, height } = this.#popover.getBoundingClientRect();
    const opensBelow = top - height < MARGIN;
    this.#popover.style.left = `${Math.max(MARGIN, Math.min(right, innerWidth) - width - MARGIN)}px`;
    this.#popover.style.top = `${Math.max(MARGIN, Math.min(opensBelow ? bottom : top - height, innerHeight - height - MARGIN))}px`;
    buttons[0].focus();
  }

  /** Close the popover without a reaction; the caller sets the focus. */
  close() {
    this.#onFocusLost = () => {};
    this.#popover.togglePopover(false);
  }

  #onKeyDown(event) {
    const buttons = [...this.#popover.querySelectorAll("button")];
    const currentIndex = buttons.findIndex((button) => button === document.activeElement);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 6, ArrowUp: -6 }[event.key];
    if (currentIndex < 0 || !step) return;
    event.preventDefault();
    buttons[currentIndex + step]?.focus();
  }
}
