/** DOM rendering of timeline lines. User content is inserted as text nodes only. */

import { errorText, strings } from "../i18n/strings.js";
import { applyChange } from "../state/apply_change.js";
import { actionText } from "../state/command_parser.js";
import { graphemes, quoteName } from "../state/names.js";
import { changeSentence } from "./change_sentence.js";
import { createAvatar, createButton, createBotBadge, createConfusableSign, createElement, createNickname } from "./dom.js";
import { describeContent } from "./file_captions.js";
import { formatClock, formatDate, formatDay, formatTimestamp } from "./format_time.js";
import { isEmojiOnly, linkify } from "./message_text.js";

const MAX_UNSCROLLED_LINES = 24; // longer messages scroll in their own box
const MAX_EXCERPT = 140; // grapheme clusters
const MAX_NAMES = 4; // per notice
const ENTRY_KINDS = { editMessage: "edit", deleteMessage: "delete", react: "reaction" };

/**
 * Return the element of a timeline line.
 * @param {object} line See `timeline_model.js`.
 * @param {object} actions
 * @param {(clientId: string) => void} actions.onRetry
 * @param {(clientId: string) => void} actions.onDiscard
 * @param {(clientId: string) => void} actions.onEditAgain Move a failed item back into the composer.
 * @param {(seq: number, emoji: string, on: boolean) => void} actions.onReact
 * @param {(seq: number) => void} actions.onUndoDelete
 * @param {(seq: number) => void} actions.onJumpTo Scroll to a quoted message.
 * @param {(gap: {after: number, before: number}) => Promise<boolean>} actions.onFillGap
 * @param {(attachments: import("../state/room_log.js").Attachment[]) => Node} actions.renderAttachments
 * @param {() => {memberId: string, nickName: string}} actions.ownMember
 */
export function renderLine(line, actions) {
  switch (line.kind) {
    case "day":
      return renderDay(line);
    case "unread":
      return createElement("div", "line divider unread", createElement("span", "", strings.unreadDivider));
    case "gap":
      return renderGap(line, actions);
    case "hidden":
      return createElement("p", "line notice", strings.hiddenMessages(line.count));
    case "change":
      return renderNotice([changeSentence(line.item)]);
    case "notices":
      return renderNotice(noticeSentences(line.notices));
    case "pending":
      return renderPending(line, actions);
    default:
      return renderMessage(line, actions);
  }
}

/** Return the beginning of a message with the captions of its files as one line; a sentence for a deleted message. */
export function excerpt(item) {
  if (item.deleted) return strings.deleted;
  const content = describeContent(item);
  const text = actionText(content) ?? content;
  const start = graphemes(text.slice(0, MAX_EXCERPT * 8));
  const line = start.slice(0, MAX_EXCERPT).join("").replaceAll(/\s+/gu, " ");
  return start.length > MAX_EXCERPT ? `${line}…` : line;
}

function renderDay({ ts, age }) {
  const isThisYear = new Date(ts).getFullYear() === new Date().getFullYear();
  const label = age === "older" ? (isThisYear ? formatDay(ts) : formatDate(ts)) : strings[age];
  const row = createElement("div", "line divider day", createElement("span", "", label));
  row.title = formatDate(ts);
  return row;
}

function renderGap({ after, before }, { onFillGap }) {
  const load = createButton("small-button", strings.loadGap, async () => {
    load.textContent = strings.loading;
    if (!(await onFillGap({ after, before }))) load.textContent = strings.loadGap;
  });
  const row = createElement("div", "line gap", createElement("span", "", strings.gapCount(before - after - 1)), load);
  row.dataset.after = after;
  row.dataset.before = before;
  return row;
}

/** Return the row of a message with its pending changes applied. */
function renderMessage({ item, startsGroup, isOwn, isMention, isConfusable, quoted, changes, isDeleting }, actions) {
  const presented = (changes ?? []).reduce((message, change) => withPendingChange(message, change, actions.ownMember()), item);
  const action = presented.deleted || isDeleting ? null : actionText(presented.message);
  const { row, body } = renderFrame(item.nickName, item.ts, startsGroup, action, isConfusable, item.bot);
  row.dataset.seq = item.seq;
  row.classList.toggle("own", isOwn);
  row.classList.toggle("mention", isMention);
  if (item.replyTo !== undefined) body.append(renderQuote(quoted, item.replyTo, actions));
  if (isDeleting && !presented.deleted) {
    const undo = createButton("small-button undo", strings.undo, () => actions.onUndoDelete(item.seq));
    body.append(createElement("p", "message-text deleted", strings.deleting, " ", undo));
  } else if (presented.deleted) {
    body.append(createElement("p", "message-text deleted", strings.deleted));
  } else {
    const text = renderText(action ?? presented.message, action === null ? null : item.nickName, isConfusable);
    if (presented.edited) text.append(" ", createElement("span", "edited", `(${strings.edited})`));
    if (text.hasChildNodes()) body.append(text);
    if (presented.attachments) body.append(actions.renderAttachments(presented.attachments));
    if (presented.reactions) body.append(renderReactions(presented, actions), renderReactionNames(presented));
  }
  for (const change of changes ?? []) if (change.state === "failed") body.append(renderSendError(change, strings.changeFailed, actions));
  const isPending = changes?.some(({ state }) => state !== "failed");
  if (isPending) row.append(renderDeliveryState("◌", strings.pending, "pending"));
  else if (isOwn) row.append(renderDeliveryState("✓", strings.sent, "sent"));
  row.classList.toggle("change-pending", Boolean(isPending));
  return row;
}

/** Return a message with a pending change; unchanged for a failed one. */
function withPendingChange(item, { event, body, state }, ownMember) {
  if (state === "failed") return item;
  return applyChange(item, { ...ownMember, ...body, seq: Infinity, kind: ENTRY_KINDS[event] }, ownMember.memberId);
}

/** Return the row of a message of the outbox. */
function renderPending({ item, nick, startsGroup, quoted }, actions) {
  const { message, replyTo, attachments } = item.body;
  const action = actionText(message);
  const { row, body } = renderFrame(nick, item.ts, startsGroup, action);
  row.classList.add("own", item.state);
  if (replyTo !== undefined) body.append(renderQuote(quoted, replyTo, actions));
  const text = renderText(action ?? message, action === null ? null : nick);
  if (text.hasChildNodes()) body.append(text);
  if (attachments) body.append(actions.renderAttachments(attachments));
  if (item.state === "failed") body.append(renderSendError(item, strings.sendFailed, actions));
  else row.append(renderDeliveryState(item.state === "sent" ? "✓" : "◌", strings[item.state], item.state));
  return row;
}

function renderSendError(item, summary, { onRetry, onDiscard, onEditAgain }) {
  const { clientId, event } = item;
  const reason = errorText(item);
  const retry = createButton("small-button", strings.retry, () => onRetry(clientId));
  const discard = createButton("small-button", strings.discard, () => onDiscard(clientId));
  const isText = event === "sendMessage" || event === "editMessage";
  const editAgain = isText ? [createButton("small-button", strings.edit, () => onEditAgain(clientId))] : [];
  return createElement("p", "send-error", createElement("span", "", `${summary}: ${reason}`), retry, ...editAgain, discard);
}

/** Return a message row with avatar and header, or with a time inside a group, and its body for the content. */
function renderFrame(nick, ts, startsGroup, action, isConfusable = false, isBot = false) {
  const time = createElement("time", "", formatClock(ts));
  time.dateTime = new Date(ts).toISOString();
  time.title = formatTimestamp(ts);
  const body = createElement("div", "body");
  const row = createElement("div", startsGroup ? "line message group-start" : "line message");
  row.setAttribute("role", "article");
  row.tabIndex = -1;
  if (action !== null) row.classList.add("action");
  if (startsGroup) {
    const signs = [...(isConfusable ? [createConfusableSign()] : []), ...(isBot ? [createBotBadge()] : [])];
    body.append(createElement("p", "message-header", createNickname(nick), ...signs, " ", time));
    row.append(createAvatar(nick), body);
  } else {
    if (action === null) body.append(createElement("span", "visually-hidden", `${markedNick(nick, isConfusable, isBot)}: `));
    row.append(time, body);
  }
  return { row, body };
}

/** Return a nickname with notes about a look-alike and a bot. */
function markedNick(nick, isConfusable, isBot = false) {
  const marked = isConfusable ? strings.lookAlike(nick) : nick;
  return isBot ? strings.botName(marked) : marked;
}

/**
 * @param {string} text
 * @param {string | null} actor Nickname in front of a `/me` action; null for regular messages.
 * @param {boolean} isConfusable The nickname looks like that of another member.
 */
function renderText(text, actor, isConfusable = false) {
  const element = createElement("p", "message-text");
  if (actor !== null) element.append("* ", createNickname(actor), ...(isConfusable ? [createConfusableSign()] : []), " ");
  element.append(...linkify(text));
  element.dir = "auto";
  if (actor === null && isEmojiOnly(text)) element.classList.add("emoji-only");
  if (text.split("\n").length > MAX_UNSCROLLED_LINES) {
    element.classList.add("scrollable");
    element.tabIndex = 0;
  }
  return element;
}

/** Return the quote of a reply, a button that jumps to the message; a note for a blocked author. */
function renderQuote(item, seq, { onJumpTo }) {
  if (item?.kind === "blocked") return createElement("p", "quote", strings.hiddenMessages(1));
  const row = createButton("quote", "", () => onJumpTo(seq));
  row.dir = "auto";
  if (item?.kind === "message") row.append(createNickname(item.nickName), " ", excerpt(item));
  else row.append(strings.replyTo(strings.earlierMessage));
  return row;
}

function renderReactions({ seq, reactions }, { onReact }) {
  const buttons = Object.entries(reactions).map(([emoji, { count, by, own }]) => {
    const button = createButton("reaction", "", () => onReact(seq, emoji, !own));
    button.append(createElement("span", "", emoji), " ", String(count));
    button.setAttribute("aria-pressed", String(own));
    button.title = reactorNames(by, count);
    return button;
  });
  return createElement("p", "reactions", ...buttons);
}

/** Return the names of the members who reacted, for touch screens and keyboards, which show no tooltips. */
function renderReactionNames({ reactions }) {
  const lines = Object.entries(reactions).map(([emoji, { count, by }]) => createElement("span", "", `${emoji} ${reactorNames(by, count)}`));
  const element = createElement("p", "reaction-names", ...lines);
  element.setAttribute("aria-hidden", "true"); // screen readers read the descriptions of the buttons
  return element;
}

function reactorNames(by, count) {
  return strings.listWithMore(by.map(({ nickName }) => quoteName(nickName)), count - by.length);
}

function renderDeliveryState(symbol, label, state) {
  const element = createElement("span", `delivery-state ${state}`, symbol);
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", label);
  element.title = label;
  return element;
}

function renderNotice(sentences) {
  const row = createElement("p", "line notice", sentences.join("\n"));
  row.dir = "auto";
  return row;
}

/**
 * Return lines that describe notices; consecutive joins or leaves share one sentence.
 * @param {import("../state/notice_list.js").Notice[]} notices
 */
function noticeSentences(notices) {
  /** @type {{kind: string, names: Set<string>, more: number, sentence?: string}[]} */
  const runs = [];
  for (const { kind, nickName: nick = "", oldNickName = "", text, more = 0, confusable = false } of notices) {
    const nickName = markedNick(quoteName(nick), confusable);
    const last = runs.at(-1);
    const run = { kind, names: new Set([nickName]), more };
    if (kind === "local") runs.push({ ...run, sentence: text });
    else if (kind === "assigned") runs.push({ ...run, sentence: strings.nicknameAssigned(nickName) });
    else if (kind === "nick") runs.push({ ...run, sentence: strings.nicknameChanged(quoteName(oldNickName), nickName) });
    else if (last?.kind === kind) {
      last.names.add(nickName);
      last.more += more;
    } else runs.push(run);
  }
  /** @type {string[]} */
  const lines = [];
  let canContinue = false; // in the same line; local notices have lines of their own
  for (const { kind, names, more, sentence } of runs) {
    const isLocal = kind === "local";
    const text = sentence ?? membershipSentence(kind, [...names], more);
    if (canContinue && !isLocal) lines[lines.length - 1] += ` · ${text}`;
    else lines.push(text);
    canContinue = !isLocal;
  }
  return lines;
}

/** Return the sentence of joins or leaves with up to `MAX_NAMES` names and the number of the others. */
function membershipSentence(kind, names, more) {
  const shownNames = names.slice(0, MAX_NAMES);
  const list = strings.listWithMore(shownNames, names.length - shownNames.length + more);
  return kind === "join" ? strings.membersJoined(list) : strings.membersLeft(list);
}
