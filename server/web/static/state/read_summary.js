/** Read state of all rooms. */

import { mutedRooms } from "./storage.js";

/**
 * Update the read trackers of the open rooms, and return the sums of all counts except those of muted rooms.
 * @param {import("./chat_session.js").ChatSession} session
 * @param {object} options
 * @param {boolean} options.isPageActive True while the page is visible and has focus.
 * @param {boolean} options.isFollowing True while the timeline shows the newest message of the visible room.
 * @returns {{unreadCount: number, mentionCount: number, notifiable: [import("./room.js").Room, object[]][]}} `notifiable` has
 *   each open unmuted room with its new messages that qualify for a notification, possibly none.
 */
export function updateReadTrackers({ rooms, closedRooms, current }, { isPageActive, isFollowing }) {
  let unreadCount = 0;
  let mentionCount = 0;
  /** @type {[import("./room.js").Room, object[]][]} */
  const notifiable = [];
  for (const room of rooms) {
    const { log, ownMemberIds, nick, members, readTracker, access: { isDirect } } = room;
    const isViewed = isPageActive && isFollowing && room === current && room.isUpToDate;
    const messages = readTracker.update({ log, ownMemberIds, nick, members, isDirect, isViewed });
    if (mutedRooms.has(room.name)) continue;
    notifiable.push([room, messages]);
    unreadCount += readTracker.unreadCount;
    mentionCount += readTracker.mentionCount;
  }
  for (const { name, unread, mentions } of closedRooms) {
    if (!unread || mutedRooms.has(name)) continue;
    unreadCount += unread;
    mentionCount += mentions;
  }
  return { unreadCount, mentionCount, notifiable };
}
