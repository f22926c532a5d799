/**
 * Everything between this page and the server: one connection, one nickname, and
 * the rooms you are in. It knows the wire's vocabulary and no screen.
 *
 * `onChange` is called whenever something that it shows may be different; whoever
 * draws gathers those calls.
 */

import { ChatSocket } from "../net/socket.js";
import { createTabLocks } from "../net/tab_locks.js";
import { OutboxStore } from "./outbox_store.js";
import { Room } from "./room.js";
import { guestKeys, localStore, readMarkers } from "./storage.js";
import { randomUuid } from "./uuid.js";

const SAVE_DELAY = 500; // ms: in a flood every frame reads further

export class ChatSession {
  #socket;
  #onChange;
  #onJoinRefused;
  #onStorageFailed;
  #outboxStore;
  #guestKey;
  #unsavedMarkers = new Map(); // room → how far you have read there, to be stored
  #saveTimer = 0;
  #requestedNick; // the nickname that was asked for
  /** @type {Room[]} */
  #rooms = [];

  /** @type {Room | null} The one that is shown. */
  current = null;
  connection = { name: "connecting" };
  /** The member ids you have had: after a server forgot you, what you said before is yours still. */
  ownMemberIds = new Set();

  /**
   * @param {object} to
   * @param {string} to.nick
   * @param {() => void} to.onChange
   * @param {(room: Room, refusal: import("../net/socket.js").Refusal) => void} to.onRefused The room cannot be entered (any more), and is closed.
   * @param {() => void} to.onUnkept What you wrote lasts only as long as this page.
   */
  constructor({ nick, onChange, onJoinRefused, onStorageFailed }) {
    this.#requestedNick = nick;
    this.#guestKey = guestKeys.get(nick);
    this.#onChange = onChange;
    this.#onJoinRefused = onJoinRefused;
    this.#onStorageFailed = onStorageFailed;
    const tabId = randomUuid();
    this.#outboxStore = new OutboxStore({ storage: localStore, tabId, tabLocks: createTabLocks(tabId) });
    this.#socket = new ChatSocket({
      onState: (state) => this.#onConnectionState(state),
      onPush: (event, body) => this.#handlePush(event, body),
    });
    this.#socket.start();
  }

  /** The rooms you are in, or on the way into, in the order you came. */
  get rooms() {
    return this.#rooms;
  }

  /** The nickname that you asked for; a room may have given you another. */
  get nick() {
    return this.#requestedNick;
  }

  get isOnline() {
    return this.#socket.isOnline;
  }

  /** Rooms in which something of yours waits to be sent. */
  get roomsWithUnsent() {
    return this.#outboxStore.roomsOf(this.#requestedNick);
  }

  /** @returns {Room | undefined} */
  findRoom(name) {
    return this.#rooms.find((room) => room.matchesName(name));
  }

  /** Goes into a room; one that you are in already stays as it is. */
  openRoom(name) {
    const existing = this.findRoom(name);
    if (existing) return existing;
    const room = new Room(name, this.#requestedNick, {
      ownMemberIds: this.ownMemberIds,
      readSeq: readMarkers.get(name, this.#requestedNick),
      onRead: (seq) => this.#markRead(name, seq),
      request: (event, body) => this.#socket.request(event, body),
      send: (event, body) => this.#socket.send(event, body),
      isOnline: () => this.#socket.isOnline,
      guestKey: () => this.#guestKey,
      onGuestKey: (guestKey) => this.#saveGuestKey(guestKey),
      onChange: this.#onChange,
      onJoinRefused: (error) => this.#handleJoinRefusal(room, error),
      saveItem: (item) => {
        if (!this.#outboxStore.save(name, this.#requestedNick, item)) this.#onStorageFailed();
      },
      deleteItem: (clientId) => this.#outboxStore.delete(clientId),
    });
    this.#rooms = [...this.#rooms, room];
    this.#claimOrphans(room);
    if (this.#socket.isOnline) room.onConnected();
    return room;
  }

  /** Goes out of a room. What is unsent waits for the next time. */
  closeRoom(room) {
    room.leave();
    this.#rooms = this.#rooms.filter((candidate) => candidate !== room);
    if (this.current === room) this.current = null;
    this.#onChange();
  }

  /** Ends the connection. */
  stop() {
    this.saveReadMarkers();
    for (const room of this.#rooms) room.leave();
    this.#rooms = [];
    this.current = null;
    this.#socket.stop();
  }

  /** Connects now, where it waits to. */
  reconnectNow() {
    this.#socket.reconnectNow();
  }

  /** Another tab has stored something under this name. */
  onStorageChange(key) {
    if (OutboxStore.isOutboxKey(key)) for (const room of this.#rooms) this.#claimOrphans(room);
    if (key === "readMarkers") {
      for (const room of this.#rooms) room.readTracker.applyRemoteMarker(readMarkers.get(room.requestedName, this.#requestedNick) ?? 0);
      this.#onChange();
    }
  }

  /** @returns {Promise<object[]>} The rooms of the server; may throw a Refusal. */
  async listRooms(query) {
    const { rooms } = await this.#socket.request("listRooms", query ? { query } : {});
    return rooms;
  }

  /** @returns {Promise<{messages: object[], hasMore: boolean}>} May throw a Refusal. */
  search(query, { room, before, limit }) {
    const parameters = { query, limit };
    if (room) parameters.room = room;
    if (before) parameters.before = before;
    return this.#socket.request("search", parameters);
  }

  /** Takes another nickname in all rooms; may throw a Refusal. */
  async changeNick(nick) {
    const { nickName } = await this.#socket.request("changeNick", { nickName: nick });
    this.#requestedNick = nickName;
    if (this.#guestKey) guestKeys.set(nickName, this.#guestKey);
    for (const room of this.#rooms) room.setNick(nickName);
    this.#onChange();
    return nickName;
  }

  /** Stores how far you have read. */
  saveReadMarkers() {
    clearTimeout(this.#saveTimer);
    this.#saveTimer = 0;
    for (const [room, seq] of this.#unsavedMarkers) readMarkers.set(room, this.#requestedNick, seq);
    this.#unsavedMarkers.clear();
  }

  #markRead(room, seq) {
    this.#unsavedMarkers.set(room, seq);
    this.#saveTimer ||= setTimeout(() => this.saveReadMarkers(), SAVE_DELAY);
  }

  #claimOrphans(room) {
    this.#outboxStore.claimOrphans(room.requestedName, this.#requestedNick, (items) => room.adoptItems(items));
  }

  #saveGuestKey(guestKey) {
    this.#guestKey = guestKey;
    guestKeys.set(this.#requestedNick, guestKey);
  }

  #handleJoinRefusal(room, error) {
    this.closeRoom(room);
    this.#onJoinRefused(room, error);
  }

  #onConnectionState(state) {
    this.connection = state;
    const isOnline = state.name === "online";
    // The one that is looked at first: the server admits so many joins a second.
    const currentFirst = [...this.#rooms].sort((first, second) => (second === this.current) - (first === this.current));
    for (const room of currentFirst) {
      if (isOnline) room.onConnected();
      else room.onDisconnected();
    }
    this.#onChange();
  }

  #handlePush(event, body) {
    const room = this.#rooms.find(({ name }) => name === body.room) ?? this.findRoom(String(body.room ?? ""));
    room?.handlePush(event, body);
    if (room) this.#onChange();
  }
}
