/**
 * Where you write.
 *
 * Enter sends, Shift+Enter begins a new line, and Enter that ends the
 * composition of an input method does neither.
 */

import { words } from "./words.js";

const MOST = 4000; // characters, as `limits.py` has them: code points
const WARN = 300; // characters before that

export class Composer {
  #form = document.getElementById("composer");
  #field = document.getElementById("message-field");
  #grow = document.getElementById("grow");
  #button = document.getElementById("send");
  #count = document.getElementById("count");

  /**
   * @param {object} to
   * @param {(text: string) => void} to.onSay
   * @param {(text: string) => void} to.onType
   */
  constructor({ onSay, onType }) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#field.value;
      if (!text.trim() || lengthOf(text) > MOST) return;
      onSay(text.trimEnd());
      this.text = "";
      onType("");
    });
    this.#field.addEventListener("keydown", (event) => {
      // 229: Safari ends a composition before the key that ended it.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    this.#field.addEventListener("input", () => {
      this.#changed();
      onType(this.#field.value);
    });
    // The button must not take the focus: on a phone the keyboard would go.
    this.#button.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  get text() {
    return this.#field.value;
  }

  set text(text) {
    this.#field.value = text;
    this.#changed();
  }

  set room(room) {
    this.#field.placeholder = words.writeTo(room);
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  #changed() {
    this.#grow.dataset.text = this.#field.value;
    const left = MOST - lengthOf(this.#field.value);
    this.#button.disabled = !this.#field.value.trim() || left < 0;
    this.#count.hidden = left > WARN;
    this.#count.classList.toggle("over", left < 0);
    this.#count.textContent = left < 0 ? words.tooLong(-left) : words.charactersLeft(left);
  }
}

function lengthOf(text) {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}
