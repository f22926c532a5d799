/**
 * What the browser remembers.
 *
 * `lasting` is shared by all tabs and survives closing them: the last room and
 * nickname, your choices, how far you have read, what is not sent yet, and the
 * guest keys that make you the same member again. `tab` lives as long as the tab,
 * through reloads: the rooms you are in and what you are writing.
 */

import { canonicalName } from "./canonical_name.js";

const KEY_PREFIX = "chat.";
const MAX_GUEST_KEYS = 100;
const MAX_READ_MARKERS = 500;

export class JsonStorage {
  #storage;
  #fallback = new Map(); // a browser may refuse storage; then it lasts as long as the page

  constructor(open) {
    try {
      this.#storage = open();
    } catch {
      this.#storage = null;
    }
  }

  /** The value last put there, or `otherwise`. */
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
   * Keeps a value that JSON can say.
   * @returns {boolean} Whether it is kept beyond this page.
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

  /** Forgets a value. */
  remove(key) {
    this.#fallback.delete(key);
    try {
      this.#storage?.removeItem(KEY_PREFIX + key);
    } catch {
      // Refused as the reading was: nothing is kept there.
    }
  }

  /** The names of all values whose names begin so. */
  keys(prefix) {
    const fullPrefix = KEY_PREFIX + prefix;
    let stored = [];
    try {
      stored = Object.keys(this.#storage ?? {}).filter((key) => key.startsWith(fullPrefix));
    } catch {
      // As above.
    }
    const fallbackKeys = [...this.#fallback.keys()].filter((key) => key.startsWith(prefix));
    return [...new Set([...stored.map((key) => key.slice(KEY_PREFIX.length)), ...fallbackKeys])];
  }

  /** The name of a value in an event of the storage, or an empty string. */
  static keyOf(key) {
    return key?.startsWith(KEY_PREFIX) ? key.slice(KEY_PREFIX.length) : "";
  }
}

export const localStore = new JsonStorage(() => globalThis.localStorage);
export const sessionStore = new JsonStorage(() => globalThis.sessionStorage);

/** The guest keys, one for each nickname. */
export const guestKeys = {
  get(nick) {
    return localStore.get("guestKeys", []).find(([name]) => name === canonicalName(nick))?.[1];
  },

  set(nick, key) {
    if (this.get(nick) === key) return;
    const rest = localStore.get("guestKeys", []).filter(([name]) => name !== canonicalName(nick));
    localStore.set("guestKeys", [...rest, [canonicalName(nick), key]].slice(-MAX_GUEST_KEYS));
  },
};

/** How far somebody has read in a room: a `seq`, null where they never were. */
export const readMarkers = {
  get(room, nick) {
    return localStore.get("readMarkers", []).find(([key]) => key === markerKey(room, nick))?.[1] ?? null;
  },

  set(room, nick, seq) {
    const rest = localStore.get("readMarkers", []).filter(([key]) => key !== markerKey(room, nick));
    localStore.set("readMarkers", [...rest, [markerKey(room, nick), seq]].slice(-MAX_READ_MARKERS));
  },
};

function markerKey(room, nick) {
  return JSON.stringify([canonicalName(room), canonicalName(nick)]);
}

export class DraftStore {
  #storage;

  /** @param {import("./storage.js").Shelf} shelf */
  constructor(storage) {
    this.#storage = storage;
  }

  /** @returns {import("../view/composer.js").Draft} */
  get(room) {
    return this.#storage.get("drafts", {})[canonicalName(room)] ?? { text: "" };
  }

  save(room, draft) {
    const { [canonicalName(room)]: _, ...rest } = this.#storage.get("drafts", {});
    const isEmpty = !draft.text && !draft.replyTo && !draft.editing;
    this.#storage.set("drafts", isEmpty ? rest : { ...rest, [canonicalName(room)]: draft });
  }
}
