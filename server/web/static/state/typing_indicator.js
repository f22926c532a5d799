/**
 * Who is writing in a room, and telling others that you are.
 */

const RESEND_INTERVAL = 4000; // ms
const EXPIRES_AFTER = 6000; // ms

export class TypingIndicator {
  #send;
  #onChange;
  #lastSentAt = 0; // when you were last said to be writing, 0 while you are not
  #expiryByMember = new Map(); // member id → when it stops to count

  /**
   * @param {object} to
   * @param {(on: boolean) => void} to.tell Tells the room about you.
   * @param {() => void} to.onChange
   */
  constructor({ send, onChange }) {
    this.#send = send;
    this.#onChange = onChange;
  }

  /** Says that you are writing, or have stopped; not more often than needed. */
  setTyping(isTyping) {
    const now = Date.now();
    if (isTyping ? now - this.#lastSentAt < RESEND_INTERVAL : !this.#lastSentAt) return;
    this.#lastSentAt = isTyping ? now : 0;
    this.#send(isTyping);
  }

  /** You have said it: everybody sees that you stopped. */
  onMessageSent() {
    this.#lastSentAt = 0;
  }

  /** The room was told about somebody else. */
  onTyping({ memberId, on }) {
    if (!on) return this.#expiryByMember.delete(memberId);
    this.#expiryByMember.set(memberId, Date.now() + EXPIRES_AFTER);
    setTimeout(this.#onChange, EXPIRES_AFTER + 50);
    return undefined;
  }

  clear() {
    this.#expiryByMember.clear();
  }

  /** The nicknames of those who are writing now, of members by their id. */
  typingNicks(members) {
    const now = Date.now();
    return [...this.#expiryByMember]
      .filter(([memberId, expiry]) => expiry > now && members.has(memberId))
      .map(([memberId]) => members.get(memberId).nickName);
  }
}
