/**
 * What can be done with one message: by mouse, touch and keyboard.
 *
 * The one that is picked has the focus; one small toolbar goes where it is, or
 * where the pointer is. Single letters work only while a message is picked
 * (WCAG 2.2, 2.1.4).
 */

import { words } from "../i18n/strings.js";
import { element, sign, signButton } from "./dom.js";
import { lastInView } from "./viewport.js";

const TOOLS = [
  { name: "react", key: "a" },
  { name: "reply", key: "r" },
  { name: "edit", key: "e", own: true },
  { name: "copy", key: "y" },
  { name: "remove", key: "d", own: true },
];

export class Picker {
  #scroller = document.getElementById("timeline");
  #list = document.getElementById("lines");
  #bar = element("div", "tools");
  #acts;
  #itemOf;
  #onLeave;

  /**
   * @param {object} to
   * @param {Record<string, (item: object, row: Element) => void>} to.acts By the names of the tools.
   * @param {(seq: number) => {item: object, own: boolean} | null} to.itemOf
   * @param {() => void} to.onLeave Back to writing.
   */
  constructor({ acts, itemOf, onLeave }) {
    this.#acts = acts;
    this.#itemOf = itemOf;
    this.#onLeave = onLeave;
    this.#bar.setAttribute("role", "toolbar");
    this.#bar.setAttribute("aria-live", "off"); // it stands in a live log, and says nothing new
    const touched = ({ target, pointerType }) => {
      const row = target.closest?.(".message[data-seq]");
      if (pointerType === "mouse") this.#attach(row ?? null);
    };
    this.#list.addEventListener("pointerover", touched);
    this.#list.addEventListener("pointerleave", () => this.#attach(this.#picked));
    this.#list.addEventListener("click", ({ target }) => {
      const row = target.closest(".message[data-seq]");
      if (row && !target.closest("a, button") && !getSelection().toString()) this.#attach(row);
    });
    this.#list.addEventListener("focusin", ({ target }) => this.#attach(target.closest(".message[data-seq]")));
    this.#list.addEventListener("focusout", ({ relatedTarget }) => {
      if (!this.#list.contains(relatedTarget)) this.#attach(null);
    });
    this.#scroller.addEventListener("keydown", (event) => this.#pressed(event));
  }

  /** Makes the toolbar anew where it is wanted next: the words are others. */
  anew() {
    this.#attach(null);
  }

  /** Goes along when a line gets another element. */
  replaced(old, row) {
    if (this.#bar.parentNode === old) this.#attach(row, { keep: true });
  }

  get #picked() {
    const focused = document.activeElement;
    return this.#list.contains(focused) ? focused.closest(".message[data-seq]") : null;
  }

  #attach(row, { keep = false } = {}) {
    if (!keep && row && this.#bar.parentNode === row) return;
    const found = row && this.#itemOf(Number(row.dataset.seq));
    if (!found || found.item.deleted) {
      this.#bar.remove();
      return;
    }
    this.#bar.setAttribute("aria-label", words.actions);
    const tools = TOOLS.filter(({ own }) => found.own || !own);
    if (!keep || this.#bar.childElementCount !== tools.length) {
      this.#bar.replaceChildren(
        ...tools.map(({ name, key }) => {
          const tool = signButton("tool", sign(name), words[name], () => this.#do(name));
          tool.title = `${words[name]} (${key.toUpperCase()})`;
          return tool;
        }),
      );
    }
    row.append(this.#bar);
  }

  #do(name, row = this.#bar.parentNode) {
    const found = row && this.#itemOf(Number(row.dataset.seq));
    if (!found || found.item.deleted) return;
    if (TOOLS.some((tool) => tool.name === name && tool.own) && !found.own) return;
    this.#acts[name](found.item, row);
  }

  #pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input")) return;
    const row = event.target.closest(".line");
    const onButton = event.target.closest("a, button");
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const tool = TOOLS.find((one) => one.key === key);
    if (key === "ArrowUp" || (row && key === "k")) this.#go(row, -1);
    else if (key === "ArrowDown" || (row && key === "j")) this.#go(row, 1);
    else if (tool && row && !onButton) this.#do(tool.name, row);
    else if (key === "Enter" && row && !onButton) row.querySelector(".gap button, .said a, .quote")?.click();
    else if (key === "Escape" && row) this.#onLeave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #go(row, step) {
    const rows = [...this.#list.querySelectorAll(".message, .gap button")];
    const here = row ? rows.findIndex((one) => row.contains(one)) : -1;
    // From a link or a button in it, a message itself comes first.
    const inside = here >= 0 && rows[here] !== document.activeElement;
    const next = here < 0 ? lastInView(this.#scroller, rows) : rows[inside ? here : here + step];
    if (next) {
      next.focus({ preventScroll: true });
      next.scrollIntoView({ block: "nearest" });
    } else if (step > 0) {
      this.#onLeave();
    }
  }
}
