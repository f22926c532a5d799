/** Actions on messages of the visible room, for the toolbar, the keyboard and commands. */

import { strings } from "../i18n/strings.js";
import { validateReaction } from "../state/reactions.js";
import { outranks } from "../state/roles.js";
import { CommandRejected } from "./command_context.js";
import { excerpt } from "./render_line.js";

/** Edits, deletions, replies, reactions and unread marks of messages in the visible room. */
export class MessageActions {
  #getRoom;
  #composer;
  #timeline;
  #delayedDeletions;
  #confirm;

  /**
   * @param {object} options
   * @param {() => import("../state/room.js").Room} options.getRoom Returns the visible room. Without a room, only `describe` may be
   *   called.
   * @param {import("./composer.js").Composer} options.composer
   * @param {import("./timeline.js").Timeline} options.timeline
   * @param {import("../state/delayed_deletions.js").DelayedDeletions} options.delayedDeletions
   * @param {import("./command_context.js").Confirm} options.confirm
   */
  constructor({ getRoom, composer, timeline, delayedDeletions, confirm }) {
    this.#getRoom = getRoom;
    this.#composer = composer;
    this.#timeline = timeline;
    this.#delayedDeletions = delayedDeletions;
    this.#confirm = confirm;
  }

  /**
   * Return a loaded message with the permissions of the user; null for a message that is missing, is deleted or is about to
   * be deleted. An absent author counts as a regular member.
   * @param {number} seq
   */
  describe(seq) {
    const room = this.#getRoom();
    const item = room?.log.getItem(seq);
    if (item?.kind !== "message" || item.deleted || this.#delayedDeletions.has(room, seq)) return null;
    const isOwn = room.ownMemberIds.has(item.memberId);
    const authorRole = room.members.get(item.memberId)?.role ?? "member"; // the server knows the role of absent authors
    return { item, isOwn, canDelete: isOwn || outranks(room.access.role, authorRole) };
  }

  /** Start the edit of a message in the composer, with the text of its latest pending edit, otherwise its own text. */
  edit({ seq, message = "" }) {
    const changes = this.#getRoom().outbox.changesBySeq.get(seq) ?? [];
    this.#composer.startEdit(seq, changes.findLast(({ event }) => event === "editMessage")?.body.message ?? message);
  }

  /**
   * Ask before the delayed deletion of a message. The key Y confirms; any other printable key except Space cancels the
   * question and focuses the composer.
   */
  async delete(item) {
    const room = this.#getRoom();
    const isOwn = room.ownMemberIds.has(item.memberId);
    const choices = [{ value: "delete", label: strings.delete, kind: "danger", key: "y" }];
    const title = isOwn ? strings.deleteTitle : strings.deleteTitleOf(item.nickName);
    const text = `${excerpt(item)}\n\n${strings.deleteWarning}`;
    const choice = await this.#confirm({ title, text, choices, onTyping: () => this.#composer.focus() });
    const isFocusOutside = !document.activeElement?.closest("#timeline, #composer");
    if (isFocusOutside && room === this.#getRoom()) this.#timeline.focusMessage(item.seq);
    if (choice) this.#delayedDeletions.schedule(room, item.seq);
  }

  /** Mark a message and all later ones as unread until `ReadTracker.resume`, and add a notice to the room. */
  markUnread({ seq }) {
    const room = this.#getRoom();
    room.readTracker.markUnread(seq);
    room.notices.addLocal(strings.markedUnread);
  }

  /**
   * Queue an edit of the newest message of the user, or start the edit in the composer.
   * @param {string} text New text; empty for an edit in the composer.
   * @throws {CommandRejected} No such message is loaded.
   * @throws {RequestError} The text is invalid.
   */
  editLast(text) {
    const item = this.#findLast(true);
    if (text) this.#getRoom().enqueue("editMessage", { seq: item.seq, message: text });
    else this.edit(item);
  }

  /**
   * Ask before the delayed deletion of the newest message of the user; return before the answer.
   * @throws {CommandRejected} No such message is loaded.
   */
  deleteLast() {
    this.delete(this.#findLast(true));
  }

  /**
   * Queue a reply to the newest message of another member and scroll to the newest line, or start the reply in the composer.
   * @param {string} text Empty for a reply in the composer.
   * @throws {CommandRejected} No such message is loaded.
   * @throws {RequestError} The text is invalid.
   */
  replyToLast(text) {
    const { seq } = this.#findLast(false);
    if (!text) return this.#composer.startReply(seq);
    this.#getRoom().enqueue("sendMessage", { message: text, replyTo: seq });
    return this.#timeline.scrollToNewest();
  }

  /**
   * Add or remove a reaction to the newest message of another member.
   * @param {string} text
   * @throws {CommandRejected} No such message is loaded.
   * @throws {RequestError} The text is not a valid reaction.
   */
  reactToLast(text) {
    const emoji = validateReaction(text);
    const { seq, reactions } = this.#findLast(false);
    this.#getRoom().enqueue("react", { seq, emoji, on: !reactions?.[emoji]?.own });
  }

  /**
   * Mark the newest message of another member as unread.
   * @throws {CommandRejected} No such message is loaded.
   */
  markLastUnread() {
    this.markUnread(this.#findLast(false));
  }

  /**
   * Return the newest loaded message of the user or of the other members. Deleted messages, messages about to be deleted and
   * those of blocked members are omitted.
   * @param {boolean} isOwn True for messages of the user, false for those of other members.
   * @throws {CommandRejected} No such message is loaded.
   */
  #findLast(isOwn) {
    const room = this.#getRoom();
    const item = room.log.items.findLast(({ seq, memberId }) => this.describe(seq)?.isOwn === isOwn && !room.isBlocked(memberId));
    if (!item) throw new CommandRejected(isOwn ? strings.noMessage : strings.noOtherMessage);
    return item;
  }
}
