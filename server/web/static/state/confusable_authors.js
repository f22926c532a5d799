/** Members whose nicknames the server marked as confusable, including those who have left. */

const MAX_AUTHORS = 1000;

/** @typedef {{memberId: string, nickName: string}} Author */

/** Confusable nicknames of one room by member. */
export class ConfusableAuthors {
  /** @type {Set<string>} Member id and nickname. */
  #keys = new Set();

  /**
   * Return whether the server marked this nickname of a member as confusable.
   * @param {Author} author
   */
  has({ memberId, nickName }) {
    return this.#keys.has(`${memberId} ${nickName}`);
  }

  /**
   * Record the marked members among these; drop the oldest ones above `MAX_AUTHORS`.
   * @param {Iterable<Author & {confusable?: boolean}>} members
   */
  record(members) {
    for (const { memberId, nickName, confusable } of members) if (confusable) this.#keys.add(`${memberId} ${nickName}`);
    for (const key of this.#keys) {
      if (this.#keys.size <= MAX_AUTHORS) break;
      this.#keys.delete(key);
    }
  }
}
