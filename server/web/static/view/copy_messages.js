/**
 * Plain text of a selection in the timeline, the same format as in the terminal client: `[15:05] ann: text`.
 *
 * - A partially selected message is copied without time and nickname.
 * - Dates, gaps, reactions and labels of the page are omitted.
 */

import { actionText } from "../state/command_parser.js";
import { formatClock } from "./format_time.js";

/**
 * Return the selected messages, one after another; null for a selection inside one message
 * text or outside of the messages.
 * @param {Range} range
 * @param {{row: HTMLElement, line: any}[]} entries Lines in display order, see `timeline_model.js`.
 */
export function formatSelection(range, entries) {
  if (range.collapsed) return null;
  const selected = entries.filter(({ row }) => range.intersectsNode(row));
  if (!selected.length) return null;
  if (selected.length === 1 && selected[0].row.querySelector(".message-text")?.contains(range.commonAncestorContainer)) return null;
  const texts = selected.map(({ row, line }) => formatLine(range, row, line));
  return texts.filter((text) => text).join("\n");
}

function formatLine(range, row, line) {
  if (line.kind === "change" || line.kind === "notices") return row.textContent;
  const element = row.querySelector(".message-text");
  if (!element || !line.item || line.item.deleted) return "";
  const part = document.createRange();
  part.selectNodeContents(element);
  const completeText = part.toString();
  if (range.compareBoundaryPoints(Range.START_TO_START, part) > 0) part.setStart(range.startContainer, range.startOffset);
  if (range.compareBoundaryPoints(Range.END_TO_END, part) < 0) part.setEnd(range.endContainer, range.endOffset);
  if (part.toString() !== completeText) return part.toString();
  const { item, nick } = line;
  const message = item.message ?? item.body.message;
  const author = item.nickName ?? nick;
  const action = actionText(message);
  return `[${formatClock(item.ts)}] ${action === null ? `${author}: ${message}` : `* ${author} ${action}`}`;
}
