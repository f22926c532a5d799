/**
 * A question in a dialog of its own.
 */

import { words } from "../i18n/strings.js";
import { button, say } from "./dom.js";

export class Asking {
  #dialog = document.getElementById("ask");
  #answer = null;

  /**
   * @param {object} question
   * @param {string} question.title
   * @param {string} question.text
   * @param {{value: string, label: string, kind?: string}[]} question.choices
   * @returns {Promise<string | null>} The value that was chosen, null for none.
   */
  ask({ title, text, choices }) {
    this.#answer?.(null);
    say(document.getElementById("ask-title"), title);
    say(document.getElementById("ask-text"), text);
    return new Promise((resolve) => {
      this.#answer = resolve;
      const done = (value) => {
        this.#answer = null;
        this.#dialog.close();
        resolve(value);
      };
      const buttons = [{ value: null, label: words.cancel }, ...choices].map(({ value, label, kind = "plain" }) =>
        button(kind, label, () => done(value)),
      );
      document.getElementById("ask-buttons").replaceChildren(...buttons);
      // The event of a question before may come when this one is open already.
      this.#dialog.onclose = () => this.#dialog.open || done(null);
      this.#dialog.showModal();
      buttons.at(-1).focus();
    });
  }
}

/** Closes dialogs by their buttons, and by a click beside them. */
export function closable(dialog) {
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog || target.closest("[data-close]")) dialog.close();
  });
}
