/**
 * Files of the next message of one room.
 *
 * - Files are uploaded one after another, in the order of their selection.
 * - A failed upload stays in the list until a retry or its removal.
 * - A reload restores uploaded files only.
 */

import { requireRequestError } from "../net/request_error.js";
import { ATTACHMENTS_PER_MESSAGE } from "./limits.js";
import { sanitizeUpload } from "./sanitize.js";

/**
 * @typedef {object} PendingUpload
 * @property {string} name
 * @property {number} size Bytes.
 * @property {"waiting" | "uploading" | "ready" | "failed"} state
 * @property {number} progress Uploaded part, 0 to 1.
 * @property {File} [file] Undefined for a restored file.
 * @property {import("./room_log.js").Attachment} [attachment] Defined in the state `ready`.
 * @property {import("../net/request_error.js").RequestError} [error] Defined in the state `failed`.
 * @property {AbortController} abort Cancels the upload.
 */

/** List of the files of the next message, with at most one upload at a time. */
export class PendingUploads {
  #upload;
  #onChange;
  #save;

  /** @type {PendingUpload[]} */
  items = [];

  /**
   * @param {object} options
   * @param {(file: File, transfer: {onProgress: (fraction: number) => void, signal: AbortSignal}) => Promise<any>} options.upload
   *   See `uploadFile`, whose promise stays pending after a cancellation.
   * @param {() => void} options.onChange Called after each change of an item or its progress.
   * @param {import("./room_log.js").Attachment[]} options.saved Uploaded files to restore.
   * @param {(attachments: import("./room_log.js").Attachment[]) => void} options.save Called after a change of the
   *   uploaded files.
   */
  constructor({ upload, onChange, saved, save }) {
    this.#upload = upload;
    this.#onChange = onChange;
    this.#save = save;
    this.items = saved.map(createUploadedItem);
  }

  /** True if files exist that a message cannot contain yet. */
  get isIncomplete() {
    return this.items.some(({ state }) => state !== "ready");
  }

  /** True if files exist that a reload loses. */
  get hasUnsavedFiles() {
    return this.items.some(({ state, file }) => file && state !== "ready");
  }

  /** Descriptions of the uploaded files. */
  get attachments() {
    return this.items.flatMap(({ attachment }) => attachment ?? []);
  }

  /**
   * Add files up to the limit of a message, and start their upload.
   * @param {File[]} files
   * @returns {boolean} False if the limit excludes some of the files.
   */
  add(files) {
    const accepted = files.slice(0, Math.max(0, ATTACHMENTS_PER_MESSAGE - this.items.length));
    for (const file of accepted) {
      this.items.push({ name: file.name, size: file.size, state: "waiting", progress: 0, file, abort: new AbortController() });
    }
    this.#uploadNext();
    return accepted.length === files.length;
  }

  /**
   * Add the uploaded files of a message that was not sent.
   * @param {import("./room_log.js").Attachment[]} attachments
   */
  restore(attachments) {
    this.items.push(...attachments.map(createUploadedItem));
    this.#onUploadedChange();
  }

  /**
   * Upload a failed file again, after an upload in progress and the waiting files before it.
   * @param {PendingUpload} item
   */
  retry(item) {
    item.state = "waiting";
    this.#uploadNext();
  }

  /**
   * Remove a file, cancel its upload, and continue with the next waiting file.
   * @param {PendingUpload} item
   */
  remove(item) {
    this.items = this.items.filter((candidate) => candidate !== item);
    item.abort.abort();
    if (item.state === "ready") this.#onUploadedChange();
    this.#uploadNext();
  }

  /** Remove all files, and cancel the upload in progress. */
  clear() {
    this.cancel();
    this.items = [];
    this.#onUploadedChange();
  }

  /** Cancel all uploads for good; the files stay in the list, and a reload restores the uploaded ones. */
  cancel() {
    for (const { abort } of this.items) abort.abort();
  }

  #onUploadedChange() {
    this.#save(this.attachments);
    this.#onChange();
  }

  /** Upload the first waiting file unless an upload is in progress, then the next one. */
  async #uploadNext() {
    const isUploading = this.items.some(({ state }) => state === "uploading");
    const next = isUploading ? undefined : this.items.find(({ state }) => state === "waiting");
    if (next) Object.assign(next, { state: "uploading", progress: 0 });
    this.#onChange();
    if (!next?.file) return;
    const onProgress = (fraction) => {
      next.progress = fraction;
      this.#onChange();
    };
    try {
      next.attachment = sanitizeUpload(await this.#upload(next.file, { onProgress, signal: next.abort.signal }));
      next.state = "ready";
      this.#onUploadedChange();
    } catch (error) {
      next.error = requireRequestError(error);
      next.state = "failed";
    }
    this.#uploadNext();
  }
}

/**
 * @param {import("./room_log.js").Attachment} attachment
 * @returns {PendingUpload}
 */
function createUploadedItem(attachment) {
  const { name, size } = attachment;
  return { name, size, state: "ready", progress: 1, attachment, abort: new AbortController() };
}
