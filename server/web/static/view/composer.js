/**
 * Message input with drafts, reply and edit context, files, paste and drop.
 *
 * - Enter sends and Shift+Enter inserts a line break. Enter during an input method composition does neither.
 * - A draft, including its reply or edit target, belongs to one room.
 * - Pasted and dropped text is never sent without confirmation; text above `MAX_UNCONFIRMED_LINES`, or above the limit of a
 *   message, is not inserted without confirmation either.
 * - Pasted and dropped files are inserted as text if all of them are text files, otherwise uploaded. The confirmation also
 *   offers to attach the text as a file where uploads are permitted.
 */

import { strings } from "../i18n/strings.js";
import { escapeText } from "../state/command_parser.js";
import { ATTACHMENTS_PER_MESSAGE, MESSAGE_CHARACTERS } from "../state/limits.js";
import { messageLength } from "../state/sanitize.js";
import { closestElement, markInvalid, requireElement, setText } from "./dom.js";
import { excerpt } from "./render_line.js";

const WARNING_THRESHOLD = 300; // remaining code points at which the counter appears
const MAX_UNCONFIRMED_LINES = 5;
const MAX_TEXT_FILE_BYTES = 64 * 1024;
const PASTE_FILE_NAME = "paste.txt";

/**
 * @typedef {object} Draft
 * @property {string} text
 * @property {number} [replyTo] `seq` of the message being replied to.
 * @property {number} [editing] `seq` of the message being edited.
 * @property {string} [savedText] Text to restore after the edit.
 */

/** Message input for the draft of the visible room. */
export class Composer {
  #form = requireElement("composer", HTMLFormElement);
  #field = requireElement("composer-input", HTMLTextAreaElement);
  #autogrow = requireElement("composer-autogrow");
  #button = requireElement("send-button", HTMLButtonElement);
  #charCount = requireElement("char-count");
  #error = requireElement("composer-error");
  #context = requireElement("compose-context");
  #dropZone = requireElement("drop-zone");
  #onDraftChange;
  #onSubmit;
  #confirm;
  #uploads;
  /** @type {import("../state/room.js").Room | null} */
  #room = null; // of the draft
  #isSubmitting = false;
  /** @type {Draft} */
  #draft = { text: "" };
  /** @type {{label: string, text: string, cancelLabel: string} | null} */
  #shownContext = null;

  /**
   * @param {object} options
   * @param {(draft: Draft) => boolean} options.onSubmit Sends the draft; returns false to keep the text.
   * @param {(draft: Draft) => void} options.onDraftChange Called after each change except by `showDraft`.
   * @param {() => void} options.onEditLast Called for ArrowUp in an empty input.
   * @param {(question: object) => Promise<string | null>} options.confirm See `ConfirmDialog.confirm`.
   * @param {import("./upload_list.js").UploadList} options.uploads Files of the next message.
   */
  constructor({ onSubmit, onDraftChange, onEditLast, confirm, uploads }) {
    this.#uploads = uploads;
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
      // Safari ends the composition before this keydown event and reports key code 229.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    this.#field.addEventListener("input", () => {
      this.showError("");
      this.#onInput();
    });
    document.addEventListener("paste", (event) => this.#onPaste(event));
    requireElement("compose-context-cancel", HTMLButtonElement).addEventListener("click", () => {
      this.cancelContext();
      this.focus();
    });
    // Keep the focus in the input, otherwise phones hide their keyboard.
    this.#button.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#listenForDrops(requireElement("conversation"));
  }

  /** Typed text. */
  get text() {
    return this.#field.value;
  }

  /** Draft of the visible room. */
  get draft() {
    return this.#draft;
  }

  /**
   * Show the draft of a room and remove the error, without a call of `onDraftChange`; the focus does not move.
   * @param {import("../state/room.js").Room} room
   * @param {Draft} draft
   */
  showDraft(room, draft) {
    this.#room = room;
    this.#draft = draft;
    this.#field.placeholder = strings.composerPlaceholder(room.displayName);
    this.#field.value = draft.text;
    this.showError("");
    this.#updateControls();
  }

  /** Start a reply with the unsent text, in place of another reply or an edit, and focus the input. */
  startReply(seq) {
    this.#replaceDraft({ text: this.#unsentText, replyTo: seq });
  }

  /** Start an edit of the user's message, and focus the input; the unsent text is restored afterwards, without its reply. */
  startEdit(seq, text) {
    this.#replaceDraft({ text, editing: seq, savedText: this.#unsentText });
  }

  /**
   * Move a failed message with its files from the outbox to the start of the unsent text, or start a failed edit again. If
   * its files and those of the draft exceed the limit, the message stays in the outbox and an error appears. No effect on an
   * item in flight.
   * @param {import("../net/outbox.js").Outbox} outbox Outbox of the visible room.
   * @param {string} clientId
   */
  restoreItem(outbox, clientId) {
    const files = outbox.items.find((item) => item.clientId === clientId)?.body.attachments ?? [];
    if (!this.#uploads.fits(files)) return this.showError(strings.tooManyFiles(ATTACHMENTS_PER_MESSAGE));
    const item = outbox.discard(clientId);
    if (!item) return undefined; // in flight
    const { event, body } = item;
    if (event === "editMessage") return this.startEdit(body.seq, body.message);
    this.#uploads.restore(files);
    return this.#replaceDraft({ text: [escapeText(body.message ?? ""), this.#unsentText].filter(Boolean).join("\n"), replyTo: body.replyTo });
  }

  /**
   * Cancel a reply or an edit, and focus the input; the text of a reply stays, the unsent text replaces that of an edit.
   * @returns {boolean} True if a reply or an edit was active.
   */
  cancelContext() {
    const { editing, replyTo } = this.#draft;
    if (!editing && !replyTo) return false;
    this.#replaceDraft({ text: this.#unsentText });
    return true;
  }

  /**
   * Show the reply or edit context above the input, or hide it without one.
   * @param {import("../state/room_log.js").RoomLog} log Log of the visible room.
   */
  renderContext(log) {
    const context = describeContext(this.#draft, log);
    if (JSON.stringify(context) === JSON.stringify(this.#shownContext)) return;
    this.#shownContext = context;
    this.#context.hidden = !context;
    if (!context) return;
    setText(requireElement("compose-context-label"), context.label);
    setText(requireElement("compose-context-text"), context.text);
    const cancelButton = requireElement("compose-context-cancel", HTMLButtonElement);
    cancelButton.title = context.cancelLabel;
    cancelButton.setAttribute("aria-label", context.cancelLabel);
  }

  /** Put the text of a failed command back into the input and focus it, unless the user has started a text or an edit. */
  restoreText(text) {
    if (this.text || this.#draft.editing) return;
    this.#replaceDraft({ ...this.#draft, text });
  }

  /** Insert text in place of the selection, and focus the input. */
  insertText(text) {
    const { selectionStart, selectionEnd } = this.#field;
    this.focus();
    this.#field.setRangeText(text, selectionStart, selectionEnd, "end");
    this.#onInput();
  }

  /** Show an error below the input; an empty text removes the error. */
  showError(message) {
    setText(this.#error, message);
    markInvalid(this.#field, message !== "" || messageLength(this.text) > MESSAGE_CHARACTERS);
  }

  /** Focus the input without scrolling. */
  focus() {
    this.#field.focus({ preventScroll: true });
  }

  /** Update the send button after a change of the files. */
  onFilesChanged() {
    this.#updateControls();
  }

  /** Typed text, or the text that an edit has replaced; empty during the submission of the text. */
  get #unsentText() {
    if (this.#isSubmitting) return "";
    const { savedText = "", editing } = this.#draft;
    return editing ? savedText : this.text;
  }

  /** True if a submission contains the files, which an edit does not. */
  get #sendsFiles() {
    return this.#uploads.hasFiles && !this.#draft.editing;
  }

  /**
   * Send the draft, and clear the input if accepted; show an error while files are incomplete. No effect with an empty or too
   * long draft.
   */
  #submit() {
    const { text } = this;
    if (!(text.trim() || this.#sendsFiles) || messageLength(text) > MESSAGE_CHARACTERS) return;
    if (this.#sendsFiles && this.#uploads.isIncomplete) return this.showError(strings.filesIncomplete);
    const draft = this.#draft;
    let isAccepted = false;
    this.#isSubmitting = true;
    try {
      isAccepted = this.#onSubmit({ ...draft, text: text.trimEnd() });
    } finally {
      this.#isSubmitting = false;
    }
    // A command can start a reply or an edit, or show the draft of another room.
    if (isAccepted && draft === this.#draft) this.#replaceDraft({ text: draft.editing ? (draft.savedText ?? "") : "" });
  }

  /** Replace the draft, focus the input and call `onDraftChange`. */
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
    const remaining = MESSAGE_CHARACTERS - messageLength(this.#field.value);
    this.#button.disabled = !(this.#field.value.trim() || this.#sendsFiles) || remaining < 0;
    this.#charCount.hidden = remaining > WARNING_THRESHOLD;
    this.#charCount.classList.toggle("over", remaining < 0);
    markInvalid(this.#field, remaining < 0 || this.#error.textContent !== "");
    setText(this.#charCount, remaining < 0 ? strings.charactersOver(-remaining) : strings.charactersLeft(remaining));
  }

  /** Handle a paste into the input, or outside of all text fields and dialogs. */
  async #onPaste(event) {
    const isInComposer = event.target === this.#field;
    const isInOtherField = closestElement(event.target, "input, textarea, dialog, [popover]");
    if (!isInComposer && (isInOtherField || !this.#form.checkVisibility())) return;
    const text = event.clipboardData?.getData("text/plain") ?? "";
    const files = [...(event.clipboardData?.files ?? [])];
    if (isInComposer && text && this.#fitsUnconfirmed(text)) return; // native paste supports undo
    if (!text && !files.length) return;
    event.preventDefault();
    await this.#insertTransfer(text, files);
  }

  /** Insert text, or the contents of the files if all are text files; otherwise upload all files. */
  async #insertTransfer(text, files) {
    const room = this.#room;
    const contents = text ? [text] : await Promise.all(files.map(readTextFile));
    if (room !== this.#room) return; // switched during the read
    if (!contents.length || !contents.every(Boolean)) this.#uploads.add(files);
    else await this.#insertOrConfirm(contents.join("\n"), text ? [new File([text], PASTE_FILE_NAME)] : files);
  }

  /** Return whether a text may be inserted without confirmation. */
  #fitsUnconfirmed(text) {
    return text.trimEnd().split("\n").length <= MAX_UNCONFIRMED_LINES && messageLength(text) <= MESSAGE_CHARACTERS;
  }

  /** Insert text; above the limits, ask whether to insert the text, send it, or attach `files`. A room switch cancels. */
  async #insertOrConfirm(pasted, files) {
    const normalized = pasted.replaceAll("\r\n", "\n");
    if (this.#fitsUnconfirmed(normalized)) {
      this.insertText(normalized);
      return;
    }
    const text = normalized.trimEnd();
    const room = this.#room;
    const isTooLong = messageLength(text) > MESSAGE_CHARACTERS;
    const preview = text.slice(0, 300);
    const choice = await this.#confirm({
      title: strings.pasteTitle(text.split("\n").length),
      text: isTooLong ? strings.pasteTooLong(messageLength(text), MESSAGE_CHARACTERS) : preview.length < text.length ? `${preview}…` : preview,
      choices: [
        { value: "insert", label: strings.pasteInsert, kind: "primary" },
        ...(isTooLong ? [] : [{ value: "send", label: strings.pasteSend }]),
        ...(this.#uploads.permits(files) ? [{ value: "attach", label: strings.pasteAttach }] : []),
      ],
    });
    this.focus();
    if (!choice || room !== this.#room) return;
    if (choice === "attach") {
      this.#uploads.add(files);
      return;
    }
    const draft = this.#draft;
    if (choice === "insert" || !this.#onSubmit({ text: escapeText(text), replyTo: draft.replyTo })) this.insertText(text);
    else if (!draft.editing && draft === this.#draft) this.cancelContext(); // the sent text was the reply
  }

  /** Show the drop zone during a drag over `target`, and insert dropped text or files. Files dropped elsewhere are rejected. */
  #listenForDrops(target) {
    const onDragOver = (event) => {
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      setText(this.#dropZone, this.#uploads.permits() ? strings.dropText : strings.dropTextOnly);
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
      const { files } = event.dataTransfer;
      await this.#insertTransfer(files.length ? "" : event.dataTransfer.getData("text/plain"), [...files]);
    });
    for (const type of ["dragover", "drop"]) document.addEventListener(type, rejectFiles);
  }
}

/** Reject files that are dropped elsewhere; the browser would open them in place of the page. */
function rejectFiles(event) {
  if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "none";
}

/** Return the content of a text file; empty if it is not UTF-8, unreadable or above `MAX_TEXT_FILE_BYTES`. */
async function readTextFile(file) {
  if (file.size > MAX_TEXT_FILE_BYTES) return "";
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    return "";
  }
}

/**
 * Return the reply or edit context of a draft; null without one.
 * @param {Draft} draft
 * @param {import("../state/room_log.js").RoomLog} log
 */
function describeContext({ replyTo, editing }, log) {
  const target = editing ?? replyTo;
  if (!target) return null;
  const item = log.getItem(target);
  const text = item ? excerpt(item) : "";
  if (editing) return { label: strings.editingMessage, text, cancelLabel: strings.cancelEdit };
  return { label: strings.replyingTo(item?.nickName ?? strings.earlierMessage), text, cancelLabel: strings.cancelReply };
}
