/** Modal question with buttons; arrow keys move between the buttons. */

import { strings } from "../i18n/strings.js";
import { closestElement, createButton, createIcon, createIconButton, requireElement, setText } from "./dom.js";

/** Dialog for one question at a time. */
export class ConfirmDialog {
  #dialog = requireElement("confirm-dialog", HTMLDialogElement);
  /** @type {((value: string | null) => void) | null} */
  #resolve = null;

  /**
   * Show a question, and cancel an open one. Escape and Cancel resolve with null.
   * @param {object} question
   * @param {string} question.title
   * @param {string} question.text
   * @param {{value: string, label: string, kind?: string, key?: string}[]} question.choices The first choice has the
   *   initial focus. `key` selects a choice if `onTyping` is set.
   * @param {() => void} [question.onTyping] Called after a cancellation by any other printable key except Space. If set,
   *   Cancel has the initial focus.
   * @returns {Promise<string | null>} Value of the selected choice; null if cancelled.
   */
  confirm({ title, text, choices, onTyping }) {
    this.#resolve?.(null);
    setText(requireElement("confirm-title"), title);
    const textElement = requireElement("confirm-text");
    setText(textElement, text);
    return new Promise((resolve) => {
      this.#resolve = resolve;
      const finish = (value) => {
        this.#resolve = null;
        this.#dialog.close();
        resolve(value);
      };
      const cancelButton = createButton("secondary", strings.cancel, () => finish(null));
      const buttons = choices.map(({ value, label, kind = "secondary" }) => createButton(kind, label, () => finish(value)));
      const allButtons = [cancelButton, ...buttons];
      requireElement("confirm-buttons").replaceChildren(...allButtons);
      // The close event of a previous question can arrive after this one has opened.
      this.#dialog.onclose = () => this.#dialog.open || finish(null);
      this.#dialog.showModal();
      textElement.scrollTop = 0;
      // Long texts scroll, also by keyboard.
      if (textElement.scrollHeight > textElement.clientHeight) textElement.tabIndex = 0;
      else textElement.removeAttribute("tabindex");
      this.#dialog.onkeydown = (event) => {
        const { key, repeat, ctrlKey, metaKey, altKey } = event;
        const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
        if (step) allButtons[allButtons.findIndex((button) => button === document.activeElement) + step]?.focus();
        if (!onTyping || repeat || ctrlKey || metaKey || altKey || key.length !== 1 || key === " ") return;
        event.stopPropagation();
        const choice = choices.find((candidate) => candidate.key === key.toLowerCase());
        finish(choice?.value ?? null);
        if (!choice) onTyping();
      };
      (onTyping ? cancelButton : (buttons[0] ?? cancelButton)).focus();
    });
  }
}

/**
 * Add a close button to the header of a dialog, and close the dialog on close buttons and on backdrop clicks.
 * @param {HTMLDialogElement} dialog
 */
export function closeOnDismiss(dialog) {
  const button = createIconButton("icon-button", createIcon("close"), strings.close, () => dialog.close());
  Object.assign(button.dataset, { i18nTitle: "close", i18nLabel: "close" });
  dialog.querySelector("header")?.append(button);
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog || closestElement(target, "[data-close-dialog]")) dialog.close();
  });
}
