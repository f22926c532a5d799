/**
 * The button that leads up to the first unread message, while that is out of sight.
 */

import { strings } from "../i18n/strings.js";
import { setText } from "./dom.js";

export class JumpToUnread {
  #scroller = document.getElementById("timeline");
  #list = document.getElementById("timeline-lines");
  #button = document.getElementById("jump-to-unread");
  #target = ""; // the room and the place that it is about
  #isDismissed = false; // that place was in view, or was gone to

  /** @param {() => void} onGo */
  constructor(onJump) {
    this.#button.addEventListener("click", () => {
      this.#isDismissed = true;
      this.#button.hidden = true;
      onJump();
    });
    this.#scroller.addEventListener("scroll", () => this.#update(), { passive: true });
  }

  /** @param {import("../state/room.js").Room} room */
  render({ name, readTracker }) {
    const target = readTracker.unreadAfter === null ? "" : `${readTracker.unreadAfter} ${name}`;
    if (target !== this.#target) this.#isDismissed = false;
    this.#target = target;
    setText(this.#button, `${strings.jumpToUnread} ↑`);
    this.#update();
  }

  #update() {
    if (!this.#isDismissed && this.#target) {
      const divider = this.#list.querySelector(".unread");
      const { top } = this.#scroller.getBoundingClientRect();
      this.#isDismissed = divider ? divider.getBoundingClientRect().bottom >= top : !this.#isTargetAbove();
    }
    this.#button.hidden = this.#isDismissed || !this.#target;
  }

  /** Whether the line is further up than what is in the document. */
  #isTargetAbove() {
    const first = this.#list.querySelector("[data-seq]");
    return first !== null && Number(first.dataset.seq) > Number.parseInt(this.#target, 10) + 1;
  }
}
