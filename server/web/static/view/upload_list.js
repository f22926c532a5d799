/**
 * Files of the next message above the composer, with progress, retry and removal.
 *
 * - Each room has its own files. A hidden room continues its uploads.
 * - A reload restores uploaded files; the browser asks before a reload that loses others.
 * - The button is hidden where uploads are not permitted.
 */

import { errorText, strings } from "../i18n/strings.js";
import { describeSize } from "../state/file_size.js";
import { ATTACHMENTS_PER_MESSAGE } from "../state/limits.js";
import { PendingUploads } from "../state/pending_uploads.js";
import { uploadedFiles } from "../state/storage.js";
import { createButton, createElement, createIcon, createIconButton, placeRows, requireElement, setText } from "./dom.js";

/** Files of the next message of each room; the page shows those of the visible room. */
export class UploadList {
  #list = requireElement("upload-list");
  #status = requireElement("upload-status");
  #picker = requireElement("file-picker", HTMLInputElement);
  #button = requireElement("attach-button");
  #upload;
  #onChange;
  #onRejected;
  /** @type {Map<import("../state/room.js").Room, PendingUploads>} */
  #uploadsByRoom = new Map();
  #rows = new Map(); // pending upload → {row, render}
  /** @type {PendingUploads | null} */
  #current = null;
  /** @type {import("../state/room.js").Room | null} */
  #room = null;

  /**
   * @param {object} options
   * @param {(room: any, file: File, transfer: {onProgress: (fraction: number) => void, signal: AbortSignal}) => Promise<any>} options.upload
   * @param {() => void} options.onChange Called after each render of the list.
   * @param {(message: string) => void} options.onRejected Called with the reason for files that were not added.
   */
  constructor({ upload, onChange, onRejected }) {
    this.#upload = upload;
    this.#onChange = onChange;
    this.#onRejected = onRejected;
    this.#button.addEventListener("click", () => this.#picker.click());
    this.#picker.addEventListener("change", () => {
      this.add([...(this.#picker.files ?? [])]);
      this.#picker.value = ""; // the same file can be selected again
    });
  }

  /** True if the next message has files. */
  get hasFiles() {
    return Boolean(this.#current?.items.length);
  }

  /** True if the next message cannot contain all files yet. */
  get isIncomplete() {
    return Boolean(this.#current?.isIncomplete);
  }

  /**
   * Return whether the user may upload files to the visible room.
   * @param {File[]} [files] Files whose size is also checked.
   */
  permits(files = []) {
    return !this.#room?.access.findUploadError(files);
  }

  /**
   * Show the files of a room, and restore its uploaded files when the room is shown for the first time.
   * @param {import("../state/room.js").Room} room
   */
  showRoom(room) {
    let uploads = this.#uploadsByRoom.get(room);
    if (!uploads) {
      uploads = new PendingUploads({
        upload: (file, transfer) => this.#upload(room, file, transfer),
        onChange: () => this.#render(),
        saved: uploadedFiles.get(room.requestedName, room.ownMemberIds),
        save: (attachments) => uploadedFiles.save(room.requestedName, room.memberId, attachments),
      });
      this.#uploadsByRoom.set(room, uploads);
    }
    this.#room = room;
    this.#current = uploads;
    this.rerender();
  }

  /** Cancel the uploads of a room that was left, and delete its files from the storage. */
  discard(room) {
    this.#uploadsByRoom.get(room)?.clear();
    this.#uploadsByRoom.delete(room);
  }

  /** Cancel the uploads of a room that the server closed; the room restores its uploaded files when it is opened again. */
  close(room) {
    this.#uploadsByRoom.get(room)?.cancel();
    this.#uploadsByRoom.delete(room);
    this.#render();
  }

  /** Cancel the uploads of all rooms; the next session restores the uploaded files. */
  stop() {
    for (const uploads of this.#uploadsByRoom.values()) uploads.cancel();
    this.#uploadsByRoom.clear();
    this.#room = this.#current = null;
    this.rerender();
  }

  /** Show the button if uploads are permitted. */
  renderButton() {
    this.#button.hidden = !this.permits();
  }

  /** Create all rows again, in the current language. */
  rerender() {
    this.#rows.clear();
    this.#render();
  }

  /**
   * Upload files for the next message of the visible room. If one of them is not permitted, none is added; those above the
   * limit of a message are not added. `onRejected` is called in both cases.
   * @param {File[]} files
   */
  add(files) {
    const error = this.#room?.access.findUploadError(files);
    if (error) this.#onRejected(errorText(error));
    else if (this.#current?.add(files) === false) this.#onRejected(strings.tooManyFiles(ATTACHMENTS_PER_MESSAGE));
  }

  /**
   * Return whether the next message can contain further files.
   * @param {object[]} files
   */
  fits(files) {
    return files.length + (this.#current?.items.length ?? 0) <= ATTACHMENTS_PER_MESSAGE;
  }

  /**
   * Add the uploaded files of a message that was not sent; see `fits`.
   * @param {import("../state/room_log.js").Attachment[]} attachments
   */
  restore(attachments) {
    this.#current?.restore(attachments);
  }

  /**
   * Call a function with the fields of a message for the files, and remove the files unless it throws. While a file is
   * incomplete, the function is called without files, and all files stay for a later message.
   * @param {(fields: {attachments?: import("../state/room_log.js").Attachment[]}) => void} send
   */
  sendWith(send) {
    const attachments = this.#current && !this.#current.isIncomplete ? this.#current.attachments : [];
    if (!attachments.length) return send({});
    send({ attachments });
    return this.#current?.clear();
  }

  /** Update list, status and the question of the browser before a reload. */
  #render() {
    const items = this.#current?.items ?? [];
    for (const item of items) {
      if (!this.#rows.has(item)) this.#rows.set(item, this.#createRow(item));
      this.#rows.get(item).render();
    }
    const rows = items.map((item) => this.#rows.get(item).row);
    for (const item of this.#rows.keys()) if (!items.includes(item)) this.#rows.delete(item);
    placeRows(this.#list, rows);
    this.#list.hidden = !rows.length;
    const failed = items.find(({ state }) => state === "failed");
    const count = items.filter(({ state }) => state === "ready").length;
    setText(this.#status, failed?.error ? errorText(failed.error) : items.length ? strings.filesReady(count, items.length) : "");
    const hasUnsavedFiles = [...this.#uploadsByRoom.values()].some((uploads) => uploads.hasUnsavedFiles);
    globalThis.onbeforeunload = hasUnsavedFiles ? (event) => event.preventDefault() : null;
    this.#onChange();
  }

  #createRow(item) {
    const progress = createElement("progress", "");
    progress.setAttribute("aria-label", strings.uploading(item.name));
    const details = createElement("span", "file-details");
    const retry = createButton("small-button", strings.retry, () => this.#current?.retry(item));
    const remove = createIconButton("icon-button", createIcon("close"), strings.removeFile(item.name), () => {
      this.#current?.remove(item);
      requireElement("composer-input").focus({ preventScroll: true });
    });
    const row = createElement("li", "upload", createElement("bdi", "file-name", item.name), progress, details, retry, remove);
    const render = () => {
      const isFailed = item.state === "failed";
      row.classList.toggle("failed", isFailed);
      progress.hidden = item.state !== "uploading" && item.state !== "waiting";
      progress.value = item.progress;
      retry.hidden = !isFailed || !item.file;
      setText(details, isFailed ? errorText(item.error) : describeSize(item.size));
    };
    return { row, render };
  }
}
