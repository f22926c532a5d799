/** Dialogs of the page, and the buttons that open them. */

import { AccountDialog } from "./account_dialog.js";
import { ConfirmDialog } from "./confirm_dialog.js";
import { requireElement } from "./dom.js";
import { HelpDialog } from "./help_dialog.js";
import { PagedListDialog } from "./list_dialog.js";
import { auditView, blocksView, invitesView, mentionsView, sanctionsView } from "./list_views.js";
import { MemberDialog } from "./member_dialog.js";
import { RoomDialog } from "./room_dialog.js";
import { RoomSettingsDialog } from "./room_settings_dialog.js";
import { SettingsDialog } from "./settings_dialog.js";

/**
 * @typedef {object} DialogContext
 * @property {() => any} getSession Returns the session; null while the join form is visible.
 * @property {() => {nick: string, key?: string}} getGuest See `AccountDialog`.
 * @property {import("./notifier.js").Notifier} notifier
 * @property {(name: string) => void} openRoom
 * @property {import("./room_switch.js").RoomSwitch} roomSwitch
 * @property {(room: string, seq: number) => Promise<void>} openMessage
 * @property {(room: import("../state/room.js").Room) => void} closeRoom Called after the deletion of a room.
 * @property {(text: string) => Promise<void>} copyText
 * @property {(change?: {isRegistration: boolean}) => void} onAccountChange See `AccountDialog`.
 * @property {() => void} onLanguageChange
 * @property {(visibility: import("../state/join_visibility.js").JoinVisibility) => void} onJoinVisibilityChange
 */

/**
 * Create all dialogs, and add listeners to the buttons that open them.
 * @param {DialogContext} context
 */
export function createDialogs(context) {
  const { getSession, copyText } = context;
  const confirmDialog = new ConfirmDialog();
  const confirm = (/** @type {Parameters<ConfirmDialog["confirm"]>[0]} */ options) => confirmDialog.confirm(options);
  const list = new PagedListDialog();
  const settings = new SettingsDialog({
    getSession,
    notifier: context.notifier,
    onLanguageChange: context.onLanguageChange,
    onJoinVisibilityChange: context.onJoinVisibilityChange,
  });
  const dialogs = {
    confirm: confirmDialog,
    list,
    account: new AccountDialog({ onChange: context.onAccountChange, confirm, getGuest: context.getGuest }),
    help: new HelpDialog(),
    room: new RoomDialog(context.openRoom),
    member: new MemberDialog({
      confirm,
      getBlocks: () => (getSession().hasAccount ? getSession().blocks : null),
      openDirect: (member) => context.roomSwitch.follow(getSession().openDirect([member])),
    }),
    roomSettings: new RoomSettingsDialog({
      createRoom: (fields) => context.roomSwitch.follow(getSession().createRoom(fields)),
      confirm,
      onDeleted: context.closeRoom,
      copyText,
      openInvites: (room) => list.open(invitesView(room)),
      openSanctions: (room) => list.open(sanctionsView(room)),
      openAudit: (room) => list.open(auditView(room)),
    }),
    /** Close the dialogs of the session: all except that of the account. */
    closeSessionDialogs() {
      /** @type {NodeListOf<HTMLDialogElement>} */
      const opened = document.querySelectorAll("dialog[open]:not(#account-dialog)");
      for (const dialog of opened) dialog.close();
    },
    /** Open the settings of the session; requires an open room. */
    openSettings() {
      const { current, status, hasAccount } = getSession();
      settings.open({ nick: current.nick, away: status.away, hasAccount });
    },
  };
  const openAccount = () => {
    settings.close();
    dialogs.account.open();
  };
  onClick("room-dialog-open", () => dialogs.room.open(getSession()));
  onClick("room-create", () => {
    dialogs.room.close();
    dialogs.roomSettings.open(null);
  });
  onClick("room-settings-open", () => dialogs.roomSettings.open(getSession().current));
  onClick("settings-open", () => dialogs.openSettings());
  onClick("mentions-open", () => list.open(mentionsView(getSession(), context.openMessage)));
  onClick("blocks-open", () => list.open(blocksView(getSession())));
  onClick("account-open", openAccount);
  onClick("join-account", openAccount);
  onClick("help-open", () => dialogs.help.open());
  return dialogs;
}

/**
 * @param {string} id
 * @param {() => void} onActivate
 */
function onClick(id, onActivate) {
  requireElement(id, HTMLButtonElement).addEventListener("click", onActivate);
}
