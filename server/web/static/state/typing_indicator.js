/**
 * Who is writing in a room, and telling others that you are.
 */

const TELL_EVERY = 4000; // ms
const LASTS = 6000; // ms

export class Typists {
  #tell;
  #onChange;
  #told = 0; // when you were last said to be writing, 0 while you are not
  #until = new Map(); // member id → when it stops to count

  /**
   * @param {object} to
   * @param {(on: boolean) => void} to.tell Tells the room about you.
   * @param {() => void} to.onChange
   */
  constructor({ tell, onChange }) {
    this.#tell = tell;
    this.#onChange = onChange;
  }

  /** Says that you are writing, or have stopped; not more often than needed. */
  typing(on) {
    const now = Date.now();
    if (on ? now - this.#told < TELL_EVERY : !this.#told) return;
    this.#told = on ? now : 0;
    this.#tell(on);
  }

  /** You have said it: everybody sees that you stopped. */
  said() {
    this.#told = 0;
  }

  /** The room was told about somebody else. */
  told({ memberId, on }) {
    if (!on) return this.#until.delete(memberId);
    this.#until.set(memberId, Date.now() + LASTS);
    setTimeout(this.#onChange, LASTS + 50);
    return undefined;
  }

  clear() {
    this.#until.clear();
  }

  /** The nicknames of those who are writing now, of members by their id. */
  names(members) {
    const now = Date.now();
    return [...this.#until]
      .filter(([memberId, until]) => until > now && members.has(memberId))
      .map(([memberId]) => members.get(memberId).nickName);
  }
}
