/**
 * Everything between this page and the server: one connection, one nickname, and
 * the rooms you are in. It knows the wire's vocabulary and no screen.
 *
 * `onChange` is called whenever something that it shows may be different; whoever
 * draws gathers those calls.
 */

import { Wire } from "../net/socket.js";
import { ownersFor } from "../net/tab_locks.js";
import { Unsent } from "./outbox_store.js";
import { Room } from "./room.js";
import { guestKeys, lasting, places } from "./storage.js";
import { newUuid } from "./uuid.js";

const STORED_AFTER = 500; // ms: in a flood every frame reads further

export class Chat {
  #wire;
  #onChange;
  #onRefused;
  #onUnkept;
  #unsent;
  #key;
  #reads = new Map(); // room → how far you have read there, to be stored
  #storing = 0;
  #asked; // the nickname that was asked for
  /** @type {Room[]} */
  #rooms = [];

  /** @type {Room | null} The one that is shown. */
  current = null;
  connection = { name: "connecting" };
  /** The member ids you have had: after a server forgot you, what you said before is yours still. */
  mine = new Set();

  /**
   * @param {object} to
   * @param {string} to.nick
   * @param {() => void} to.onChange
   * @param {(room: Room, refusal: import("../net/socket.js").Refusal) => void} to.onRefused The room cannot be entered (any more), and is closed.
   * @param {() => void} to.onUnkept What you wrote lasts only as long as this page.
   */
  constructor({ nick, onChange, onRefused, onUnkept }) {
    this.#asked = nick;
    this.#key = guestKeys.get(nick);
    this.#onChange = onChange;
    this.#onRefused = onRefused;
    this.#onUnkept = onUnkept;
    const owner = newUuid();
    this.#unsent = new Unsent({ shelf: lasting, owner, owners: ownersFor(owner) });
    this.#wire = new Wire({
      onState: (state) => this.#connected(state),
      onPush: (event, body) => this.#take(event, body),
    });
    this.#wire.start();
  }

  /** The rooms you are in, or on the way into, in the order you came. */
  get rooms() {
    return this.#rooms;
  }

  /** The nickname that you asked for; a room may have given you another. */
  get nick() {
    return this.#asked;
  }

  get online() {
    return this.#wire.online;
  }

  /** Rooms in which something of yours waits to be sent. */
  get unsentRooms() {
    return this.#unsent.rooms(this.#asked);
  }

  /** @returns {Room | undefined} */
  find(name) {
    return this.#rooms.find((room) => room.is(name));
  }

  /** Goes into a room; one that you are in already stays as it is. */
  open(name) {
    const known = this.find(name);
    if (known) return known;
    const room = new Room(name, this.#asked, {
      mine: this.mine,
      read: places.get(name, this.#asked),
      onRead: (seq) => this.#read(name, seq),
      request: (event, body) => this.#wire.request(event, body),
      tell: (event, body) => this.#wire.tell(event, body),
      online: () => this.#wire.online,
      key: () => this.#key,
      onKey: (key) => this.#known(key),
      onChange: this.#onChange,
      onRefused: (refusal) => this.#refused(room, refusal),
      keep: (post) => {
        if (!this.#unsent.put(name, this.#asked, post)) this.#onUnkept();
      },
      drop: (clientId) => this.#unsent.drop(clientId),
    });
    this.#rooms = [...this.#rooms, room];
    this.#claim(room);
    if (this.#wire.online) room.connected();
    return room;
  }

  /** Goes out of a room. What is unsent waits for the next time. */
  close(room) {
    room.leave();
    this.#rooms = this.#rooms.filter((one) => one !== room);
    if (this.current === room) this.current = null;
    this.#onChange();
  }

  /** Ends the connection. */
  stop() {
    this.keepReads();
    for (const room of this.#rooms) room.leave();
    this.#rooms = [];
    this.current = null;
    this.#wire.stop();
  }

  /** Connects now, where it waits to. */
  hurry() {
    this.#wire.hurry();
  }

  /** Another tab has stored something under this name. */
  stored(name) {
    if (Unsent.isRow(name)) for (const room of this.#rooms) this.#claim(room);
    if (name === "read") {
      for (const room of this.#rooms) room.reading.readElsewhere(places.get(room.asked, this.#asked) ?? 0);
      this.#onChange();
    }
  }

  /** @returns {Promise<object[]>} The rooms of the server; may throw a Refusal. */
  async listRooms(query) {
    const { rooms } = await this.#wire.request("listRooms", query ? { query } : {});
    return rooms;
  }

  /** @returns {Promise<{messages: object[], hasMore: boolean}>} May throw a Refusal. */
  search(query, { room, before, limit }) {
    const wish = { query, limit };
    if (room) wish.room = room;
    if (before) wish.before = before;
    return this.#wire.request("search", wish);
  }

  /** Takes another nickname in all rooms; may throw a Refusal. */
  async changeNick(nick) {
    const { nickName } = await this.#wire.request("changeNick", { nickName: nick });
    this.#asked = nickName;
    if (this.#key) guestKeys.put(nickName, this.#key);
    for (const room of this.#rooms) room.rename(nickName);
    this.#onChange();
    return nickName;
  }

  /** Stores how far you have read. */
  keepReads() {
    clearTimeout(this.#storing);
    this.#storing = 0;
    for (const [room, seq] of this.#reads) places.put(room, this.#asked, seq);
    this.#reads.clear();
  }

  #read(room, seq) {
    this.#reads.set(room, seq);
    this.#storing ||= setTimeout(() => this.keepReads(), STORED_AFTER);
  }

  #claim(room) {
    this.#unsent.claim(room.asked, this.#asked, (posts) => room.adopt(posts));
  }

  #known(key) {
    this.#key = key;
    guestKeys.put(this.#asked, key);
  }

  #refused(room, refusal) {
    this.close(room);
    this.#onRefused(room, refusal);
  }

  #connected(state) {
    this.connection = state;
    const online = state.name === "online";
    // The one that is looked at first: the server admits so many joins a second.
    const shownFirst = [...this.#rooms].sort((one, other) => (other === this.current) - (one === this.current));
    for (const room of shownFirst) {
      if (online) room.connected();
      else room.disconnected();
    }
    this.#onChange();
  }

  #take(event, body) {
    const room = this.#rooms.find(({ name }) => name === body.room) ?? this.find(String(body.room ?? ""));
    room?.take(event, body);
    if (room) this.#onChange();
  }
}
