/**
 * What is written and not sent, in storage that all tabs share and that survives them.
 *
 * Rule 1  Each post is a row of its own, so that two tabs never overwrite each other.
 * Rule 2  A row belongs to one tab. While that tab lives no other sends it; when it
 *         is gone, one tab with the same nickname in the same room takes it over.
 * Rule 3  Rows are given back in the order they were written.
 */

import { canonicalName } from "./canonical_name.js";

const KEY_PREFIX = "outbox.";

export class OutboxStore {
  #storage;
  #tabId;
  #tabLocks;
  #lastOrder = 0;
  #watched = new Set(); // owners that are waited for, with the place

  /**
   * @param {object} to
   * @param {import("./storage.js").Shelf} to.shelf
   * @param {string} to.owner The id of this tab.
   * @param {{whenGone: (owner: string, place: string, act: () => void) => void}} to.owners
   */
  constructor({ storage, tabId, tabLocks }) {
    this.#storage = storage;
    this.#tabId = tabId;
    this.#tabLocks = tabLocks;
  }

  /** Whether an entry of the storage is such a row. */
  static isOutboxKey(key) {
    return key.startsWith(KEY_PREFIX);
  }

  /** @returns {boolean} Whether it is kept beyond this page. */
  save(room, nick, item) {
    const existing = this.#storage.get(KEY_PREFIX + item.clientId);
    this.#lastOrder = Math.max(this.#lastOrder + 1, Date.now());
    const order = existing?.order ?? this.#lastOrder;
    return this.#storage.set(KEY_PREFIX + item.clientId, { owner: this.#tabId, room, nick: canonicalName(nick), order, item });
  }

  delete(clientId) {
    this.#storage.remove(KEY_PREFIX + clientId);
  }

  /** The rooms in which somebody with this nickname has something unsent. */
  roomsOf(nick) {
    return [...new Set(this.#rows((row) => row.nick === canonicalName(nick)).map(({ room }) => room))];
  }

  /**
   * Gives the posts of a room that nobody sends any more, now and whenever a tab ends.
   * @param {(posts: object[]) => void} take
   */
  claimOrphans(room, nick, onClaimed) {
    const isInScope = (row) => canonicalName(row.room) === canonicalName(room) && row.nick === canonicalName(nick);
    const own = this.#rows((row) => isInScope(row) && row.owner === this.#tabId);
    if (own.length) onClaimed(own.map(({ item }) => item));
    const otherOwners = this.#rows((row) => isInScope(row) && row.owner !== this.#tabId).map(({ owner }) => owner);
    for (const owner of new Set(otherOwners)) {
      const scope = JSON.stringify([canonicalName(room), canonicalName(nick)]);
      const watchKey = `${owner}.${scope}`;
      if (this.#watched.has(watchKey)) continue;
      this.#watched.add(watchKey);
      this.#tabLocks.whenTabClosed(owner, scope, () => {
        this.#watched.delete(watchKey);
        const orphans = this.#rows((row) => isInScope(row) && row.owner === owner);
        for (const row of orphans) this.#storage.set(KEY_PREFIX + row.item.clientId, { ...row, owner: this.#tabId });
        if (orphans.length) onClaimed(orphans.map(({ item }) => item));
      });
    }
  }

  #rows(predicate) {
    return this.#storage
      .keys(KEY_PREFIX)
      .map((key) => this.#storage.get(key))
      .filter((row) => row?.item && predicate(row))
      .sort((first, second) => first.order - second.order);
  }
}
