/**
 * One room you are in: who is there, what was said, what is still to be sent.
 *
 * Rule 1  While `upToDate`, nothing that was missed in a break is still to come.
 * Rule 2  A break of up to `TOO_FAR` entries is fetched whole; after a longer one it
 *         goes on with the newest, and what is between is a gap to be filled.
 */

import { Outbox } from "../net/outbox.js";
import { passOver } from "../net/socket.js";
import { fold } from "./canonical_name.js";
import { Reading } from "./read_tracker.js";
import { RoomLog } from "./room_log.js";
import { Typists } from "./typing_indicator.js";
import { newUuid } from "./uuid.js";

const PAGE = 100; // entries
const CATCH_UP_PAGE = 200; // entries; the most there are
const TOO_FAR = 1000; // entries
const NOTICES_KEPT = 200;
const PATIENCE = 1000; // ms that a push may come after the answer that announced it
const PAUSE = 2; // s before asking again, where the server names no time
const PASSING = new Set(["rate_limited", "unavailable", "internal"]);

export class Room {
  #to;
  #turn = 0; // joins so far: what an older one still hears is stale
  #catching = false;
  #loading = new Set(); // what is being fetched
  #patience = 0;
  #settled = 0; // up to here the outbox knows the log
  #notes = 0;
  #joined = false; // in the room on this connection
  #onEntered = [];

  log = new RoomLog();
  /** The name that was asked for. */
  asked;
  /** The room's and your own name: as asked for, until the server has said better. */
  name;
  nick;
  memberId = "";
  entered = false;
  upToDate = false;
  /** @type {Map<string, {memberId: string, nickName: string, role: string, via?: string}>} Another one when anybody is. */
  members = new Map();
  /** @type {{id: number, kind: string, after: number, ts: number, nickName?: string, oldNickName?: string, more?: number, text?: string}[]} */
  notices = [];
  outbox;
  reading;
  typists;
  mine;

  /**
   * @param {string} name
   * @param {string} nick
   * @param {object} to What it needs of the connection and the storage: see `Chat.open`.
   */
  constructor(name, nick, to) {
    this.#to = to;
    this.asked = this.name = name;
    this.nick = nick;
    this.mine = to.mine;
    this.reading = new Reading({ read: to.read, onRead: to.onRead });
    this.typists = new Typists({
      tell: (on) => this.#joined && to.tell("typing", { room: this.name, on }),
      onChange: to.onChange,
    });
    this.outbox = new Outbox({
      request: async ({ clientId, event, body }) => {
        const wish = event === "sendMessage" ? { ...body, clientId } : body;
        const answer = await to.request(event, { room: this.name, ...wish });
        return answer.seq ?? answer.revision;
      },
      store: { put: to.keep, drop: to.drop },
      onChange: (confirmed) => {
        if (confirmed !== null) this.#expect(confirmed);
        this.outbox.settle((seq) => this.log.holds(seq));
        to.onChange();
      },
    });
  }

  /** Whether it goes by this name, closely enough for this page. */
  is(name) {
    return fold(name) === fold(this.name) || fold(name) === fold(this.asked);
  }

  connected() {
    this.#join();
  }

  disconnected() {
    this.#joined = false;
    this.upToDate = false;
    this.typists.clear();
  }

  leave() {
    this.#turn += 1;
    this.outbox.close();
    clearTimeout(this.#patience);
    if (this.#joined) this.#to.tell("leaveRoom", { room: this.name });
    this.#joined = false;
  }

  /** Says, changes or chooses something: as soon as there is a connection, and once. */
  post(event, body) {
    if (event === "sendMessage") {
      this.typists.said();
      this.reading.spoke();
    }
    this.outbox.add(newUuid(), event, body, Date.now());
    this.#flush();
  }

  retry(clientId) {
    this.outbox.retry(clientId);
    this.#flush();
  }

  /** Takes in what another page left unsent. */
  adopt(posts) {
    this.outbox.adopt(posts);
    this.#flush();
  }

  /** @returns {Promise<void>} When the room has been entered. */
  async whenEntered() {
    if (!this.entered) await new Promise((resolve) => this.#onEntered.push(resolve));
  }

  /** Your nickname has changed. */
  rename(nick) {
    this.nick = nick;
    for (const post of this.outbox.waiting) if (post.state !== "sent") this.#to.keep(post);
  }

  /** Says what the room is about; may throw a Refusal. */
  setTopic(topic) {
    return this.#to.request("setTopic", { room: this.name, topic });
  }

  /** Tells you something, here and to nobody else. */
  tellYou(text) {
    this.#note({ kind: "told", text, ts: Date.now() });
    this.#to.onChange();
  }

  /** Fetches what came before the log. @returns {Promise<boolean>} Whether the log is another. */
  older() {
    if (!this.log.hasOlder) return Promise.resolve(false);
    return this.#fetch("older", { before: this.log.first });
  }

  /** Fetches one side of what is missing in between. @returns {Promise<boolean>} */
  fill({ after, before }, fromAbove) {
    const room = Math.min(PAGE, before - after - 1);
    return this.#fetch(`gap ${after}`, { ...(fromAbove ? { after } : { before }), limit: room });
  }

  /** Fetches what was said about an entry, unless it is there. @returns {Promise<boolean>} Whether it is now. */
  async reach(seq) {
    if (!this.log.holds(seq)) await this.#fetch(`around ${seq}`, { around: seq });
    return this.log.holds(seq);
  }

  async #fetch(what, where) {
    if (this.#loading.has(what) || !this.#joined) return false;
    this.#loading.add(what);
    const turn = this.#turn;
    try {
      const page = await this.#to.request("history", { room: this.name, limit: PAGE, ...where });
      if (turn !== this.#turn) return false;
      const whole = where.before !== undefined && !page.hasMore;
      this.log.insert(page.messages, { lastSeq: page.lastSeq, hasOlder: !whole, before: where.before });
      this.#to.onChange();
      return true;
    } catch (refusal) {
      passOver(refusal); // scrolling there again asks again
      return false;
    } finally {
      this.#loading.delete(what);
    }
  }

  async #join() {
    this.#turn += 1;
    const turn = this.#turn;
    const { last } = this.log;
    const wish = { roomName: this.asked, nickName: this.nick, limit: last === null ? PAGE : CATCH_UP_PAGE };
    const guestKey = this.#to.key();
    if (guestKey) wish.guestKey = guestKey;
    if (last !== null) wish.since = last;
    try {
      const answer = await this.#to.request("joinRoom", wish);
      if (turn === this.#turn) await this.#welcome(answer, turn);
    } catch (refusal) {
      if (turn !== this.#turn) return;
      passOver(refusal);
      if (refusal.code === "offline") return; // comes again with the connection
      if (PASSING.has(refusal.code)) {
        const again = () => turn === this.#turn && this.#to.online() && this.#join();
        setTimeout(again, (refusal.retryAfter ?? PAUSE) * 1000);
      } else {
        this.#turn += 1;
        this.#to.onRefused(refusal);
      }
    }
  }

  async #welcome(answer, turn) {
    const { lastSeq, topic } = answer.room;
    this.#to.onKey(answer.guestKey);
    this.name = answer.room.name;
    this.memberId = answer.memberId;
    this.mine.add(answer.memberId);
    this.members = new Map(answer.members.map((member) => [member.memberId, member]));
    const held = this.log.last;
    if (held !== null && lastSeq < held) {
      this.log = new RoomLog(); // another log than we knew; this one holds what is pushed meanwhile
      this.notices = [];
      this.#settled = 0;
      this.outbox.settle(() => true);
    }
    if (this.log.last === null && held === null) {
      this.log.open(answer.messages, { lastSeq, hasOlder: answer.hasMore });
    } else if (this.log.last === null || lastSeq - held > TOO_FAR) {
      const page = await this.#to.request("history", { room: this.name, before: lastSeq + 1, limit: PAGE });
      if (turn !== this.#turn) return;
      this.log.open(page.messages, { lastSeq: Math.max(lastSeq, page.lastSeq), hasOlder: page.hasMore });
    } else {
      this.log.insert(answer.messages, { lastSeq });
    }
    this.log.knowTopic(topic, lastSeq);
    const { nickName } = answer;
    if (fold(nickName) !== fold(this.nick)) this.#note({ kind: "you", nickName, ts: Date.now() });
    this.nick = nickName;
    this.entered = true;
    this.#joined = true;
    for (const resolve of this.#onEntered.splice(0)) resolve();
    this.#settle();
    this.#to.onChange();
    this.#flush();
    await this.#catchUp();
    if (turn === this.#turn && this.#joined) this.upToDate = true;
    this.#to.onChange();
  }

  take(event, body) {
    if (event === "message" && body.seq === undefined) this.#notice(body);
    else if (event === "message" || event === "update") this.#entry(body);
    else if (event === "presence") this.#presence(body);
    else if (event === "typing" && !this.mine.has(body.memberId)) this.typists.told(body);
  }

  #entry(entry) {
    this.typists.told({ memberId: entry.memberId, on: false });
    this.log.push(entry);
    this.#settle();
    if (this.log.missing && this.#joined) this.#catchUp();
  }

  /** Tells the outbox of your own messages that have come into the log. */
  #settle() {
    const { items } = this.log;
    let index = items.length;
    while (index > 0 && items[index - 1].seq > this.#settled) index -= 1;
    for (; index < items.length; index += 1) {
      const { seq, kind, memberId, message } = items[index];
      if (kind === "message" && this.mine.has(memberId)) this.outbox.arrived(seq, message);
    }
    this.#settled = this.log.last ?? 0;
    this.outbox.settle((seq) => this.log.holds(seq));
  }

  #notice({ kind, memberId, nickName, oldNickName, more, ts }) {
    // That you came yourself is no news, and may be told before the answer that says who you are.
    if (!this.entered || (kind !== "nick" && this.mine.has(memberId))) return;
    this.#note({ kind, nickName, oldNickName, more, ts });
  }

  /** Puts a notice after what the log holds now. */
  #note(notice) {
    this.#notes += 1;
    this.notices.push({ ...notice, id: this.#notes, after: this.log.last ?? 0 });
    if (this.notices.length > NOTICES_KEPT) this.notices.shift();
  }

  #presence({ joined = [], left = [], renamed = [] }) {
    const members = new Map(this.members);
    for (const memberId of left) members.delete(memberId);
    for (const member of joined) members.set(member.memberId, member);
    for (const { memberId, nickName } of renamed) {
      const member = members.get(memberId);
      if (member) members.set(memberId, { ...member, nickName });
      if (this.mine.has(memberId)) this.nick = nickName;
    }
    this.members = members;
  }

  /** The room has this entry: if its push does not come soon, fetch it. */
  #expect(seq) {
    this.log.expect(seq);
    this.#catchUpLater();
  }

  #catchUpLater() {
    clearTimeout(this.#patience);
    if (this.log.missing) this.#patience = setTimeout(() => this.#catchUp(), PATIENCE);
  }

  async #catchUp() {
    if (this.#catching) return;
    this.#catching = true;
    try {
      while (this.log.missing && this.#joined) {
        const after = this.log.last;
        const page = await this.#to.request("history", { room: this.name, after, limit: CATCH_UP_PAGE });
        this.log.insert(page.messages, page);
        this.#settle();
        this.#to.onChange();
        if (this.log.last === after) break;
      }
    } catch (refusal) {
      passOver(refusal);
      if (refusal.code !== "offline") this.#catchUpLater();
    } finally {
      this.#catching = false;
    }
  }

  #flush() {
    if (this.#joined) this.outbox.flush();
  }
}
