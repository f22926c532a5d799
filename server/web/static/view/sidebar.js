/**
 * The rooms you are in, with what is unread.
 */

import { words } from "../i18n/strings.js";
import { element, face, nickname, say, sign, signButton } from "./dom.js";

const MOST = 99;

export class RoomList {
  #list = document.getElementById("rooms-list");
  #badge = document.getElementById("rooms-badge");
  #onShow;
  #onClose;
  #drawn = "";

  /**
   * @param {object} to
   * @param {(room: import("../state/room.js").Room) => void} to.onShow
   * @param {(room: import("../state/room.js").Room) => void} to.onClose
   */
  constructor({ onShow, onClose }) {
    this.#onShow = onShow;
    this.#onClose = onClose;
  }

  /** Makes it anew at the next drawing: the words are others. */
  anew() {
    this.#drawn = "";
  }

  /** @param {import("../state/chat_session.js").Chat} chat */
  draw({ rooms, current }) {
    const told = rooms.map(({ name, reading }) => [name, reading.unread, reading.named]);
    const now = JSON.stringify([told, rooms.indexOf(current)]);
    if (now === this.#drawn) return;
    this.#drawn = now;
    const focused = [...this.#list.querySelectorAll("button")].indexOf(document.activeElement);
    this.#list.replaceChildren(...rooms.map((room) => this.#row(room, room === current)));
    if (focused >= 0) this.#list.querySelectorAll("button")[focused]?.focus();
    const elsewhere = rooms.filter((room) => room !== current);
    const named = elsewhere.some(({ reading }) => reading.named);
    const unread = elsewhere.reduce((sum, { reading }) => sum + reading.unread, 0);
    this.#badge.hidden = !unread;
    this.#badge.classList.toggle("named", named);
    say(this.#badge, countOf(unread));
  }

  #row(room, shown) {
    const { unread, named } = room.reading;
    const open = element("button", "open");
    open.type = "button";
    open.append(element("bdi", "name", room.name));
    if (unread) {
      const badge = element("span", named ? "badge named" : "badge", `${named ? "@" : ""}${countOf(unread)}`);
      badge.setAttribute("aria-hidden", "true");
      open.append(" ", badge, element("span", "unseen", `, ${words.unreadIn(unread, named)}`));
    }
    open.addEventListener("click", () => this.#onShow(room));
    if (shown) open.setAttribute("aria-current", "true");
    const close = signButton("quiet leave", sign("close"), words.leaveRoom(room.name), () => this.#onClose(room));
    return element("li", unread ? "unread" : "", open, close);
  }
}

function countOf(count) {
  return count > MOST ? `${MOST}+` : String(count);
}

const SHOWN_AT_MOST = 500; // a list of thousands helps nobody, and costs at every coming

export class Members {
  #list = document.getElementById("members-list");
  #drawn = null;

  /** Makes it anew at the next drawing: the words are others. */
  anew() {
    this.#drawn = null;
  }

  /** @param {import("../state/room.js").Room} room */
  draw({ members, mine }) {
    if (members === this.#drawn) return;
    this.#drawn = members;
    const collator = new Intl.Collator(words.lang, { numeric: true });
    const sorted = [...members.values()].sort(
      (one, other) =>
        mine.has(other.memberId) - mine.has(one.memberId) || collator.compare(one.nickName, other.nickName),
    );
    for (const id of ["members-count", "members-total"]) say(document.getElementById(id), String(members.size));
    const rows = sorted.slice(0, SHOWN_AT_MOST).map((member) => memberRow(member, mine.has(member.memberId)));
    const more = sorted.length - rows.length;
    if (more > 0) rows.push(element("li", "more", `+${more}`));
    this.#list.replaceChildren(...rows);
  }
}

function memberRow({ nickName, role, via }, own) {
  const row = element("li", "", face(nickName), nickname(nickName));
  const note = own ? words.you : words.roles[role];
  if (note) row.append(element("span", "note", note));
  if (via) {
    const mark = element("span", "note", String(via));
    mark.title = words.via(String(via));
    row.append(mark);
  }
  return row;
}
