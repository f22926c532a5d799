/**
 * One visit to a room: who is there, what was said, what is still to be sent.
 * It knows the wire's vocabulary and no screen.
 *
 * `onChange` is called whenever something that it shows may be different;
 * whoever draws gathers those calls.
 */

import { newUuid } from "./ids.js";
import { RoomLog } from "./log.js";
import { guestKeys, tab } from "./memory.js";
import { fold } from "./names.js";
import { Outbox } from "./outbox.js";
import { Refusal, Wire } from "./wire.js";

const PAGE = 100; // entries
const CATCH_UP_PAGE = 200; // entries; the most there are
const TOO_FAR = 2000; // entries missed: begin anew instead of fetching them all
const NOTICES_KEPT = 200;
const PATIENCE = 1000; // ms that a push may come after the answer that announced it
const PAUSE = 2; // s before asking again, where the server names no time
const PASSING = new Set(["rate_limited", "unavailable", "internal"]);
const TYPING_EVERY = 4000; // ms
const TYPING_LASTS = 6000; // ms
const UNSENT = "unsent";

export class Session {
  #wire;
  #onChange;
  #onGone;
  #asked;
  #turn = 0; // joins so far: what an older one still hears is stale
  #catching = false;
  #loading = false;
  #patience = 0;
  #settled = 0; // up to here the outbox knows the log
  #toldTyping = 0;
  #notes = 0;
  #joined = false; // in the room on this connection
  #typists = new Map(); // member id → when it stops to count

  log = new RoomLog();
  /** The room's and your own name: as asked for, until the server has said better. */
  room;
  nick;
  entered = false;
  /** Nothing that was missed in a break is still to come. */
  upToDate = false;
  connection = { name: "connecting" };
  /** @type {Map<string, {memberId: string, nickName: string, role: string}>} Another one when anybody is. */
  members = new Map();
  /** The ids you have had: after a server forgot you, what you said before is yours still. */
  mine = new Set();
  /** @type {{id: number, kind: string, after: number, ts: number, nickName: string, oldNickName?: string, more?: number}[]} */
  notices = [];
  outbox;

  /**
   * @param {object} to
   * @param {string} to.room
   * @param {string} to.nick
   * @param {() => void} to.onChange
   * @param {(refusal: Refusal) => void} to.onGone The room cannot be entered (any more).
   */
  constructor({ room, nick, onChange, onGone }) {
    this.#asked = { room, nick };
    this.room = room;
    this.nick = nick;
    this.#onChange = onChange;
    this.#onGone = onGone;
    this.outbox = new Outbox({
      waiting: tab.get(UNSENT, {})[room] ?? [],
      request: (clientId, message) => this.#wire.request("sendMessage", { room: this.room, clientId, message }),
      keep: (waiting) => keepUnsent(room, waiting),
      onChange: (confirmed) => {
        if (confirmed !== null) this.#expect(confirmed);
        onChange();
      },
    });
    this.#wire = new Wire({
      onState: (state) => this.#connected(state),
      onPush: (event, body) => this.#take(event, body),
    });
    this.#wire.start();
  }

  /** Goes out, and ends the connection. What is unsent waits for the next visit in this tab. */
  leave() {
    this.#turn += 1;
    this.outbox.close();
    clearTimeout(this.#patience);
    if (this.#joined) this.#wire.tell("leaveRoom", { room: this.room });
    this.#wire.stop();
  }

  /** Connects now, where it waits to. */
  hurry() {
    this.#wire.hurry();
  }

  say(text) {
    this.#toldTyping = 0;
    this.outbox.add(newUuid(), text, Date.now());
    this.#flush();
  }

  retry(clientId) {
    this.outbox.retry(clientId);
    this.#flush();
  }

  /**
   * Fetches what came before the log.
   * @returns {Promise<void>} When it is there, or could not be had.
   */
  async older() {
    if (this.#loading || !this.log.hasOlder || !this.#joined) return;
    this.#loading = true;
    const turn = this.#turn;
    try {
      const page = await this.#wire.request("history", { room: this.room, before: this.log.first, limit: PAGE });
      if (turn === this.#turn) {
        this.log.prepend(page.messages, { lastSeq: page.lastSeq, hasOlder: page.hasMore });
        this.#onChange();
      }
    } catch (refusal) {
      passOver(refusal); // scrolling up again asks again
    } finally {
      this.#loading = false;
    }
  }

  /** Says that you are writing, or have stopped; not more often than needed. */
  typing(on) {
    const now = Date.now();
    if (on ? now - this.#toldTyping < TYPING_EVERY : !this.#toldTyping) return;
    this.#toldTyping = on ? now : 0;
    if (this.#joined) this.#wire.tell("typing", { room: this.room, on });
  }

  /** The nicknames of those who are writing now. */
  typists() {
    const now = Date.now();
    return [...this.#typists]
      .filter(([memberId, until]) => until > now && this.members.has(memberId))
      .map(([memberId]) => this.members.get(memberId).nickName);
  }

  #connected(state) {
    this.connection = state;
    if (state.name === "online") this.#join();
    else this.#missing();
    this.#onChange();
  }

  #missing() {
    this.#joined = false;
    this.upToDate = false;
    this.#typists.clear();
  }

  async #join() {
    this.#turn += 1;
    const turn = this.#turn;
    const { room, nick } = this.#asked;
    const wish = { roomName: room, nickName: this.nick, limit: this.log.last === null ? PAGE : CATCH_UP_PAGE };
    const guestKey = guestKeys.get(room, nick);
    if (guestKey) wish.guestKey = guestKey;
    if (this.log.last !== null) wish.since = this.log.last;
    try {
      const answer = await this.#wire.request("joinRoom", wish);
      if (turn === this.#turn) await this.#welcome(answer, turn);
    } catch (refusal) {
      if (turn !== this.#turn) return;
      passOver(refusal);
      if (refusal.code === "offline") return; // comes again with the connection
      if (PASSING.has(refusal.code)) {
        const again = () => turn === this.#turn && this.#wire.online && this.#join();
        setTimeout(again, (refusal.retryAfter ?? PAUSE) * 1000);
      } else {
        this.#turn += 1;
        this.#wire.stop();
        this.#onGone(refusal);
      }
    }
  }

  async #welcome(answer, turn) {
    const { lastSeq, topic } = answer.room;
    guestKeys.put(this.#asked.room, this.#asked.nick, answer.guestKey);
    this.room = answer.room.name;
    this.mine.add(answer.memberId);
    this.members = new Map(answer.members.map((member) => [member.memberId, member]));
    const held = this.log.last;
    if (held === null) {
      this.log.open(answer.messages, { lastSeq, hasOlder: answer.hasMore });
    } else if (lastSeq < held || lastSeq - held > TOO_FAR) {
      // Too much to fetch, or another log than we knew. A new one holds what is pushed meanwhile.
      this.log = new RoomLog();
      this.notices = [];
      this.#settled = 0;
      const page = await this.#wire.request("history", { room: this.room, before: lastSeq + 1, limit: PAGE });
      if (turn !== this.#turn) return;
      const asOf = page.messages.length ? page.lastSeq : lastSeq;
      this.log.open(page.messages, { lastSeq: asOf, hasOlder: page.hasMore });
    } else {
      this.log.extend(answer.messages, lastSeq);
    }
    this.log.knowTopic(topic, lastSeq);
    const { nickName } = answer;
    if (fold(nickName) !== fold(this.nick)) this.#note({ kind: "you", nickName, ts: Date.now() });
    this.nick = nickName;
    this.entered = true;
    this.#joined = true;
    this.#settle();
    this.#onChange();
    this.#flush();
    await this.#catchUp();
    if (turn === this.#turn && this.#joined) this.upToDate = true;
    this.#onChange();
  }

  #take(event, body) {
    if (event === "message" && body.seq === undefined) this.#notice(body);
    else if (event === "message" || event === "update") this.#entry(body);
    else if (event === "presence") this.#presence(body);
    else if (event === "typing") this.#typingOf(body);
    this.#onChange();
  }

  #entry(entry) {
    this.#typists.delete(entry.memberId);
    this.log.push(entry);
    this.#settle();
    if (this.log.missing && this.#joined) this.#catchUp();
  }

  /** Tells the outbox of your own messages that have come into the log. */
  #settle() {
    const { items } = this.log;
    let index = items.length;
    while (index > 0 && items[index - 1].seq > this.#settled) index -= 1;
    for (const { seq, kind, memberId, message } of items.slice(index)) {
      if (kind === "message" && this.mine.has(memberId)) this.outbox.arrived(seq, message);
    }
    this.#settled = this.log.last ?? 0;
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

  #typingOf({ memberId, on }) {
    if (this.mine.has(memberId)) return;
    if (on) this.#typists.set(memberId, Date.now() + TYPING_LASTS);
    else this.#typists.delete(memberId);
    if (on) setTimeout(this.#onChange, TYPING_LASTS + 50);
  }

  /** The room has this entry: if its push does not come soon, fetch it. */
  #expect(seq) {
    this.log.expect(seq);
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#catchUp(), PATIENCE);
  }

  async #catchUp() {
    if (this.#catching) return;
    this.#catching = true;
    try {
      while (this.log.missing && this.#joined) {
        const after = this.log.last;
        const page = await this.#wire.request("history", { room: this.room, after, limit: CATCH_UP_PAGE });
        this.log.extend(page.messages, page.lastSeq);
        this.#settle();
        this.#onChange();
        if (this.log.last === after) break;
      }
    } catch (refusal) {
      passOver(refusal);
      if (refusal.code !== "offline") this.#expect(this.log.last); // asks again in a while
    } finally {
      this.#catching = false;
    }
  }

  #flush() {
    if (this.#joined) this.outbox.flush((seq) => this.log.item(seq) !== undefined);
  }
}

function keepUnsent(room, waiting) {
  const { [room]: _, ...others } = tab.get(UNSENT, {});
  tab.put(UNSENT, waiting.length ? { ...others, [room]: waiting } : others);
}

/** A refusal is part of the game; anything else is a fault of this page. */
function passOver(refusal) {
  if (!(refusal instanceof Refusal)) throw refusal;
}
