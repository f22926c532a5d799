/** Typing indicators of one room: that of the user, rate limited, and those of other members. */

const RESEND_INTERVAL = 4000; // ms
const EXPIRES_AFTER = 6000; // ms
const MAX_TYPING_MEMBERS = 100; // further members are ignored

/** Typing state of the user and of the other members of one room. */
export class TypingIndicator {
  #send;
  #onChange;
  #lastSentAt = 0; // 0 while not typing
  #expiryByMember = new Map();

  /**
   * @param {object} options
   * @param {(isTyping: boolean) => void} options.send Sends the typing state of the user.
   * @param {() => void} options.onChange Called after the expiry of an indicator.
   */
  constructor({ send, onChange }) {
    this.#send = send;
    this.#onChange = onChange;
  }

  /** Send the user's typing state. A start is repeated once per `RESEND_INTERVAL` at most; a stop is sent immediately. */
  setTyping(isTyping) {
    const now = Date.now();
    if (isTyping ? now - this.#lastSentAt < RESEND_INTERVAL : !this.#lastSentAt) return;
    this.#lastSentAt = isTyping ? now : 0;
    this.#send(isTyping);
  }

  /** Reset the user's state without an event, because receivers clear the indicator when the message arrives. */
  onMessageSent() {
    this.#lastSentAt = 0;
  }

  /** Record the typing state of another member, without a call of `onChange`; a start expires after `EXPIRES_AFTER`. */
  onTyping({ memberId, on }) {
    if (!on) return this.#expiryByMember.delete(memberId);
    const now = Date.now();
    for (const [id, expiry] of this.#expiryByMember) if (expiry <= now) this.#expiryByMember.delete(id);
    if (this.#expiryByMember.size >= MAX_TYPING_MEMBERS && !this.#expiryByMember.has(memberId)) return undefined;
    this.#expiryByMember.set(memberId, now + EXPIRES_AFTER);
    setTimeout(this.#onChange, EXPIRES_AFTER + 50);
    return undefined;
  }

  /** Remove the indicators of all other members. */
  clear() {
    this.#expiryByMember.clear();
  }

  /** Return the nicknames of all members who are typing now, in order of their start; ids outside of `members` are omitted. */
  typingNicks(members) {
    const now = Date.now();
    return [...this.#expiryByMember]
      .filter(([memberId, expiry]) => expiry > now && members.has(memberId))
      .map(([memberId]) => members.get(memberId).nickName);
  }
}
