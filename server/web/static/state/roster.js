/**
 * Present members of one room, and the loading of members that a join response omits (docs/protocol.md, "Members").
 *
 * - `members` is replaced on every change.
 * - At most `MAX_MEMBERS` members are stored. Above, joined members are only counted, and loaded members replace the
 *   oldest regular members.
 * - A load that overlaps with a join fails, because its members may have left.
 */

import { RequestError, requireRequestError } from "../net/request_error.js";
import { MEMBER_PAGE } from "./limits.js";
import { canonicalName } from "./names.js";
import { sanitizeCount, sanitizeReceived, validateQuery } from "./sanitize.js";

const MAX_MEMBERS = 5000;
const RATE_LIMIT_DELAY = 1; // s, for an error without `retryAfter`
export const LOADED_MEMBERS = 2000; // maximum number of members per load

/**
 * @typedef {object} Member
 * @property {string} memberId
 * @property {string} nickName
 * @property {string} role
 * @property {string} [account]
 * @property {string} [via] Dialect of a basic client.
 * @property {string} [away] Status text of a member that is away, possibly empty.
 * @property {boolean} [confusable] The nickname looks like that of another member.
 * @property {boolean} [bot] The account is that of a bot.
 */

/** Present members of one room, empty before the first join. */
export class Roster {
  #requestPage;
  #onLoaded;
  #unlistedCount = 0;
  #generation = 0; // number of joins
  #cursor = ""; // member id at the end of the last page of `loadMore()`

  /** @type {Map<string, Member>} Stored members. */
  members = new Map();

  /**
   * @param {object} options
   * @param {(body: object) => Promise<object>} options.requestPage Sends a `listMembers` request.
   * @param {(members: Member[]) => void} options.onLoaded Called with the members of each loaded page.
   */
  constructor({ requestPage, onLoaded }) {
    this.#requestPage = requestPage;
    this.#onLoaded = onLoaded;
  }

  /** Number of present members, including those that `members` does not contain. */
  get count() {
    return this.members.size + this.#unlistedCount;
  }

  /** True if `loadMore()` can add members. */
  get hasMore() {
    return this.#unlistedCount > 0 && this.members.size < MAX_MEMBERS;
  }

  /** Change the role of a stored member. */
  setRole(memberId, role) {
    const member = this.members.get(memberId);
    if (member) this.members = new Map(this.members).set(memberId, { ...member, role });
  }

  /**
   * Replace all members with those of a join response.
   * @param {Member[]} members Received members.
   * @param {number} count Number of present members, including unlisted ones.
   */
  reset(members, count) {
    this.#generation += 1;
    this.#cursor = "";
    this.members = new Map(members.map((member) => [member.memberId, sanitizeReceived(member)]));
    this.#setCount(count);
  }

  /** Apply a `presence` push with sanitized members; `memberCount`, if any, replaces the count of joins and leaves. */
  applyPresence({ joined, left, renamed, memberCount }) {
    const members = new Map(this.members);
    for (const memberId of left) if (!members.delete(memberId)) this.#unlistedCount = Math.max(0, this.#unlistedCount - 1);
    for (const member of joined) {
      if (members.size < MAX_MEMBERS || members.has(member.memberId)) members.set(member.memberId, member);
      else this.#unlistedCount += 1;
    }
    for (const { memberId, nickName, confusable } of renamed) {
      const member = members.get(memberId);
      if (member) members.set(memberId, { ...member, nickName, confusable });
    }
    this.members = members;
    if (memberCount !== undefined) this.#setCount(memberCount);
  }

  /**
   * Return the stored members with a part of the nickname, compared in canonical form.
   * @param {string} query Empty for all members.
   */
  find(query) {
    const key = canonicalName(query);
    return [...this.members.values()].filter(({ nickName }) => canonicalName(nickName).includes(key));
  }

  /**
   * Load all members with a part of the nickname, at most `limit`. Sends no request if all members are stored.
   * @param {string} query Empty for all members.
   * @param {number} [limit] Maximum number of loaded members.
   * @returns {Promise<boolean>} True if the server has further members with this part.
   * @throws {RequestError} Code `offline` after another join during the load.
   */
  async load(query, limit = LOADED_MEMBERS) {
    const loaded = [];
    let hasMore = this.#unlistedCount > 0;
    while (hasMore && loaded.length < limit) {
      const after = loaded.at(-1)?.memberId ?? "";
      const page = await this.#loadPage({ query: validateQuery(query), after, limit: Math.min(MEMBER_PAGE, limit - loaded.length) });
      loaded.push(...page.members);
      hasMore = page.hasMore && page.members.length > 0;
    }
    return hasMore;
  }

  /**
   * Load pages of all members, from the end of the previous call, until `size` members are stored or the last page is loaded.
   * @param {number} size
   * @throws {RequestError} See `load`.
   */
  async loadMore(size) {
    while (this.hasMore && this.members.size < size) {
      const page = await this.#loadPage({ after: this.#cursor, limit: MEMBER_PAGE });
      this.#cursor = page.hasMore ? (page.members.at(-1)?.memberId ?? "") : "";
      if (!this.#cursor) break;
    }
  }

  /** Load and store one page; wait while the rate limit is exceeded. Throws the errors of `load`. */
  async #loadPage(body) {
    const generation = this.#generation;
    for (;;) {
      try {
        const page = await this.#requestPage(body);
        if (generation !== this.#generation) throw new RequestError("offline", { message: "joined again" });
        this.#add(page.members.map(sanitizeReceived), page.memberCount);
        return page;
      } catch (thrown) {
        const error = requireRequestError(thrown);
        if (error.code !== "rate_limited") throw error;
        await new Promise((resolve) => setTimeout(resolve, (error.retryAfter ?? RATE_LIMIT_DELAY) * 1000));
      }
    }
  }

  /** Store loaded members in place of the oldest regular ones above `MAX_MEMBERS`. */
  #add(added, count) {
    const members = new Map(this.members);
    for (const member of added) members.set(member.memberId, member);
    const addedIds = new Set(added.map(({ memberId }) => memberId));
    for (const [memberId, { role }] of members) {
      if (members.size <= MAX_MEMBERS) break;
      if (role === "member" && !addedIds.has(memberId)) members.delete(memberId);
    }
    this.members = members;
    this.#setCount(count);
    this.#onLoaded(added);
  }

  /** Set the received number of present members, which is at least the number of stored members. */
  #setCount(count) {
    this.#unlistedCount = Math.max(0, sanitizeCount(count) - this.members.size);
  }
}
