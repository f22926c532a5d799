/**
 * What you choose for this browser: looks, language, notifications; and your nickname.
 */

import { CHOICES, chooseLanguage, chosenLanguage, words } from "../i18n/strings.js";
import { passOver } from "../net/socket.js";
import { lasting } from "../state/storage.js";
import { closable } from "./confirm_dialog.js";
import { element, say } from "./dom.js";

const THEMES = ["", "light", "dark"];

export class Settings {
  #dialog = document.getElementById("settings");
  #nick = document.getElementById("new-nick");
  #problem = document.getElementById("nick-problem");
  #notify = document.getElementById("notify");
  #hide = document.getElementById("notify-hide");
  #notifier;
  #onLanguage;

  /**
   * @param {object} to
   * @param {() => import("../state/chat_session.js").Chat} to.chat
   * @param {import("./notifier.js").Notifier} to.notifier
   * @param {() => void} to.onLanguage The words are others now.
   */
  constructor({ chat, notifier, onLanguage }) {
    this.#notifier = notifier;
    this.#onLanguage = onLanguage;
    closable(this.#dialog);
    document.getElementById("nick-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#rename(chat());
    });
    this.#notify.addEventListener("change", () => this.#allow());
    this.#hide.addEventListener("change", () => (notifier.hidesText = this.#hide.checked));
    wear(chosenTheme());
  }

  /** @param {string} nick The one you have. */
  open(nick) {
    this.#nick.value = nick;
    say(this.#problem, "");
    this.#draw();
    this.#dialog.showModal();
  }

  #draw() {
    const themes = { "": words.likeSystem, light: words.light, dark: words.dark };
    choice("theme", themes, chosenTheme(), (theme) => {
      if (theme) lasting.put("theme", theme);
      else lasting.drop("theme");
      wear(theme);
    });
    choice("language", { "": words.likeBrowser, ...CHOICES }, chosenLanguage(), (language) => {
      chooseLanguage(language);
      this.#onLanguage();
      this.#draw();
      document.querySelector("#language-choice :checked").focus();
    });
    this.#notify.checked = this.#notifier.wanted;
    this.#hide.checked = this.#notifier.hidesText;
    this.#hide.disabled = !this.#notify.checked;
    this.#explain();
  }

  async #allow() {
    await this.#notifier.want(this.#notify.checked);
    const denied = this.#notify.checked && !this.#notifier.wanted;
    this.#notify.checked = this.#notifier.wanted;
    this.#hide.disabled = !this.#notify.checked;
    this.#explain(denied);
  }

  #explain(denied = false) {
    const { possible } = this.#notifier;
    this.#notify.disabled = !possible;
    const problem = possible ? (denied ? words.notifyDenied : "") : words.notifyInsecure;
    say(document.getElementById("notify-problem"), problem);
  }

  async #rename(chat) {
    const nick = this.#nick.value.trim();
    if (!nick) return say(this.#problem, words.nickNeeded);
    try {
      this.#nick.value = await chat.changeNick(nick);
      this.#dialog.close();
    } catch (refusal) {
      passOver(refusal);
      say(this.#problem, words.errors[refusal.code] ?? words.errors.internal);
    }
    return undefined;
  }
}

function chosenTheme() {
  const theme = lasting.get("theme", "");
  return THEMES.includes(theme) ? theme : "";
}

function wear(theme) {
  document.documentElement.dataset.theme = theme;
  const colours = { light: "#fbfbfa", dark: "#161816" };
  for (const [own, meta] of ["light", "dark"].map((one, at) => [one, document.querySelectorAll('meta[name="theme-color"]')[at]])) {
    meta.content = colours[theme || own];
  }
}

/** Fills a group of radio buttons. */
function choice(name, labels, chosen, choose) {
  const group = document.getElementById(`${name}-choice`);
  const options = Object.entries(labels).map(([value, label]) => {
    const radio = element("input", "");
    Object.assign(radio, { type: "radio", name, value, checked: value === chosen });
    radio.addEventListener("change", () => choose(value));
    return element("label", "", radio, element("span", "", label));
  });
  group.replaceChildren(group.querySelector("legend"), element("div", "options", ...options));
}
