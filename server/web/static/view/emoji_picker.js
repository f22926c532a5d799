/**
 * Popover with frequent emoji and a text field for all other reactions.
 *
 * Reactions follow the rules in `tui_chat/protocol/reactions.py`: one emoji or a short word.
 */

import { strings } from "../i18n/strings.js";
import { createButton, createElement } from "./dom.js";

const EMOJIS = ["👍", "❤️", "😂", "🎉", "😮", "👀", "🙏", "🔥", "✅", "🤔", "😢", "👋"];
const MARGIN = 8; // px between popover and window
const EMOJI_PATTERN = "\\p{Extended_Pictographic}[\\ufe0e\\ufe0f]?\\p{Emoji_Modifier}?(?:[\\u{e0020}-\\u{e007e}]+\\u{e007f})?";
const EMOJI_SEQUENCE = new RegExp(`^(?:${EMOJI_PATTERN}(?:\\u200d${EMOJI_PATTERN})*|[0-9#*]\\ufe0f?\\u20e3|\\p{Regional_Indicator}{2})$`, "u");
const FORBIDDEN_IN_WORD =
  /[\s\p{C}\p{Extended_Pictographic}\p{Regional_Indicator}\p{Default_Ignorable_Code_Point}\p{Me}\u2800]|^\p{M}/u;
const FIRST_WIDE_CODE_POINT = 0x1100; // code points from here on may be two columns wide
const MAX_COLUMNS = 8;

export class EmojiPicker {
  #popover = document.getElementById("emoji-picker");
  #seq = ""; // of the message, whose row element can be replaced while the popover is open

  constructor() {
    this.#popover.addEventListener("toggle", ({ newState }) => {
      const focusLost = [null, document.body].includes(document.activeElement);
      if (newState === "closed" && focusLost) this.#restoreFocus();
    });
    this.#popover.addEventListener("keydown", (event) => this.#onKeyDown(event));
  }

  /**
   * @param {Element} row Message row used as the anchor.
   * @param {(emoji: string) => void} onSelect
   */
  open(row, onSelect) {
    this.#seq = row.dataset.seq;
    const finish = (emoji) => {
      this.#popover.hidePopover();
      this.#restoreFocus();
      onSelect(emoji);
    };
    const field = createElement("input", "");
    field.setAttribute("aria-label", strings.anyEmoji);
    field.placeholder = strings.anyEmoji;
    field.maxLength = 32; // 16 code points
    field.addEventListener("input", () => field.setCustomValidity(""));
    const form = createElement("form", "", field);
    form.autocomplete = "off";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if (!text) return;
      if (isValidReaction(text)) return finish(text);
      field.setCustomValidity(strings.invalidReaction);
      field.reportValidity();
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

  #restoreFocus() {
    document.querySelector(`#timeline-lines [data-seq="${this.#seq}"]`)?.focus({ preventScroll: true });
  }

  #onKeyDown(event) {
    const buttons = [...this.#popover.querySelectorAll("button")];
    const currentIndex = buttons.indexOf(document.activeElement);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 6, ArrowUp: -6 }[event.key];
    if (currentIndex < 0 || !step) return;
    event.preventDefault();
    buttons[currentIndex + step]?.focus();
  }
}

/** Return whether a trimmed text is a valid reaction. */
export function isValidReaction(text) {
  return EMOJI_SEQUENCE.test(text) || (text !== "" && !FORBIDDEN_IN_WORD.test(text) && countColumns(text) <= MAX_COLUMNS);
}

function countColumns(text) {
  let columns = 0;
  for (const character of text) if (!/\p{M}/u.test(character)) columns += character.codePointAt(0) < FIRST_WIDE_CODE_POINT ? 1 : 2;
  return columns;
}
