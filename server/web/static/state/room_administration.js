/** Requests that change one room for all members: topic, ownership and deletion. */

import { validateTopic } from "./sanitize.js";

/** Administrative requests for one room. */
export class RoomAdministration {
  #room;
  #isDeleting = false;

  /** @param {import("./room.js").Room} room */
  constructor(room) {
    this.#room = room;
  }

  /** True during a request of this page that deletes the room. */
  get isDeleting() {
    return this.#isDeleting;
  }

  /**
   * Change the topic.
   * @param {string} topic Empty to clear the topic.
   * @throws {RequestError}
   */
  async setTopic(topic) {
    return this.#room.request("setTopic", { topic: validateTopic(topic) });
  }

  /**
   * Delete the room on the server; the caller closes the room afterwards.
   * @throws {RequestError}
   */
  async delete() {
    this.#isDeleting = true;
    try {
      await this.#room.request("deleteRoom", {});
    } finally {
      this.#isDeleting = false;
    }
  }

  /**
   * Make another member an owner; the user, if an owner, becomes a moderator with a second request. If only the second
   * request fails, both are owners.
   * @param {string} memberId
   * @returns {Promise<{revision: number}>} Revision of the new owner.
   * @throws {RequestError}
   */
  async transferTo(memberId) {
    const { access: { role }, ownMemberIds, memberId: ownMemberId } = this.#room;
    const response = await this.#room.request("setRole", { memberId, role: "owner" });
    if (role === "owner" && !ownMemberIds.has(memberId)) await this.#room.request("setRole", { memberId: ownMemberId, role: "moderator" });
    return response;
  }
}
