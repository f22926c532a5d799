/** Links to rooms: `chat://host/room` and invite links of the page in the timeline; in typed text, also URLs of pages. */

import { strings } from "../i18n/strings.js";
import { parseRoomLink } from "../state/links.js";
import { closestElement, requireElement } from "./dom.js";
import { readRoomUrl } from "./room_url.js";

/**
 * Return the room and the invite code of a typed room name or link.
 * @param {string} text
 * @returns {{room: string, invite: string, otherHost: string}} `otherHost` is the server of a link to another server,
 *   otherwise empty. `room` is empty for a link without a room.
 */
export function resolveRoom(text) {
  const link = parseRoomLink(text) ?? parsePageUrl(text);
  if (!link) return { room: text, invite: "", otherHost: "" };
  const { origin, room, invite } = link;
  return { room, invite, otherHost: origin === location.origin ? "" : new URL(origin).hostname };
}

/** @param {string} text */
function parsePageUrl(text) {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  return { origin: url.origin, ...readRoomUrl(url) };
}

/**
 * Handle clicks on room links in the timeline: ask before a join, and offer to copy a `chat` link to another server. An
 * invite link to another server opens that page.
 * @param {object} options
 * @param {import("./command_context.js").Confirm} options.confirm
 * @param {(name: string, invite: string) => void} options.openRoom
 * @param {() => void} options.openRoomDialog Called for a link to this server without a room.
 * @param {(text: string) => Promise<void>} options.copyText
 */
export function installRoomLinks({ confirm, openRoom, openRoomDialog, copyText }) {
  requireElement("timeline-lines").addEventListener("click", (event) => {
    const anchor = closestElement(event.target, "a");
    const url = anchor instanceof HTMLAnchorElement ? anchor.href : "";
    const link = parseRoomLink(url);
    if (!link || (link.origin !== location.origin && url.startsWith("http"))) return; // opens a page
    event.preventDefault();
    if (link.origin === location.origin && !link.room) openRoomDialog();
    else ask(link, url);
  });

  async function ask({ origin, room, invite }, url) {
    const isSameServer = origin === location.origin;
    const host = new URL(origin).hostname;
    const choices = isSameServer ? [{ value: "join", label: strings.joinRoom(room), kind: "primary" }] : [{ value: "copy", label: strings.copy }];
    const choice = await confirm({ title: url, text: isSameServer ? host : strings.otherServer(host), choices });
    if (choice === "join") openRoom(room, invite);
    else if (choice === "copy") copyText(url);
  }
}
