/** Dialog that creates a room, or shows name, policy, invites, moderation lists and deletion of an existing one. */

import { errorText, strings } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { POLICY_VALUES, defaultValue, toWireValue } from "../state/policy.js";
import { isOwner } from "../state/roles.js";
import { closeOnDismiss } from "./confirm_dialog.js";
import { confirmRoomDeletion } from "./confirm_moderation.js";
import { createElement, markInvalid, requireElement, setText } from "./dom.js";
import { inviteUrl } from "./room_url.js";

/** Error reasons about the name. */
const NAME_REASON = /^room_(?:name_|exists)/;

/** Form for the properties of one room. */
export class RoomSettingsDialog {
  #dialog = requireElement("room-settings-dialog", HTMLDialogElement);
  #form = requireElement("room-settings-form", HTMLFormElement);
  #name = requireElement("room-settings-name", HTMLInputElement);
  #privateCheckbox = requireElement("room-settings-private", HTMLInputElement);
  #fields = requireElement("room-policy-fields");
  #inviteLink = requireElement("room-invite-link", HTMLInputElement);
  /** @type {import("../state/room.js").Room | null} Null for the creation of a room. */
  #room = null;
  #generation = 0; // number of calls of `open`; responses from before do not affect the dialog
  #createRoom;
  #confirm;
  #onDeleted;

  /**
   * @param {object} options
   * @param {(fields: object) => Promise<void>} options.createRoom Creates and shows a room; rejects with a RequestError.
   * @param {import("./confirm_dialog.js").ConfirmDialog["confirm"]} options.confirm
   * @param {(room: import("../state/room.js").Room) => void} options.onDeleted Closes the deleted room.
   * @param {(text: string) => void} options.copyText
   * @param {(room: import("../state/room.js").Room) => void} options.openInvites
   * @param {(room: import("../state/room.js").Room) => void} options.openSanctions
   * @param {(room: import("../state/room.js").Room) => void} options.openAudit
   */
  constructor({ createRoom, confirm, onDeleted, copyText, openInvites, openSanctions, openAudit }) {
    this.#createRoom = createRoom;
    this.#confirm = confirm;
    this.#onDeleted = onDeleted;
    closeOnDismiss(this.#dialog);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#name.value.trim()) return this.#showError(strings.roomRequired, true);
      return this.#run(() => (this.#room ? this.#update(this.#room) : this.#create()));
    });
    this.#name.addEventListener("input", () => this.#showError(""));
    requireElement("room-invite-create", HTMLButtonElement).addEventListener("click", () => this.#run(() => this.#createInvite()));
    requireElement("room-invite-copy", HTMLButtonElement).addEventListener("click", () => copyText(this.#inviteLink.value));
    for (const [id, openList] of Object.entries({ "room-invite-list": openInvites, "room-sanctions": openSanctions, "room-audit": openAudit })) {
      requireElement(id, HTMLButtonElement).addEventListener("click", () => this.#room && openList(this.#room));
    }
    requireElement("room-delete", HTMLButtonElement).addEventListener("click", () => this.#run(() => this.#delete()));
  }

  /**
   * Show name and policy in a form if the user is an owner or creates a room, and the moderation lists of an existing room.
   * @param {import("../state/room.js").Room | null} room Null for the creation of a room.
   */
  open(room) {
    this.#room = room;
    this.#generation += 1;
    const policy = room?.access.policy ?? {};
    const isEditable = !room || isOwner(room.access.role);
    const hasAddress = room !== null && room.title !== "";
    setText(requireElement("room-settings-title"), room ? strings.roomSettings : strings.createRoom);
    setText(requireElement("room-settings-submit"), room ? strings.save : strings.createRoom);
    this.#showError("");
    this.#name.value = this.#name.defaultValue = room?.displayName ?? "";
    this.#privateCheckbox.checked = hasAddress;
    requireElement("room-settings-private-row").hidden = room !== null;
    this.#form.hidden = !isEditable;
    this.#inviteLink.value = "";
    requireElement("room-moderation").hidden = room === null;
    requireElement("room-invite-row").hidden = true;
    requireElement("room-delete").hidden = !(room && isEditable);
    const names = Object.keys(POLICY_VALUES).filter((name) => name !== "visibility" || !hasAddress);
    this.#fields.replaceChildren(...names.map((name) => renderField(name, String(policy[name] ?? defaultValue(name)))));
    this.#dialog.showModal();
    if (isEditable) this.#name.focus();
  }

  async #create() {
    const generation = this.#generation;
    const name = this.#name.value.trim();
    const { visibility, ...fields } = this.#policyFields();
    await this.#createRoom(this.#privateCheckbox.checked ? { title: name, visibility: "private", ...fields } : { roomName: name, visibility, ...fields });
    if (generation === this.#generation) this.#dialog.close();
  }

  /**
   * Change only the fields that the user has changed, so that other changes since the opening stay.
   * @param {import("../state/room.js").Room} room
   */
  async #update(room) {
    const generation = this.#generation;
    const name = this.#name.value.trim();
    const renamed = name === this.#name.defaultValue ? {} : room.title ? { title: name } : { roomName: name };
    await room.request("updateRoom", { ...renamed, ...this.#policyFields(({ selectedOptions: [option] }) => !option.defaultSelected) });
    if (generation === this.#generation) this.#dialog.close();
  }

  async #createInvite() {
    const room = /** @type {import("../state/room.js").Room} */ (this.#room);
    const { invite } = await room.request("createInvite", {});
    if (room !== this.#room) return;
    this.#inviteLink.value = inviteUrl(room.name, invite.code);
    requireElement("room-invite-row").hidden = false;
    this.#inviteLink.select();
  }

  async #delete() {
    const room = /** @type {import("../state/room.js").Room} */ (this.#room);
    if (!(await confirmRoomDeletion(this.#confirm, room))) return;
    await room.administration.delete();
    if (room === this.#room) this.#dialog.close();
    this.#onDeleted(room);
  }

  /** @param {(select: HTMLSelectElement) => boolean} [isIncluded] */
  #policyFields(isIncluded = () => true) {
    const selects = [...this.#fields.querySelectorAll("select")].filter(isIncluded);
    return Object.fromEntries(selects.map(({ name, value }) => [name, toWireValue(value)]));
  }

  /** Run an operation, and show its `RequestError` unless the dialog has been closed since. */
  async #run(operation) {
    const generation = this.#generation;
    this.#showError("");
    try {
      await operation();
    } catch (error) {
      const failure = requireRequestError(error);
      if (generation !== this.#generation || !this.#dialog.open) return;
      this.#showError(errorText(failure), NAME_REASON.test(failure.reason));
    }
  }

  /**
   * @param {string} error
   * @param {boolean} [isNameInvalid]
   */
  #showError(error, isNameInvalid = false) {
    setText(requireElement("room-settings-error"), error);
    markInvalid(this.#name, isNameInvalid);
    if (isNameInvalid) this.#name.focus();
  }
}

function renderField(name, selected) {
  const select = createElement("select", "");
  select.name = name;
  select.append(...POLICY_VALUES[name].map((value) => new Option(strings.policyValues[value], value, value === selected, value === selected)));
  return createElement("label", "select-row", createElement("span", "", strings.policyFields[name]), select);
}
