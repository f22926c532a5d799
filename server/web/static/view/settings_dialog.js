/**
 * Settings dialog: nickname, theme, language and notifications.
 */

import { LANGUAGE_NAMES, setLanguage, storedLanguage, strings } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { localStore } from "../state/storage.js";
import { closeOnDismiss } from "./confirm_dialog.js";
import { createElement, setText } from "./dom.js";

const THEMES = ["", "light", "dark"];

export class SettingsDialog {
  #dialog = document.getElementById("settings-dialog");
  #nick = document.getElementById("settings-nick");
  #nickError = document.getElementById("settings-nick-error");
  #notifyEnabled = document.getElementById("notify-enabled");
  #notifyHideText = document.getElementById("notify-hide-text");
  #notifier;
  #onLanguageChange;

  /**
   * @param {object} options
   * @param {() => import("../state/chat_session.js").ChatSession} options.getSession
   * @param {import("./notifier.js").Notifier} options.notifier
   * @param {() => void} options.onLanguageChange
   */
  constructor({ getSession, notifier, onLanguageChange }) {
    this.#notifier = notifier;
    this.#onLanguageChange = onLanguageChange;
    closeOnDismiss(this.#dialog);
    document.getElementById("settings-nick-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#changeNick(getSession());
    });
    this.#notifyEnabled.addEventListener("change", () => this.#toggleNotifications());
    this.#notifyHideText.addEventListener("change", () => (notifier.isTextHidden = this.#notifyHideText.checked));
    applyTheme(storedTheme());
  }

  /** @param {string} nick Current nickname. */
  open(nick) {
    this.#nick.value = nick;
    setText(this.#nickError, "");
    this.#render();
    this.#dialog.showModal();
  }

  #render() {
    const themes = { "": strings.themeSystem, light: strings.themeLight, dark: strings.themeDark };
    renderRadioGroup("theme", themes, storedTheme(), (theme) => {
      if (theme) localStore.set("theme", theme);
      else localStore.remove("theme");
      applyTheme(theme);
    });
    renderRadioGroup("language", { "": strings.languageAuto, ...LANGUAGE_NAMES }, storedLanguage(), (language) => {
      setLanguage(language);
      this.#onLanguageChange();
      this.#render();
      document.querySelector("#language-options :checked").focus();
    });
    this.#notifyEnabled.checked = this.#notifier.isEnabled;
    this.#notifyHideText.checked = this.#notifier.isTextHidden;
    this.#notifyHideText.disabled = !this.#notifyEnabled.checked;
    this.#showNotifyState();
  }

  async #toggleNotifications() {
    await this.#notifier.setEnabled(this.#notifyEnabled.checked);
    const isDenied = this.#notifyEnabled.checked && !this.#notifier.isEnabled;
    this.#notifyEnabled.checked = this.#notifier.isEnabled;
    this.#notifyHideText.disabled = !this.#notifyEnabled.checked;
    this.#showNotifyState(isDenied);
  }

  #showNotifyState(isDenied = false) {
    const { isSupported } = this.#notifier;
    this.#notifyEnabled.disabled = !isSupported;
    const error = isSupported ? (isDenied ? strings.notifyDenied : "") : strings.notifyInsecure;
    setText(document.getElementById("notify-error"), error);
  }

  async #changeNick(session) {
    const nick = this.#nick.value.trim();
    if (!nick) return setText(this.#nickError, strings.nicknameRequired);
    try {
      this.#nick.value = await session.changeNick(nick);
      this.#dialog.close();
    } catch (error) {
      requireRequestError(error);
      const isTooLong = error.code === "too_long";
      setText(this.#nickError, isTooLong ? strings.nicknameTooLong : (strings.errors[error.code] ?? strings.errors.internal));
    }
    return undefined;
  }
}

function storedTheme() {
  const theme = localStore.get("theme", "");
  return THEMES.includes(theme) ? theme : "";
}

function applyTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const colors = { light: "#fbfbfa", dark: "#161816" };
  for (const [scheme, meta] of ["light", "dark"].map((scheme, index) => [scheme, document.querySelectorAll('meta[name="theme-color"]')[index]])) {
    meta.content = colors[theme || scheme];
  }
}

/** Fill a radio button group. */
function renderRadioGroup(name, labels, selected, onSelect) {
  const group = document.getElementById(`${name}-options`);
  const options = Object.entries(labels).map(([value, label]) => {
    const radio = createElement("input", "");
    Object.assign(radio, { type: "radio", name, value, checked: value === selected });
    radio.addEventListener("change", () => onSelect(value));
    return createElement("label", "", radio, createElement("span", "", label));
  });
  group.replaceChildren(group.querySelector("legend"), createElement("div", "segmented", ...options));
}
