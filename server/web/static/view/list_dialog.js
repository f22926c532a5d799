/**
 * Dialog with a list that is loaded in pages: audit log, invites, webhooks, sanctions, blocks and mentions.
 *
 * - A row with `onOpen` has a button, which closes the dialog. A successful action removes its row.
 * - A list with a version is loaded again when its version changes.
 * - Responses for an earlier list, or for a closed dialog, are ignored.
 */

import { errorText, strings } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { closeOnDismiss } from "./confirm_dialog.js";
import { createButton, createElement, queryElement, requireElement, restoreFocus, setText } from "./dom.js";

/**
 * @typedef {object} ListRow
 * @property {(Node | string)[]} content
 * @property {string} [note] Second line.
 * @property {() => void} [onOpen] Called after the dialog was closed.
 * @property {{label: string, description: string, run: () => Promise<void>}} [action] Button beside the row.
 *
 * @typedef {object} ListView
 * @property {string} title
 * @property {string} emptyText
 * @property {(cursor?: any) => Promise<{rows: ListRow[], next?: any}>} loadPage Loads the first page, or the page at
 *   the cursor `next` of the previous one.
 * @property {() => number} [getVersion] Returns the number of changes on other devices; undefined for a fixed list.
 */

/** Dialog for one list at a time. */
export class PagedListDialog {
  #dialog = requireElement("list-dialog", HTMLDialogElement);
  #status = requireElement("list-status");
  #error = requireElement("list-error");
  #list = requireElement("list-rows");
  #more = requireElement("list-more", HTMLButtonElement);
  /** @type {ListView | null} */
  #view = null;
  /** @type {any} */
  #next;
  /** @type {number | undefined} */
  #version;

  constructor() {
    closeOnDismiss(this.#dialog);
    this.#dialog.addEventListener("close", () => (this.#view = null));
    this.#more.addEventListener("click", () => this.#loadPage());
  }

  /**
   * Show a list, and load its first page; the open list is replaced. An error of the load is shown in the dialog.
   * @param {ListView} view
   */
  open(view) {
    this.#view = view;
    this.#next = undefined;
    this.#version = view.getVersion?.();
    setText(requireElement("list-title"), view.title);
    setText(this.#error, "");
    this.#list.replaceChildren();
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#loadPage();
  }

  /** Load the open list again if its version has changed. */
  render() {
    if (this.#view && this.#view.getVersion?.() !== this.#version) this.open({ ...this.#view });
  }

  async #loadPage() {
    const view = this.#view;
    if (!view) return;
    this.#more.hidden = true;
    setText(this.#status, strings.loading);
    try {
      const { rows, next } = await view.loadPage(this.#next);
      if (view !== this.#view) return;
      const elements = rows.map((row) => this.#renderRow(row));
      const isContinued = this.#next !== undefined;
      this.#next = next;
      this.#list.append(...elements);
      this.#more.hidden = next === undefined;
      this.#showEmptyText();
      if (isContinued && elements[0]) (queryElement(elements[0], "button") ?? this.#list).focus();
    } catch (error) {
      const failure = requireRequestError(error);
      if (view !== this.#view) return;
      setText(this.#status, "");
      setText(this.#error, errorText(failure));
      this.#more.hidden = this.#next === undefined;
    }
  }

  /** @param {ListRow} row */
  #renderRow({ content, note, onOpen, action }) {
    const text = createElement("span", "list-text", ...content);
    text.dir = "auto";
    const parts = [text, ...(note ? [createElement("span", "list-note", note)] : [])];
    const main = onOpen ? createButton("list-open", "", () => this.#openRow(onOpen)) : createElement("div", "list-main");
    main.append(...parts);
    const element = createElement("li", "", main);
    if (action) {
      const button = createButton("small-button", action.label, () => this.#runAction(element, button, action));
      button.setAttribute("aria-label", action.description);
      element.append(button);
    }
    return element;
  }

  #openRow(onOpen) {
    this.#dialog.close();
    onOpen();
  }

  async #runAction(row, button, { run }) {
    const view = this.#view;
    setText(this.#error, "");
    button.disabled = true;
    try {
      await run();
      if (view !== this.#view) return;
      const neighbor = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      (neighbor?.querySelector("button") ?? this.#list).focus();
      this.#showEmptyText();
    } catch (error) {
      button.disabled = false;
      restoreFocus(this.#dialog, button);
      const failure = requireRequestError(error);
      if (view === this.#view) setText(this.#error, errorText(failure));
    }
  }

  /** Show the text of an empty list if no rows are left to display or load. */
  #showEmptyText() {
    const isEmpty = !this.#list.childElementCount && this.#next === undefined;
    setText(this.#status, isEmpty ? (this.#view?.emptyText ?? "") : "");
  }
}
