/**
 * Dialog of one member: details, and the actions that the role of the user permits.
 *
 * - The server decides about each action; the dialog only hides those that a role never permits.
 */

import { errorText, strings } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { closeOnDismiss } from "./confirm_dialog.js";
import { createButton, requireElement, setText } from "./dom.js";
import { memberDetails } from "./member_details.js";

/** Rank by role; a member acts only on lower ranks. */
const RANKS = { member: 1, moderator: 2, owner: 3, admin: 4 };

/** Durations of a silence or ban in seconds; 0 for no end. */
const DURATIONS = [600, 3600, 86_400, 604_800, 0];

export class MemberDialog {
  #dialog = requireElement("member-dialog", HTMLDialogElement);
  #reason = requireElement("member-reason", HTMLInputElement);
  #duration = requireElement("member-duration", HTMLSelectElement);
  #actions = requireElement("member-actions");
  #confirm;
  #message = requireElement("member-message", HTMLButtonElement);
  /** @type {import("../state/room.js").Member | null} */
  #member = null;

  /**
   * @param {object} options
   * @param {import("./confirm_dialog.js").ConfirmDialog["confirm"]} options.confirm
   * @param {(member: import("../state/room.js").Member) => Promise<void>} options.openDirect
   */
  constructor({ confirm, openDirect }) {
    this.#confirm = confirm;
    closeOnDismiss(this.#dialog);
    this.#message.addEventListener("click", () => this.#member && this.#attempt(openDirect(this.#member)));
  }

  /**
   * @param {import("../state/room.js").Member} member
   * @param {import("../state/room.js").Room} room
   */
  open(member, room) {
    this.#member = member;
    this.#message.hidden = room.ownMemberIds.has(member.memberId);
    setText(requireElement("member-title"), member.nickName);
    setText(requireElement("member-details"), memberDetails(member, room).join(" · "));
    setText(requireElement("member-error"), "");
    this.#reason.value = "";
    this.#duration.replaceChildren(...DURATIONS.map(renderDuration));
    const buttons = this.#permittedActions(member, room);
    this.#actions.replaceChildren(...buttons);
    requireElement("member-moderation").hidden = !buttons.length;
    this.#dialog.showModal();
  }

  #permittedActions(member, room) {
    const ownRank = RANKS[room.role] ?? 0;
    if (room.ownMemberIds.has(member.memberId) || ownRank < RANKS.moderator || ownRank <= (RANKS[member.role] ?? 0)) return [];
    const run = (event, fields) => this.#attempt(room.request(event, { memberId: member.memberId, ...fields }));
    const sanction = () => ({ ...this.#reasonField(), ...this.#untilField() });
    const isOwner = ownRank >= RANKS.owner && member.account !== undefined;
    return [
      createButton("secondary", strings.silence, () => run("mute", sanction())),
      createButton("secondary", strings.unsilence, () => run("unmute", {})),
      createButton("secondary", strings.removeMember, () => run("kick", this.#reasonField())),
      createButton("danger", strings.ban, () => this.#ban(member, () => run("ban", sanction()))),
      ...(isOwner && member.role === "member" ? [createButton("secondary", strings.makeModerator, () => run("setRole", { role: "moderator" }))] : []),
      ...(isOwner && member.role === "moderator" ? [createButton("secondary", strings.makeMember, () => run("setRole", { role: "member" }))] : []),
    ];
  }

  async #ban(member, run) {
    const choices = [{ value: "ban", label: strings.ban, kind: "danger" }];
    const text = member.account === undefined ? strings.banGuestWarning : strings.banWarning;
    if (await this.#confirm({ title: strings.banTitle(member.nickName), text, choices })) await run();
  }

  /** Wait for a request; close the dialog, or show the error. */
  async #attempt(request) {
    try {
      await request;
      this.#dialog.close();
    } catch (error) {
      setText(requireElement("member-error"), errorText(requireRequestError(error)));
    }
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

function renderDuration(seconds) {
  return new Option(strings.duration(seconds), String(seconds), false, seconds === 3600);
}
