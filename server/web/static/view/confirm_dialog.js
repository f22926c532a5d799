/**
 * Modal question with buttons.
 */

import { strings } from "../i18n/strings.js";
import { createButton, requireElement, setText } from "./dom.js";

export class ConfirmDialog {
  #dialog = requireElement("confirm-dialog", HTMLDialogElement);
  /** @type {((value: string | null) => void) | null} */
  #resolve = null;

  /**
   * @param {object} question
   * @param {string} question.title
   * @param {string} question.text
   * @param {{value: string, label: string, kind?: string, key?: string}[]} question.choices `key` selects the choice.
   * @param {() => void} [question.onTyping] Called for any other printable key, which cancels the question. Cancel then
   *   has the initial focus.
   * @returns {Promise<string | null>} Value of the selected choice; null if cancelled.
   */
  confirm({ title, text, choices, onTyping }) {
    this.#resolve?.(null);
    setText(requireElement("confirm-title"), title);
    setText(requireElement("confirm-text"), text);
    return new Promise((resolve) => {
      this.#resolve = resolve;
      const finish = (value) => {
        this.#resolve = null;
        this.#dialog.close();
        resolve(value);
      };
      const cancelButton = createButton("secondary", strings.cancel, () => finish(null));
      const buttons = choices.map(({ value, label, kind = "secondary" }) => createButton(kind, label, () => finish(value)));
      requireElement("confirm-buttons").replaceChildren(cancelButton, ...buttons);
      // The close event of a previous question can arrive after this one has opened.
      this.#dialog.onclose = () => this.#dialog.open || finish(null);
      this.#dialog.showModal();
      this.#dialog.onkeydown = (event) => {
        const { key, repeat, ctrlKey, metaKey, altKey } = event;
        if (!onTyping || repeat || ctrlKey || metaKey || altKey || key.length !== 1 || key === " ") return;
        event.stopPropagation();
        const choice = choices.find((candidate) => candidate.key === key.toLowerCase());
        finish(choice?.value ?? null);
        if (!choice) onTyping();
      };
      (onTyping ? cancelButton : (buttons.at(-1) ?? cancelButton)).focus();
    });
  }
}

/** Close a dialog on its close buttons and on backdrop clicks. */
export function closeOnDismiss(dialog) {
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog || target.closest("[data-close-dialog]")) dialog.close();
  });
}
