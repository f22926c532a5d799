/**
 * How far you have read in one room.
 *
 * Rule 1  A message is read only when its room is shown, the page has the focus,
 *         and the newest line is in view.
 * Rule 2  The line above what is new stands where you were when you stopped
 *         looking, until you look away again or say something.
 */

import { mentions } from "./mentions.js";

const MOST = 1000; // unread messages that are counted

export class Reading {
  #read;
  #onRead;
  #looked = false; // you were looking when it was last brought up to date
  #log = null;
  #counted = 0; // up to this seq
  #count = 0;
  #named = 0;

  /** The last `seq` before what is new, or null while there is no line. */
  unreadAfter = null;

  /**
   * @param {object} from
   * @param {number | null} from.read The last `seq` that you have seen, null when you were never here.
   * @param {(seq: number) => void} from.onRead
   */
  constructor({ read, onRead }) {
    this.#read = read;
    this.#onRead = onRead;
  }

  get unread() {
    return this.#count;
  }

  /** How many of those name you. */
  get named() {
    return this.#named;
  }

  /** You have said something: what is above it is no news. */
  spoke() {
    this.unreadAfter = null;
  }

  /** Another tab of yours has read up to here. */
  readElsewhere(seq) {
    if (this.#read === null || seq <= this.#read) return;
    this.#read = seq;
    this.#recount();
  }

  /**
   * @param {object} now
   * @param {import("./room_log.js").RoomLog} now.log
   * @param {Set<string>} now.mine Your own member ids.
   * @param {string} now.nick Your nickname.
   * @param {boolean} now.looking Rule 1 holds.
   * @returns {object[]} The messages that name you and that you had not been told of.
   */
  update({ log, mine, nick, looking }) {
    if (log.last === null) return [];
    if (this.#read === null) this.#move(log.last);
    if (log.last < this.#read) this.#move(0); // the server began anew
    if (log !== this.#log) {
      this.#log = log;
      this.#recount();
    }
    const named = this.#countUp(log, mine, nick);
    if (this.#count && !(looking && this.#looked)) this.unreadAfter = this.#read;
    if (looking) {
      if (log.last > this.#read) this.#move(log.last);
      this.#count = this.#named = 0;
    }
    this.#looked = looking;
    return named;
  }

  #countUp(log, mine, nick) {
    const { items } = log;
    const named = [];
    let index = items.length;
    const from = Math.max(this.#read, this.#counted);
    while (index > 0 && items[index - 1].seq > from && items.length - index < MOST) index -= 1;
    for (const item of items.slice(index)) {
      if (item.kind !== "message" || item.deleted || mine.has(item.memberId)) continue;
      this.#count = Math.min(MOST, this.#count + 1);
      if (mentions(item.message, nick)) named.push(item);
    }
    this.#named += named.length;
    this.#counted = log.last;
    return named;
  }

  #recount() {
    this.#counted = this.#count = this.#named = 0;
  }

  #move(seq) {
    this.#read = seq;
    this.#onRead(seq);
  }
}
