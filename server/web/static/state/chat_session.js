/** Session of one nickname: the connection, the open rooms, and their persistence, without access to the DOM. */

import { ChatSocket } from "../net/socket.js";
import { RequestError, requireRequestError } from "../net/request_error.js";
import { forgetAccount, storedAccount } from "./account.js";
import { AttachmentAddresses } from "./attachment_addresses.js";
import { Blocks } from "./blocks.js";
import { OutboxStore } from "./outbox_store.js";
import { OwnRooms } from "./own_rooms.js";
import { OwnStatus } from "./own_status.js";
import { Room } from "./room.js";
import { canonicalName, validateNickname } from "./names.js";
import { AccountMarker, GuestMarker, applyGuestMarkers, copyGuestMarkers } from "./read_markers.js";
import { sanitizeReceived, validateQuery } from "./sanitize.js";
import { guestKeys } from "./storage.js";

const REMOVAL_REASONS = new Set(["member_kicked", "member_banned"]);

/** Session of a guest or an account. `onChange` is called after every possible change; the caller coalesces the calls. */
export class ChatSession {
  #socket;
  #onChange;
  #onRoomClosed;
  #onStorageFailed;
  #outboxStore;
  #requestedNick;
  #hasAccount;
  /** @type {Room[]} */
  #rooms = [];

  /** @type {Room | null} Visible room. */
  current = null;
  /** @type {import("../net/socket.js").Connection} */
  connection = { state: "connecting" };
  /** Key of the guest with the nickname; undefined before the first join. */
  guestKey;
  /** All member ids of this session. A restarted server assigns new ids; messages with an earlier id are also by the user. */
  ownMemberIds = /** @type {Set<string>} */ (new Set());
  /** Members that the account has blocked. */
  blocks;
  /** Status of the user. */
  status;
  /** Durable rooms of the account. */
  ownRooms;
  attachmentAddresses = new AttachmentAddresses({ request: (paths) => this.#socket.request("signAttachments", { paths }) });

  /**
   * @param {object} options
   * @param {string} options.nick Requested nickname, to which the guest key, outbox items and read markers belong.
   * @param {OutboxStore} options.outboxStore Store of this tab; items of an earlier session are sent again.
   * @param {string | null} options.away Status text to restore, possibly empty; null if the user is not away.
   * @param {() => void} options.onChange
   * @param {(room: Room, error: import("../net/request_error.js").RequestError) => void} options.onRoomClosed
   *   Called after the server closed a room: a permanent error of its join, a kick, a ban or the deletion of the room.
   * @param {() => void} options.onStorageFailed Called if an outbox item could not be persisted.
   * @param {() => void} options.onLoggedOut Called after the server has rejected the token, which is forgotten.
   */
  constructor({ nick, outboxStore, away, onChange, onRoomClosed, onStorageFailed, onLoggedOut }) {
    const token = storedAccount()?.token ?? "";
    this.#hasAccount = token !== "";
    this.#requestedNick = nick;
    this.guestKey = guestKeys.get(nick);
    this.#onChange = onChange;
    this.#onRoomClosed = onRoomClosed;
    this.#onStorageFailed = onStorageFailed;
    this.#outboxStore = outboxStore;
    this.#socket = new ChatSocket({
      onState: (connection) => this.#onConnectionState(connection),
      onPush: (event, body) => this.#handlePush(event, body),
      token,
      onAuthFail: () => {
        forgetAccount(token);
        onLoggedOut();
      },
    });
    const request = (event, body) => this.#socket.request(event, body);
    this.blocks = new Blocks({ request, onChange });
    this.status = new OwnStatus(away, { request, getNick: () => this.#requestedNick, onChange });
    this.ownRooms = new OwnRooms({ request, hasAccount: this.#hasAccount, onChange });
    this.#socket.start();
  }

  /** Rooms that are joined or being joined, in opening order with direct rooms last; a new array after every change. */
  get rooms() {
    return this.#rooms;
  }

  /** Durable rooms of the account that are not open, latest activity first and direct rooms last; none for a guest. */
  get closedRooms() {
    return this.ownRooms.listClosed(new Set(this.#rooms.flatMap(({ name, requestedName }) => [canonicalName(name), canonicalName(requestedName)])));
  }

  /** Requested nickname; a room may assign a different one. */
  get nick() {
    return this.#requestedNick;
  }

  /** True if the session belongs to an account. */
  get hasAccount() {
    return this.#hasAccount;
  }

  /** Value of the header `Authorization`. */
  get authorization() {
    return this.#hasAccount ? `Bearer ${storedAccount()?.token ?? ""}` : `Guest ${this.guestKey ?? ""}`;
  }

  /** Names of rooms with stored outbox items. */
  get roomsWithUnsent() {
    return this.#outboxStore.roomsOf(this.#requestedNick);
  }

  /**
   * Return the open room with a name or address.
   * @param {string} name
   * @returns {Room | undefined}
   */
  findRoom(name) {
    return this.#rooms.find((room) => room.matchesName(name));
  }

  /**
   * Create a room on the server, without opening it.
   * @param {object} fields Name or title, and fields of the policy.
   * @returns {Promise<string>} Name, or address of a private room.
   * @throws {RequestError}
   */
  async createRoom(fields) {
    const { room } = await this.#socket.request("createRoom", { nickName: this.#requestedNick, ...fields });
    return room.name;
  }

  /**
   * Create or find the direct room with members on the server, and record its title, without opening it.
   * @param {{memberId: string, nickName: string}[]} members
   * @returns {Promise<string>} Address of the room.
   * @throws {RequestError}
   */
  async openDirect(members) {
    const { room } = await this.#socket.request("openDirect", { memberIds: members.map(({ memberId }) => memberId) });
    this.ownRooms.nameDirectRoom(room.name, members);
    return room.name;
  }

  /**
   * Join a room, or return the open one. While offline, the room is joined after the next connect.
   * @param {string} name
   * @param {string} [invite] Invite code of the room; replaces the code of a join in progress.
   * @returns {Room}
   */
  openRoom(name, invite = "") {
    const existing = this.findRoom(name);
    existing?.updateInvite(invite);
    if (existing) return existing;
    const room = new Room(name, this.#requestedNick, {
      ownMemberIds: this.ownMemberIds,
      invite,
      blocks: this.blocks,
      directTitle: () => this.ownRooms.findTitle(name),
      marker: this.#createMarker(name, () => room),
      onJoined: () => {
        this.#setRooms(this.#rooms);
        this.status.resend();
        this.attachmentAddresses.resume();
      },
      onOwnStatus: (away) => this.status.applyPush(away),
      request: (event, body) => this.#socket.request(event, body),
      send: (event, body) => this.#socket.send(event, body),
      isOnline: () => this.#socket.isOnline,
      guestKey: () => this.guestKey,
      onGuestKey: (guestKey) => this.#saveGuestKey(guestKey),
      onChange: this.#onChange,
      onJoinFailed: (error) => this.#closeByServer(room, error),
      saveItem: (item) => {
        if (!this.#outboxStore.save(room.requestedName, this.#requestedNick, item)) this.#onStorageFailed();
      },
      deleteItem: (clientId) => this.#outboxStore.delete(clientId),
    });
    room.access.isDirect = this.ownRooms.isDirect(name);
    this.#setRooms([...this.#rooms, room]);
    this.#claimOrphans(room);
    if (this.#socket.isOnline) room.onConnected();
    return room;
  }

  /** Open a room of an earlier page; no message before the join qualifies for a notification. See `openRoom`. */
  restoreRoom(name, invite = "") {
    const room = this.openRoom(name, invite);
    room.readTracker.isRestored = true;
    return room;
  }

  /**
   * Leave a room, and load the durable rooms again; its outbox items stay in storage.
   * @param {Room} room
   */
  closeRoom(room) {
    room.leave();
    this.#rooms = this.#rooms.filter((candidate) => candidate !== room);
    if (this.current === room) this.current = null;
    this.ownRooms.remove(room.name);
    this.ownRooms.refresh();
    this.#onChange();
  }

  /** Close all rooms and disconnect; the session cannot be started again. */
  stop() {
    this.ownRooms.stop();
    for (const room of this.#rooms) room.leave();
    this.#rooms = [];
    this.current = null;
    this.#socket.stop();
  }

  /** Connect now if a reconnect is scheduled. */
  reconnectNow() {
    this.#socket.reconnectNow();
  }

  /**
   * Handle a change of a storage key by another tab: claim outbox items, apply the read markers of a guest, and call
   * `onChange` for these and for muted rooms.
   * @param {string} key Key without the prefix of the page.
   */
  onStorageChange(key) {
    if (OutboxStore.isOutboxKey(key)) for (const room of this.#rooms) this.#claimOrphans(room);
    if (key === "readMarkers" && !this.#hasAccount) applyGuestMarkers(this.#rooms, this.#requestedNick);
    if (key === "readMarkers" || key === "mutedRooms") this.#onChange();
  }

  /**
   * List the first page of the public rooms of the server.
   * @param {string} query Part of a name or topic; empty for all rooms.
   * @returns {Promise<any[]>} Rooms with sanitized texts.
   * @throws {RequestError}
   */
  async listRooms(query) {
    const { rooms } = await this.#socket.request("listRooms", query ? { query: validateQuery(query) } : {});
    return rooms.map(sanitizeReceived);
  }

  /**
   * Search messages, newest first.
   * @param {string} query
   * @param {{room?: string, cursor?: string, limit: number}} options Name of the only room, otherwise all rooms; `next` of
   *   the previous page; maximum number of messages.
   * @returns {Promise<{messages: any[], next?: string, incomplete?: boolean}>} Messages, except those of blocked members;
   *   `incomplete` if the server has not indexed all messages.
   * @throws {RequestError}
   */
  async search(query, { room, cursor, limit }) {
    const parameters = { query: validateQuery(query), limit, ...(room && { room }), ...(cursor && { cursor }) };
    const response = await this.#socket.request("search", parameters);
    return { ...response, messages: this.#presentable(response.messages) };
  }

  /**
   * List the messages of all rooms that mention the account, newest first, except those of blocked members.
   * @param {{cursor?: string, limit: number}} options `next` of the previous page; maximum number of messages.
   * @returns {Promise<{messages: any[], next?: string}>}
   * @throws {RequestError}
   */
  async listMentions({ cursor, limit }) {
    const response = await this.#socket.request("listMentions", { limit, ...(cursor && { cursor }) });
    return { ...response, messages: this.#presentable(response.messages) };
  }

  /** Return received messages in sanitized form, without those of blocked members. */
  #presentable(messages) {
    return messages.map(sanitizeReceived).filter(({ memberId }) => !this.blocks.has(memberId));
  }

  /**
   * Return the title of a room for display; the name itself if no title is known.
   * @param {string} name Name or address.
   */
  titleOf(name) {
    return this.findRoom(name)?.displayName ?? (this.ownRooms.findTitle(name) || name);
  }

  /**
   * Change the nickname in all rooms, and add a notice to the visible room if the server assigns another
   * one. The key and the read markers of a guest are also stored under the new nickname.
   * @param {string} nick
   * @returns {Promise<string>} Assigned nickname.
   * @throws {RequestError}
   */
  async changeNick(nick) {
    const { nickName } = await this.#socket.request("changeNick", { nickName: validateNickname(nick) });
    if (canonicalName(nickName) !== canonicalName(nick)) this.current?.notices.addAssigned(nickName);
    if (!this.#hasAccount) copyGuestMarkers(this.#rooms, this.#requestedNick, nickName);
    this.#requestedNick = nickName;
    if (this.guestKey) guestKeys.set(nickName, this.guestKey);
    for (const room of this.#rooms) room.setNick(nickName);
    this.#onChange();
    return nickName;
  }

  /** Save the pending moves of all read markers now. */
  saveReadMarkers() {
    for (const room of this.#rooms) room.saveReadMarker();
  }

  /**
   * @param {string} name
   * @param {() => Room} getRoom
   */
  #createMarker(name, getRoom) {
    if (!this.#hasAccount) return new GuestMarker(name, { getRoom, getNick: () => this.#requestedNick });
    return new AccountMarker({
      request: (body) => getRoom().request("markRead", body),
      onConfirmed: (marker) => {
        getRoom().applyRemoteMarker(marker);
        if (this.#rooms.includes(getRoom())) this.#onChange();
        else this.ownRooms.refresh(); // the room was closed before
      },
    });
  }

  /** Replace the open rooms, with direct rooms last. */
  #setRooms(rooms) {
    this.#rooms = rooms.toSorted((first, second) => Number(first.access.isDirect) - Number(second.access.isDirect));
  }

  #claimOrphans(room) {
    this.#outboxStore.claimOrphans(room.requestedName, this.#requestedNick, (items) => room.adoptItems(items));
  }

  #saveGuestKey(guestKey) {
    if (!guestKey) return; // of an account
    this.guestKey = guestKey;
    guestKeys.set(this.#requestedNick, guestKey);
  }

  #closeByServer(room, error) {
    this.closeRoom(room);
    this.#onRoomClosed(room, error);
  }

  /** Pass a change of the connection to all rooms; after a connect, load the state of the account. */
  #onConnectionState(connection) {
    this.connection = connection;
    const isOnline = connection.state === "online";
    // Join the visible room first, because the server rate-limits joins.
    const currentFirst = [...this.#rooms].sort((first, second) => Number(second === this.current) - Number(first === this.current));
    for (const room of currentFirst) {
      if (isOnline) room.onConnected();
      else room.onDisconnected();
    }
    this.status.onConnectionChange();
    if (!isOnline) this.attachmentAddresses.pause();
    if (isOnline && this.#hasAccount) this.#loadAccountState();
    this.#onChange();
  }

  /** Pass a push to its room; a push about a room that is not open updates the durable rooms. */
  #handlePush(event, body) {
    if (event === "error") return this.#handleError(body);
    if (event === "blocks") return this.blocks.applyPush(body);
    if (event === "directRoom") return this.#onDirectRoom(body);
    const room = this.#rooms.find(({ name }) => name === body.room) ?? this.findRoom(String(body.room ?? ""));
    if (!room) {
      this.ownRooms.handlePush(event, body);
      return this.#onChange();
    }
    if (event === "roomRemoved") return room.administration.isDeleting ? undefined : this.#closeByServer(room, new RequestError("room_deleted"));
    room.handlePush(event, body);
    return this.#onChange();
  }

  /** Close the room of a member who was removed or banned; other errors concern requests without acknowledgement. */
  #handleError({ code, reason, params, message }) {
    const room = REMOVAL_REASONS.has(reason) ? this.findRoom(String(params?.room ?? "")) : undefined;
    if (room) this.#closeByServer(room, new RequestError(String(code), { reason, params, message }));
  }

  /** Open the direct room of an incoming message, without a switch to the room. */
  #onDirectRoom({ room, direct }) {
    this.ownRooms.nameDirectRoom(String(room), direct);
    this.openRoom(String(room));
    this.#onChange();
  }

  /** Load the blocks and the titles of the private and direct rooms, and open direct rooms with unread messages. */
  async #loadAccountState() {
    const { isLoaded } = this.ownRooms;
    try {
      await Promise.all([this.ownRooms.load(), this.blocks.load()]);
      for (const { name, isDirect, unread } of this.closedRooms) {
        if (!isDirect || !unread) continue;
        if (isLoaded) this.openRoom(name);
        else this.restoreRoom(name);
      }
      this.#onChange();
    } catch (error) {
      requireRequestError(error); // the next connection repeats the requests
    }
  }
}
