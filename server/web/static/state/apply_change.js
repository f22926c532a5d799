/**
 * What an edit, a deletion or a reaction makes of a message (docs/protocol.md, "Entries").
 */

/** @returns {object} The message as it reads after a change; the same one where nothing is different. */
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

/** @returns {Record<string, string[]>} Who chose which emoji, after one member chose or took one away. */
export function applyReaction(reactions, { emoji, memberId, on }) {
  const otherMembers = (reactions[emoji] ?? []).filter((id) => id !== memberId);
  const updated = { ...reactions, [emoji]: on ? [...otherMembers, memberId] : otherMembers };
  if (!updated[emoji].length) delete updated[emoji];
  return updated;
}
