/**
 * A few emoji to choose from, and a field for any other.
 */

import { words } from "../i18n/strings.js";
import { button, element } from "./dom.js";

const EMOJIS = ["👍", "❤️", "😂", "🎉", "😮", "👀", "🙏", "🔥", "✅", "🤔", "😢", "👋"];
const MARGIN = 8; // px to the window's edges

export class Palette {
  #box = document.getElementById("palette");
  #seq = ""; // of the message it is about, whose line may get another element meanwhile

  constructor() {
    this.#box.addEventListener("toggle", ({ newState }) => {
      const lost = [null, document.body].includes(document.activeElement);
      if (newState === "closed" && lost) this.#giveBack();
    });
    this.#box.addEventListener("keydown", (event) => this.#pressed(event));
  }

  /**
   * @param {Element} row What it is about; it stands beside it.
   * @param {(emoji: string) => void} choose
   */
  open(row, choose) {
    this.#seq = row.dataset.seq;
    const chosen = (emoji) => {
      this.#box.hidePopover();
      this.#giveBack();
      choose(emoji);
    };
    const field = element("input", "");
    field.setAttribute("aria-label", words.anyEmoji);
    field.placeholder = words.anyEmoji;
    field.maxLength = 32; // sixteen code points
    field.addEventListener("input", () => field.setCustomValidity(""));
    const other = element("form", "", field);
    other.autocomplete = "off";
    other.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if (!text) return;
      if (isReaction(text)) return chosen(text);
      field.setCustomValidity(words.noReaction);
      field.reportValidity();
    });
    const choices = EMOJIS.map((emoji) => button("", emoji, () => chosen(emoji)));
    this.#box.replaceChildren(element("div", "emojis", ...choices), other);
    this.#box.showPopover();
    const { right, top, bottom } = row.getBoundingClientRect();
    const { width, height } = this.#box.getBoundingClientRect();
    const below = top - height < MARGIN;
    this.#box.style.left = `${Math.max(MARGIN, Math.min(right, innerWidth) - width - MARGIN)}px`;
    this.#box.style.top = `${Math.max(MARGIN, Math.min(below ? bottom : top - height, innerHeight - height - MARGIN))}px`;
    choices[0].focus();
  }

  #giveBack() {
    document.querySelector(`#lines [data-seq="${this.#seq}"]`)?.focus({ preventScroll: true });
  }

  #pressed(event) {
    const buttons = [...this.#box.querySelectorAll("button")];
    const here = buttons.indexOf(document.activeElement);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 6, ArrowUp: -6 }[event.key];
    if (here < 0 || !step) return;
    event.preventDefault();
    buttons[here + step]?.focus();
  }
}

const ONE = "\\p{Extended_Pictographic}[\\ufe0e\\ufe0f]?\\p{Emoji_Modifier}?(?:[\\u{e0020}-\\u{e007e}]+\\u{e007f})?";
const EMOJI = new RegExp(`^(?:${ONE}(?:\\u200d${ONE})*|[0-9#*]\\ufe0f?\\u20e3|\\p{Regional_Indicator}{2})$`, "u");
const NO_WORD =
  /[\s\p{C}\p{Extended_Pictographic}\p{Regional_Indicator}\p{Default_Ignorable_Code_Point}\p{Me}\u2800]|^\p{M}/u;
const WIDE_FROM = 0x1100; // a code point from here on may take two columns
const COLUMNS = 8;

/** @returns {boolean} Whether a trimmed text can be a reaction. */
export function isReaction(text) {
  return EMOJI.test(text) || (text !== "" && !NO_WORD.test(text) && columns(text) <= COLUMNS);
}

function columns(text) {
  let sum = 0;
  for (const character of text) if (!/\p{M}/u.test(character)) sum += character.codePointAt(0) < WIDE_FROM ? 1 : 2;
  return sum;
}
