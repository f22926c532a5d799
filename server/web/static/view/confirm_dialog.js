/**
 * A question in a dialog of its own.
 */

import { strings } from "../i18n/strings.js";
import { createButton, setText } from "./dom.js";

export class ConfirmDialog {
  #dialog = document.getElementById("confirm-dialog");
  #resolve = null;

  /**
   * @param {object} question
   * @param {string} question.title
   * @param {string} question.text
   * @param {{value: string, label: string, kind?: string}[]} question.choices
   * @returns {Promise<string | null>} The value that was chosen, null for none.
   */
  confirm({ title, text, choices }) {
    this.#resolve?.(null);
    setText(document.getElementById("confirm-title"), title);
    setText(document.getElementById("confirm-text"), text);
    return new Promise((resolve) => {
      this.#resolve = resolve;
      const finish = (value) => {
        this.#resolve = null;
        this.#dialog.close();
        resolve(value);
      };
      const buttons = [{ value: null, label: strings.cancel }, ...choices].map(({ value, label, kind = "secondary" }) =>
        createButton(kind, label, () => finish(value)),
      );
      document.getElementById("confirm-buttons").replaceChildren(...buttons);
      // The event of a question before may come when this one is open already.
      this.#dialog.onclose = () => this.#dialog.open || finish(null);
      this.#dialog.showModal();
      buttons.at(-1).focus();
    });
  }
}

/** Closes dialogs by their buttons, and by a click beside them. */
export function closeOnDismiss(dialog) {
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog || target.closest("[data-close-dialog]")) dialog.close();
  });
}
