/**
 * Who is here: a column beside the timeline, a drawer where there is no room for one.
 */

import { element, face, nickname } from "./rows.js";
import { words } from "./words.js";

const WIDE = globalThis.matchMedia("(min-width: 60rem)");
const SHOWN_AT_MOST = 500; // a list of thousands helps nobody, and costs at every coming

export class Members {
  #chat = document.getElementById("chat");
  #panel = document.getElementById("members");
  #list = document.getElementById("members-list");
  #toggle = document.getElementById("members-toggle");
  #shade = document.getElementById("shade");
  #drawn = null;
  #collator = new Intl.Collator(words.lang, { numeric: true });

  constructor() {
    this.#toggle.addEventListener("click", () => this.#show(!this.open));
    this.#shade.addEventListener("click", () => this.#show(false));
    WIDE.addEventListener("change", () => this.#show(WIDE.matches));
    this.#show(WIDE.matches);
  }

  get open() {
    return this.#toggle.getAttribute("aria-expanded") === "true";
  }

  /** Closes the drawer. @returns {boolean} Whether one was open. */
  closeDrawer() {
    if (WIDE.matches || !this.open) return false;
    this.#show(false);
    this.#toggle.focus();
    return true;
  }

  /** @param {import("./session.js").Session} session */
  draw({ members, mine }) {
    if (members === this.#drawn) return;
    this.#drawn = members;
    const sorted = [...members.values()].sort(
      (one, other) =>
        mine.has(other.memberId) - mine.has(one.memberId) || this.#collator.compare(one.nickName, other.nickName),
    );
    for (const id of ["members-count", "members-total"]) document.getElementById(id).textContent = members.size;
    const rows = sorted.slice(0, SHOWN_AT_MOST).map((member) => memberRow(member, mine.has(member.memberId)));
    const more = sorted.length - rows.length;
    if (more > 0) rows.push(element("li", "more", `+${more}`));
    this.#list.replaceChildren(...rows);
  }

  #show(open) {
    this.#toggle.setAttribute("aria-expanded", String(open));
    this.#chat.classList.toggle("with-members", open);
    this.#panel.inert = !open;
    this.#shade.hidden = !open;
  }
}

function memberRow({ nickName, role }, own) {
  const row = element("li", "", face(nickName), nickname(nickName));
  const note = own ? words.you : words.roles[role];
  if (note) row.append(element("span", "note", note));
  return row;
}
