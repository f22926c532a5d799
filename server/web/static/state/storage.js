/**
 * Browser storage.
 *
 * - `localStore` is shared by all tabs and persistent: last room and nickname, settings, read markers,
 *   outbox items, drafts, and the guest keys that restore an identity.
 * - `sessionStore` survives reloads of one tab: open rooms, and the drafts of this tab.
 */

import { canonicalName } from "./names.js";

// Servers behind different paths of one origin share the storage of the browser.
const BASE_PATH = globalThis.location ? new URL(".", location.href).pathname : "/";
const KEY_PREFIX = BASE_PATH === "/" ? "chat." : `chat.${BASE_PATH}.`;
const MAX_GUEST_KEYS = 100;
const MAX_READ_MARKERS = 500;
const MAX_DRAFTS = 50;

export class JsonStorage {
  #storage;
  #fallback = new Map(); // used if the browser blocks storage; lost on reload

  constructor(open) {
    try {
      this.#storage = open();
    } catch {
      this.#storage = null;
    }
  }

  /**
   * Return the stored value, or `defaultValue` if there is none.
   * @param {string} key
   * @param {any} [defaultValue]
   * @returns {any}
   */
  get(key, defaultValue = null) {
    if (this.#fallback.has(key)) return this.#fallback.get(key);
    try {
      const json = this.#storage?.getItem(KEY_PREFIX + key);
      return json ? JSON.parse(json) : defaultValue;
    } catch {
      return defaultValue;
    }
  }

  /**
   * Store a JSON value.
   * @returns {boolean} False if the value will be lost on reload.
   */
  set(key, value) {
    try {
      if (!this.#storage) throw new Error("storage unavailable");
      this.#storage.setItem(KEY_PREFIX + key, JSON.stringify(value));
      this.#fallback.delete(key);
      return true;
    } catch {
      this.#fallback.set(key, value);
      return false;
    }
  }

  /** Delete a value. */
  remove(key) {
    this.#fallback.delete(key);
    try {
      this.#storage?.removeItem(KEY_PREFIX + key);
    } catch {
      // Blocked storage contains nothing to delete.
    }
  }

  /** Return all keys with this prefix. */
  keys(prefix) {
    const fullPrefix = KEY_PREFIX + prefix;
    let stored = [];
    try {
      stored = Object.keys(this.#storage ?? {}).filter((key) => key.startsWith(fullPrefix));
    } catch {
      // Blocked storage has no keys.
    }
    const fallbackKeys = [...this.#fallback.keys()].filter((key) => key.startsWith(prefix));
    return [...new Set([...stored.map((key) => key.slice(KEY_PREFIX.length)), ...fallbackKeys])];
  }

  /** Convert the key of a storage event; return an empty string for keys of other applications. */
  static keyOf(key) {
    return key?.startsWith(KEY_PREFIX) ? key.slice(KEY_PREFIX.length) : "";
  }
}

export const localStore = new JsonStorage(() => globalThis.localStorage);
export const sessionStore = new JsonStorage(() => globalThis.sessionStorage);

/** Guest keys by nickname. */
export const guestKeys = {
  get(nick) {
    return findEntry("guestKeys", canonicalName(nick));
  },

  set(nick, key) {
    if (this.get(nick) !== key) replaceEntry("guestKeys", canonicalName(nick), key, MAX_GUEST_KEYS);
  },
};

/** Read markers by room and nickname; `get` returns null for a room without a marker. */
export const readMarkers = {
  get(room, nick) {
    return findEntry("readMarkers", markerKey(room, nick)) ?? null;
  },

  set(room, nick, seq) {
    replaceEntry("readMarkers", markerKey(room, nick), seq, MAX_READ_MARKERS);
  },
};

/** Return the value of an entry in a stored list of pairs. */
function findEntry(list, entryKey, store = localStore) {
  return store.get(list, []).find(([key]) => key === entryKey)?.[1];
}

/** Move an entry to the end of a stored list of pairs, and drop the oldest entries above the limit. */
function replaceEntry(list, entryKey, value, maxEntries, store = localStore) {
  const rest = store.get(list, []).filter(([key]) => key !== entryKey);
  store.set(list, [...rest, [entryKey, value]].slice(-maxEntries));
}

function removeEntry(list, entryKey) {
  localStore.set(list, localStore.get(list, []).filter(([key]) => key !== entryKey));
}

function markerKey(room, nick) {
  return JSON.stringify([canonicalName(room), canonicalName(nick)]);
}

/**
 * Drafts by room.
 *
 * Each tab has its own drafts. The latest draft of all tabs is also in local storage: a new tab starts with that draft.
 */
export const drafts = {
  /** @returns {import("../view/composer.js").Draft} */
  get(room) {
    const key = canonicalName(room);
    return findEntry("drafts", key, sessionStore) ?? findEntry("drafts", key) ?? { text: "" };
  },

  save(room, draft) {
    const key = canonicalName(room);
    const isEmpty = !draft.text && !draft.replyTo && !draft.editing;
    const previous = JSON.stringify(findEntry("drafts", key, sessionStore));
    // An empty draft of this tab hides the drafts of other tabs, and does not delete them.
    replaceEntry("drafts", key, draft, MAX_DRAFTS, sessionStore);
    if (!isEmpty) replaceEntry("drafts", key, draft, MAX_DRAFTS);
    else if (previous && previous === JSON.stringify(findEntry("drafts", key))) removeEntry("drafts", key);
  },
};
