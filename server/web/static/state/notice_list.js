/**
 * Notices of one room, in order of their arrival.
 *
 * - At most `MAX_NOTICES` relevant and as many irrelevant notices are stored. Irrelevant ones, which are hidden by
 *   default, replace no others.
 */

const MAX_NOTICES = 200;

/**
 * @typedef {object} Notice
 * @property {number} id
 * @property {string} kind
 * @property {number} after `seq` of the preceding entry.
 * @property {number} ts
 * @property {string} [memberId]
 * @property {string} [nickName]
 * @property {string} [oldNickName]
 * @property {number} [more]
 * @property {boolean} [confusable] As of a member.
 * @property {string} [text]
 * @property {boolean} [isRelevant] For notices of other members: see `RecentSpeakers`; undefined for notices that are
 *   always visible.
 */

export class NoticeList {
  #lastId = 0;

  /** @type {Notice[]} */
  items = [];

  /** @param {Omit<Notice, "id">} notice */
  add(notice) {
    this.#lastId += 1;
    this.items.push({ ...notice, id: this.#lastId });
    const isIrrelevant = notice.isRelevant === false;
    const bounded = this.items.filter(({ isRelevant }) => (isRelevant === false) === isIrrelevant);
    if (bounded.length > MAX_NOTICES) this.items.splice(this.items.indexOf(bounded[0]), 1);
  }

  clear() {
    this.items = [];
  }
}
