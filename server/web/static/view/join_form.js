/**
 * The way in: a room and a nickname.
 *
 * The room is prefilled from the address (`/#/tea`), else from last time, and the nickname from last time.
 */

import { chooseLanguage, words } from "../i18n/strings.js";
import { lasting } from "../state/storage.js";
import { roomInAddress } from "./room_url.js";

export class Door {
  #door = document.getElementById("door");
  #form = document.getElementById("door-form");
  #room = document.getElementById("room-field");
  #nick = document.getElementById("nick-field");
  #problem = document.getElementById("door-problem");
  #button = document.getElementById("door-enter");

  /**
   * @param {object} to
   * @param {(room: string, nick: string) => void} to.onEnter
   * @param {() => void} to.onChange Something else is being asked for.
   * @param {() => void} to.onLanguage The words are others now.
   */
  constructor({ onEnter, onChange, onLanguage }) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const room = this.#room.value.trim();
      const nick = this.#nick.value.trim();
      if (!room) return this.#ask(this.#room, words.roomNeeded);
      if (!nick) return this.#ask(this.#nick, words.nickNeeded);
      lasting.put("room", room);
      lasting.put("nick", nick);
      this.#say("");
      return onEnter(room, nick);
    });
    document.getElementById("door-language").addEventListener("click", () => {
      chooseLanguage(words.otherLanguageCode);
      onLanguage();
    });
    for (const field of [this.#room, this.#nick]) {
      field.addEventListener("input", () => {
        this.#say("");
        this.busy = false;
        onChange();
      });
    }
  }

  /** Opens it, with the reason why you are outside, if any. */
  show(problem = "", busy = false) {
    this.busy = busy;
    this.#door.hidden = false;
    this.#room.value = roomInAddress() || lasting.get("room", "");
    this.#nick.value = lasting.get("nick", "");
    this.#say(problem);
    (this.#room.value ? (this.#nick.value ? this.#button : this.#nick) : this.#room).focus();
  }

  hide() {
    this.#door.hidden = true;
  }

  /** The server was asked and has not answered. */
  set busy(busy) {
    this.#button.disabled = busy;
    this.#button.textContent = busy ? words.entering : words.enter;
  }

  /** What is wrong, or takes so long. */
  set problem(reason) {
    this.#say(reason);
  }

  #ask(field, problem) {
    this.#say(problem);
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }

  #say(problem) {
    this.#problem.textContent = problem;
    for (const field of [this.#room, this.#nick]) field.removeAttribute("aria-invalid");
  }
}
