/**
 * Unit tests of the page's pure modules.
 *
 * Argument: the folder of the modules.
 */

import assert from "node:assert/strict";
import { NOON, load, messageEntry, runCases } from "./cases.mjs";

const { AttachmentAddresses } = await load("state/attachment_addresses");
const { AutoAway, storeAwayAfter } = await load("state/auto_away");
const { Blocks } = await load("state/blocks");
const { DelayedDeletions } = await load("state/delayed_deletions");
const { buildLines, isSameLine } = await load("state/timeline_model");
const { RoomLog } = await load("state/room_log");
const { Room } = await load("state/room");
const { Roster } = await load("state/roster");
const { COMMANDS, completeCommand, escapeText, parseInput } = await load("state/command_parser");
const { parseInviteLimits } = await load("state/invite_limits");
const { findPerson, matchPerson } = await load("state/person_finder");
const { PendingUploads } = await load("state/pending_uploads");
const { parsePolicyChange, policyValues } = await load("state/policy");
const { JsonStorage, drafts, localStore, mutedRooms, readMarkers, uploadedFiles } = await load("state/storage");
const { OutboxStore } = await load("state/outbox_store");
const { OwnStatus } = await load("state/own_status");
const { Outbox } = await load("net/outbox");
const { RequestError } = await load("net/request_error");
const { sanitizeReceived } = await load("state/sanitize");
const { randomUuid } = await load("state/uuid");
const { changeSentence } = await load("view/change_sentence");
const { stringsFor } = await load("i18n/strings");

const MINUTE = 60_000;

function linesFor(items, overrides = {}) {
  const getItem = (seq) => items.find((item) => item.seq === seq);
  const defaults = { gaps: [], notices: [], pendingItems: [], changesBySeq: new Map(), ownMemberIds: new Set(["me"]), nick: "me", members: new Map(), isConfusable: () => false, isBlocked: () => false, unreadAfter: null, now: NOON };
  return buildLines({ items, getItem, ...defaults, ...overrides });
}

const lineKeys = (items, overrides) => linesFor(items, overrides).map(({ key }) => key.replace(/^d\d+/, "day"));
const groupStarts = (items, overrides) => linesFor(items, overrides).filter(({ startsGroup }) => startsGroup).map(({ key }) => key);

/** Create an outbox with scripted responses; a number is a seq, a string is an error code. */
function outboxAnswering(...answers) {
  const requests = [];
  const stored = new Map();
  let lastId = 0;
  const outbox = new Outbox({
    newId: () => "abc"[lastId++],
    getLastSeq: () => 4,
    store: { save: (item) => stored.set(item.clientId, item), delete: (clientId) => stored.delete(clientId) },
    onChange: () => {},
    request: async ({ clientId, body }) => {
      requests.push(`${clientId} ${body.message ?? body.seq}`);
      const answer = answers.shift();
      if (typeof answer === "number") return answer;
      throw new RequestError(answer);
    },
  });
  const addMessage = (message) => outbox.add("sendMessage", { message }, NOON);
  return { outbox, requests, stored, addMessage };
}

/** Emulate the Web Storage interface over a Map. */
function browserStorage(map) {
  const storage = Object.fromEntries(map);
  return new Proxy(storage, {
    get: (_, name) =>
      ({
        getItem: (key) => map.get(key) ?? null,
        setItem: (key, value) => map.set(key, value),
        removeItem: (key) => map.delete(key),
      })[name],
    ownKeys: () => [...map.keys()],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  });
}

/** Join an empty room, or that of the fields of `request`; the room stays unjoined after an invalid response. */
async function joinRoom({ guestKey = "key", logId = "log", onGuestKey = () => {}, saveItem = () => {}, request = async () => ({}) } = {}) {
  const room = new Room("tea", "ann", {
    ownMemberIds: new Set(),
    blocks: { memberIds: new Set() },
    marker: { initialSeq: null, isPending: false, move() {}, flush() {} },
    onJoined() {},
    onOwnStatus() {},
    async request(event, body) {
      const { lastSeq = 0, ...response } = await request(event, body);
      return { room: { name: "tea", topic: "", logId, firstSeq: 1, lastSeq }, lastSeq, nickName: "ann", memberId: "a", guestKey, members: [], messages: [], hasMore: false, ...response };
    },
    send() {},
    isOnline: () => false,
    guestKey: () => null,
    onGuestKey,
    onChange() {},
    saveItem,
    deleteItem() {},
  });
  room.onConnected();
  await new Promise((resolve) => setTimeout(resolve));
  return room;
}

const itemStates = ({ items }) => items.map(({ clientId, state }) => `${clientId} ${state}`);

const cases = {
  "messages of one author within five minutes form a group"() {
    const items = [messageEntry(1, "a", NOON), messageEntry(2, "a", NOON + MINUTE), messageEntry(3, "b", NOON + MINUTE)];
    items.push(messageEntry(4, "b", NOON + 9 * MINUTE));
    assert.deepEqual(groupStarts(items), ["m1", "m3", "m4"]);
  },
  "a reply, a nickname change and a notice each start a new group"() {
    const items = [messageEntry(1, "a", NOON), messageEntry(2, "a", NOON, { replyTo: 1 })];
    items.push(messageEntry(3, "a", NOON, { nickName: "other" }), messageEntry(4, "a", NOON));
    assert.deepEqual(groupStarts(items), ["m1", "m2", "m3", "m4"]);
    const notices = [{ id: 1, kind: "join", after: 1, ts: NOON, nickName: "x" }];
    assert.deepEqual(groupStarts([messageEntry(1, "a", NOON), messageEntry(2, "a", NOON)], { notices }), ["m1", "m2"]);
  },
  "day dividers are labelled today, yesterday or with a date"() {
    const day = 24 * 60 * MINUTE;
    const items = [messageEntry(1, "a", NOON - 2 * day), messageEntry(2, "a", NOON - day), messageEntry(3, "a", NOON - 1), messageEntry(4, "a", NOON)];
    assert.deepEqual(lineKeys(items), ["day", "m1", "day", "m2", "day", "m3", "m4"]);
    assert.deepEqual(linesFor(items).flatMap(({ age }) => age ?? []), ["older", "yesterday", "today"]);
  },
  "the count of a presence push includes members that are not listed"() {
    const roster = new Roster({ requestPage: async () => ({}), onLoaded: () => {} });
    roster.reset([{ memberId: "a", nickName: "ann", role: "member" }], 600);
    const unchanged = { joined: [], left: ["joined-meanwhile"], renamed: [] };
    roster.applyPresence({ ...unchanged, memberCount: 600 });
    assert.equal(roster.count, 600);
    roster.applyPresence(unchanged);
    assert.equal(roster.count, 599);
  },
  "an invalid member count is replaced by the number of stored members"() {
    const roster = new Roster({ requestPage: async () => ({}), onLoaded: () => {} });
    for (const count of [undefined, null, "600", NaN, -1, 1.5, {}]) {
      roster.reset([{ memberId: "a", nickName: "ann", role: "member" }], count);
      assert.equal(roster.count, 1);
      if (count !== undefined) roster.applyPresence({ joined: [], left: [], renamed: [], memberCount: count });
      assert.equal(roster.count, 1);
    }
  },
  "the unread divider precedes the first unread message of another member"() {
    const items = [messageEntry(1, "a", NOON), messageEntry(2, "me", NOON), messageEntry(3, "a", NOON)];
    assert.deepEqual(lineKeys(items, { unreadAfter: 1 }), ["day", "m1", "m2", "unread", "m3"]);
    assert.deepEqual(lineKeys(items, { unreadAfter: 3 }), ["day", "m1", "m2", "m3"]);
  },
  "notices keep their position and adjacent ones form one line"() {
    const notice = (id, after) => ({ id, after, kind: "join", ts: NOON, nickName: `n${id}` });
    const notices = [notice(1, 0), notice(2, 1), notice(3, 1), notice(4, 2)];
    const items = [messageEntry(1, "a", NOON), messageEntry(2, "a", NOON)];
    assert.deepEqual(lineKeys(items, { notices }), ["day", "n1", "m1", "n2", "m2", "n4"]);
    assert.deepEqual(lineKeys([messageEntry(2, "a", NOON)], { notices }), ["day", "n2", "m2", "n4"]);
  },
  "pending messages are last and are hidden once their entry is in the log"() {
    const pending = { clientId: "c", event: "sendMessage", body: { message: "text" }, ts: NOON, state: "pending" };
    assert.deepEqual(lineKeys([messageEntry(1, "me", NOON)], { pendingItems: [pending] }), ["day", "m1", "pc"]);
    assert.deepEqual(groupStarts([messageEntry(1, "me", NOON, { nickName: "me" })], { pendingItems: [pending] }), ["m1"]);
    assert.deepEqual(lineKeys([messageEntry(1, "me", NOON)], { pendingItems: [{ ...pending, seq: 1 }] }), ["day", "m1"]);
  },
  "each gap has a line at its position"() {
    const items = [messageEntry(3, "a", NOON), messageEntry(9, "a", NOON), messageEntry(20, "a", NOON)];
    const gaps = [
      { after: 0, before: 3 },
      { after: 4, before: 8 },
      { after: 12, before: 20 },
      { after: 25, before: 30 },
    ];
    assert.deepEqual(lineKeys(items, { gaps }), ["day", "m3", "g4-8", "m9", "g12-20", "m20"]);
    assert.deepEqual(groupStarts(items, { gaps }), ["m3", "m9", "m20"]);
  },
  "an action is not grouped and ends the group before it"() {
    const items = [messageEntry(1, "a", NOON), messageEntry(2, "a", NOON, { message: "/me waves" }), messageEntry(3, "a", NOON)];
    assert.deepEqual(groupStarts(items), ["m1", "m3"]);
  },
  "lines are equal only if they contain the same objects"() {
    const item = messageEntry(1, "a", NOON);
    const lineOf = (entry) => linesFor([entry]).at(-1);
    assert.ok(isSameLine(lineOf(item), lineOf(item)));
    assert.ok(!isSameLine(lineOf(item), lineOf({ ...item })));
    const notice = { id: 1, after: 0, kind: "join", ts: NOON, nickName: "n" };
    const noticeLine = (...notices) => linesFor([], { notices }).at(-1);
    assert.ok(!isSameLine(noticeLine(notice), noticeLine(notice, { ...notice, id: 2 })));
  },
  async "the outbox sends items in order and without duplicates"() {
    const { outbox, requests, stored, addMessage } = outboxAnswering(1, 2);
    addMessage("one");
    addMessage("two");
    assert.deepEqual([...stored.keys()], ["a", "b"]);
    await Promise.all([outbox.flush(), outbox.flush()]);
    assert.deepEqual(requests, ["a one", "b two"]);
    assert.deepEqual(itemStates(outbox), ["a sent", "b sent"]);
    assert.equal(stored.size, 0);
    outbox.removeDelivered((seq) => seq === 1);
    assert.deepEqual(itemStates(outbox), ["b sent"]);
    outbox.removeDelivered(() => true);
    assert.deepEqual(itemStates(outbox), []);
  },
  async "an item is stored until its acknowledgement or its removal"() {
    const { outbox, stored, addMessage } = outboxAnswering("offline", 1, "forbidden");
    addMessage("one");
    addMessage("two");
    await outbox.flush();
    assert.deepEqual([...stored.keys(), stored.get("a").attempted], ["a", "b", true]);
    await outbox.flush();
    assert.deepEqual([...stored.values()].map(({ clientId, state }) => `${clientId} ${state}`), ["b failed"]);
    assert.equal(outbox.discard("b").body.message, "two");
    assert.equal(stored.size, 0);
    const closing = outboxAnswering(1);
    closing.addMessage("one");
    closing.addMessage("two");
    const sending = closing.outbox.flush();
    closing.outbox.close();
    await sending;
    assert.deepEqual([closing.requests, [...closing.stored.keys()]], [["a one"], ["b"]]);
  },
  async "an entry pushed before its acknowledgement is matched to its item, unlike older messages with the same text"() {
    const { outbox, addMessage } = outboxAnswering("offline");
    addMessage("one");
    await outbox.flush();
    outbox.onOwnMessage(4, "one", false); // older than the request
    outbox.onOwnMessage(5, "one", true);
    assert.equal(outbox.items[0].seq, undefined);
    outbox.onOwnMessage(5, "one", false);
    assert.equal(outbox.items[0].seq, 5);
  },
  "pending changes are indexed by target"() {
    const { outbox, addMessage } = outboxAnswering();
    addMessage("one");
    outbox.add("editMessage", { seq: 4, message: "x" }, NOON);
    outbox.add("react", { seq: 4, emoji: "👍", on: true }, NOON);
    assert.deepEqual([...outbox.changesBySeq.keys()], [4]);
    assert.deepEqual(outbox.changesBySeq.get(4).map(({ clientId }) => clientId), ["b", "c"]);
    assert.equal(outbox.changesBySeq, outbox.changesBySeq);
  },
  "items of a closed tab are claimed once and in order"() {
    const entries = new Map();
    const callbacks = new Map(); // by the id of the tab that they wait for
    const openTab = (tabId) => {
      const storage = new JsonStorage(() => browserStorage(entries));
      const tabLocks = { whenTabClosed: (otherTab, _scope, callback) => callbacks.set(otherTab, [...(callbacks.get(otherTab) ?? []), callback]) };
      return new OutboxStore({ storage, tabId, tabLocks });
    };
    const first = openTab("first");
    for (const clientId of ["c", "a", "b"]) first.save("Tea", "Ann", { clientId, state: "pending" });
    first.save("tea", "Bob", { clientId: "of Bob", state: "pending" });
    first.save("tea", "ann", { clientId: "a", state: "failed" });
    assert.deepEqual(first.roomsOf("ANN"), ["Tea", "tea"]);
    const claimed = { second: [], third: [] };
    for (const name of ["second", "third"]) {
      const otherTab = openTab(name);
      otherTab.claimOrphans("tea", "ann", () => assert.fail("the second call must replace the callback of the first one"));
      otherTab.claimOrphans("TEA", "ANN", (items) => claimed[name].push(...items.map(({ clientId }) => clientId)));
    }
    assert.deepEqual(claimed, { second: [], third: [] });
    for (const callback of callbacks.get("first")) callback();
    assert.deepEqual(claimed, { second: ["c", "a", "b"], third: [] });
  },
  "consecutive messages of blocked members become one line"() {
    const isBlocked = (memberId) => memberId === "b" || memberId === "c";
    const items = [messageEntry(1, "a", NOON), messageEntry(2, "b", NOON), messageEntry(3, "c", NOON), messageEntry(4, "a", NOON, { replyTo: 2 }), messageEntry(5, "b", NOON)];
    const lines = linesFor(items, { isBlocked });
    assert.deepEqual(lines.map(({ key, count }) => key.replace(/^d\d+/, "day") + (count ?? "")), ["day", "m1", "h22", "m4", "h51"]);
    assert.equal(lines.find(({ key }) => key === "m4").quoted.kind, "blocked");
  },
  async "unlisted members are loaded by the nickname without an at sign and colons"() {
    const queries = [];
    const room = { members: new Map(), roster: { load: async (query) => queries.push(query) }, log: { items: [] }, request: async () => ({ messages: [] }) };
    assert.equal(await findPerson(room, "@ann: spam"), null);
    assert.deepEqual(queries, ["ann"]);
  },
  "the longest nickname at the start of an argument is the target"() {
    const persons = [{ nickName: "Ann" }, { nickName: "Ann Lee" }, { nickName: "bob" }];
    const match = (argument) => {
      const found = matchPerson(argument, persons);
      return found && [found.person.nickName, found.rest];
    };
    assert.deepEqual(match("ann LEE: 2h spam"), ["Ann Lee", "2h spam"]);
    assert.deepEqual(match("@ann lea"), ["Ann", "lea"]);
    assert.deepEqual(match("bob"), ["bob", ""]);
    assert.equal(match("bobby"), null);
  },
  "an escaped text is read back unchanged"() {
    assert.deepEqual(["/join tea", "//x", "/me", "/me waves", "tea"].map(escapeText), ["//join tea", "///x", "//me", "/me waves", "tea"]);
    for (const text of ["/join tea", "//x", "/me", "tea"]) assert.deepEqual(parseInput(escapeText(text)), { text });
  },
  "a typed policy change is validated and its values are completed"() {
    assert.deepEqual(parsePolicyChange("GuestPost", "FALSE"), { change: { guestPost: false } });
    assert.deepEqual(parsePolicyChange("keep", "30d"), { change: { keep: { days: 30 } } });
    assert.deepEqual(parsePolicyChange("keep", "all"), { change: { keep: {} } });
    assert.deepEqual(parsePolicyChange("speak", "nobody"), { field: "speak", expected: ["everyone", "members", "moderators"] });
    for (const value of ["0", "36501d", "x"]) assert.equal(parsePolicyChange("keep", value).field, "keep");
    assert.equal(parsePolicyChange("colour", "red").field, "");
    assert.deepEqual(policyValues("TOPIC"), ["members", "moderators", "owner"]);
  },
  "the limits of an invite are a number of people and a duration in any order"() {
    assert.deepEqual(parseInviteLimits(""), {});
    assert.deepEqual(parseInviteLimits("1 2h"), { uses: 1, expiresIn: 7200 });
    assert.deepEqual(parseInviteLimits("365d 10000"), { uses: 10_000, expiresIn: 31_536_000 });
    for (const argument of ["0", "10001", "366d", "0h", "many", "1 2x", "-1", "1 2", "1h 2h", "many 2h"]) assert.equal(parseInviteLimits(argument), null);
  },
  "command names are completed before aliases"() {
    assert.deepEqual(completeCommand("UN"), ["undo", "unread", "unmute", "unblock", "uninvite", "unhook", "unsilence", "unban"]);
    assert.deepEqual(completeCommand("le"), ["leave"]);
    assert.deepEqual(completeCommand("zz"), []);
    assert.equal(completeCommand("").length, COMMANDS.size);
  },
  async "an idle user is away until input in any tab, and a manual status is kept"() {
    const requests = [];
    let isOnline = true;
    const openTab = () => {
      const request = async (_event, { away }) => {
        requests.push(away);
        if (!isOnline) throw new RequestError("offline");
        for (const other of tabs) if (other.status !== status) other.status.applyPush(away ? "" : null);
      };
      const status = new OwnStatus(null, { request, getNick: () => "Ann", onChange() {} });
      return { status, autoAway: new AutoAway(() => /** @type {any} */ ({ status })) };
    };
    const tabs = [];
    tabs.push(openTab(), openTab());
    const [first, second] = tabs;
    const statuses = () => tabs.map(({ status }) => [status.away, status.isAutomatic]);
    const startIdling = () => localStore.set("lastInput", Date.now() - 5 * MINUTE);
    startIdling();
    await first.autoAway.check();
    storeAwayAfter(6);
    await first.autoAway.check();
    assert.deepEqual(statuses(), [[null, false], [null, false]]);
    storeAwayAfter(5);
    isOnline = false;
    await first.autoAway.check();
    isOnline = true;
    await Promise.all(tabs.map(({ autoAway }) => autoAway.check()));
    assert.deepEqual(statuses(), [["", true], ["", true]]);
    second.autoAway.recordInput();
    await first.autoAway.check();
    assert.deepEqual(statuses(), [[null, false], [null, false]]);
    await first.status.set("");
    startIdling();
    await second.autoAway.check();
    second.autoAway.recordInput();
    assert.deepEqual(statuses(), [["", false], ["", false]]);
    assert.deepEqual(requests, [true, true, false, true]); // the first one fails
    storeAwayAfter(0);
  },
  async "a status that another device sets or ends is not automatic, and a reconnect keeps an automatic one"() {
    let acknowledge = () => {};
    const request = () => new Promise((resolve) => (acknowledge = () => resolve({})));
    const status = new OwnStatus(null, { request, getNick: () => "Bea", onChange() {} });
    const autoAway = new AutoAway(() => /** @type {any} */ ({ status }));
    const startIdling = async () => {
      localStore.set("lastInput", Date.now() - 5 * MINUTE);
      const checked = autoAway.check();
      acknowledge();
      await checked;
    };
    storeAwayAfter(5);
    await startIdling();
    for (const away of ["", "lunch"]) {
      assert.deepEqual([status.away, status.isAutomatic], ["", true]);
      status.applyPush(null);
      await autoAway.check(); // the end counts as input
      assert.equal(status.away, null);
      status.applyPush(away);
      autoAway.recordInput();
      assert.deepEqual([status.away, status.isAutomatic], [away, false]);
      status.applyPush(null);
      await startIdling();
    }
    status.onConnectionChange();
    status.applyPush(null); // precedes the join response
    const restored = status.resend();
    status.applyPush(null);
    acknowledge();
    await restored;
    status.applyPush("");
    assert.deepEqual([status.away, status.isAutomatic], ["", true]);
    status.applyPush("lunch");
    assert.deepEqual([status.away, status.isAutomatic], ["lunch", false]);
    storeAwayAfter(0);
  },
  "randomUuid returns version 4 UUIDs with and without crypto.randomUUID"() {
    const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    assert.match(randomUuid(), pattern);
    const { randomUUID } = crypto;
    Object.defineProperty(crypto, "randomUUID", { value: undefined, configurable: true });
    const ids = new Set(Array.from({ length: 1000 }, randomUuid));
    Object.defineProperty(crypto, "randomUUID", { value: randomUUID, configurable: true });
    assert.equal(ids.size, 1000);
    for (const id of ids) assert.match(id, pattern);
  },
  "received entries have a timestamp that a date can represent"() {
    for (const ts of [-1e17, 1e17, 2 ** 63, NaN, Infinity, undefined, null, "1"]) {
      const received = sanitizeReceived(messageEntry(1, "ann", ts));
      assert.match(new Date(received.ts).toISOString(), /^(?:1970|9999)-/);
    }
    const valid = messageEntry(1, "ann", NOON);
    assert.equal(sanitizeReceived(valid), valid);
  },
  async "a join response with an overlong key or log id is rejected"() {
    const overlong = "x".repeat(129);
    for (const [guestKey, logId] of [[overlong, "log"], ["key", overlong], ["x".repeat(128), "log"]]) {
      const guestKeys = [];
      const room = await joinRoom({ guestKey, logId, onGuestKey: (key) => guestKeys.push(key) });
      const isValid = guestKey !== overlong && logId !== overlong;
      assert.deepEqual([room.hasJoined, guestKeys], isValid ? [true, [guestKey]] : [false, []]);
      room.leave();
    }
  },
  async "the end of the membership on another device ends the role of the user, except that of an administrator"() {
    const room = await joinRoom();
    const change = (seq, action, role) => room.handlePush("update", { kind: "member", seq, action, role, memberId: "a", nickName: "ann", by: { memberId: "a", nickName: "ann" }, target: { memberId: "a", nickName: "ann" }, ts: NOON });
    const roles = [["joined"], ["role", "moderator"], ["left"]].map(([action, role], index) => {
      change(index + 1, action, role);
      return room.access.role;
    });
    assert.deepEqual(roles, ["member", "moderator", ""]);
    room.access.role = "admin";
    change(4, "left");
    assert.equal(room.access.role, "admin");
    room.leave();
  },
  async "a rejected message changes nothing, and a renamed room stores its draft, mute, read markers and unsent messages under the new name"() {
    const saved = [];
    const room = await joinRoom({ saveItem: ({ body }) => saved.push(`${room.requestedName} ${body.message}`) });
    room.readTracker.unreadAfter = 3;
    assert.throws(() => room.enqueue("sendMessage", { message: " " }), { reason: "message_empty" });
    assert.deepEqual([room.readTracker.unreadAfter, room.outbox.items], [3, []]);
    room.onDisconnected();
    room.enqueue("sendMessage", { message: "unsent" });
    assert.equal(room.readTracker.unreadAfter, null);
    drafts.save("Tea", { text: "half" });
    mutedRooms.add("Tea");
    readMarkers.set("Tea", "Ann", 3);
    readMarkers.set("tea time", "Ann", 4);
    room.handlePush("update", { kind: "policy", seq: 1, memberId: "b", nickName: "bob", ts: NOON, newName: "coffee" });
    assert.deepEqual(saved, ["tea unsent", "coffee unsent"]);
    assert.deepEqual([drafts.get("tea").text, drafts.get("coffee").text], ["", "half"]);
    assert.deepEqual(["tea", "coffee"].map((name) => mutedRooms.has(name)), [false, true]);
    assert.deepEqual(["tea", "coffee", "tea time"].map((name) => readMarkers.get(name, "ann")), [null, 3, 4]);
    room.leave();
  },
  async "a room is up to date as soon as all missed entries are loaded, including after a failed request"() {
    const first = messageEntry(1, "bob", NOON);
    const missed = messageEntry(2, "bob", NOON);
    const answers = [{ lastSeq: 1, messages: [first] }, { lastSeq: 2, hasMore: true }, new RequestError("unavailable"), { lastSeq: 2, messages: [missed] }];
    const room = await joinRoom({
      async request() {
        const answer = answers.shift();
        if (answer instanceof Error) throw answer;
        return answer;
      },
    });
    assert.deepEqual([room.isUpToDate, room.log.lastSeq], [true, 1]);
    room.onDisconnected();
    room.onConnected();
    await new Promise((resolve) => setTimeout(resolve));
    assert.deepEqual([room.isUpToDate, room.log.missingAfter, answers.length], [false, 1, 1]);
    await room.history.catchUp();
    assert.deepEqual([room.isUpToDate, room.log.lastSeq], [true, 2]);
    room.leave();
  },
  async "a repeated message that the server has stored earlier is no new line, and a repeated edit stays visible"() {
    const request = async (event) => ({ joinRoom: { lastSeq: 2000, messages: [messageEntry(2000, "bob", NOON)], hasMore: true }, sendMessage: { seq: 5 }, editMessage: { revision: 6 } })[event];
    const room = await joinRoom({ request });
    const item = { ts: NOON, state: "pending", attempted: true };
    room.adoptItems([
      { ...item, clientId: "a", event: "sendMessage", body: { message: "before the reload" } },
      { ...item, clientId: "b", event: "editMessage", body: { seq: 2000, message: "edited" } },
    ]);
    await new Promise((resolve) => setTimeout(resolve));
    assert.deepEqual(itemStates(room.outbox), ["b sent"]);
    room.leave();
  },
  "the delayed deletions of one room are queued without those of other rooms"() {
    const queued = [];
    const [tea, coffee] = ["tea", "coffee"].map((name) => ({ log: { id: name }, enqueue: (event, { seq }) => queued.push(`${name} ${event} ${seq}`) }));
    const deletions = new DelayedDeletions(() => {});
    deletions.schedule(tea, 1);
    deletions.schedule(coffee, 2);
    deletions.flush(tea);
    assert.deepEqual([queued, deletions.has(tea, 1), deletions.has(coffee, 2)], [["tea deleteMessage 1"], false, true]);
    assert.ok(deletions.undo(coffee, 2));
    deletions.flush();
    assert.equal(queued.length, 1);
  },
  async "hidden notices do not displace visible ones"() {
    const room = await joinRoom();
    room.notices.addLocal("visible");
    for (let member = 0; member < 500; member += 1) {
      room.handlePush("message", { kind: "join", memberId: `m${member}`, nickName: `guest ${member}`, ts: NOON });
    }
    assert.deepEqual(room.notices.items.filter(({ kind }) => kind === "local").map(({ text }) => text), ["visible"]);
    assert.equal(room.notices.items.length, 201);
    assert.equal(room.notices.items.at(-1).nickName, "guest 499");
    room.leave();
  },
  async "paths of files share requests, wait for a join, and are signed again after the expiry"() {
    const requests = [];
    const responses = [];
    let onRequest = () => {};
    let now = NOON;
    const addresses = new AttachmentAddresses({
      now: () => now,
      async request(paths) {
        requests.push(paths);
        onRequest();
        const error = responses.shift();
        if (error) throw error;
        return { urls: paths.map((path) => (path === "/secret" ? null : `${path}?${requests.length}`)), expiresAt: now + 3_600_000 };
      },
    });
    const loads = ["/a", "/secret", "/a"].map((path) => addresses.load(path));
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(requests, []);
    responses.push(new RequestError("offline"), new RequestError("rate_limited", { retryAfter: 0.001 }));
    const isRequested = new Promise((resolve) => (onRequest = resolve));
    addresses.resume();
    await isRequested;
    await new Promise((resolve) => setTimeout(resolve));
    addresses.pause();
    addresses.resume(); // after the lost connection
    assert.deepEqual(await Promise.all(loads), ["/a?3", null, "/a?3"]);
    assert.deepEqual(requests, Array(3).fill(["/a", "/secret"]));
    assert.deepEqual([await addresses.load("/a"), requests.length], ["/a?3", 3]);
    now += 3_600_000;
    assert.equal(addresses.find("/a"), null);
    assert.deepEqual([await addresses.load("/a"), addresses.find("/a")], ["/a?4", "/a?4"]);
    addresses.forget("/a");
    assert.equal(await addresses.load("/a"), "/a?5");
    responses.push(new RequestError("bad_request"));
    assert.equal(await addresses.load("/b"), null);
    const paths = Array.from({ length: 150 }, (_, index) => `/${index}`.padEnd(index < 100 ? 10 : 2000, "x"));
    assert.equal((await Promise.all(paths.map((path) => addresses.load(path)))).every(Boolean), true);
    assert.deepEqual(requests.slice(6).map(({ length }) => length), [100, 16, 16, 16, 2]);
  },
  async "a block by another device during the load of the blocks repeats the load"() {
    let requests = 0;
    const stored = [];
    const request = async () => {
      const response = { blocks: [...stored] };
      requests += 1;
      if (requests > 1) return response;
      stored.push({ memberId: "b", nickName: "bob" });
      blocks.applyPush({ member: stored[0], on: true });
      return response; // of the time before the block
    };
    const blocks = new Blocks({ request, onChange() {} });
    assert.deepEqual((await blocks.load()).map(({ nickName }) => nickName), ["bob"]);
    assert.deepEqual([requests, [...blocks.memberIds]], [2, ["b"]]);
    blocks.applyPush({ member: stored[0], on: false });
    assert.equal(blocks.has("b"), false);
  },
  "an uploaded file is stored for an hour after its upload, regardless of later files"() {
    const { now } = Date;
    const [first, second] = [{ id: "1" }, { id: "2" }];
    const stored = (memberId) => uploadedFiles.get("Tea", new Set([memberId])).map(({ id }) => id);
    try {
      Date.now = () => NOON;
      uploadedFiles.save("tea", "me", [first]);
      Date.now = () => NOON + 1_800_000;
      uploadedFiles.save("tea", "me", [first, second]);
      assert.deepEqual([stored("me"), stored("other")], [["1", "2"], []]);
      Date.now = () => NOON + 3_600_000;
      assert.deepEqual(stored("me"), ["2"]);
    } finally {
      Date.now = now;
    }
  },
  async "one file at a time is uploaded, also after the removal of files during their upload"() {
    const started = [];
    const upload = ({ name }, { signal }) => new Promise((resolve) => started.push({ name, signal, resolve })); // pending after the cancellation
    const uploads = new PendingUploads({ upload, onChange: () => {}, saved: [], save: () => {} });
    uploads.add([{ name: "first", size: 1 }, { name: "second", size: 1 }]);
    uploads.clear();
    uploads.add(["third", "fourth", "fifth"].map((name) => ({ name, size: 1 })));
    assert.deepEqual(started.map(({ name, signal }) => [name, signal.aborted]), [["first", true], ["third", false]]);
    started[1].resolve({ id: "x", name: "third", type: "text/plain", size: 1, path: "/api/uploads/x/third" });
    uploads.remove(uploads.items[0]);
    await new Promise(setImmediate);
    assert.deepEqual(started.map(({ name }) => name), ["first", "third", "fourth"]);
  },
  async "each upload starts with a progress of 0, also after a failed attempt"() {
    const changes = [];
    const uploads = new PendingUploads({
      upload: async (_, { onProgress }) => {
        onProgress(1);
        throw new RequestError("offline");
      },
      onChange: () => changes.push(uploads.items.map(({ state, progress }) => [state, progress])[0]),
      saved: [],
      save: () => {},
    });
    uploads.add([{ name: "first", size: 1 }]);
    await new Promise(setImmediate);
    uploads.retry(uploads.items[0]);
    await new Promise(setImmediate);
    const attempt = [["uploading", 0], ["uploading", 1], ["failed", 1]];
    assert.deepEqual(changes, [...attempt, ...attempt]);
  },
  "received files have sanitized names and paths of this server"() {
    const attachment = { id: "x", name: "a\u202eb\n", type: "image/png", size: -1, path: "/api/uploads/x/a.png", width: 1.5, height: 2, preview: "/api/uploads/../x", poster: "//evil.example/x" };
    const [file, ...others] = sanitizeReceived(messageEntry(1, "a", NOON, { attachments: Array(11).fill(attachment) })).attachments;
    assert.deepEqual(file, { id: "x", name: "ab", type: "image/png", size: 0, path: "/api/uploads/x/a.png", width: 0, height: 2, preview: "", poster: "" });
    assert.equal(others.length, 9);
    for (const path of ["https://evil.example/api/uploads/x/a", "/api/uploads/x/a?b", "/api/uploads/x/a/b", 1]) {
      assert.equal(sanitizeReceived({ attachments: [{ ...attachment, path }] }).attachments[0].path, "");
    }
  },
  "changes of members and policies have a sentence, and the timeline shows them"() {
    const by = { memberId: "a", nickName: "ann" };
    const target = { memberId: "b", nickName: "bob" };
    const common = { seq: 2, memberId: "a", nickName: "ann", ts: NOON };
    const sentence = (fields) => changeSentence(sanitizeReceived({ ...common, ...fields }));
    const banned = { kind: "member", action: "banned", by, target, reason: "spam\u202e" };
    assert.equal(sentence(banned), "ann banned bob (spam)");
    assert.match(sentence({ ...banned, until: NOON }), /^ann banned bob \(until .*2026.*, spam\)$/);
    assert.equal(sentence({ kind: "member", action: "role", role: "moderator", by, target: { ...target, nickName: "b\u0007ob" } }), "ann made bob moderator");
    for (const action of ["promoted", "toString"]) {
      assert.equal(sentence({ ...banned, action }), "ann changed the membership of bob (spam)");
    }
    assert.equal(sentence({ kind: "policy", speak: "members", keep: { days: 1 }, newName: "tea" }), "ann changed the room: name = tea, speak = members, keep = 1 day");
    assert.deepEqual(lineKeys([messageEntry(1, "ann", NOON), { ...common, ...banned }]), ["day", "m1", "t2"]);
  },
  "all languages define the same strings"() {
    const typeOf = (string) => (typeof string === "object" ? shape(string) : typeof string);
    const shape = (strings) => Object.entries(strings).map(([key, string]) => [key, typeOf(string)]);
    assert.deepEqual(shape(stringsFor(["zh-TW"])), shape(stringsFor(["en"])));
    assert.deepEqual(Object.keys(stringsFor(["en"]).commandHelp).sort(), [...COMMANDS.keys()].sort());
    assert.equal(stringsFor(["fr", "zh-CN", "en"]).lang, "zh-CN");
    assert.equal(stringsFor(["fr"]).lang, "en");
  },
};

await runCases(cases);
