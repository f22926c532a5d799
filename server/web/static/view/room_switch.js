/** Switches to rooms whose names are known only after a request. */

/** At most one pending switch of the page: the latest request of the user for a room. */
export class RoomSwitch {
  #getSession;
  #showRoom;
  /** @type {Promise<string> | null} */
  #request = null;

  /**
   * @param {object} options
   * @param {() => import("../state/chat_session.js").ChatSession | null} options.getSession
   * @param {(room: import("../state/room.js").Room) => void} options.showRoom
   */
  constructor({ getSession, showRoom }) {
    this.#getSession = getSession;
    this.#showRoom = showRoom;
  }

  /**
   * Open the room of a request, and show the room unless the switch is replaced or cancelled before the response. No
   * effect after the end of the session.
   * @param {Promise<string>} request Resolves to a name or address; a rejection is thrown.
   */
  async follow(request) {
    const session = this.#getSession();
    this.#request = request;
    const name = await request;
    if (!session || session !== this.#getSession()) return;
    const room = session.openRoom(name);
    if (this.#request === request) this.#showRoom(room);
  }

  /** Cancel the pending switch, because the user has switched to another room. */
  cancel() {
    this.#request = null;
  }
}
