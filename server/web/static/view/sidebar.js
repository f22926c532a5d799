/**
 * Room list with unread badges, and member list.
 */

import { strings } from "../i18n/strings.js";
import { createAvatar, createConfusableSign, createElement, createIcon, createIconButton, createNickname, requireElement, setText } from "./dom.js";

const MAX_SHOWN_COUNT = 99;
const MAX_SHOWN_MEMBERS = 500; // bounds the render cost of a presence change

export class RoomList {
  #list = requireElement("room-list");
  #badge = requireElement("rooms-badge");
  #onSelect;
  #onLeave;
  #rendered = "";

  /**
   * @param {object} options
   * @param {(room: import("../state/room.js").Room) => void} options.onSelect
   * @param {(room: import("../state/room.js").Room) => void} options.onLeave
   */
  constructor({ onSelect, onLeave }) {
    this.#onSelect = onSelect;
    this.#onLeave = onLeave;
  }

  /** Force a full update on the next render. */
  rerender() {
    this.#rendered = "";
  }

  /** @param {import("../state/chat_session.js").ChatSession} session */
  render({ rooms, current }) {
    const summary = rooms.map(({ name, readTracker }) => [name, readTracker.unreadCount, readTracker.mentionCount]);
    const state = JSON.stringify([summary, rooms.findIndex((room) => room === current)]);
    if (state === this.#rendered) return;
    this.#rendered = state;
    const focusedIndex = [...this.#list.querySelectorAll("button")].findIndex((button) => button === document.activeElement);
    this.#list.replaceChildren(...rooms.map((room) => this.#renderRoom(room, room === current)));
    if (focusedIndex >= 0) this.#list.querySelectorAll("button")[focusedIndex]?.focus();
    const otherRooms = rooms.filter((room) => room !== current);
    const hasMention = otherRooms.some(({ readTracker }) => readTracker.mentionCount);
    const unreadCount = otherRooms.reduce((sum, { readTracker }) => sum + readTracker.unreadCount, 0);
    this.#badge.hidden = !unreadCount;
    this.#badge.classList.toggle("mention", hasMention);
    setText(this.#badge, formatCount(unreadCount));
  }

  #renderRoom(room, isCurrent) {
    const { unreadCount, mentionCount } = room.readTracker;
    const openButton = createElement("button", "room-open");
    openButton.type = "button";
    openButton.append(createElement("bdi", "name", room.name));
    if (unreadCount) {
      const badge = createElement("span", mentionCount ? "badge mention" : "badge", `${mentionCount ? "@" : ""}${formatCount(unreadCount)}`);
      badge.setAttribute("aria-hidden", "true");
      openButton.append(" ", badge, createElement("span", "visually-hidden", `, ${strings.unreadCount(unreadCount, mentionCount)}`));
    }
    openButton.addEventListener("click", () => this.#onSelect(room));
    if (isCurrent) openButton.setAttribute("aria-current", "true");
    const leaveButton = createIconButton("icon-button room-leave", createIcon("close"), strings.leaveRoom(room.name), () => this.#onLeave(room));
    return createElement("li", unreadCount ? "unread" : "", openButton, leaveButton);
  }
}

function formatCount(count) {
  return count > MAX_SHOWN_COUNT ? `${MAX_SHOWN_COUNT}+` : String(count);
}

export class MemberList {
  #list = requireElement("member-list");
  /** @type {Map<string, import("../state/room.js").Member> | null} */
  #rendered = null;

  /** Force a full update on the next render. */
  rerender() {
    this.#rendered = null;
  }

  /** @param {import("../state/room.js").Room} room */
  render({ members, memberCount, ownMemberIds }) {
    if (members === this.#rendered) return;
    this.#rendered = members;
    const sorted = sortMembers(members.values(), ownMemberIds);
    for (const id of ["members-count", "members-total"]) setText(requireElement(id), String(memberCount));
    const rows = sorted.slice(0, MAX_SHOWN_MEMBERS).map((member) => renderMember(member, ownMemberIds.has(member.memberId)));
    const hiddenCount = memberCount - rows.length;
    if (hiddenCount > 0) rows.push(createElement("li", "overflow", `+${hiddenCount}`));
    this.#list.replaceChildren(...rows);
  }
}

/**
 * Return members in display order: the user, then by nickname.
 * @param {Iterable<import("../state/room.js").Member>} members
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
 * @param {import("../state/room.js").Member} member
 * @param {boolean} isOwn
 */
function renderMember({ nickName, role, via, confusable }, isOwn) {
  const row = createElement("li", "", createAvatar(nickName), createNickname(nickName));
  if (confusable) row.append(createConfusableSign());
  const note = isOwn ? strings.you : strings.roles[role];
  if (note) row.append(createElement("span", "note", note));
  if (via) {
    const badge = createElement("span", "note", String(via));
    badge.title = strings.clientKind(String(via));
    row.append(badge);
  }
  return row;
}
