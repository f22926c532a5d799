/**
 * Members that the account has blocked (docs/protocol.md, "Direct rooms").
 *
 * - The server stores the blocks; a guest has none.
 * - `memberIds` is replaced on every change.
 */

import { sanitizeReceived } from "./sanitize.js";

/** @typedef {{memberId: string, nickName: string, account?: string}} BlockedMember */

export class Blocks {
  #request;
  #onChange;

  /** @type {ReadonlySet<string>} */
  memberIds = new Set();

  /**
   * @param {object} options
   * @param {(event: string, body: object) => Promise<any>} options.request
   * @param {() => void} options.onChange
   */
  constructor({ request, onChange }) {
    this.#request = request;
    this.#onChange = onChange;
  }

  /** @param {string} memberId */
  has(memberId) {
    return this.memberIds.has(memberId);
  }

  /**
   * Load the blocks of the account.
   * @returns {Promise<BlockedMember[]>}
   * @throws {RequestError}
   */
  async load() {
    const { blocks } = await this.#request("listBlocks", {});
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
    this.#replace([...this.memberIds, memberId]);
  }

  /**
   * End the block of a member.
   * @param {string} memberId
   * @throws {RequestError}
   */
  async remove(memberId) {
    await this.#request("unblock", { memberId });
    this.#replace([...this.memberIds].filter((blocked) => blocked !== memberId));
  }

  /** @param {string[]} memberIds */
  #replace(memberIds) {
    this.memberIds = new Set(memberIds);
    this.#onChange();
  }
}
