/**
 * Modal question with buttons.
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
   * @returns {Promise<string | null>} Value of the selected choice; null if cancelled.
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
      // The close event of a previous question can arrive after this one has opened.
      this.#dialog.onclose = () => this.#dialog.open || finish(null);
      this.#dialog.showModal();
      buttons.at(-1).focus();
    });
  }
}

/** Close a dialog on its close buttons and on backdrop clicks. */
export function closeOnDismiss(dialog) {
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog || target.closest("[data-close-dialog]")) dialog.close();
  });
}
