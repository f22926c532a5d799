/**
 * What the browser remembers.
 *
 * `lasting` is shared by all tabs and survives closing them: the last room and
 * nickname, and the guest keys that make you the same member again. `tab` lives
 * as long as the tab, through reloads: where you are, what you are writing, and
 * what has not been sent yet.
 */

import { fold } from "./names.js";

const PREFIX = "chat.";
const KEYS_AT_MOST = 100;

class Shelf {
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

  /** Keeps a value that JSON can say. */
  put(name, value) {
    try {
      if (!this.#storage) throw new Error("there is no storage");
      this.#storage.setItem(PREFIX + name, JSON.stringify(value));
      this.#instead.delete(name);
    } catch {
      this.#instead.set(name, value);
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
}

export const lasting = new Shelf(() => globalThis.localStorage);
export const tab = new Shelf(() => globalThis.sessionStorage);

/** The guest keys, one for each room and the nickname that was asked for in it. */
export const guestKeys = {
  get(room, nick) {
    return lasting.get("keys", []).find(([place]) => place === placeOf(room, nick))?.[1];
  },

  put(room, nick, key) {
    const others = lasting.get("keys", []).filter(([place]) => place !== placeOf(room, nick));
    lasting.put("keys", [...others, [placeOf(room, nick), key]].slice(-KEYS_AT_MOST));
  },

  drop(room, nick) {
    lasting.put("keys", lasting.get("keys", []).filter(([place]) => place !== placeOf(room, nick)));
  },
};

function placeOf(room, nick) {
  return JSON.stringify([fold(room), fold(nick)]);
}
