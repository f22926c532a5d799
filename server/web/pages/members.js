/**
 * Who is here.
 */

import { element, face, nickname, say } from "./elements.js";
import { words } from "./words.js";

const SHOWN_AT_MOST = 500; // a list of thousands helps nobody, and costs at every coming

export class Members {
  #list = document.getElementById("members-list");
  #drawn = null;

  /** Makes it anew at the next drawing: the words are others. */
  anew() {
    this.#drawn = null;
  }

  /** @param {import("./room.js").Room} room */
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
