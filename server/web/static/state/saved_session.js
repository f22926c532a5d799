/** Open rooms, nickname and status of this tab, which a reload restores. */

import { sessionStore } from "./storage.js";

/**
 * @typedef {object} SavedState
 * @property {string} nick
 * @property {string | null} away Status text, possibly empty; null if the user is not away.
 * @property {string | undefined} room Visible room.
 * @property {string[]} rooms
 */

const KEY = "session";

/** Saved session state of one tab. */
export class SavedSession {
  #saved = ""; // JSON of the latest write

  /**
   * Return the saved state; null without one.
   * @returns {SavedState | null}
   */
  load() {
    return sessionStore.get(KEY);
  }

  /**
   * Save the state if it has changed since the last `save`; `remove` lets the next call save.
   * @param {import("./chat_session.js").ChatSession | null} session No effect if null.
   */
  save(session) {
    if (!session) return;
    const { nick, status, current, rooms } = session;
    const state = { nick, away: status.away, room: current?.requestedName, rooms: rooms.map(({ requestedName }) => requestedName) };
    const json = JSON.stringify(state);
    if (json === this.#saved) return;
    this.#saved = json;
    sessionStore.set(KEY, state);
  }

  /** Delete the saved state. */
  remove() {
    sessionStore.remove(KEY);
    this.#saved = "";
  }
}
