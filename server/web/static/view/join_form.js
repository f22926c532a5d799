/**
 * Form for room and nickname.
 *
 * - The room is a name or a link to a room of this server, and replaces the one in the URL at the submission.
 * - Default room: the one in the URL (`/#/tea`), then the latest one. Default nickname: that of the account, then the
 *   latest one.
 */

import { errorText, setLanguage, strings } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { storedAccount } from "../state/account.js";
import { validateNickname, validateRoomName } from "../state/names.js";
import { localStore } from "../state/storage.js";
import { markInvalid, requireElement, setText } from "./dom.js";
import { resolveRoom } from "./room_links.js";
import { roomFromUrl, setRoomUrl } from "./room_url.js";

/** Join form, initially hidden. */
export class JoinForm {
  #screen = requireElement("join-screen");
  #form = requireElement("join-form", HTMLFormElement);
  #room = requireElement("join-room", HTMLInputElement);
  #nick = requireElement("join-nick", HTMLInputElement);
  #error = requireElement("join-error");
  #button = requireElement("join-submit", HTMLButtonElement);

  /**
   * @param {object} options
   * @param {(room: string, nick: string) => void} options.onSubmit Called with valid names, which are stored as the latest.
   * @param {() => void} options.onChange Called when a field is edited.
   * @param {() => void} options.onLanguageChange
   */
  constructor({ onSubmit, onChange, onLanguageChange }) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const typed = this.#room.value.trim();
      const { room, invite, otherHost } = resolveRoom(typed);
      if (otherHost) return this.#reject(this.#room, strings.otherServer(otherHost));
      if (!room) return this.#reject(this.#room, strings.roomRequired);
      if (invite || room !== roomFromUrl()) setRoomUrl(room, { invite, replace: true });
      this.#room.value = room;
      const nick = this.#nick.value.trim();
      if (!nick) return this.#reject(this.#nick, strings.nicknameRequired);
      const roomError = findError(() => validateRoomName(room));
      const nickError = findError(() => validateNickname(nick));
      if (roomError) return this.#reject(this.#room, errorText(roomError));
      if (nickError) return this.#reject(this.#nick, errorText(nickError));
      localStore.set("room", room);
      localStore.set("nick", nick);
      this.#showError("");
      return onSubmit(room, nick);
    });
    requireElement("join-language", HTMLButtonElement).addEventListener("click", () => {
      setLanguage(strings.otherLanguageCode);
      this.#showError(""); // in the previous language
      onLanguageChange();
      this.isBusy = this.#button.disabled;
      this.#renderAccount();
    });
    for (const field of [this.#room, this.#nick]) {
      field.addEventListener("input", () => {
        this.#showError("");
        this.isBusy = false;
        onChange();
      });
    }
  }

  /**
   * Show the form with the default room and nickname, and focus the invalid field, the first empty field or the button.
   * @param {object} [state]
   * @param {import("../net/request_error.js").RequestError | null} [state.failure] Error that closed the last room.
   * @param {boolean} [state.isBusy] A join is in progress.
   */
  show({ failure = null, isBusy = false } = {}) {
    this.isBusy = isBusy;
    this.#screen.hidden = false;
    this.#room.value = roomFromUrl() || localStore.get("room", "");
    this.#nick.value = storedAccount()?.nickName ?? localStore.get("nick", "");
    this.#renderAccount();
    this.#showError(failure ? errorText(failure) : "");
    const invalidField = failure && this.#fieldOf(failure);
    if (invalidField) markInvalid(invalidField, true);
    (invalidField ?? (this.#room.value ? (this.#nick.value ? this.#button : this.#nick) : this.#room)).focus();
  }

  /** Hide the form. */
  hide() {
    this.#screen.hidden = true;
  }

  /** Entered nickname, possibly empty or invalid. */
  get nick() {
    return this.#nick.value.trim();
  }

  /** Disable the submit button and show the progress in its label while a join is in progress. */
  set isBusy(isBusy) {
    this.#button.disabled = isBusy;
    this.#button.textContent = isBusy ? strings.joinProgress : strings.joinButton;
  }

  /** Error below the fields; an empty text removes the error. */
  set error(message) {
    this.#showError(message);
  }

  #renderAccount() {
    const account = storedAccount();
    setText(requireElement("join-account"), account ? strings.loggedInAs(account.account) : strings.logIn);
  }

  #reject(field, error) {
    this.#showError(error);
    markInvalid(field, true);
    field.focus();
  }

  #fieldOf({ code, reason }) {
    const subject = reason || code;
    return subject.startsWith("nick_") ? this.#nick : subject.startsWith("room_") ? this.#room : null;
  }

  #showError(error) {
    this.#error.textContent = error;
    for (const field of [this.#room, this.#nick]) markInvalid(field, false);
  }
}

/** Return the RequestError that a validation throws; null without one. */
function findError(validate) {
  try {
    validate();
    return null;
  } catch (error) {
    return requireRequestError(error);
  }
}
