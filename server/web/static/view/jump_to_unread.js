/**
 * The button that leads up to the first unread message, while that is out of sight.
 */

import { words } from "../i18n/strings.js";
import { say } from "./dom.js";

export class UnreadAbove {
  #scroller = document.getElementById("timeline");
  #lines = document.getElementById("lines");
  #button = document.getElementById("unread-above");
  #of = ""; // the room and the place that it is about
  #seen = false; // that place was in view, or was gone to

  /** @param {() => void} onGo */
  constructor(onGo) {
    this.#button.addEventListener("click", () => {
      this.#seen = true;
      this.#button.hidden = true;
      onGo();
    });
    this.#scroller.addEventListener("scroll", () => this.#look(), { passive: true });
  }

  /** @param {import("../state/room.js").Room} room */
  draw({ name, reading }) {
    const of = reading.unreadAfter === null ? "" : `${reading.unreadAfter} ${name}`;
    if (of !== this.#of) this.#seen = false;
    this.#of = of;
    say(this.#button, `${words.firstUnread} ↑`);
    this.#look();
  }

  #look() {
    if (!this.#seen && this.#of) {
      const line = this.#lines.querySelector(".unread");
      const { top } = this.#scroller.getBoundingClientRect();
      this.#seen = line ? line.getBoundingClientRect().bottom >= top : !this.#isAbove();
    }
    this.#button.hidden = this.#seen || !this.#of;
  }

  /** Whether the line is further up than what is in the document. */
  #isAbove() {
    const first = this.#lines.querySelector("[data-seq]");
    return first !== null && Number(first.dataset.seq) > Number.parseInt(this.#of, 10) + 1;
  }
}
