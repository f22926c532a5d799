/** Parser of the limits of an invite; the same rules as in `tui_chat/session/commands/room_handlers.py`. */

import { parseDuration } from "./duration_parser.js";
import { INVITE_SECONDS, INVITE_USES } from "./limits.js";

/**
 * Return the fields of a `createInvite` request for a number of people and a duration, both optional and in any order;
 * null if a word is neither, is outside its limits or repeats a field.
 * @param {string} argument
 * @returns {{uses?: number, expiresIn?: number} | null}
 */
export function parseInviteLimits(argument) {
  /** @type {{uses?: number, expiresIn?: number}} */
  const limits = {};
  for (const word of argument.split(/\s+/u).filter(Boolean)) {
    const field = /^\d+$/.test(word) ? "uses" : "expiresIn";
    if (field in limits) return null;
    limits[field] = field === "uses" ? Number(word) : (parseDuration(word) ?? 0);
  }
  const { uses = 1, expiresIn = 1 } = limits;
  return uses >= 1 && uses <= INVITE_USES && expiresIn >= 1 && expiresIn <= INVITE_SECONDS ? limits : null;
}
