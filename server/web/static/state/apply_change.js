/**
 * Effects of edits, deletions and reactions on a message (docs/protocol.md, "Entries"); the same rules as in
 * `tui_chat/client/sync/apply_change.py`.
 */

/**
 * @typedef {import("./room_log.js").Entry} Entry
 * @typedef {import("./room_log.js").Item} Item
 */

/**
 * Apply a change to a message.
 *
 * Without effect: a change of a deleted message, a repeated reaction, and the removal of a missing reaction.
 * @param {Item} item
 * @param {Entry} change
 * @returns {Item} The updated message; the same object if nothing changed.
 */
export function applyChange(item, change) {
  if (item.deleted) return item;
  if (change.kind === "edit") return { ...item, message: change.message, edited: change.seq };
  const { reactions, ...rest } = item;
  if (change.kind === "delete") return { ...rest, message: "", deleted: true };
  if (change.kind !== "reaction" || !change.emoji) return item;
  const memberIds = reactions?.[change.emoji] ?? [];
  if (memberIds.includes(change.memberId) === change.on) return item;
  const updated = { ...reactions, [change.emoji]: change.on ? [...memberIds, change.memberId] : memberIds.filter((id) => id !== change.memberId) };
  if (!updated[change.emoji].length) delete updated[change.emoji];
  return Object.keys(updated).length ? { ...rest, reactions: updated } : rest;
}
