/**
 * What is being written, one draft for each room; it lives as long as the tab.
 */

import { fold } from "./names.js";

export class Drafts {
  #shelf;

  /** @param {import("./memory.js").Shelf} shelf */
  constructor(shelf) {
    this.#shelf = shelf;
  }

  /** @returns {import("./composer.js").Draft} */
  of(room) {
    return this.#shelf.get("drafts", {})[fold(room)] ?? { text: "" };
  }

  keep(room, draft) {
    const { [fold(room)]: _, ...others } = this.#shelf.get("drafts", {});
    const bare = !draft.text && !draft.replyTo && !draft.editing;
    this.#shelf.put("drafts", bare ? others : { ...others, [fold(room)]: draft });
  }
}
