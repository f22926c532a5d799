/** Button that scrolls up to the unread divider. */

import { strings } from "../i18n/strings.js";
import { queryElement, requireElement, setText } from "./dom.js";

/** Button for the unread divider of the visible room. */
export class JumpToUnread {
  #scroller = requireElement("timeline");
  #list = requireElement("timeline-lines");
  #button = requireElement("jump-to-unread", HTMLButtonElement);
  #target = ""; // divider position and room name
  #isDismissed = false; // the divider was visible or the button was used

  /** @param {() => void} onJump Called when the button is used. */
  constructor(onJump) {
    this.#button.addEventListener("click", () => {
      this.#isDismissed = true;
      this.#button.hidden = true;
      onJump();
    });
    this.#scroller.addEventListener("scroll", () => this.#update(), { passive: true });
  }

  /**
   * Show the button if the divider of the room is above the viewport, until the divider was visible or the button was used.
   * @param {import("../state/room.js").Room} room
   */
  render({ name, readTracker }) {
    const target = readTracker.unreadAfter === null ? "" : `${readTracker.unreadAfter} ${name}`;
    if (target !== this.#target) this.#isDismissed = false;
    this.#target = target;
    setText(this.#button, `${strings.jumpToUnread} ↑`);
    this.#update();
  }

  /** Show or hide the button for the scroll position; a divider that was in view dismisses the button. */
  #update() {
    if (!this.#isDismissed && this.#target) {
      const divider = this.#list.querySelector(".unread");
      const { top } = this.#scroller.getBoundingClientRect();
      this.#isDismissed = divider ? divider.getBoundingClientRect().bottom >= top : !this.#isTargetAbove();
    }
    this.#button.hidden = this.#isDismissed || !this.#target;
  }

  /** Return whether the divider is above the rendered window. */
  #isTargetAbove() {
    const first = queryElement(this.#list, "[data-seq]");
    return first !== null && Number(first.dataset.seq) > Number.parseInt(this.#target, 10) + 1;
  }
}
