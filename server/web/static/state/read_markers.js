/**
 * Storage of the read marker of one room: the server for accounts, the browser for guests.
 *
 * - Moves are saved after `SAVE_DELAY`, which batches the moves of a message flood.
 * - A move of an account is sent again after the next move or join, until the server confirms it or rejects it permanently.
 */

import { requireRequestError } from "../net/request_error.js";
import { readMarkers } from "./storage.js";

const SAVE_DELAY = 500; // ms

/**
 * @typedef {object} MarkerStore
 * @property {number | null} initialSeq Marker before the first join; null if it is unknown.
 * @property {boolean} isPending True while a move is not saved; markers of other devices are then outdated.
 * @property {(seq: number, isUnread: boolean) => void} move Save a marker after `SAVE_DELAY`; `isUnread` permits a lower one.
 * @property {() => void} flush Save a pending move now; for an account, after the request in progress.
 */

/**
 * Read marker of an account, stored by the server.
 * @implements {MarkerStore}
 */
export class AccountMarker {
  #request;
  #onConfirmed;
  /** @type {{seq: number, unread: boolean} | null} */
  #pending = null;
  #isSending = false;
  #timer = 0;

  initialSeq = null;

  /**
   * @param {object} options
   * @param {(body: object) => Promise<{read: import("./read_tracker.js").RemoteMarker}>} options.request Sends a `markRead` request.
   * @param {(marker: import("./read_tracker.js").RemoteMarker) => void} options.onConfirmed Called with the marker of the
   *   server after the last pending move was saved.
   */
  constructor({ request, onConfirmed }) {
    this.#request = request;
    this.#onConfirmed = onConfirmed;
  }

  /** True while a move is not confirmed. */
  get isPending() {
    return this.#pending !== null;
  }

  /** Send a move after `SAVE_DELAY`, in place of an unsent one. */
  move(seq, isUnread) {
    this.#pending = { seq, unread: isUnread };
    this.#timer ||= setTimeout(() => this.flush(), SAVE_DELAY);
  }

  /** Send a pending move now; a request in progress delays the move until its end. */
  flush() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (this.#pending && !this.#isSending) this.#send(this.#pending);
  }

  /** Send a move, then a newer one. A failed move stays pending unless rejected permanently. */
  async #send(marker) {
    this.#isSending = true;
    try {
      const { read } = await this.#request(marker);
      this.#finish(marker);
      if (!this.#pending) this.#onConfirmed(read);
    } catch (error) {
      const { code, isTemporary } = requireRequestError(error);
      if (code !== "offline" && !isTemporary) this.#finish(marker);
    } finally {
      this.#isSending = false;
    }
    if (this.#pending && this.#pending !== marker) this.flush();
  }

  /** Remove a saved or rejected move, unless a newer one replaced it. */
  #finish(marker) {
    if (this.#pending === marker) this.#pending = null;
  }
}

/**
 * Replace the initial markers of a new account with those of the guest; called before the joins.
 * @param {import("./room.js").Room[]} rooms
 * @param {string} nick Requested nickname of the guest.
 */
export function transferGuestMarkers(rooms, nick) {
  for (const [room, seq] of storedMarkers(rooms, nick)) room.transferReadMarker(seq);
}

/**
 * Apply the markers that another tab of the guest has stored.
 * @param {import("./room.js").Room[]} rooms
 * @param {string} nick Requested nickname of the guest.
 */
export function applyGuestMarkers(rooms, nick) {
  for (const [room, seq] of storedMarkers(rooms, nick)) room.applyRemoteMarker({ seq });
}

/**
 * Store the markers of a guest under another nickname too.
 * @param {import("./room.js").Room[]} rooms
 * @param {string} nick Requested nickname of the guest.
 * @param {string} otherNick
 */
export function copyGuestMarkers(rooms, nick, otherNick) {
  for (const [room, seq] of storedMarkers(rooms, nick)) readMarkers.set(room.requestedName, otherNick, seq);
}

/**
 * Return the rooms that have a stored marker, with their markers.
 * @param {import("./room.js").Room[]} rooms
 * @param {string} nick
 * @returns {[import("./room.js").Room, number][]}
 */
function storedMarkers(rooms, nick) {
  return rooms.flatMap((room) => {
    const seq = readMarkers.get(room.requestedName, nick);
    return seq === null ? [] : [[room, seq]];
  });
}

/**
 * Read marker of a guest, stored by the browser for all tabs.
 * @implements {MarkerStore}
 */
export class GuestMarker {
  #getRoom;
  #getNick;
  /** @type {number | null} */
  #pendingSeq = null;
  #timer = 0;

  /** Stored marker at the opening of the room; null without one. */
  initialSeq;

  /**
   * @param {string} name Name of the room at its opening.
   * @param {object} options
   * @param {() => import("./room.js").Room} options.getRoom
   * @param {() => string} options.getNick Returns the nickname of the user.
   */
  constructor(name, { getRoom, getNick }) {
    this.initialSeq = readMarkers.get(name, getNick());
    this.#getRoom = getRoom;
    this.#getNick = getNick;
  }

  /** True while a move is not stored. */
  get isPending() {
    return this.#pendingSeq !== null;
  }

  /** Store a move after `SAVE_DELAY`, in place of an earlier one. */
  move(seq) {
    this.#pendingSeq = seq;
    this.#timer ||= setTimeout(() => this.flush(), SAVE_DELAY);
  }

  /** Store a pending move now. */
  flush() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (this.#pendingSeq !== null) readMarkers.set(this.#getRoom().requestedName, this.#getNick(), this.#pendingSeq);
    this.#pendingSeq = null;
  }
}
