/** Settings dialog: nickname, status, automatic status, theme, language, join and leave notices, and notifications. */

import { LANGUAGE_NAMES, errorText, setLanguage, storedLanguage, strings } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { MAX_AWAY_AFTER, isValidAwayAfter, storeAwayAfter, storedAwayAfter } from "../state/auto_away.js";
import { storedJoinVisibility } from "../state/join_visibility.js";
import { localStore } from "../state/storage.js";
import { closeOnDismiss } from "./confirm_dialog.js";
import { createElement, markInvalid, queryElement, requireElement, setText } from "./dom.js";

const THEMES = ["", "light", "dark"];
/** @type {Record<string, string>} */
const THEME_COLORS = { light: "#fbfbfa", dark: "#161816" };

/** Settings of the page and of the user; the constructor applies the stored theme. */
export class SettingsDialog {
  #dialog = requireElement("settings-dialog", HTMLDialogElement);
  #nick = requireElement("settings-nick", HTMLInputElement);
  #nickError = requireElement("settings-nick-error");
  #status = requireElement("settings-status", HTMLInputElement);
  #statusError = requireElement("settings-status-error");
  #awayAfter = requireElement("settings-away-after", HTMLInputElement);
  #awayAfterError = requireElement("settings-away-after-error");
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
    this.#nick.addEventListener("input", () => showFieldError(this.#nick, this.#nickError, ""));
    requireElement("settings-status-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#changeStatus(getSession(), this.#status.value.trim());
    });
    requireElement("settings-back", HTMLButtonElement).addEventListener("click", () => this.#changeStatus(getSession(), null));
    this.#status.addEventListener("input", () => showFieldError(this.#status, this.#statusError, ""));
    this.#awayAfter.addEventListener("input", () => this.#changeAwayAfter());
    this.#notifyEnabled.addEventListener("change", () => this.#toggleNotifications());
    this.#notifyHideText.addEventListener("change", () => (notifier.isTextHidden = this.#notifyHideText.checked));
    applyTheme(storedTheme());
  }

  /**
   * Show the settings.
   * @param {object} user
   * @param {string} user.nick Current nickname.
   * @param {string | null} user.away Status text, possibly empty; null if the user is not away.
   * @param {boolean} user.hasAccount
   */
  open({ nick, away, hasAccount }) {
    this.#nick.value = nick;
    this.#status.value = away ?? "";
    this.#awayAfter.value = String(storedAwayAfter());
    requireElement("settings-back").hidden = away === null;
    requireElement("blocks-open").hidden = !hasAccount;
    this.#render();
    this.#dialog.showModal();
  }

  /** Close the dialog. */
  close() {
    this.#dialog.close();
  }

  #render() {
    showFieldError(this.#nick, this.#nickError, "");
    showFieldError(this.#status, this.#statusError, "");
    showFieldError(this.#awayAfter, this.#awayAfterError, "");
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
    if (!nick) return showFieldError(this.#nick, this.#nickError, strings.nicknameRequired);
    return this.#submit(session.changeNick(nick), this.#nick, this.#nickError);
  }

  /**
   * @param {import("../state/chat_session.js").ChatSession} session
   * @param {string | null} text Null removes the status.
   */
  #changeStatus(session, text) {
    return this.#submit(session.status.set(text), this.#status, this.#statusError);
  }

  #changeAwayAfter() {
    const minutes = this.#awayAfter.valueAsNumber; // NaN for an empty field
    const isValid = isValidAwayAfter(minutes);
    if (isValid) storeAwayAfter(minutes);
    showFieldError(this.#awayAfter, this.#awayAfterError, isValid ? "" : strings.awayAfterInvalid(MAX_AWAY_AFTER));
  }

  async #submit(request, field, errorElement) {
    try {
      await request;
      this.#dialog.close();
    } catch (error) {
      showFieldError(field, errorElement, errorText(requireRequestError(error)));
    }
  }
}

function showFieldError(field, errorElement, error) {
  setText(errorElement, error);
  markInvalid(field, error !== "");
}

function storedTheme() {
  const theme = localStore.get("theme", "");
  return THEMES.includes(theme) ? theme : "";
}

/** Apply a theme to the page and to the color of the browser bar; the empty theme follows the system. */
function applyTheme(theme) {
  document.documentElement.dataset.theme = theme;
  /** @type {NodeListOf<HTMLMetaElement>} */
  const metas = document.querySelectorAll('meta[name="theme-color"]'); // for light and dark
  metas.forEach((meta, index) => (meta.content = THEME_COLORS[theme || ["light", "dark"][index]]));
}

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
