/**
 * The keys and commands of the page: one table, from which the help is made.
 */

import { words } from "../i18n/strings.js";
import { COMMANDS } from "../state/command_parser.js";
import { closable } from "./confirm_dialog.js";
import { element } from "./dom.js";

/** Where each key works; its name in `words.keys`, and how it is pressed. */
export const KEYS = {
  anywhere: {
    help: "?  F1",
    switcher: "Ctrl+K",
    searching: "Ctrl+Shift+F",
    rooms: "Alt+↑  Alt+↓",
    unreadRoom: "Alt+A",
    firstUnread: "Alt+U",
    toNewest: "Esc",
  },
  writing: {
    send: "Enter",
    newline: "Shift+Enter",
    editLast: "↑",
    pages: "PgUp  PgDn",
    pick: "Shift+Tab ↑",
  },
  onMessage: { move: "↑  ↓", reply: "R", react: "A", edit: "E", remove: "D", copy: "Y", open: "Enter", back: "Esc" },
};

export class Help {
  #dialog = document.getElementById("help");

  constructor() {
    closable(this.#dialog);
  }

  open() {
    if (this.#dialog.open) return;
    const keys = Object.entries(KEYS).map(([place, table]) =>
      section(
        words[place],
        Object.entries(table).map(([name, pressed]) => [pressed.split("  ").map(key), words.keys[name]]),
      ),
    );
    const commands = Object.entries(COMMANDS).map(([name, argument]) => [
      [element("code", "", argument ? `/${name} ${words.arguments[argument]}` : `/${name}`)],
      words.commandHelp[name],
    ]);
    document.getElementById("help-body").replaceChildren(...keys, section(words.commands, commands));
    this.#dialog.showModal();
  }
}

function key(pressed) {
  return element("kbd", "", pressed);
}

function section(title, rows) {
  const list = element("dl", "");
  for (const [terms, meaning] of rows) {
    const term = element("dt", "");
    for (const one of terms) term.append(one, " ");
    list.append(element("div", "", term, element("dd", "", meaning)));
  }
  return element("section", "", element("h3", "", title), list);
}
