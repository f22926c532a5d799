/**
 * Members that the account has blocked (docs/protocol.md, "Direct rooms").
 *
 * - The server stores the blocks and pushes changes by other devices; a guest has none.
 * - `memberIds` is replaced on every change.
 */

import { sanitizeReceived } from "./sanitize.js";

/** @typedef {{memberId: string, nickName: string, account?: string}} BlockedMember */

/** Blocks of the account of one session, empty before `load`. */
export class Blocks {
  #request;
  #onChange;
  #changeCount = 0;

  /** @type {ReadonlySet<string>} */
  memberIds = new Set();
  /** Number of changes by other devices. */
  pushCount = 0;

  /**
   * @param {object} options
   * @param {(event: string, body: object) => Promise<any>} options.request
   * @param {() => void} options.onChange Called after each change of `memberIds`.
   */
  constructor({ request, onChange }) {
    this.#request = request;
    this.#onChange = onChange;
  }

  /**
   * Return whether the account has blocked a member.
   * @param {string} memberId
   */
  has(memberId) {
    return this.memberIds.has(memberId);
  }

  /**
   * Load the blocks of the account, and replace `memberIds`; repeated if a block changes during the request.
   * @returns {Promise<BlockedMember[]>} Blocked members with sanitized names.
   * @throws {RequestError}
   */
  async load() {
    let blocks, changeCount;
    do {
      changeCount = this.#changeCount;
      ({ blocks } = await this.#request("listBlocks", {}));
    } while (changeCount !== this.#changeCount); // the response may precede a change
    this.#replace(blocks.map(({ memberId }) => memberId));
    return blocks.map(sanitizeReceived);
  }

  /**
   * Block a member.
   * @param {string} memberId
   * @throws {RequestError}
   */
  async add(memberId) {
    await this.#request("block", { memberId });
    this.#apply(memberId, true);
  }

  /**
   * End the block of a member.
   * @param {string} memberId
   * @throws {RequestError}
   */
  async remove(memberId) {
    await this.#request("unblock", { memberId });
    this.#apply(memberId, false);
  }

  /**
   * Apply a change by another device of the account, and count it in `pushCount`.
   * @param {{member: BlockedMember, on: boolean}} push
   */
  applyPush({ member, on }) {
    this.pushCount += 1;
    this.#apply(member.memberId, on);
  }

  /**
   * @param {string} memberId
   * @param {boolean} isBlocked
   */
  #apply(memberId, isBlocked) {
    const others = [...this.memberIds].filter((blocked) => blocked !== memberId);
    this.#replace(isBlocked ? [...others, memberId] : others);
  }

  /** @param {string[]} memberIds */
  #replace(memberIds) {
    this.memberIds = new Set(memberIds);
    this.#changeCount += 1;
    this.#onChange();
  }
}
