/**
 * Account dialog: login and registration of a guest; profile, devices, password, logout and deletion of an account.
 *
 * Passwords exist only in the fields of the dialog, and are cleared when the dialog closes.
 */

import { errorText, strings } from "../i18n/strings.js";
import { changePassword, changeProfile, deleteAccount, listDevices, logIn, logOut, readProfile, register, revokeDevice } from "../net/account_api.js";
import { requireRequestError } from "../net/request_error.js";
import { forgetAccount, storeAccount, storedAccount } from "../state/account.js";
import { sanitizeLine } from "../state/sanitize.js";
import { closeOnDismiss } from "./confirm_dialog.js";
import { createButton, createElement, markInvalid, requireElement, restoreFocus, setText } from "./dom.js";
import { formatShortDate } from "./format_time.js";

/** Fields of the login form by prefix of the reason that rejects them. */
const FIELDS_BY_REASON = { account_: "login-account", nick_: "login-account", password_: "login-password", invite_: "login-invite" };
/** Fields of the panel of an account by prefix of the reason that rejects them. */
const PANEL_FIELDS_BY_REASON = { about_: "profile-about", password_: "password-new", login_failed: "password-old" };

/** Account dialog of the stored account or of a guest. */
export class AccountDialog {
  #dialog = requireElement("account-dialog", HTMLDialogElement);
  #loginForm = requireElement("login-form", HTMLFormElement);
  #account = requireElement("login-account", HTMLInputElement);
  #password = requireElement("login-password", HTMLInputElement);
  #invite = requireElement("login-invite", HTMLInputElement);
  #panel = requireElement("account-panel");
  #about = requireElement("profile-about", HTMLInputElement);
  #passwordForm = requireElement("password-form", HTMLFormElement);
  #oldPassword = requireElement("password-old", HTMLInputElement);
  #newPassword = requireElement("password-new", HTMLInputElement);
  #isRegistration = false;
  #isLeaving = false;
  #onChange;
  #confirm;
  #getGuest;

  /**
   * @param {object} options
   * @param {(change?: {isRegistration: boolean}) => void} options.onChange Called with `change` after a login and a
   *   registration, without it after a logout and the deletion of the account.
   * @param {import("./confirm_dialog.js").ConfirmDialog["confirm"]} options.confirm
   * @param {() => {nick: string, key?: string}} options.getGuest Returns nickname and key of the guest, whose messages the
   *   account receives by a registration.
   */
  constructor({ onChange, confirm, getGuest }) {
    this.#onChange = onChange;
    this.#confirm = confirm;
    this.#getGuest = getGuest;
    closeOnDismiss(this.#dialog);
    this.#dialog.addEventListener("close", () => this.#clearPasswords());
    this.#loginForm.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#run(() => this.#submitLogin());
    });
    this.#passwordForm.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#run(() => this.#submitPassword());
    });
    requireElement("profile-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#run(() => this.#submitProfile());
    });
    requireElement("login-mode", HTMLButtonElement).addEventListener("click", () => this.#showLogin(!this.#isRegistration));
    requireElement("account-log-out", HTMLButtonElement).addEventListener("click", () => this.#run(() => this.#logOut()));
    requireElement("account-delete", HTMLButtonElement).addEventListener("click", () => this.#run(() => this.#deleteAccount()));
    this.#loginForm.addEventListener("input", () => this.#showError(""));
    this.#panel.addEventListener("input", () => this.#showError(""));
  }

  /** True while the user logs out or deletes the account; the server then rejects the token of the connection. */
  get isLeaving() {
    return this.#isLeaving;
  }

  /**
   * Show the form of a guest, or the panel of the stored account, whose profile and devices are then loaded. An error of the
   * load is shown.
   * @param {{isRegistration?: boolean}} [options] Initial form of a guest.
   */
  open({ isRegistration = false } = {}) {
    this.#clearPasswords();
    const account = storedAccount();
    this.#loginForm.hidden = account !== null;
    this.#panel.hidden = account === null;
    if (!account) this.#showLogin(isRegistration);
    else {
      this.#showError("");
      setText(requireElement("account-title"), strings.loggedInAs(account.account));
      this.#about.value = "";
      this.#about.disabled = true; // until the profile is loaded
      requireElement("device-list").replaceChildren();
      this.#attempt(() => Promise.all([this.#renderProfile(), this.#renderDevices()]));
    }
    if (!this.#dialog.open) this.#dialog.showModal();
    (account ? requireElement("account-log-out") : this.#account).focus();
  }

  /** Close the dialog. */
  close() {
    this.#dialog.close();
  }

  #showLogin(isRegistration) {
    this.#isRegistration = isRegistration;
    setText(requireElement("account-title"), isRegistration ? strings.register : strings.logIn);
    setText(requireElement("login-submit"), isRegistration ? strings.register : strings.logIn);
    setText(requireElement("login-mode"), isRegistration ? strings.haveAccount : strings.needAccount);
    requireElement("login-invite-row").hidden = !isRegistration;
    this.#password.autocomplete = isRegistration ? "new-password" : "current-password";
    this.#showError("");
  }

  async #submitLogin() {
    const account = this.#account.value.trim();
    const password = this.#password.value;
    const { nick, key } = this.#getGuest();
    const response = this.#isRegistration
      ? await register({ account, password, ...(nick && { nickName: nick }), ...(this.#invite.value && { invite: this.#invite.value.trim() }) }, key)
      : await logIn({ account, password, label: strings.deviceLabel });
    const { nickName } = await readProfile(response.token);
    storeAccount({ account: response.account, nickName, token: response.token });
    this.#dialog.close();
    this.#onChange({ isRegistration: this.#isRegistration });
  }

  async #submitPassword() {
    await changePassword(this.#token, { password: this.#oldPassword.value, newPassword: this.#newPassword.value });
    this.#clearPasswords();
    this.#showStatus(strings.passwordChanged);
    await this.#renderDevices();
  }

  async #submitProfile() {
    if (this.#about.disabled) return;
    const { about } = await changeProfile(this.#token, { about: this.#about.value.trim() });
    this.#about.value = sanitizeLine(about);
    this.#showStatus(strings.profileSaved);
  }

  async #renderProfile() {
    const { about } = await readProfile(this.#token);
    this.#about.value = sanitizeLine(about);
    this.#about.disabled = false;
  }

  async #renderDevices() {
    const token = this.#token;
    const devices = await listDevices(token);
    const rows = devices.map(({ id, label, lastUsedAt, current }) => {
      const name = createElement("bdi", "device-name", label || strings.unnamedDevice);
      const note = createElement("span", "device-note", current ? strings.thisDevice : strings.lastUsed(formatShortDate(lastUsedAt)));
      const revoke = createButton("small-button", strings.logOut, () =>
        this.#run(async () => {
          await revokeDevice(token, id);
          await this.#renderDevices();
        }),
      );
      revoke.setAttribute("aria-label", strings.logOutDevice(label || strings.unnamedDevice));
      return createElement("li", "", name, note, ...(current ? [] : [revoke]));
    });
    requireElement("device-list").replaceChildren(...rows);
  }

  /** Revoke the token and log out; an already revoked token is not an error. */
  async #logOut() {
    const token = this.#token;
    await this.#leave(token, async () => {
      try {
        await logOut(token);
      } catch (error) {
        if (requireRequestError(error).code !== "unauthorized") throw error;
      }
    });
  }

  async #deleteAccount() {
    const token = this.#token;
    const password = this.#oldPassword.value;
    if (!password) {
      this.#showError(strings.passwordForDeletion, this.#oldPassword);
      return;
    }
    const choices = [
      { value: "keep", label: strings.keepMessages, kind: "danger" },
      { value: "delete", label: strings.deleteMessages, kind: "danger" },
    ];
    const messages = await this.#confirm({ title: strings.deleteAccount, text: strings.deleteAccountWarning, choices });
    if (messages !== "keep" && messages !== "delete") return;
    await this.#leave(token, () => deleteAccount(token, { password, messages }));
  }

  /**
   * Run a request that ends the token; after success, delete the stored account, close the dialog and call `onChange`.
   * @param {string} token
   * @param {() => Promise<void>} request
   */
  async #leave(token, request) {
    this.#isLeaving = true;
    try {
      await request();
    } finally {
      this.#isLeaving = false;
    }
    forgetAccount(token);
    this.#dialog.close();
    this.#onChange();
  }

  /** Token of the account; empty for a guest. */
  get #token() {
    return storedAccount()?.token ?? "";
  }

  /** Run an operation with the buttons disabled, and keep the focus; see `#attempt`. */
  async #run(operation) {
    const focused = document.activeElement;
    const buttons = this.#dialog.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    this.#showStatus("");
    try {
      await this.#attempt(operation);
    } finally {
      for (const button of buttons) button.disabled = false;
      restoreFocus(this.#dialog, focused?.isConnected ? focused : requireElement("device-list"));
    }
  }

  /** Run an operation; show its RequestError in the dialog, and focus the field of the reason, if any. */
  async #attempt(operation) {
    try {
      await operation();
    } catch (error) {
      const failure = requireRequestError(error);
      const fields = Object.entries(this.#loginForm.hidden ? PANEL_FIELDS_BY_REASON : FIELDS_BY_REASON);
      const id = fields.find(([prefix]) => failure.reason.startsWith(prefix))?.[1];
      const field = id ? requireElement(id) : null;
      this.#showError(failure.code === "offline" ? strings.serverUnreachable : errorText(failure), field);
    }
  }

  /**
   * @param {string} error
   * @param {HTMLElement | null} [field] Invalid field.
   */
  #showError(error, field = null) {
    this.#showStatus("");
    setText(requireElement("account-error"), error);
    for (const input of this.#dialog.querySelectorAll("input")) markInvalid(input, input === field);
    field?.focus();
  }

  #showStatus(status) {
    setText(requireElement("account-status"), status);
  }

  #clearPasswords() {
    for (const field of [this.#password, this.#oldPassword, this.#newPassword]) field.value = "";
  }
}
