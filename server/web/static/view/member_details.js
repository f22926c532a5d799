/** Order and details of members. */

import { strings } from "../i18n/strings.js";
import { formatShortDate } from "./format_time.js";

/**
 * @typedef {import("../state/room.js").Member} Member
 * @typedef {import("../state/room.js").Room} Room
 */

/**
 * Return members in display order: the user, then by nickname.
 * @param {Iterable<Member>} members
 * @param {Set<string>} ownMemberIds
 */
export function sortMembers(members, ownMemberIds) {
  const collator = new Intl.Collator(strings.lang, { numeric: true });
  return [...members].sort(
    (first, second) =>
      Number(ownMemberIds.has(second.memberId)) - Number(ownMemberIds.has(first.memberId)) || collator.compare(first.nickName, second.nickName),
  );
}

/**
 * Return the role of a member for display; empty for the role `member`.
 * @param {Member} member
 */
export function roleNote({ role }) {
  return role === "member" ? "" : (strings.roles[role] ?? "");
}

/**
 * Return the details of a member as short texts, in order of their display.
 * @param {Member} member
 * @param {Room} room
 * @returns {string[]}
 */
export function memberDetails(member, room) {
  const { memberId, account, via, confusable, away, bot } = member;
  const lastMessage = room.log.items.findLast((item) => item.kind === "message" && item.memberId === memberId);
  const details = [
    room.ownMemberIds.has(memberId) && strings.thatIsYou,
    confusable && strings.looksLikeAnother,
    bot && strings.bot,
    account ? strings.accountDetail(account) : strings.guest,
    roleNote(member),
    away !== undefined && strings.awayNote(away),
    room.isBlocked(memberId) && strings.blockedNote,
    via && strings.clientKind(via),
    lastMessage && strings.lastMessageAt(formatShortDate(lastMessage.ts)),
  ];
  return details.filter((detail) => typeof detail === "string" && detail !== "");
}
