/**
 * What an edit, a deletion or a reaction makes of a message (docs/protocol.md, "Entries").
 */

/** @returns {object} The message as it reads after a change; the same one where nothing is different. */
export function changed(item, change) {
  if (change.seq <= item.asOf || item.kind !== "message") return item;
  const after = { ...item, asOf: change.seq };
  if (item.deleted) return after;
  if (change.kind === "edit") {
    after.message = change.message;
    after.edited = change.seq;
  } else if (change.kind === "delete") {
    after.message = "";
    after.deleted = true;
    delete after.reactions;
  } else if (change.kind === "reaction") {
    after.reactions = reacted(item.reactions ?? {}, change);
  }
  return after;
}

/** @returns {Record<string, string[]>} Who chose which emoji, after one member chose or took one away. */
export function reacted(reactions, { emoji, memberId, on }) {
  const others = (reactions[emoji] ?? []).filter((id) => id !== memberId);
  const after = { ...reactions, [emoji]: on ? [...others, memberId] : others };
  if (!after[emoji].length) delete after[emoji];
  return after;
}
