/**
 * Files of the next message of one room.
 *
 * - Files are uploaded one after another, in the order of their selection.
 * - A failed upload stays in the list until a retry or its removal.
 * - A message contains all files after their upload, or none.
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
 * @property {File} [file] Undefined for the file of a failed message.
 * @property {import("./room_log.js").Attachment} [attachment] Defined in the state `ready`.
 * @property {import("../net/request_error.js").RequestError} [error] Defined in the state `failed`.
 * @property {AbortController} abort
 */

export class PendingUploads {
  #upload;
  #onChange;
  #isUploading = false;

  /** @type {PendingUpload[]} */
  items = [];

  /**
   * @param {object} options
   * @param {(file: File, transfer: {onProgress: (fraction: number) => void, signal: AbortSignal}) => Promise<any>} options.upload
   * @param {() => void} options.onChange
   */
  constructor({ upload, onChange }) {
    this.#upload = upload;
    this.#onChange = onChange;
  }

  /** True if files exist that a message cannot contain yet. */
  get isIncomplete() {
    return this.items.some(({ state }) => state !== "ready");
  }

  /** Uploaded files. */
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
    const restored = attachments.slice(0, Math.max(0, ATTACHMENTS_PER_MESSAGE - this.items.length));
    for (const attachment of restored) {
      const { name, size } = attachment;
      this.items.push({ name, size, state: "ready", progress: 1, attachment, abort: new AbortController() });
    }
    this.#onChange();
  }

  /** @param {PendingUpload} item Failed item. */
  retry(item) {
    item.state = "waiting";
    this.#uploadNext();
  }

  /**
   * Remove a file, and cancel its upload.
   * @param {PendingUpload} item
   */
  remove(item) {
    this.items = this.items.filter((candidate) => candidate !== item);
    item.abort.abort();
    if (item.state === "uploading") this.#isUploading = false;
    this.#uploadNext();
  }

  /** Remove all files, after they became part of a message. */
  clear() {
    this.items = [];
    this.#onChange();
  }

  async #uploadNext() {
    this.#onChange();
    const next = this.items.find(({ state }) => state === "waiting");
    if (this.#isUploading || !next?.file) return;
    this.#isUploading = true;
    Object.assign(next, { state: "uploading", progress: 0 });
    const onProgress = (fraction) => {
      next.progress = fraction;
      this.#onChange();
    };
    try {
      next.attachment = sanitizeUpload(await this.#upload(next.file, { onProgress, signal: next.abort.signal }));
      next.state = "ready";
    } catch (error) {
      next.error = requireRequestError(error);
      next.state = "failed";
    }
    this.#isUploading = false;
    this.#uploadNext();
  }
}
