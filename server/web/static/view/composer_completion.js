/**
 * Completion in the composer: nicknames after `@`, commands after `/`, and arguments of commands.
 *
 * - A list is open while the text before the cursor is the start of an option.
 * - Tab inserts the selected option or the first one. Arrow keys select, Enter inserts a selected option, and Escape
 *   closes the list. Without a selection, Enter still sends the message.
 * - Unlisted members are loaded after a pause in typing.
 */

import { strings } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { completeCommand, findCommand } from "../state/command_parser.js";
import { NICKNAME_GRAPHEMES } from "../state/limits.js";
import { isInsideAddress } from "../state/mentions.js";
import { canonicalName } from "../state/names.js";
import { POLICY_FIELDS, policyValues } from "../state/policy.js";
import { closestElement, createAvatar, createElement, createNickname, requireElement, selectOption, setText } from "./dom.js";
import { commandUsage } from "./run_command.js";

const MAX_NICKS = 8;
const LOAD_LIMIT = 200; // members with the typed text anywhere in their nickname
const COMPLETION_DELAY = 300; // ms
const MENTION = new RegExp(`@([^@\\n]{1,${NICKNAME_GRAPHEMES}})$`, "u");
const COMMAND = /^\/[^\s/]*$/u;
const ARGUMENT = /^\/([^\s/]+) +@?(.*)$/u;

/**
 * @typedef {import("../state/room.js").Room} Room
 * @typedef {"nick" | "command" | "word"} OptionKind
 * @typedef {{kind: OptionKind, query: string}} Target Kind of the options, and the typed part.
 */

/** Completion list of the composer. */
export class ComposerCompletion {
  #field = requireElement("composer-input", HTMLTextAreaElement);
  #list = requireElement("composer-completion");
  #status = requireElement("composer-completion-status");
  #getRoom;
  #timer = 0;
  #isLoading = false;
  #isDismissed = false; // closed by Escape since the last input
  /** @type {string[]} */
  #options = [];
  /** @type {OptionKind} */
  #kind = "nick";
  #selectedIndex = -1;

  /** @param {() => Room | null | undefined} getRoom Returns the visible room. */
  constructor(getRoom) {
    this.#getRoom = getRoom;
    this.#field.addEventListener("input", () => {
      this.#isDismissed = false;
      this.#update();
      clearTimeout(this.#timer);
      if (this.#nickQuery) this.#timer = setTimeout(() => this.#load(), COMPLETION_DELAY);
    });
    // Capture: before the composer sends at Enter.
    this.#field.addEventListener("keydown", (event) => this.#onKeyDown(event), { capture: true });
    for (const element of [this.#field, this.#list]) {
      element.addEventListener("blur", ({ relatedTarget }) => relatedTarget === this.#field || relatedTarget === this.#list || this.close());
    }
    this.#field.form?.addEventListener("submit", () => this.close());
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus in the composer
    this.#list.addEventListener("click", ({ target }) => {
      const index = closestElement(target, "[role=option]")?.dataset.index;
      if (index !== undefined) this.#insert(this.#options[Number(index)]);
    });
  }

  /** Close the list, and cancel a scheduled load. */
  close() {
    clearTimeout(this.#timer);
    this.#show([], this.#kind);
  }

  /** @returns {Target | null} Completed part of the text before the cursor. */
  get #target() {
    const { value, selectionStart, selectionEnd } = this.#field;
    if (selectionStart !== selectionEnd) return null;
    const text = value.slice(0, selectionStart);
    if (COMMAND.test(text)) return { kind: "command", query: text };
    const [, name = "", argument = ""] = text.match(ARGUMENT) ?? [];
    const completion = findCommand(name)?.completion;
    if (completion === "policy") return { kind: "word", query: argument };
    if (completion === "nick" && argument.trim()) return { kind: "nick", query: argument };
    const mention = text.match(MENTION);
    return mention && mention[1].trim() && !isInsideAddress(text.slice(0, mention.index)) ? { kind: "nick", query: mention[1] } : null;
  }

  /** Typed part of a nickname; empty otherwise. */
  get #nickQuery() {
    const target = this.#target;
    return target?.kind === "nick" ? target.query : "";
  }

  /** Select, insert or dismiss an option; no effect with a closed list, a modifier or during a composition. */
  #onKeyDown(event) {
    if (!this.#options.length || event.isComposing || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const isInsertion = event.key === "Tab" || (event.key === "Enter" && this.#selectedIndex >= 0);
    if (!step && !isInsertion && event.key !== "Escape") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (step) this.#select(this.#selectedIndex + step);
    else if (isInsertion) this.#insert(this.#options[Math.max(0, this.#selectedIndex)]);
    else this.#dismiss();
  }

  /** Close the list until the next input, even for a load in progress. */
  #dismiss() {
    this.#isDismissed = true;
    this.close();
  }

  #insert(option) {
    const end = this.#field.selectionStart;
    const { kind, query } = this.#target ?? { kind: "nick", query: "" };
    const typed = kind === "word" ? (query.split(" ").at(-1) ?? "") : query;
    this.#field.setRangeText(`${option} `, end - typed.length, end, "end");
    this.close();
    this.#field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Load the unlisted members for the typed nickname, again if the text changes, and update the list. */
  async #load() {
    const room = this.#getRoom();
    if (!room || this.#isLoading) return;
    this.#isLoading = true;
    let query;
    try {
      do {
        query = this.#nickQuery;
        if (query) await room.roster.load(query, LOAD_LIMIT);
      } while (query !== this.#nickQuery && room === this.#getRoom());
      if (query && !this.#isDismissed && document.activeElement === this.#field) this.#update();
    } catch (error) {
      requireRequestError(error); // stored nicknames are still completed
    } finally {
      this.#isLoading = false;
    }
  }

  #update() {
    const room = this.#getRoom();
    const target = this.#target;
    if (room && target) this.#show(matchingOptions(target, room), target.kind);
    else this.close();
  }

  /**
   * @param {string[]} options
   * @param {OptionKind} kind
   */
  #show(options, kind) {
    if (kind === this.#kind && options.join("\n") === this.#options.join("\n")) return; // keeps the selection
    this.#options = options;
    this.#kind = kind;
    this.#list.setAttribute("aria-label", { nick: strings.members, command: strings.commands, word: strings.values }[kind]);
    this.#list.replaceChildren(...options.map((option, index) => renderCompletion(option, index, kind)));
    this.#list.hidden = !options.length;
    setText(this.#status, options.length ? strings.completionHint(options[0], options.length) : "");
    this.#select(-1);
  }

  /** Select an option; -1 for none. */
  #select(index) {
    this.#selectedIndex = Math.max(-1, Math.min(index, this.#options.length - 1));
    selectOption(this.#field, [...this.#list.children], this.#selectedIndex);
    this.#list.children[this.#selectedIndex]?.scrollIntoView({ block: "nearest" });
  }
}

/**
 * @param {Target} target
 * @param {Room} room
 */
function matchingOptions({ kind, query }, room) {
  if (kind === "nick") return matchingNicks(room, query);
  if (kind === "command") return completeCommand(query.slice(1)).map((name) => `/${name}`).filter((name) => name !== query.toLowerCase());
  const [field, value] = query.split(" ");
  const options = value === undefined ? POLICY_FIELDS : policyValues(field);
  const typed = (value ?? field).toLowerCase();
  return options.filter((option) => option.toLowerCase().startsWith(typed) && option.toLowerCase() !== typed);
}

/**
 * Return the first `MAX_NICKS` nicknames of other members that start with a text, latest speakers first.
 * @param {Room} room
 * @param {string} query
 */
function matchingNicks({ members, ownMemberIds, log }, query) {
  const key = canonicalName(query) + (query.endsWith(" ") ? " " : "");
  const lastSeqs = new Map(log.items.map(({ memberId, seq }) => [memberId, seq]));
  return [...members.values()]
    .filter(({ memberId, nickName }) => !ownMemberIds.has(memberId) && canonicalName(nickName).startsWith(key))
    .sort((first, second) => (lastSeqs.get(second.memberId) ?? 0) - (lastSeqs.get(first.memberId) ?? 0) || first.nickName.localeCompare(second.nickName, strings.lang))
    .slice(0, MAX_NICKS)
    .map(({ nickName }) => nickName);
}

/**
 * @param {string} text
 * @param {number} index
 * @param {OptionKind} kind
 */
function renderCompletion(text, index, kind) {
  const option = createElement("li", "option", ...optionContent(text, kind));
  option.id = `completion-option-${index}`;
  option.dataset.index = String(index);
  option.setAttribute("role", "option");
  return option;
}

/**
 * @param {string} text
 * @param {OptionKind} kind
 */
function optionContent(text, kind) {
  if (kind === "nick") return [createAvatar(text), createNickname(text)];
  const name = text.slice(1);
  if (kind === "word" || !strings.commandHelp[name]) return [createElement("code", "", text)];
  return [createElement("code", "", commandUsage(name)), createElement("span", "note", strings.commandHelp[name])];
}
