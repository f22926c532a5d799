/**
 * Effects of edits, deletions and reactions on a message (docs/protocol.md, "Entries"); the same rules as in
 * `tui_chat/client/sync/apply_change.py`.
 */

import { REACTION_NAMES, REACTIONS_PER_MESSAGE } from "./limits.js";

/**
 * @typedef {import("./room_log.js").Entry} Entry
 * @typedef {import("./room_log.js").Item} Item
 */

/**
 * Apply a change to a message.
 *
 * Without effect: a change of a deleted message, an entry of another kind, a reaction that `by` or `own` shows as already
 * added or removed, and a new reaction above `REACTIONS_PER_MESSAGE`.
 * @param {Item} item
 * @param {Entry} change
 * @param {string} memberId User's member id, for `own` of reactions.
 * @returns {Item} The updated message; the same object if nothing changed.
 */
export function applyChange(item, change, memberId) {
  if (item.deleted) return item;
  if (change.kind === "edit") return { ...item, message: change.message, edited: change.seq };
  const { reactions: _, ...rest } = item;
  if (change.kind === "delete") {
    const { attachments: __, ...kept } = rest;
    return { ...kept, message: "", deleted: true };
  }
  if (change.kind !== "reaction" || !change.emoji) return item;
  // A map, because words such as "valueOf" are properties of every object.
  const reactions = new Map(Object.entries(item.reactions ?? {}));
  if (change.on && !reactions.has(change.emoji) && reactions.size >= REACTIONS_PER_MESSAGE) return item;
  const isOwn = change.memberId === memberId;
  const summary = reactions.get(change.emoji) ?? { count: 0, by: [], own: false };
  const others = summary.by.filter((reactor) => reactor.memberId !== change.memberId);
  const isKnown = others.length < summary.by.length || (isOwn && summary.own);
  const isAbsent = !isKnown && (isOwn || summary.count === summary.by.length);
  if (change.on ? isKnown : isAbsent) return item;
  const by = change.on && others.length < REACTION_NAMES ? [...others, { memberId: change.memberId, nickName: change.nickName }] : others;
  const count = summary.count + (change.on ? 1 : -1);
  reactions.set(change.emoji, { count, by, own: isOwn ? Boolean(change.on) : summary.own });
  if (!count) reactions.delete(change.emoji);
  return reactions.size ? { ...rest, reactions: Object.fromEntries(reactions) } : rest;
}
