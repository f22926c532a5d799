/**
 * What is written and not sent, in storage that all tabs share and that survives them.
 *
 * Rule 1  Each post is a row of its own, so that two tabs never overwrite each other.
 * Rule 2  A row belongs to one tab. While that tab lives no other sends it; when it
 *         is gone, one tab with the same nickname in the same room takes it over.
 * Rule 3  Rows are given back in the order they were written.
 */

import { fold } from "./canonical_name.js";

const PREFIX = "unsent.";

export class Unsent {
  #shelf;
  #owner;
  #owners;
  #newest = 0;
  #asked = new Set(); // owners that are waited for, with the place

  /**
   * @param {object} to
   * @param {import("./storage.js").Shelf} to.shelf
   * @param {string} to.owner The id of this tab.
   * @param {{whenGone: (owner: string, place: string, act: () => void) => void}} to.owners
   */
  constructor({ shelf, owner, owners }) {
    this.#shelf = shelf;
    this.#owner = owner;
    this.#owners = owners;
  }

  /** Whether an entry of the storage is such a row. */
  static isRow(name) {
    return name.startsWith(PREFIX);
  }

  /** @returns {boolean} Whether it is kept beyond this page. */
  put(room, nick, post) {
    const known = this.#shelf.get(PREFIX + post.clientId);
    this.#newest = Math.max(this.#newest + 1, Date.now());
    const order = known?.order ?? this.#newest;
    return this.#shelf.put(PREFIX + post.clientId, { owner: this.#owner, room, nick: fold(nick), order, post });
  }

  drop(clientId) {
    this.#shelf.drop(PREFIX + clientId);
  }

  /** The rooms in which somebody with this nickname has something unsent. */
  rooms(nick) {
    return [...new Set(this.#rows((row) => row.nick === fold(nick)).map(({ room }) => room))];
  }

  /**
   * Gives the posts of a room that nobody sends any more, now and whenever a tab ends.
   * @param {(posts: object[]) => void} take
   */
  claim(room, nick, take) {
    const ofPlace = (row) => fold(row.room) === fold(room) && row.nick === fold(nick);
    const mine = this.#rows((row) => ofPlace(row) && row.owner === this.#owner);
    if (mine.length) take(mine.map(({ post }) => post));
    const others = this.#rows((row) => ofPlace(row) && row.owner !== this.#owner).map(({ owner }) => owner);
    for (const owner of new Set(others)) {
      const place = JSON.stringify([fold(room), fold(nick)]);
      const asked = `${owner}.${place}`;
      if (this.#asked.has(asked)) continue;
      this.#asked.add(asked);
      this.#owners.whenGone(owner, place, () => {
        this.#asked.delete(asked);
        const left = this.#rows((row) => ofPlace(row) && row.owner === owner);
        for (const row of left) this.#shelf.put(PREFIX + row.post.clientId, { ...row, owner: this.#owner });
        if (left.length) take(left.map(({ post }) => post));
      });
    }
  }

  #rows(which) {
    return this.#shelf
      .names(PREFIX)
      .map((name) => this.#shelf.get(name))
      .filter((row) => row?.post && which(row))
      .sort((one, other) => one.order - other.order);
  }
}
