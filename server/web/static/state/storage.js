/**
 * What the browser remembers.
 *
 * `lasting` is shared by all tabs and survives closing them: the last room and
 * nickname, your choices, how far you have read, what is not sent yet, and the
 * guest keys that make you the same member again. `tab` lives as long as the tab,
 * through reloads: the rooms you are in and what you are writing.
 */

import { fold } from "./canonical_name.js";

const PREFIX = "chat.";
const KEYS_AT_MOST = 100;
const PLACES_AT_MOST = 500;

export class Shelf {
  #storage;
  #instead = new Map(); // a browser may refuse storage; then it lasts as long as the page

  constructor(open) {
    try {
      this.#storage = open();
    } catch {
      this.#storage = null;
    }
  }

  /** The value last put there, or `otherwise`. */
  get(name, otherwise = null) {
    if (this.#instead.has(name)) return this.#instead.get(name);
    try {
      const text = this.#storage?.getItem(PREFIX + name);
      return text ? JSON.parse(text) : otherwise;
    } catch {
      return otherwise;
    }
  }

  /**
   * Keeps a value that JSON can say.
   * @returns {boolean} Whether it is kept beyond this page.
   */
  put(name, value) {
    try {
      if (!this.#storage) throw new Error("there is no storage");
      this.#storage.setItem(PREFIX + name, JSON.stringify(value));
      this.#instead.delete(name);
      return true;
    } catch {
      this.#instead.set(name, value);
      return false;
    }
  }

  /** Forgets a value. */
  drop(name) {
    this.#instead.delete(name);
    try {
      this.#storage?.removeItem(PREFIX + name);
    } catch {
      // Refused as the reading was: nothing is kept there.
    }
  }

  /** The names of all values whose names begin so. */
  names(beginning) {
    const whole = PREFIX + beginning;
    let kept = [];
    try {
      kept = Object.keys(this.#storage ?? {}).filter((name) => name.startsWith(whole));
    } catch {
      // As above.
    }
    const instead = [...this.#instead.keys()].filter((name) => name.startsWith(beginning));
    return [...new Set([...kept.map((name) => name.slice(PREFIX.length)), ...instead])];
  }

  /** The name of a value in an event of the storage, or an empty string. */
  static named(key) {
    return key?.startsWith(PREFIX) ? key.slice(PREFIX.length) : "";
  }
}

export const lasting = new Shelf(() => globalThis.localStorage);
export const tab = new Shelf(() => globalThis.sessionStorage);

/** The guest keys, one for each nickname. */
export const guestKeys = {
  get(nick) {
    return lasting.get("keys", []).find(([name]) => name === fold(nick))?.[1];
  },

  put(nick, key) {
    if (this.get(nick) === key) return;
    const others = lasting.get("keys", []).filter(([name]) => name !== fold(nick));
    lasting.put("keys", [...others, [fold(nick), key]].slice(-KEYS_AT_MOST));
  },
};

/** How far somebody has read in a room: a `seq`, null where they never were. */
export const places = {
  get(room, nick) {
    return lasting.get("read", []).find(([place]) => place === placeOf(room, nick))?.[1] ?? null;
  },

  put(room, nick, seq) {
    const others = lasting.get("read", []).filter(([place]) => place !== placeOf(room, nick));
    lasting.put("read", [...others, [placeOf(room, nick), seq]].slice(-PLACES_AT_MOST));
  },
};

function placeOf(room, nick) {
  return JSON.stringify([fold(room), fold(nick)]);
}

export class Drafts {
  #shelf;

  /** @param {import("./storage.js").Shelf} shelf */
  constructor(shelf) {
    this.#shelf = shelf;
  }

  /** @returns {import("../view/composer.js").Draft} */
  of(room) {
    return this.#shelf.get("drafts", {})[fold(room)] ?? { text: "" };
  }

  keep(room, draft) {
    const { [fold(room)]: _, ...others } = this.#shelf.get("drafts", {});
    const bare = !draft.text && !draft.replyTo && !draft.editing;
    this.#shelf.put("drafts", bare ? others : { ...others, [fold(room)]: draft });
  }
}
