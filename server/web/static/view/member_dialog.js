/**
 * Dialog of one member: details, direct messages, blocks, and the actions that the role of the user permits.
 *
 * The server checks each action; the dialog only hides those that the role of the user never permits.
 */

import { errorText, strings } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { isOwner, outranks } from "../state/roles.js";
import { closeOnDismiss } from "./confirm_dialog.js";
import { confirmBan, confirmTransfer } from "./confirm_moderation.js";
import { createButton, requireElement, setText } from "./dom.js";
import { formatDuration } from "./format_time.js";
import { memberDetails } from "./member_details.js";

/** Durations of a silence or ban in seconds; 0 for no end. */
const DURATIONS = [600, 3600, 86_400, 604_800, 0];
/** Periods in seconds whose messages a ban deletes; 0 for none. */
const DELETED_PERIODS = [0, 3600, 86_400, 604_800];

/** Dialog with the details of one member, and the actions on this member. */
export class MemberDialog {
  #dialog = requireElement("member-dialog", HTMLDialogElement);
  #reason = requireElement("member-reason", HTMLInputElement);
  #duration = requireElement("member-duration", HTMLSelectElement);
  #deleteRecent = requireElement("member-delete-recent", HTMLSelectElement);
  #contact = requireElement("member-contact");
  #actions = requireElement("member-actions");
  #confirm;
  #getBlocks;
  #openDirect;
  /** @type {import("../state/room.js").Member | null} Member of the open dialog. */
  #member = null;

  /**
   * @param {object} options
   * @param {import("./confirm_dialog.js").ConfirmDialog["confirm"]} options.confirm
   * @param {() => import("../state/blocks.js").Blocks | null} options.getBlocks Returns null for a guest, who cannot block members.
   * @param {(member: import("../state/room.js").Member) => Promise<void>} options.openDirect
   */
  constructor({ confirm, getBlocks, openDirect }) {
    this.#confirm = confirm;
    this.#getBlocks = getBlocks;
    this.#openDirect = openDirect;
    closeOnDismiss(this.#dialog);
    this.#dialog.addEventListener("close", () => (this.#member = this.#dialog.open ? this.#member : null));
  }

  /**
   * Show the details of a member with the actions that the user may perform in the room.
   * @param {import("../state/room.js").Member} member
   * @param {import("../state/room.js").Room} room
   */
  open(member, room) {
    this.#member = member;
    setText(requireElement("member-title"), member.nickName);
    setText(requireElement("member-details"), memberDetails(member, room).join(" · "));
    setText(requireElement("member-error"), "");
    this.#reason.value = "";
    this.#duration.replaceChildren(...DURATIONS.map((seconds) => renderPeriod(seconds, strings.noEnd, 3600)));
    this.#deleteRecent.replaceChildren(...DELETED_PERIODS.map((seconds) => renderPeriod(seconds, strings.deleteNone, 0)));
    this.#contact.replaceChildren(...this.#contactButtons(member, room));
    const buttons = this.#permittedActions(member, room);
    this.#actions.replaceChildren(...buttons);
    requireElement("member-moderation").hidden = !buttons.length;
    this.#dialog.showModal();
  }

  /** Return the buttons of direct message and block; none in the dialog of the user, no block button for a guest. */
  #contactButtons(member, room) {
    if (room.ownMemberIds.has(member.memberId)) return [];
    const blocks = this.#getBlocks();
    const message = createButton("secondary", strings.directMessage, () => this.#attempt(this.#openDirect(member)));
    if (!blocks) return [message];
    const isBlocked = blocks.has(member.memberId);
    const toggle = () => this.#attempt(isBlocked ? blocks.remove(member.memberId) : blocks.add(member.memberId));
    return [message, createButton("secondary", isBlocked ? strings.unblock : strings.block, toggle)];
  }

  #permittedActions(member, room) {
    if (room.ownMemberIds.has(member.memberId) || !outranks(room.access.role, member.role)) return [];
    const run = (event, fields) => this.#attempt(room.request(event, { memberId: member.memberId, ...fields }));
    const sanction = () => ({ ...this.#reasonField(), ...this.#untilField() });
    const canChangeRole = isOwner(room.access.role) && member.account !== undefined;
    return [
      createButton("secondary", strings.silence, () => run("mute", sanction())),
      createButton("secondary", strings.unsilence, () => run("unmute", {})),
      createButton("secondary", strings.removeMember, () => run("kick", this.#reasonField())),
      createButton("danger", strings.ban, () => this.#ban(member, (fields) => run("ban", { ...sanction(), ...fields }))),
      ...(canChangeRole && member.role === "member" ? [createButton("secondary", strings.makeModerator, () => run("setRole", { role: "moderator" }))] : []),
      ...(canChangeRole && member.role === "moderator" ? [createButton("secondary", strings.makeMember, () => run("setRole", { role: "member" }))] : []),
      ...(canChangeRole ? [createButton("secondary", strings.makeOwner, () => this.#transfer(member, room))] : []),
    ];
  }

  async #ban(member, run) {
    const deleteRecent = Number(this.#deleteRecent.value);
    if (await confirmBan(this.#confirm, member, deleteRecent)) await run(deleteRecent ? { deleteRecent } : {});
  }

  async #transfer(member, room) {
    if (await confirmTransfer(this.#confirm, member, room)) await this.#attempt(room.administration.transferTo(member.memberId));
  }

  /** Wait for a request; close the dialog, or show the error, unless the dialog was closed or shows another member. */
  async #attempt(request) {
    const member = this.#member;
    let error = "";
    try {
      await request;
    } catch (thrown) {
      error = errorText(requireRequestError(thrown));
    }
    if (member === null || member !== this.#member) return;
    setText(requireElement("member-error"), error);
    if (!error) this.#dialog.close();
  }

  #reasonField() {
    const reason = this.#reason.value.trim();
    return reason ? { reason } : {};
  }

  #untilField() {
    const seconds = Number(this.#duration.value);
    return seconds ? { until: Date.now() + seconds * 1000 } : {};
  }
}

/**
 * @param {number} seconds
 * @param {string} zeroLabel
 * @param {number} selected Seconds of the initial selection.
 */
function renderPeriod(seconds, zeroLabel, selected) {
  return new Option(seconds ? formatDuration(seconds) : zeroLabel, String(seconds), false, seconds === selected);
}
