/** Header of the visible room: name, topic, buttons of roles and accounts, and the typing indicator. */

import { strings } from "../i18n/strings.js";
import { quoteName } from "../state/names.js";
import { isModerator } from "../state/roles.js";
import { requireElement, setText } from "./dom.js";

/**
 * @param {import("../state/room.js").Room} room Visible room.
 * @param {boolean} hasAccount The session belongs to an account.
 */
export function renderRoomHeader(room, hasAccount) {
  requireElement("room-settings-open").hidden = !isModerator(room.access.role);
  requireElement("mentions-open").hidden = !hasAccount;
  setText(requireElement("room-name"), room.displayName);
  const topic = requireElement("room-topic");
  setText(topic, room.log.topic);
  topic.title = room.log.topic;
  const typing = room.typingIndicator.typingNicks(room.members);
  setText(requireElement("typing-indicator"), typing.length ? strings.typing(typing.map(quoteName)) : "");
}
