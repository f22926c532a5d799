/**
 * Effects of edits, deletions and reactions on a message (docs/protocol.md, "Entries").
 */

/**
 * Apply a change to a message.
 * @returns {object} The updated message; the same object if nothing changed.
 */
export function applyChange(item, change) {
  if (change.seq <= item.asOf || item.kind !== "message") return item;
  const updated = { ...item, asOf: change.seq };
  if (item.deleted) return updated;
  if (change.kind === "edit") {
    updated.message = change.message;
    updated.edited = change.seq;
  } else if (change.kind === "delete") {
    updated.message = "";
    updated.deleted = true;
    delete updated.reactions;
  } else if (change.kind === "reaction") {
    updated.reactions = applyReaction(item.reactions ?? {}, change);
  }
  return updated;
}

/**
 * Add or remove one member's reaction.
 * @returns {Record<string, string[]>} Member ids by emoji.
 */
export function applyReaction(reactions, { emoji, memberId, on }) {
  const otherMembers = (reactions[emoji] ?? []).filter((id) => id !== memberId);
  const updated = { ...reactions, [emoji]: on ? [...otherMembers, memberId] : otherMembers };
  if (!updated[emoji].length) delete updated[emoji];
  return updated;
}
