/**
 * The rooms you are in, with what is unread.
 */

import { element, say, sign, signButton } from "./elements.js";
import { words } from "./words.js";

const MOST = 99;

export class RoomList {
  #list = document.getElementById("rooms-list");
  #badge = document.getElementById("rooms-badge");
  #onShow;
  #onClose;
  #drawn = "";

  /**
   * @param {object} to
   * @param {(room: import("./room.js").Room) => void} to.onShow
   * @param {(room: import("./room.js").Room) => void} to.onClose
   */
  constructor({ onShow, onClose }) {
    this.#onShow = onShow;
    this.#onClose = onClose;
  }

  /** Makes it anew at the next drawing: the words are others. */
  anew() {
    this.#drawn = "";
  }

  /** @param {import("./chat.js").Chat} chat */
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
