/**
 * Where you write.
 *
 * Rule 1  Enter sends, Shift+Enter begins a new line, and Enter that ends the
 *         composition of an input method does neither.
 * Rule 2  What is written belongs to its room, with what it answers or changes; it
 *         never goes to another.
 * Rule 3  What is pasted or dropped is never sent by itself; a large piece asks.
 */

import { strings } from "../i18n/strings.js";
import { setText } from "./dom.js";

const MAX_LENGTH = 4000; // characters, as `limits.py` has them: code points
const WARNING_THRESHOLD = 300; // characters before that
const MAX_UNCONFIRMED_LINES = 5;
const MAX_FILE_SIZE = 64 * 1024; // bytes

/**
 * @typedef {object} Draft
 * @property {string} text
 * @property {number} [replyTo] The `seq` of what it answers.
 * @property {number} [editing] The `seq` of what it changes.
 * @property {string} [aside] What was being written before that.
 */

export class Composer {
  #form = document.getElementById("composer");
  #field = document.getElementById("composer-input");
  #autogrow = document.getElementById("composer-autogrow");
  #button = document.getElementById("send-button");
  #charCount = document.getElementById("char-count");
  #error = document.getElementById("composer-error");
  #context = document.getElementById("compose-context");
  #dropZone = document.getElementById("drop-zone");
  #onDraftChange;
  #onSubmit;
  #confirm;
  #room = "";
  /** @type {Draft} */
  #draft = { text: "" };
  #shownContext = null; // what the line above the field says

  /**
   * @param {object} to
   * @param {(draft: Draft) => boolean} to.onSay False leaves it in the field.
   * @param {(draft: Draft) => void} to.onDraft
   * @param {() => void} to.onUp An empty field was left upwards.
   * @param {(question: object) => Promise<string | null>} to.ask See `Asking.ask`.
   */
  constructor({ onSubmit, onDraftChange, onEditLast, confirm }) {
    this.#onSubmit = onSubmit;
    this.#onDraftChange = onDraftChange;
    this.#confirm = confirm;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("keydown", (event) => {
      if (event.key === "ArrowUp" && !this.#field.value && !event.shiftKey && !event.altKey) {
        event.preventDefault();
        onEditLast();
      }
      // 229: Safari ends a composition before the key that ended it.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    this.#field.addEventListener("input", () => {
      setText(this.#error, "");
      this.#onInput();
    });
    this.#field.addEventListener("paste", (event) => this.#onPaste(event));
    document.getElementById("compose-context-cancel").addEventListener("click", () => {
      this.cancelContext();
      this.focus();
    });
    // The button must not take the focus: on a phone the keyboard would go.
    this.#button.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#listenForDrops(document.getElementById("conversation"));
  }

  get text() {
    return this.#field.value;
  }

  get draft() {
    return this.#draft;
  }

  /** Shows a room's draft. */
  showDraft(room, draft) {
    this.#room = room;
    this.#draft = draft;
    this.#field.placeholder = strings.composerPlaceholder(room);
    this.#field.value = draft.text;
    setText(this.#error, "");
    this.#updateControls();
  }

  /** Answers a message. */
  startReply(seq) {
    const { savedText, editing } = this.#draft;
    this.#replaceDraft({ text: editing ? (savedText ?? "") : this.text, replyTo: seq });
  }

  /** Changes a message of yours; what was being written comes back after it. */
  startEdit(seq, text) {
    const { savedText, editing, replyTo } = this.#draft;
    this.#replaceDraft({ text, editing: seq, savedText: editing ? savedText : this.text, replyTo: editing ? undefined : replyTo });
  }

  /**
   * Takes back what the server refused, to be written anew.
   * @param {import("../net/outbox.js").Post} post
   */
  restoreItem({ event, body }) {
    if (event === "editMessage") return this.startEdit(body.seq, body.message);
    const { savedText, editing } = this.#draft;
    const unsentText = editing ? savedText : this.text;
    return this.#replaceDraft({ text: unsentText ? `${body.message}\n${unsentText}` : body.message, replyTo: body.replyTo });
  }

  /** Neither answers nor changes anything. @returns {boolean} Whether it did. */
  cancelContext() {
    const { savedText, editing, replyTo } = this.#draft;
    if (!editing && !replyTo) return false;
    this.#replaceDraft({ text: editing ? (savedText ?? "") : this.text });
    return true;
  }

  /**
   * Says above the field what the text is for.
   * @param {{what: string, text: string, stop: string} | null} told
   */
  showContext(context) {
    if (JSON.stringify(context) === JSON.stringify(this.#shownContext)) return;
    this.#shownContext = context;
    this.#context.hidden = !context;
    if (!context) return;
    setText(document.getElementById("compose-context-label"), context.label);
    setText(document.getElementById("compose-context-text"), context.text);
    const cancelButton = document.getElementById("compose-context-cancel");
    cancelButton.title = context.cancelLabel;
    cancelButton.setAttribute("aria-label", context.cancelLabel);
  }

  /** Puts text in where the caret is. */
  insertText(text) {
    const { selectionStart, selectionEnd } = this.#field;
    this.focus();
    this.#field.setRangeText(text, selectionStart, selectionEnd, "end");
    this.#onInput();
  }

  /** Says what is wrong with it. */
  showError(message) {
    setText(this.#error, message);
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  #submit() {
    const { text } = this;
    if (!text.trim() || countCodePoints(text) > MAX_LENGTH) return;
    if (!this.#onSubmit({ ...this.#draft, text: text.trimEnd() })) return;
    this.#replaceDraft({ text: this.#draft.editing ? (this.#draft.savedText ?? "") : "" });
  }

  #replaceDraft(draft) {
    this.#draft = draft;
    this.#field.value = draft.text;
    this.#updateControls();
    this.focus();
    this.#onDraftChange(draft);
  }

  #onInput() {
    this.#draft = { ...this.#draft, text: this.#field.value };
    this.#updateControls();
    this.#onDraftChange(this.#draft);
  }

  #updateControls() {
    this.#autogrow.dataset.text = this.#field.value;
    const remaining = MAX_LENGTH - countCodePoints(this.#field.value);
    this.#button.disabled = !this.#field.value.trim() || remaining < 0;
    this.#charCount.hidden = remaining > WARNING_THRESHOLD;
    this.#charCount.classList.toggle("over", remaining < 0);
    setText(this.#charCount, remaining < 0 ? strings.charactersOver(-remaining) : strings.charactersLeft(remaining));
  }

  async #onPaste(event) {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (this.#fitsUnconfirmed(text)) return; // the field does it, and can undo it
    event.preventDefault();
    await this.#insertOrConfirm(text);
  }

  #fitsUnconfirmed(text) {
    return text.trimEnd().split("\n").length <= MAX_UNCONFIRMED_LINES && countCodePoints(text) <= MAX_LENGTH;
  }

  async #insertOrConfirm(pasted) {
    const normalized = pasted.replaceAll("\r\n", "\n");
    if (this.#fitsUnconfirmed(normalized)) {
      this.insertText(normalized);
      return;
    }
    const text = normalized.trimEnd();
    const room = this.#room;
    const isTooLong = countCodePoints(text) > MAX_LENGTH;
    const preview = text.slice(0, 300);
    const choice = await this.#confirm({
      title: strings.pasteTitle(text.split("\n").length),
      text: isTooLong ? strings.pasteTooLong(countCodePoints(text)) : preview.length < text.length ? `${preview}…` : preview,
      choices: [
        { value: "insert", label: strings.pasteInsert },
        ...(isTooLong ? [] : [{ value: "send", label: strings.pasteSend, kind: "primary" }]),
      ],
    });
    if (!choice || room !== this.#room) return;
    if (choice === "insert") this.insertText(text);
    else this.#onSubmit({ text, replyTo: this.#draft.editing ? undefined : this.#draft.replyTo });
  }

  #listenForDrops(target) {
    const onDragOver = (event) => {
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      this.#dropZone.hidden = false;
    };
    target.addEventListener("dragenter", onDragOver);
    target.addEventListener("dragover", onDragOver);
    target.addEventListener("dragleave", ({ relatedTarget }) => {
      if (!target.contains(relatedTarget)) this.#dropZone.hidden = true;
    });
    target.addEventListener("drop", async (event) => {
      event.preventDefault();
      this.#dropZone.hidden = true;
      const [file] = event.dataTransfer.files;
      const text = file ? await readTextFile(file) : event.dataTransfer.getData("text/plain");
      if (text) await this.#insertOrConfirm(text);
      else this.showError(strings.dropTextOnly);
    });
  }
}

/** What a file says; empty when it is no text, or too much. */
async function readTextFile(file) {
  if (file.size > MAX_FILE_SIZE) return "";
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    return "";
  }
}

function countCodePoints(text) {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}
