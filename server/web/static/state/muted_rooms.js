/**
 * Rooms without notifications, stored by canonical name; the same rule as in
 * `tui_chat/session/settings/name_lookup.py`.
 *
 * - The title and the favicon do not count the messages of muted rooms; the room list does.
 */

import { canonicalName } from "./names.js";
import { localStore } from "./storage.js";

const MAX_MUTED_ROOMS = 500;

/**
 * Return whether the notifications of a room are off.
 * @param {import("./room.js").Room} room
 */
export function isMuted({ name }) {
  return mutedKeys().includes(canonicalName(name));
}

/**
 * Turn the notifications of a room off or on, in all tabs.
 * @param {import("./room.js").Room} room
 * @param {boolean} isRoomMuted
 */
export function setMuted({ name }, isRoomMuted) {
  const key = canonicalName(name);
  const others = mutedKeys().filter((other) => other !== key);
  localStore.set("mutedRooms", (isRoomMuted ? [...others, key] : others).slice(-MAX_MUTED_ROOMS));
}

/** @returns {string[]} */
function mutedKeys() {
  return localStore.get("mutedRooms", []);
}
