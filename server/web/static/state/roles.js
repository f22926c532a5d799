/** Ranks of room roles (docs/moderation.md, "Roles"). The server decides about each action; the page only hides controls. */

/** @type {Record<string, number>} */
const RANKS = { member: 1, moderator: 2, owner: 3, admin: 4 };

/**
 * Return whether a role permits the actions of moderators.
 * @param {string} role Empty for a guest.
 */
export function isModerator(role) {
  return rank(role) >= RANKS.moderator;
}

/**
 * Return whether a role permits the actions of owners.
 * @param {string} role Empty for a guest.
 */
export function isOwner(role) {
  return rank(role) >= RANKS.owner;
}

/**
 * Return whether a role permits actions on members of another role.
 * @param {string} role
 * @param {string} otherRole
 */
export function outranks(role, otherRole) {
  return isModerator(role) && rank(role) > rank(otherRole);
}

/** @param {string} role */
function rank(role) {
  return RANKS[role] ?? 0;
}
