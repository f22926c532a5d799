/**
 * Policy and kind of one room, and the role of the user.
 *
 * The server decides about each action; the page only hides the controls of rejected actions.
 */

import { RequestError } from "../net/request_error.js";
import { POLICY_FIELDS } from "./policy.js";
import { isModerator } from "./roles.js";

/** Permissions of the user in one room. */
export class RoomAccess {
  #uploadMaxBytes = Infinity; // unknown before the join

  /** @type {Record<string, any>} Policy; an absent field has its default. */
  policy = {};
  /** Role of the user; empty for a guest or a former member. */
  role = "";
  /** True for a direct room. */
  isDirect = false;

  /**
   * Store policy, kind, role and upload limit of a join response.
   * @param {object} response
   */
  onJoined({ room: { policy = {}, role = "", visibility }, uploadMaxBytes = 0 }) {
    this.policy = policy;
    this.role = role;
    this.isDirect = visibility === "direct";
    this.#uploadMaxBytes = uploadMaxBytes;
  }

  /**
   * Apply the changed fields of the policy.
   * @param {object} change Entry of the kind `policy`.
   */
  applyPolicyChange(change) {
    const changed = POLICY_FIELDS.filter((field) => change[field] !== undefined).map((field) => [field, change[field]]);
    this.policy = { ...this.policy, ...Object.fromEntries(changed) };
  }

  /**
   * Return the error of an upload of files to the room: `forbidden`, or `too_long` for a large file; null if the upload is
   * permitted. Before the join, sizes are not checked.
   * @param {{size: number}[]} [files] Sizes in bytes.
   */
  findUploadError(files = []) {
    const reason = this.#uploadMaxBytes ? this.#findRejectionReason() : "uploads_disabled";
    if (reason) return new RequestError("forbidden", { reason });
    if (files.every(({ size }) => size <= this.#uploadMaxBytes)) return null;
    return new RequestError("too_long", { reason: "file_too_large", params: { limit: this.#uploadMaxBytes } });
  }

  /** Return the reason of a rejected upload as in `server/domain/permissions.py`; empty if the policy permits uploads. */
  #findRejectionReason() {
    const { guestPost = true, speak, upload } = this.policy;
    if (!this.role && !guestPost) return "guests_read_only";
    for (const audience of [speak, upload]) {
      if (audience === "members" && !this.role) return "members_only";
      if (audience === "moderators" && !isModerator(this.role)) return "moderators_only";
    }
    return "";
  }
}
