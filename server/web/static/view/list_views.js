/** Contents of the list dialog (docs/page.md). */

import { strings } from "../i18n/strings.js";
import { quoteName } from "../state/names.js";
import { loadSanctions } from "../state/sanctions.js";
import { sanitizeReceived } from "../state/sanitize.js";
import { changeSentence } from "./change_sentence.js";
import { createNickname } from "./dom.js";
import { formatShortDate } from "./format_time.js";
import { excerpt } from "./render_line.js";

const LIST_PAGE = 50; // rows

/**
 * @typedef {import("../state/room.js").Room} Room
 * @typedef {import("../state/chat_session.js").ChatSession} ChatSession
 * @typedef {import("./list_dialog.js").ListView} ListView
 */

/**
 * Actions of the moderators, newest first.
 * @param {Room} room
 * @returns {ListView}
 */
export function auditView(room) {
  return {
    title: strings.audit,
    emptyText: strings.auditEmpty,
    async loadPage(before) {
      const { messages, hasMore } = await room.request("audit", { limit: LIST_PAGE, ...(before && { before }) });
      const rows = messages.map(sanitizeReceived).reverse().map((entry) => ({ content: [auditSentence(entry)], note: formatShortDate(entry.ts) }));
      return { rows, next: hasMore ? messages[0]?.seq : undefined };
    },
  };
}

function auditSentence(entry) {
  return entry.kind === "delete" ? strings.deletedByModerator(quoteName(entry.nickName)) : changeSentence(entry);
}

/**
 * Valid invites of a room, each with the button that revokes the invite.
 * @param {Room} room
 * @returns {ListView}
 */
export function invitesView(room) {
  return {
    title: strings.invites,
    emptyText: strings.invitesEmpty,
    async loadPage() {
      const { invites } = await room.request("listInvites", {});
      const rows = invites.map(({ id, uses, expiresAt }) => ({
        content: [strings.inviteNumber(id)],
        note: `${strings.usesLeft(uses)} · ${strings.untilTime(formatShortDate(expiresAt))}`,
        action: { label: strings.revoke, description: strings.revokeInvite(id), run: () => room.request("revokeInvite", { id }) },
      }));
      return { rows };
    },
  };
}

/**
 * Webhooks of a room that the user may revoke, each with the button that revokes the webhook.
 * @param {Room} room
 * @returns {ListView}
 */
export function hooksView(room) {
  return {
    title: strings.hooks,
    emptyText: strings.hooksEmpty,
    async loadPage() {
      const { hooks } = await room.request("listHooks", {});
      const rows = hooks.map(sanitizeReceived).map(({ id, nickName, createdBy, createdAt }) => ({
        content: [createNickname(nickName)],
        note: `${strings.createdBy(quoteName(sanitizeReceived(createdBy).nickName))} · ${formatShortDate(createdAt)}`,
        action: { label: strings.revoke, description: strings.revokeHook(nickName), run: () => room.request("revokeHook", { id }) },
      }));
      return { rows };
    },
  };
}

/**
 * Silences and bans of a room, each with the button that ends the sanction.
 * @param {Room} room
 * @returns {ListView}
 */
export function sanctionsView(room) {
  return {
    title: strings.sanctions,
    emptyText: strings.sanctionsEmpty,
    async loadPage() {
      const sanctions = await loadSanctions(room, Date.now());
      const rows = sanctions.map((entry) => {
        const { memberId, nickName } = entry.target;
        const isBan = entry.action === "banned";
        return {
          content: [changeSentence(entry)],
          note: formatShortDate(entry.ts),
          action: {
            label: isBan ? strings.unban : strings.unsilence,
            description: isBan ? strings.unbanMember(nickName) : strings.unsilenceMember(nickName),
            run: () => room.request(isBan ? "unban" : "unmute", { memberId }),
          },
        };
      });
      return { rows };
    },
  };
}

/**
 * Members that the account has blocked, each with the button that ends the block.
 * @param {ChatSession} session
 * @returns {ListView}
 */
export function blocksView(session) {
  return {
    title: strings.blocks,
    emptyText: strings.blocksEmpty,
    getVersion: () => session.blocks.pushCount,
    async loadPage() {
      const blocks = await session.blocks.load();
      const rows = blocks.map(({ memberId, nickName, account }) => ({
        content: [nickName ? createNickname(nickName) : strings.guest],
        note: account ? strings.accountDetail(account) : strings.guest,
        action: { label: strings.unblock, description: strings.unblockMember(nickName), run: () => session.blocks.remove(memberId) },
      }));
      return { rows };
    },
  };
}

/**
 * Messages of all rooms that mention the account, newest first.
 * @param {ChatSession} session
 * @param {(room: string, seq: number) => void} onOpen
 * @returns {ListView}
 */
export function mentionsView(session, onOpen) {
  return {
    title: strings.mentions,
    emptyText: strings.mentionsEmpty,
    async loadPage(cursor) {
      const { messages, next } = await session.listMentions({ cursor, limit: LIST_PAGE });
      const rows = messages.map((message) => ({
        content: [createNickname(message.nickName), " ", excerpt(message)],
        note: `${session.titleOf(message.room)} · ${formatShortDate(message.ts)}`,
        onOpen: () => onOpen(message.room, message.seq),
      }));
      return { rows, next };
    },
  };
}
