/** Submission of the composer: send a message, save an edit, or run a command. */

import { errorText } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { drafts } from "../state/storage.js";
import { CommandRejected } from "./command_context.js";
import { runCommand } from "./run_command.js";

/** @typedef {import("../state/room.js").Room} Room */

/** Handler of submitted drafts. */
export class DraftSubmission {
  #page;
  #isSubmitting = false;

  /**
   * @param {object} page
   * @param {() => import("../state/chat_session.js").ChatSession} page.getSession
   * @param {() => Room} page.getRoom Returns the visible room.
   * @param {import("./composer.js").Composer} page.composer
   * @param {import("./upload_list.js").UploadList} page.uploadList
   * @param {import("./timeline.js").Timeline} page.timeline
   * @param {import("./message_actions.js").MessageActions} page.messageActions
   * @param {import("../state/delayed_deletions.js").DelayedDeletions} page.delayedDeletions
   * @param {ReturnType<typeof import("./dialogs.js").createDialogs>} page.dialogs
   * @param {import("./notifier.js").Notifier} page.notifier
   * @param {import("./side_panels.js").SidePanels} page.panels
   * @param {import("./search_panel.js").SearchPanel} page.searchPanel
   * @param {import("./command_context.js").Confirm} page.confirm
   * @param {(text: string) => Promise<void>} page.copyText
   * @param {(name: string, invite?: string) => void} page.openRoom
   * @param {import("./room_switch.js").RoomSwitch} page.roomSwitch
   * @param {(room: Room) => void} page.leaveRoom
   * @param {(room: string, seq: number) => void} page.openMessage
   */
  constructor(page) {
    this.#page = page;
  }

  /**
   * Send a draft, queue an edit or run a command. Errors appear below the composer. An edit without a change is not queued.
   * @param {import("./composer.js").Draft} draft
   * @returns {boolean} False to keep the text in the composer.
   */
  submit(draft) {
    this.#isSubmitting = true;
    try {
      return this.runSafely(() => this.#submitText(draft)) ?? false;
    } finally {
      this.#isSubmitting = false;
    }
  }

  /**
   * Run an operation, and show its `CommandRejected` or `RequestError` below the composer; any other error is thrown. The
   * rejection of a returned promise is not handled.
   * @template T
   * @param {() => T} operation
   * @returns {T | undefined} Result of the operation; undefined after an error.
   */
  runSafely(operation) {
    try {
      return operation();
    } catch (error) {
      this.#page.composer.showError(error instanceof CommandRejected ? error.message : errorText(requireRequestError(error)));
      return undefined;
    }
  }

  /**
   * @param {import("./composer.js").Draft} draft
   * @returns {boolean} False to keep the text in the composer.
   */
  #submitText({ text, replyTo, editing }) {
    const room = this.#page.getRoom();
    if (editing) {
      if (room.log.getItem(editing)?.message !== text) room.enqueue("editMessage", { seq: editing, message: text });
      return true;
    }
    const context = this.#createCommandContext(room, replyTo);
    return text ? runCommand(text, context) : context.send("");
  }

  /**
   * @param {Room} room
   * @param {number} [replyTo]
   * @returns {import("./command_context.js").CommandContext}
   */
  #createCommandContext(room, replyTo) {
    const { getSession, getRoom, composer, uploadList, timeline, dialogs, panels, searchPanel, openRoom, leaveRoom } = this.#page;
    const session = getSession();
    return {
      room,
      session,
      messages: this.#page.messageActions,
      send(message) {
        uploadList.sendWith((files) => room.enqueue("sendMessage", { message, ...(replyTo && { replyTo }), ...files }));
        timeline.scrollToNewest();
        return true;
      },
      showError: (error) => composer.showError(error),
      restoreText: (text) => room === getRoom() && composer.restoreText(text),
      confirm: this.#page.confirm,
      copyText: this.#page.copyText,
      openRoom: (name, invite) => {
        if (this.#isSubmitting) drafts.save(room.requestedName, { text: "" }); // the draft is this command
        openRoom(name, invite);
      },
      roomSwitch: this.#page.roomSwitch,
      closeRoom: leaveRoom,
      areNotificationsEnabled: () => this.#page.notifier.isEnabled,
      openRoomDialog: (filter) => dialogs.room.open(session, filter),
      openSettings: () => dialogs.openSettings(),
      openHelp: () => dialogs.help.open(),
      openAccount: (options) => dialogs.account.open(options),
      openSearch(query) {
        panels.setOpen("search", true);
        searchPanel.open(query);
      },
      openList: (view) => dialogs.list.open(view),
      openMessage: this.#page.openMessage,
      undoDelete: () => this.#page.delayedDeletions.undo(),
    };
  }
}
