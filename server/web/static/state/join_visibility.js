/**
 * Visibility of membership notices (joins, leaves and renames); the same rule as in `tui_chat/session/room_index.py`.
 *
 * @typedef {"all" | "smart" | "none"} JoinVisibility
 */

import { localStore } from "./storage.js";

const MAX_RECENT_SPEAKERS = 1000;
const SPEAKER_PERIOD = 30 * 60_000; // ms after a message in which the joins and leaves of its author are relevant

/** @type {JoinVisibility[]} */
const JOIN_VISIBILITIES = ["all", "smart", "none"];

/** Times of the last messages of the most recent speakers of one room. */
export class RecentSpeakers {
  #lastMessages = new Map(); // member id → timestamp, oldest first

  /**
   * Record the author of a new message; the author with the oldest record above `MAX_RECENT_SPEAKERS` is dropped.
   * @param {{memberId: string, ts: number}} message
   */
  add({ memberId, ts }) {
    this.#lastMessages.delete(memberId);
    this.#lastMessages.set(memberId, ts);
    if (this.#lastMessages.size > MAX_RECENT_SPEAKERS) this.#lastMessages.delete(this.#lastMessages.keys().next().value);
  }

  /**
   * Return whether a notice is relevant: about a confusable nickname, a rename of a recent speaker, or the join or leave of
   * a member whose last message is at most `SPEAKER_PERIOD` old.
   * @param {{kind: string, memberId: string, ts: number, confusable?: boolean}} notice
   */
  isRelevant({ kind, memberId, ts, confusable }) {
    if (confusable) return true;
    const lastMessage = this.#lastMessages.get(memberId);
    return lastMessage !== undefined && (kind === "nick" || ts - lastMessage <= SPEAKER_PERIOD);
  }
}

/**
 * Return whether a notice is visible.
 * @param {{isRelevant?: boolean}} notice See `Notice` in `notice_list.js`.
 * @param {JoinVisibility} visibility
 */
export function isNoticeVisible({ isRelevant }, visibility) {
  return isRelevant === undefined || visibility === "all" || (visibility === "smart" && isRelevant);
}

/**
 * Return the stored setting; `smart` without a valid one.
 * @returns {JoinVisibility}
 */
export function storedJoinVisibility() {
  const visibility = localStore.get("joins", "smart");
  return JOIN_VISIBILITIES.includes(visibility) ? visibility : "smart";
}
