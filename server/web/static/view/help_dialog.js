/** Help dialog, generated from the tables of shortcuts and commands. */

import { strings } from "../i18n/strings.js";
import { COMMANDS } from "../state/command_parser.js";
import { closeOnDismiss } from "./confirm_dialog.js";
import { createElement, requireElement } from "./dom.js";
import { commandUsage } from "./run_command.js";

/** Keys by scope; names refer to `strings.shortcuts`, scopes to `strings`. */
const SHORTCUTS = {
  shortcutsGlobal: {
    help: "?  F1",
    switchRoom: "Ctrl+K",
    search: "Ctrl+Shift+F",
    adjacentRoom: "Alt+↑  Alt+↓",
    nextUnreadRoom: "Alt+A",
    firstUnread: "Alt+U",
    newestMessage: "Esc",
  },
  shortcutsComposer: {
    send: "Enter",
    newline: "Shift+Enter",
    complete: "Tab",
    editLast: "↑",
    scroll: "PgUp  PgDn",
    selectMessage: "Shift+Tab ↑",
  },
  shortcutsMessage: { moveSelection: "↑  ↓", reply: "R", react: "A", edit: "E", delete: "D", undo: "U", copy: "Y", markUnread: "N", openTarget: "Enter", openLink: "O", backToComposer: "Esc" },
};

/** Dialog with all shortcuts and commands. */
export class HelpDialog {
  #dialog = requireElement("help-dialog", HTMLDialogElement);

  constructor() {
    closeOnDismiss(this.#dialog);
  }

  /** Render the tables in the current language and show the dialog; no effect on an open dialog. */
  open() {
    if (this.#dialog.open) return;
    const sections = Object.entries(SHORTCUTS).map(([scope, shortcuts]) =>
      renderSection(
        strings[scope],
        Object.entries(shortcuts).map(([name, keys]) => [keys.split("  ").map(renderKey), strings.shortcuts[name]]),
      ),
    );
    const commands = [...COMMANDS.keys()].map((name) => [[createElement("code", "", commandUsage(name))], strings.commandHelp[name]]);
    requireElement("help-body").replaceChildren(...sections, renderSection(strings.commands, commands), createElement("p", "intro", strings.selectionRule));
    this.#dialog.showModal();
  }
}

function renderKey(key) {
  return createElement("kbd", "", key);
}

function renderSection(title, rows) {
  const list = createElement("dl", "");
  for (const [terms, description] of rows) {
    const dt = createElement("dt", "");
    for (const term of terms) dt.append(term, " ");
    list.append(createElement("div", "", dt, createElement("dd", "", description)));
  }
  return createElement("section", "", createElement("h3", "", title), list);
}
