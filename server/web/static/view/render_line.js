/**
 * One line of the timeline as DOM. Whatever people wrote goes in as text nodes.
 */

import { words } from "../i18n/strings.js";
import { changed } from "../state/apply_change.js";
import { actionOf } from "../state/command_parser.js";
import { button, element, face, nickname } from "./dom.js";
import { clock, fullDate, fullDay, moment } from "./format_time.js";
import { graphemes, isPicture, textNodes } from "./message_text.js";

const TALL = 24; // lines of text; what is longer scrolls in its own box
const QUOTED = 140; // characters

/**
 * @param {import("../state/timeline_model.js").Line} line
 * @param {object} acts
 * @param {(clientId: string) => void} acts.onRetry
 * @param {(clientId: string) => void} acts.onDiscard
 * @param {(clientId: string) => void} acts.onRewrite Takes it back into the composer.
 * @param {(seq: number, emoji: string, on: boolean) => void} acts.onReact
 * @param {(seq: number) => void} acts.onReach Goes to the message that is quoted.
 * @param {(gap: {after: number, before: number}) => Promise<boolean>} acts.onFill
 * @param {(memberId: string) => string} acts.nameOf The nickname of a member who is here.
 * @param {() => string} acts.me Your own member id.
 */
export function rowOf(line, acts) {
  switch (line.kind) {
    case "day":
      return dayRow(line);
    case "unread":
      return element("div", "line rule unread", element("span", "", words.unread));
    case "gap":
      return gapRow(line, acts);
    case "topic":
      return noticeRow([topicWords(line.item)]);
    case "notices":
      return noticeRow(noticeWords(line.notices));
    case "pending":
      return pendingRow(line, acts);
    default:
      return messageRow(line, acts);
  }
}

/** The start of what somebody said, on one line. */
export function inOneLine(item) {
  if (item.deleted) return words.deleted;
  const text = actionOf(item.message) ?? item.message;
  const start = graphemes(text.slice(0, QUOTED * 8));
  const line = start.slice(0, QUOTED).join("").replaceAll(/\s+/gu, " ");
  return start.length > QUOTED ? `${line}…` : line;
}

function dayRow({ ts, age }) {
  const thisYear = new Date(ts).getFullYear() === new Date().getFullYear();
  const label = age === "older" ? (thisYear ? fullDay(ts) : fullDate(ts)) : words[age];
  const row = element("div", "line rule day", element("span", "", label));
  row.title = fullDate(ts);
  return row;
}

function gapRow({ after, before }, { onFill }) {
  const load = button("small", words.load, async () => {
    load.textContent = words.loadingGap;
    if (!(await onFill({ after, before }))) load.textContent = words.load;
  });
  const row = element("div", "line gap", element("span", "", words.gap(before - after - 1)), load);
  row.dataset.after = after;
  row.dataset.before = before;
  return row;
}

function messageRow({ item, head, own, mention, quoted, posts }, acts) {
  const shown = (posts ?? []).reduce((one, post) => foreseen(one, post, acts.me()), item);
  const action = shown.deleted ? null : actionOf(shown.message);
  const row = frame(item.nickName, item.ts, head, action);
  row.dataset.seq = item.seq;
  row.classList.toggle("own", own);
  row.classList.toggle("mention", mention);
  const body = row.querySelector(".body");
  if (item.replyTo !== undefined) body.append(quote(quoted, item.replyTo, acts));
  if (shown.deleted) {
    body.append(element("p", "said gone", words.deleted));
  } else {
    const said = saidText(action ?? shown.message, action === null ? null : item.nickName);
    if (shown.edited) said.append(" ", element("span", "edited", `(${words.edited})`));
    body.append(said);
    if (shown.reactions) body.append(reactions(shown, acts));
  }
  for (const post of posts ?? []) if (post.state === "failed") body.append(trouble(post, words.changeFailed, acts));
  const waiting = posts?.some(({ state }) => state !== "failed");
  if (waiting) row.append(stateMark("◌", words.pending, "pending"));
  else if (own) row.append(stateMark("✓", words.sent, "sent"));
  row.classList.toggle("changing", Boolean(waiting));
  return row;
}

/** A message as it will read when the server has taken what you did to it. */
function foreseen(item, { event, body, state }, me) {
  if (state === "failed") return item;
  const change = { seq: Infinity, memberId: me, ...body, kind: KINDS[event] };
  return { ...changed(item, { ...change, seq: Infinity }), asOf: 0 };
}

const KINDS = { editMessage: "edit", deleteMessage: "delete", react: "reaction" };

function pendingRow({ pending, nick, head, quoted }, acts) {
  const { message, replyTo } = pending.body;
  const action = actionOf(message);
  const row = frame(nick, pending.ts, head, action);
  row.classList.add("own", pending.state);
  const body = row.querySelector(".body");
  if (replyTo !== undefined) body.append(quote(quoted, replyTo, acts));
  body.append(saidText(action ?? message, action === null ? null : nick));
  if (pending.state === "failed") body.append(trouble(pending, words.failed, acts));
  else row.append(stateMark(pending.state === "sent" ? "✓" : "◌", words[pending.state], pending.state));
  return row;
}

function trouble({ clientId, event, code }, what, { onRetry, onDiscard, onRewrite }) {
  const why = words.errors[code] ?? words.errors.internal;
  const retry = button("small", words.retry, () => onRetry(clientId));
  const discard = button("small", words.discard, () => onDiscard(clientId));
  const written = event === "sendMessage" || event === "editMessage";
  const rewrite = written ? [button("small", words.edit, () => onRewrite(clientId))] : [];
  return element("p", "trouble", element("span", "", `${what}: ${why}`), retry, ...rewrite, discard);
}

function frame(nick, ts, head, action) {
  const time = element("time", "", clock(ts));
  time.dateTime = new Date(ts).toISOString();
  time.title = moment(ts);
  const body = element("div", "body");
  const row = element("div", head ? "line message head" : "line message");
  row.setAttribute("role", "article");
  row.tabIndex = -1;
  if (action !== null) row.classList.add("action");
  if (head) {
    body.append(element("p", "who", nickname(nick), " ", time));
    row.append(face(nick), body);
  } else {
    if (action === null) body.append(element("span", "unseen", `${nick}: `));
    row.append(time, body);
  }
  return row;
}

/** @param {string | null} actor Who does what the text says, of an action. */
function saidText(text, actor) {
  const said = element("p", "said");
  if (actor !== null) said.append("* ", nickname(actor), " ");
  said.append(...textNodes(text));
  said.dir = "auto";
  if (actor === null && isPicture(text)) said.classList.add("picture");
  if (text.split("\n").length > TALL) {
    said.classList.add("tall");
    said.tabIndex = 0;
  }
  return said;
}

function quote(item, seq, { onReach }) {
  const row = button("quote", "", () => onReach(seq));
  row.dir = "auto";
  if (item?.kind === "message") row.append(nickname(item.nickName), " ", inOneLine(item));
  else row.append(words.replyTo(words.earlier));
  return row;
}

function reactions({ seq, reactions: chosen }, { nameOf, onReact, me }) {
  const chips = Object.entries(chosen).map(([emoji, memberIds]) => {
    const mine = memberIds.includes(me());
    const chip = button("chip", "", () => onReact(seq, emoji, !mine));
    chip.append(element("span", "", emoji), " ", String(memberIds.length));
    chip.setAttribute("aria-pressed", String(mine));
    chip.title = memberIds.map(nameOf).filter(Boolean).join(", ");
    return chip;
  });
  return element("p", "chips", ...chips);
}

function stateMark(sign, meaning, state) {
  const made = element("span", `state ${state}`, sign);
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", meaning);
  made.title = meaning;
  return made;
}

function noticeRow(sentences) {
  const row = element("p", "line notice", sentences.join(" · "));
  row.dir = "auto";
  return row;
}

const NAMES_TOLD = 4;

/** The sentence for a change of topic. */
export function topicWords({ nickName, topic }) {
  return topic ? words.topicSet(nickName, topic) : words.topicCleared(nickName);
}

/** One sentence for each run of notices of one kind: comings, goings, new names. */
export function noticeWords(notices) {
  const runs = [];
  for (const { kind, nickName, oldNickName, text, more = 0 } of notices) {
    if (kind === "told") runs.push({ kind, sentence: text });
    else if (kind === "you") runs.push({ kind, sentence: words.youAre(nickName) });
    else if (kind === "nick") runs.push({ kind, sentence: words.renamed(oldNickName, nickName) });
    else if (runs.at(-1)?.kind === kind) {
      runs.at(-1).names.add(nickName);
      runs.at(-1).more += more;
    } else runs.push({ kind, names: new Set([nickName]), more });
  }
  return runs.map(({ kind, names, more, sentence }) => {
    if (sentence) return sentence;
    const told = [...names].slice(0, NAMES_TOLD);
    const who = words.and(told, names.size - told.length + more);
    return kind === "join" ? words.joined(who) : words.left(who);
  });
}
