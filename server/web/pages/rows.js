/**
 * One line of the timeline as DOM. Whatever people wrote goes in as text nodes.
 */

import { hueOf } from "./nick_colours.js";
import { graphemes, isPicture, textNodes } from "./text.js";
import { words } from "./words.js";

const clock = new Intl.DateTimeFormat(words.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const moment = new Intl.DateTimeFormat(words.lang, { dateStyle: "full", timeStyle: "medium" });
const fullDay = new Intl.DateTimeFormat(words.lang, { weekday: "long", day: "numeric", month: "long" });
const fullDate = new Intl.DateTimeFormat(words.lang, { dateStyle: "full" });
const NAMES_TOLD = 4;
const TALL = 24; // lines of text; what is longer scrolls in its own box
const QUOTED = 140; // characters

/**
 * @param {import("./lines.js").Line} line
 * @param {object} acts
 * @param {(clientId: string) => void} acts.onRetry
 * @param {(clientId: string) => void} acts.onDiscard
 * @param {(memberId: string) => string} acts.nameOf The nickname of a member who is here.
 */
export function rowOf(line, acts) {
  switch (line.kind) {
    case "day":
      return dayRow(line);
    case "unread":
      return element("div", "line rule unread", element("span", "", words.unread));
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

/** A face: the first character of a nickname on its colour. For the eye only. */
export function face(nick) {
  const mark = coloured(element("span", "face", graphemes(nick)[0] ?? ""), nick);
  mark.setAttribute("aria-hidden", "true");
  return mark;
}

/** A nickname in its colour. */
export function nickname(nick) {
  return coloured(element("bdi", "nick", nick), nick);
}

/** An element with a class and children; strings become text. */
export function element(tag, classes, ...children) {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  made.append(...children);
  return made;
}

function coloured(made, nick) {
  made.style.setProperty("--hue", hueOf(nick));
  return made;
}

function dayRow({ ts, age }) {
  const thisYear = new Date(ts).getFullYear() === new Date().getFullYear();
  const label = age === "older" ? (thisYear ? fullDay : fullDate).format(ts) : words[age];
  const row = element("div", "line rule day", element("span", "", label));
  row.title = fullDate.format(ts);
  return row;
}

function messageRow({ item, head, own, mention, quoted }, acts) {
  const row = frame(item.nickName, item.ts, head);
  row.dataset.seq = item.seq;
  row.classList.toggle("own", own);
  row.classList.toggle("mention", mention);
  const body = row.querySelector(".body");
  if (item.replyTo !== undefined) body.append(quote(quoted));
  if (item.deleted) {
    body.append(element("p", "said gone", words.deleted));
    return row;
  }
  const said = saidText(item.message);
  if (item.edited) said.append(" ", element("span", "edited", `(${words.edited})`));
  body.append(said);
  if (item.reactions) body.append(reactions(item.reactions, acts));
  if (own) row.append(stateMark("✓", words.sent, "sent"));
  return row;
}

function pendingRow({ pending, nick, head }, { onRetry, onDiscard }) {
  const row = frame(nick, pending.ts, head);
  row.classList.add("own", pending.state);
  const body = row.querySelector(".body");
  body.append(saidText(pending.text));
  if (pending.state === "failed") {
    const why = words.errors[pending.code] ?? words.errors.internal;
    const retry = button(words.retry, () => onRetry(pending.clientId));
    const discard = button(words.discard, () => onDiscard(pending.clientId));
    body.append(element("p", "trouble", element("span", "", `${words.failed}: ${why}`), retry, discard));
  } else {
    row.append(stateMark(pending.state === "sent" ? "✓" : "◌", words[pending.state], pending.state));
  }
  return row;
}

function frame(nick, ts, head) {
  const time = element("time", "", clock.format(ts));
  time.dateTime = new Date(ts).toISOString();
  time.title = moment.format(ts);
  const body = element("div", "body");
  const row = element("div", head ? "line message head" : "line message");
  if (head) {
    body.append(element("p", "who", nickname(nick), " ", time));
    row.append(face(nick), body);
  } else {
    body.append(element("span", "unseen", `${nick}: `));
    row.append(time, body);
  }
  return row;
}

function saidText(text) {
  const said = element("p", "said", ...textNodes(text));
  said.dir = "auto";
  if (isPicture(text)) said.classList.add("picture");
  if (text.split("\n").length > TALL) {
    said.classList.add("tall");
    said.tabIndex = 0;
  }
  return said;
}

function quote(item) {
  const row = element("p", "quote");
  row.dir = "auto";
  if (item?.kind === "message") {
    const start = graphemes(item.deleted ? words.deleted : item.message);
    const text = start.slice(0, QUOTED).join("").replaceAll("\n", " ");
    row.append(nickname(item.nickName), " ", start.length > QUOTED ? `${text}…` : text);
  } else {
    row.append(words.replyTo(words.earlier));
  }
  return row;
}

function reactions(chosen, { nameOf }) {
  const chips = Object.entries(chosen).map(([emoji, memberIds]) => {
    const chip = element("span", "chip", element("span", "", emoji), " ", String(memberIds.length));
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

function button(label, act) {
  const made = element("button", "small", label);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

function noticeRow(sentences) {
  const row = element("p", "line notice", sentences.join(" · "));
  row.dir = "auto";
  return row;
}

function topicWords({ nickName, topic }) {
  return topic ? words.topicSet(nickName, topic) : words.topicCleared(nickName);
}

/** One sentence for each run of notices of one kind: comings, goings, new names. */
function noticeWords(notices) {
  const runs = [];
  for (const { kind, nickName, oldNickName, more = 0 } of notices) {
    if (kind === "you") runs.push({ kind, sentence: words.youAre(nickName) });
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
