/**
 * Durable rooms of the account, and the titles of private and direct rooms, whose names are addresses.
 *
 * - The rooms are loaded after each connection, after a room was closed, and every `REFRESH_INTERVAL`, because the server
 *   pushes no messages of rooms that are not open.
 * - A guest has no durable rooms.
 */

import { requireRequestError } from "../net/request_error.js";
import { canonicalName } from "./names.js";
import { sanitizeLine, sanitizeReceived } from "./sanitize.js";

const REFRESH_INTERVAL = 60_000; // ms

/** @typedef {{name: string, key: string, title: string, isDirect: boolean, unread: number, mentions: number}} OwnRoom */

/** Durable rooms of the account of one session, empty before `load`. */
export class OwnRooms {
  #request;
  #hasAccount;
  #onChange;
  #titles = new Map(); // title by address
  #directRooms = new Set(); // addresses
  /** @type {OwnRoom[]} */
  #rooms = [];
  #timer = 0;

  /** True after the first load. */
  isLoaded = false;

  /**
   * @param {object} options
   * @param {(event: string, body: object) => Promise<any>} options.request
   * @param {boolean} options.hasAccount
   * @param {() => void} options.onChange Called after a load.
   */
  constructor({ request, hasAccount, onChange }) {
    this.#request = request;
    this.#hasAccount = hasAccount;
    this.#onChange = onChange;
  }

  /**
   * Load the rooms, and record the titles of private and direct rooms; repeat the load after `REFRESH_INTERVAL`, also after
   * an error. No effect for a guest.
   * @throws {RequestError}
   */
  async load() {
    if (!this.#hasAccount) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.refresh(), REFRESH_INTERVAL);
    const { rooms } = await this.#request("myRooms", {});
    this.#rooms = rooms.map(({ name, title, direct, read: { unread, mentions } }) => {
      if (title) this.#titles.set(name, sanitizeLine(title));
      if (direct) this.nameDirectRoom(name, direct);
      return { name, key: canonicalName(name), title: this.findTitle(name) || name, isDirect: direct !== undefined, unread, mentions };
    });
    this.isLoaded = true;
    this.#onChange();
  }

  /** Load the rooms; errors are ignored. */
  async refresh() {
    try {
      await this.load();
    } catch (error) {
      requireRequestError(error);
    }
  }

  /** End the periodic load. */
  stop() {
    clearTimeout(this.#timer);
  }

  /**
   * Return the loaded rooms that are not open, latest activity first and direct rooms last.
   * @param {Set<string>} openKeys Canonical names of the open rooms.
   */
  listClosed(openKeys) {
    const closed = this.#rooms.filter(({ key }) => !openKeys.has(key));
    return closed.toSorted((first, second) => Number(first.isDirect) - Number(second.isDirect));
  }

  /** Apply a push about a room that is not open: counts of its read marker, or its removal. Other pushes are ignored. */
  handlePush(event, { room: name, unread, mentions }) {
    if (event === "roomRemoved") this.remove(String(name));
    if (event === "readMarker" && unread !== undefined) {
      this.#rooms = this.#rooms.map((room) => (room.name === name ? { ...room, unread, mentions } : room));
    }
  }

  /**
   * Remove a room until the next load.
   * @param {string} name
   */
  remove(name) {
    this.#rooms = this.#rooms.filter(({ key }) => key !== canonicalName(name));
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
   * Record a direct room, and set its title to the nicknames of its other members.
   * @param {string} address
   * @param {{memberId: string, nickName: string}[]} members
   */
  nameDirectRoom(address, members) {
    this.#directRooms.add(address);
    this.#titles.set(address, members.map((member) => sanitizeReceived(member).nickName).join(", "));
  }
}
