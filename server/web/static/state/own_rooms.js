/** Durable rooms of the account, and the titles of private and direct rooms, whose names are addresses. */

import { sanitizeLine, sanitizeReceived } from "./sanitize.js";

export class OwnRooms {
  #request;
  #titles = new Map(); // title by address
  #directRooms = new Set(); // addresses

  /** @param {(event: string, body: object) => Promise<any>} request */
  constructor(request) {
    this.#request = request;
  }

  /**
   * List the durable rooms, also those that are not open, and record the titles of private and direct rooms.
   * @returns {Promise<{name: string, title: string, isDirect: boolean, unread: number, mentions: number}[]>}
   * @throws {RequestError}
   */
  async list() {
    const { rooms } = await this.#request("myRooms", {});
    return rooms.map(({ name, title, direct, read: { unread, mentions } }) => {
      if (title) this.#titles.set(name, sanitizeLine(title));
      if (direct) this.nameDirectRoom(name, direct);
      return { name, title: this.findTitle(name) || name, isDirect: direct !== undefined, unread, mentions };
    });
  }

  /** Return the title of an address; empty for an unknown one. */
  findTitle(address) {
    return this.#titles.get(address) ?? "";
  }

  /**
   * Return whether an address is known to be that of a direct room.
   * @param {string} address
   */
  isDirect(address) {
    return this.#directRooms.has(address);
  }

  /**
   * Set the title of a direct room to the nicknames of its other members.
   * @param {string} address
   * @param {{memberId: string, nickName: string}[]} members
   */
  nameDirectRoom(address, members) {
    this.#directRooms.add(address);
    this.#titles.set(address, members.map((member) => sanitizeReceived(member).nickName).join(", "));
  }
}
