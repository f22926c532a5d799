/**
 * Outbox items in local storage, shared by all tabs.
 *
 * - Isolation: each item is a separate key, so tabs never overwrite each other's items.
 * - Ownership: an item belongs to one tab. After that tab closed, one other tab with the same room and
 *   nickname claims the item.
 * - Ordering: claimed items keep their creation order.
 */

import { canonicalName } from "./names.js";

const ITEM_PREFIX = "outbox.";

/** Stored outbox items of all rooms, with one tab as owner of each item. */
export class OutboxStore {
  #storage;
  #tabId;
  #tabLocks;
  #lastOrder = 0;
  #claimants = new Map(); // `tabId.scope` of pending `whenTabClosed` callbacks → latest `onClaimed`

  /**
   * @param {object} options
   * @param {import("./storage.js").JsonStorage} options.storage
   * @param {string} options.tabId Id of this tab.
   * @param {{whenTabClosed: (tabId: string, scope: string, callback: () => void) => void}} options.tabLocks
   */
  constructor({ storage, tabId, tabLocks }) {
    this.#storage = storage;
    this.#tabId = tabId;
    this.#tabLocks = tabLocks;
  }

  /** Return whether a storage key belongs to an outbox item. */
  static isOutboxKey(key) {
    return key.startsWith(ITEM_PREFIX);
  }

  /**
   * Store an item of this tab; a stored version keeps its position.
   * @param {string} room
   * @param {string} nick
   * @param {import("../net/outbox.js").OutboxItem} item
   * @returns {boolean} False if the item will not survive a reload.
   */
  save(room, nick, item) {
    const existing = this.#storage.get(ITEM_PREFIX + item.clientId);
    this.#lastOrder = Math.max(this.#lastOrder + 1, Date.now());
    const order = existing?.order ?? this.#lastOrder;
    return this.#storage.set(ITEM_PREFIX + item.clientId, { owner: this.#tabId, room, nick: canonicalName(nick), order, item });
  }

  /** Delete a stored item. */
  delete(clientId) {
    this.#storage.remove(ITEM_PREFIX + clientId);
  }

  /** Return the names of rooms with items of this nickname, including items that belong to other tabs. */
  roomsOf(nick) {
    return [...new Set(this.#rows((row) => row.nick === canonicalName(nick)).map(({ room }) => room))];
  }

  /**
   * Pass the items of this tab to `onClaimed` at once, and claim those of each other tab as soon as that tab is closed.
   * @param {string} room
   * @param {string} nick
   * @param {(items: any[]) => void} onClaimed Called once for each tab with items, in creation order; replaces that of an
   *   earlier call for the same room and nickname.
   */
  claimOrphans(room, nick, onClaimed) {
    const isInScope = (row) => canonicalName(row.room) === canonicalName(room) && row.nick === canonicalName(nick);
    const own = this.#rows((row) => isInScope(row) && row.owner === this.#tabId);
    if (own.length) onClaimed(own.map(({ item }) => item));
    const otherOwners = this.#rows((row) => isInScope(row) && row.owner !== this.#tabId).map(({ owner }) => owner);
    for (const owner of new Set(otherOwners)) {
      const scope = JSON.stringify([canonicalName(room), canonicalName(nick)]);
      const watchKey = `${owner}.${scope}`;
      const isWatched = this.#claimants.has(watchKey);
      this.#claimants.set(watchKey, onClaimed);
      if (isWatched) continue;
      this.#tabLocks.whenTabClosed(owner, scope, () => {
        const claimant = this.#claimants.get(watchKey);
        this.#claimants.delete(watchKey);
        const orphans = this.#rows((row) => isInScope(row) && row.owner === owner);
        for (const row of orphans) this.#storage.set(ITEM_PREFIX + row.item.clientId, { ...row, owner: this.#tabId });
        if (orphans.length) claimant?.(orphans.map(({ item }) => item));
      });
    }
  }

  /** Return the stored items that match a predicate, in creation order. */
  #rows(predicate) {
    return this.#storage
      .keys(ITEM_PREFIX)
      .map((key) => this.#storage.get(key))
      .filter((row) => row?.item && predicate(row))
      .sort((first, second) => first.order - second.order);
  }
}
