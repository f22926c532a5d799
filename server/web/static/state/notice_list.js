/**
 * Notices of one room, in order of their arrival.
 *
 * At most `MAX_NOTICES` irrelevant notices and as many others are stored. Irrelevant ones, which are hidden by default,
 * replace no others.
 */

import { RecentSpeakers } from "./join_visibility.js";

const MAX_NOTICES = 200;

/**
 * @typedef {object} Notice
 * @property {number} id Ascending.
 * @property {string} kind `join`, `leave` or `nick` for received notices; `local` or `assigned`.
 * @property {number} after `seq` of the preceding entry.
 * @property {number} ts ms since the epoch.
 * @property {string} [memberId]
 * @property {string} [nickName]
 * @property {string} [oldNickName] Nickname before a rename.
 * @property {number} [more] Number of further members without a notice of their own.
 * @property {boolean} [confusable] The nickname looks like that of another member.
 * @property {string} [text] Text of a local notice.
 * @property {boolean} [isRelevant] For notices of other members: see `RecentSpeakers`; undefined for notices that are
 *   always visible.
 */

/** Notices of one room. */
export class NoticeList {
  #lastId = 0;
  #recentSpeakers = new RecentSpeakers();
  #getPosition;
  #onChange;

  /** @type {Notice[]} */
  items = [];

  /**
   * @param {object} options
   * @param {() => number} options.getPosition Returns the `seq` of the newest entry, after which a notice appears.
   * @param {() => void} options.onChange Called after `addLocal` and `clear`.
   */
  constructor({ getPosition, onChange }) {
    this.#getPosition = getPosition;
    this.#onChange = onChange;
  }

  /** Add a notice that only this page shows. */
  addLocal(text) {
    this.#add({ kind: "local", text, ts: Date.now() });
    this.#onChange();
  }

  /** Add a notice about a nickname that the server assigned in place of the requested one, without a call of `onChange`. */
  addAssigned(nickName) {
    this.#add({ kind: "assigned", nickName, ts: Date.now() });
  }

  /**
   * Add a received notice, without a call of `onChange`.
   * @param {any} notice Sanitized notice (docs/protocol.md, "Notices").
   * @param {boolean} isOwn The notice is about the user, and therefore always visible.
   */
  addReceived(notice, isOwn) {
    const { kind, memberId, nickName, oldNickName, more, confusable, ts } = notice;
    const isRelevant = isOwn ? undefined : this.#recentSpeakers.isRelevant(notice);
    this.#add({ kind, memberId, nickName, oldNickName, more, confusable, ts, isRelevant });
  }

  /**
   * Record the author of a new message.
   * @param {{memberId: string, ts: number}} message
   */
  recordSpeaker(message) {
    this.#recentSpeakers.add(message);
  }

  /** Remove all notices. */
  clear() {
    this.items = [];
    this.#onChange();
  }

  /** @param {Omit<Notice, "id" | "after">} notice */
  #add(notice) {
    this.#lastId += 1;
    this.items.push({ ...notice, id: this.#lastId, after: this.#getPosition() });
    const isIrrelevant = notice.isRelevant === false;
    const bounded = this.items.filter(({ isRelevant }) => (isRelevant === false) === isIrrelevant);
    if (bounded.length > MAX_NOTICES) this.items.splice(this.items.indexOf(bounded[0]), 1);
  }
}
