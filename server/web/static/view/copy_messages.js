/**
 * Plain text of a selection in the timeline, the same format as in the terminal client: `[15:05] ann: text`.
 *
 * - A partially selected message is copied without time and nickname.
 * - Files are copied as their captions.
 * - Dates, gaps, reactions and labels of the page are omitted.
 */

import { actionText } from "../state/command_parser.js";
import { describeContent } from "./file_captions.js";
import { formatClock } from "./format_time.js";

/**
 * Return the selected lines, separated by newlines; null for an empty selection, and for one outside of the lines, inside of
 * one message text or inside of the files of one message. Notices are copied as displayed, deleted messages are omitted.
 * @param {Range} range
 * @param {{row: HTMLElement, line: any}[]} entries Lines in display order, see `timeline_model.js`.
 */
export function formatSelection(range, entries) {
  if (range.collapsed) return null;
  const selected = entries.filter(({ row }) => range.intersectsNode(row));
  if (!selected.length) return null;
  const parts = selected.length === 1 ? [...selected[0].row.querySelectorAll(".message-text, .attachments")] : [];
  if (parts.some((part) => part.contains(range.commonAncestorContainer))) return null;
  const texts = selected.map(({ row, line }) => formatLine(range, row, line));
  return texts.filter((text) => text).join("\n");
}

/** Return the copied text of a line, only the selected part of a partially selected message; empty for an omitted line. */
function formatLine(range, row, line) {
  if (line.kind === "change" || line.kind === "notices") return row.textContent;
  const { item, nick } = line;
  if (!item || item.deleted) return "";
  const element = row.querySelector(".message-text");
  const partialText = element && findPartialText(range, element);
  if (partialText !== null) return partialText;
  const content = describeContent(item.body ?? item);
  const author = item.nickName ?? nick;
  const action = actionText(content);
  return `[${formatClock(item.ts)}] ${action === null ? `${author}: ${content}` : `* ${author} ${action}`}`;
}

/** Return the selected part of a text; null for the complete text. */
function findPartialText(range, element) {
  const part = document.createRange();
  part.selectNodeContents(element);
  const completeText = part.toString();
  if (range.compareBoundaryPoints(Range.START_TO_START, part) > 0) part.setStart(range.startContainer, range.startOffset);
  if (range.compareBoundaryPoints(Range.END_TO_END, part) < 0) part.setEnd(range.endContainer, range.endOffset);
  return part.toString() === completeText ? null : part.toString();
}
