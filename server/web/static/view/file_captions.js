/**
 * Captions of files: one line of text per attachment, in place of the file; the same texts as in
 * `tui_chat/session/file_captions.py`.
 */

import { strings } from "../i18n/strings.js";
import { describeSize } from "../state/file_size.js";

/**
 * Return the caption of a file: its name, its dimensions or type, its size, and the mention of a title image.
 * @param {import("../state/room_log.js").Attachment} attachment
 */
export function describeFile({ name, type, size, width, height, poster }) {
  if (width && height) return strings.imageCaption(name, `${width}×${height}`, describeSize(size));
  if (poster) return strings.videoCaption(name, type, describeSize(size));
  return strings.fileCaption(name, type, describeSize(size));
}

/**
 * Return the text of a message, followed by the captions of its files, one per line.
 * @param {{message?: string, attachments?: import("../state/room_log.js").Attachment[]}} message
 */
export function describeContent({ message = "", attachments = [] }) {
  return [message, ...attachments.map(describeFile)].filter(Boolean).join("\n");
}
