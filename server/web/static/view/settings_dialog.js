/**
 * Settings dialog: nickname, theme, language, join and leave notices, and notifications.
 */

import { LANGUAGE_NAMES, errorText, setLanguage, storedLanguage, strings } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { storedJoinVisibility } from "../state/join_visibility.js";
import { localStore } from "../state/storage.js";
import { closeOnDismiss } from "./confirm_dialog.js";
import { createElement, markInvalid, queryElement, requireElement, setText } from "./dom.js";

const THEMES = ["", "light", "dark"];
/** @type {Record<string, string>} */
const THEME_COLORS = { light: "#fbfbfa", dark: "#161816" };

export class SettingsDialog {
  #dialog = requireElement("settings-dialog", HTMLDialogElement);
  #nick = requireElement("settings-nick", HTMLInputElement);
  #nickError = requireElement("settings-nick-error");
  #notifyEnabled = requireElement("notify-enabled", HTMLInputElement);
  #notifyHideText = requireElement("notify-hide-text", HTMLInputElement);
  #notifier;
  #onLanguageChange;
  #onJoinVisibilityChange;

  /**
   * @param {object} options
   * @param {() => import("../state/chat_session.js").ChatSession} options.getSession
   * @param {import("./notifier.js").Notifier} options.notifier
   * @param {() => void} options.onLanguageChange
   * @param {(visibility: import("../state/join_visibility.js").JoinVisibility) => void} options.onJoinVisibilityChange
   */
  constructor({ getSession, notifier, onLanguageChange, onJoinVisibilityChange }) {
    this.#notifier = notifier;
    this.#onLanguageChange = onLanguageChange;
    this.#onJoinVisibilityChange = onJoinVisibilityChange;
    closeOnDismiss(this.#dialog);
    requireElement("settings-nick-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#changeNick(getSession());
    });
    this.#nick.addEventListener("input", () => this.#showNickError(""));
    this.#notifyEnabled.addEventListener("change", () => this.#toggleNotifications());
    this.#notifyHideText.addEventListener("change", () => (notifier.isTextHidden = this.#notifyHideText.checked));
    applyTheme(storedTheme());
  }

  /** @param {string} nick Current nickname. */
  open(nick) {
    this.#nick.value = nick;
    this.#showNickError("");
    this.#render();
    this.#dialog.showModal();
  }

  close() {
    this.#dialog.close();
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
      queryElement(document, "#language-options :checked")?.focus();
    });
    const joins = { all: strings.joinsAll, smart: strings.joinsSmart, none: strings.joinsNone };
    renderRadioGroup("joins", joins, storedJoinVisibility(), (visibility) => {
      localStore.set("joins", visibility);
      this.#onJoinVisibilityChange(visibility);
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
    setText(requireElement("notify-error"), error);
  }

  async #changeNick(session) {
    const nick = this.#nick.value.trim();
    if (!nick) return this.#showNickError(strings.nicknameRequired);
    try {
      this.#nick.value = await session.changeNick(nick);
      this.#dialog.close();
    } catch (error) {
      this.#showNickError(errorText(requireRequestError(error)));
    }
    return undefined;
  }

  #showNickError(error) {
    setText(this.#nickError, error);
    markInvalid(this.#nick, error !== "");
  }
}

function storedTheme() {
  const theme = localStore.get("theme", "");
  return THEMES.includes(theme) ? theme : "";
}

function applyTheme(theme) {
  document.documentElement.dataset.theme = theme;
  /** @type {NodeListOf<HTMLMetaElement>} */
  const metas = document.querySelectorAll('meta[name="theme-color"]'); // for light and dark
  metas.forEach((meta, index) => (meta.content = THEME_COLORS[theme || ["light", "dark"][index]]));
}

/** Fill a radio button group. */
function renderRadioGroup(name, labels, selected, onSelect) {
  const group = requireElement(`${name}-options`);
  const options = Object.entries(labels).map(([value, label]) => {
    const radio = createElement("input", "");
    Object.assign(radio, { type: "radio", name, value, checked: value === selected });
    radio.addEventListener("change", () => onSelect(value));
    return createElement("label", "", radio, createElement("span", "", label));
  });
  group.replaceChildren(group.querySelector("legend") ?? "", createElement("div", "segmented", ...options));
}
