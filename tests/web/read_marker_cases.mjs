/**
 * Unit tests of read markers and unread counts.
 *
 * Argument: the folder of the modules.
 */

import assert from "node:assert/strict";
import { NOON, load, messageEntry, runCases } from "./cases.mjs";

const { AccountMarker } = await load("state/read_markers");
const { ReadTracker } = await load("state/read_tracker");
const { RoomLog } = await load("state/room_log");
const { RequestError } = await load("net/request_error");

function message(seq, n, memberId = "a", overrides = {}) {
  return messageEntry(seq, memberId, NOON, { n, ...overrides });
}

/** Create the tracker of an account `me` with the nickname `ann` and the account name `annlee`. */
function trackAccount() {
  const log = new RoomLog();
  const moves = [];
  const members = new Map([["me", { memberId: "me", nickName: "ann", role: "member", account: "annlee" }]]);
  const readTracker = new ReadTracker({ readSeq: null, onMove: (seq) => moves.push(seq), isBlocked: () => false });
  return {
    log,
    moves,
    readTracker,
    update: (isViewed = false) => readTracker.update({ log, ownMemberIds: new Set(["me"]), nick: "ann", members, isViewed }),
    counts: () => [readTracker.unreadCount, readTracker.mentionCount],
  };
}

const cases = {
  "messages mention an account by its nickname and by its account name"() {
    const { log, update, counts } = trackAccount();
    log.applyJoin({ messages: [message(1, 1)], lastSeq: 1, hasMore: false }, null);
    update(true);
    ["@ann?", "@annlee?", "@annleen?"].forEach((text, index) => log.applyPush(message(index + 2, index + 2, "a", { message: text })));
    assert.deepEqual(update().map(({ seq }) => seq), [2, 3]);
    assert.deepEqual(counts(), [3, 2]);
  },
  "each shown message of another member in a direct room qualifies for a notification, and mentions count as elsewhere"() {
    const log = new RoomLog();
    const readTracker = new ReadTracker({ readSeq: 0, onMove() {}, isBlocked: (memberId) => memberId === "blocked" });
    const update = () => readTracker.update({ log, ownMemberIds: new Set(["me"]), nick: "ann", members: new Map(), isDirect: true, isViewed: false });
    log.applyJoin({ messages: [message(1, 1)], lastSeq: 1, hasMore: false }, null);
    assert.deepEqual(update().map(({ seq }) => seq), [1]);
    for (const entry of [message(2, 2, "me"), message(3, 3, "blocked"), message(4, 4, "a", { deleted: true }), message(5, 5, "a", { message: "@ann?" })]) log.applyPush(entry);
    assert.deepEqual(update().map(({ seq }) => seq), [5]);
    assert.equal(readTracker.mentionCount, 1);
    assert.deepEqual(update(), []);
  },
  "messages before the first update of a restored room count and qualify for no notification"() {
    const { log, readTracker, update, counts } = trackAccount();
    readTracker.isRestored = true;
    readTracker.applyRemoteMarker({ seq: 1, unread: 1, mentions: 1 }, 2);
    log.applyJoin({ messages: [message(1, 1), message(2, 2, "a", { message: "@ann?" })], lastSeq: 2, hasMore: false }, null);
    assert.deepEqual(update(), []);
    log.applyPush(message(3, 3, "a", { message: "@ann!" }));
    assert.deepEqual(update().map(({ seq }) => seq), [3]);
    assert.deepEqual(counts(), [2, 2]);
  },
  "the marker of a guest moves only while the room is viewed, and back to a message marked as unread"() {
    const log = new RoomLog();
    log.applyJoin({ messages: [messageEntry(1, "a", NOON)], lastSeq: 1, hasMore: false }, null);
    const reads = [];
    const readTracker = new ReadTracker({ readSeq: null, onMove: (seq, isUnread) => reads.push(isUnread ? `unread ${seq}` : seq), isBlocked: (memberId) => memberId === "blocked" });
    const update = (isViewed) => readTracker.update({ log, ownMemberIds: new Set(["me"]), nick: "ann", members: new Map(), isViewed });
    update(true);
    assert.deepEqual([readTracker.unreadCount, readTracker.unreadAfter, reads], [0, null, [1]]);
    log.applyPush(messageEntry(2, "me", NOON));
    log.applyPush(messageEntry(3, "a", NOON));
    assert.deepEqual(update(false), []);
    log.applyPush(messageEntry(4, "a", NOON, { message: "@Ann?" }));
    assert.deepEqual(update(false).map(({ seq }) => seq), [4]);
    assert.deepEqual([readTracker.unreadCount, readTracker.mentionCount, readTracker.unreadAfter], [2, 1, 1]);
    assert.deepEqual(update(false), []);
    update(true);
    assert.deepEqual([readTracker.unreadCount, readTracker.mentionCount, readTracker.unreadAfter, reads], [0, 0, 1, [1, 4]]);
    log.applyPush(messageEntry(5, "a", NOON));
    update(true);
    assert.deepEqual([readTracker.unreadCount, readTracker.unreadAfter], [0, 1]);
    readTracker.clearDivider();
    update(false);
    log.applyPush(messageEntry(6, "a", NOON));
    update(false);
    assert.deepEqual([readTracker.unreadCount, readTracker.unreadAfter], [1, 5]);
    readTracker.applyRemoteMarker({ seq: 6 }, 6);
    update(false);
    assert.equal(readTracker.unreadCount, 0);
    log.applyPush(messageEntry(7, "blocked", NOON, { message: "@Ann?" }));
    assert.deepEqual(update(false), []);
    assert.deepEqual([readTracker.unreadCount, readTracker.mentionCount], [1, 0]);
    update(true);
    readTracker.markUnread(4);
    assert.deepEqual(update(true), []);
    assert.deepEqual([readTracker.unreadCount, readTracker.mentionCount, readTracker.unreadAfter, reads.at(-1)], [4, 1, 3, "unread 3"]);
    readTracker.resume();
    update(true);
    assert.deepEqual([readTracker.unreadCount, reads.at(-1)], [0, 7]);
    readTracker.applyRemoteMarker({ seq: 5 }, 7);
    update(true);
    assert.deepEqual([readTracker.unreadCount, readTracker.unreadAfter, reads.at(-1)], [2, 5, 7]);
  },
  "the marker of a guest returns to 0 after a replacement of the log, and not because another tab is ahead"() {
    let log = new RoomLog();
    const moves = [];
    const readTracker = new ReadTracker({ readSeq: 7, onMove: (seq) => moves.push(seq), isBlocked: () => false });
    const update = () => readTracker.update({ log, ownMemberIds: new Set(["me"]), nick: "ann", members: new Map(), isViewed: false });
    const joinReplacedLog = () => log.applyJoin({ messages: [message(1, 1), message(2, 2)], lastSeq: 2, hasMore: false }, null);
    joinReplacedLog();
    update();
    assert.deepEqual([readTracker.unreadCount, moves], [2, [0]]);
    readTracker.applyRemoteMarker({ seq: 4 }, 2);
    update();
    for (const seq of [3, 4, 5]) log.applyPush(message(seq, seq));
    update();
    assert.deepEqual([readTracker.unreadCount, moves], [1, [0]]);
    log = log.replacement();
    joinReplacedLog();
    update();
    assert.deepEqual([readTracker.unreadCount, moves], [2, [0, 0]]);
  },
  async "the marker of an account is sent again until the server confirms or permanently rejects it"() {
    const sent = [];
    const confirmed = [];
    const answers = [new RequestError("offline"), new RequestError("unavailable"), { read: { seq: 4, unread: 1 } }, { read: { seq: 9, unread: 0 } }];
    const marker = new AccountMarker({
      request: async (body) => {
        sent.push(body);
        const answer = answers.shift();
        if (answer instanceof Error) throw answer;
        return answer;
      },
      onConfirmed: ({ seq, unread }) => confirmed.push([seq, unread]),
    });
    const flush = () => {
      marker.flush();
      return new Promise((resolve) => setTimeout(resolve));
    };
    marker.move(9, false);
    marker.move(4, true);
    await flush();
    assert.deepEqual([marker.isPending, sent], [true, [{ seq: 4, unread: true }]]);
    await flush();
    assert.deepEqual([marker.isPending, sent.length], [true, 2]);
    await flush();
    assert.deepEqual([marker.isPending, confirmed], [false, [[4, 1]]]);
    marker.move(8, false);
    await flush();
    assert.deepEqual([sent.length, sent.at(-1), confirmed], [4, { seq: 8, unread: false }, [[4, 1], [9, 0]]]);
    await flush();
    assert.equal(sent.length, 4);
    answers.push(new RequestError("forbidden"));
    marker.move(10, false);
    await flush();
    assert.deepEqual([marker.isPending, sent.length], [false, 5]);
  },
  "an account adds newer messages to the counts of the server"() {
    const { log, readTracker, update, counts, moves } = trackAccount();
    log.applyJoin({ messages: [message(90, 40), message(91, 41, "me"), message(93, 42)], lastSeq: 95, hasMore: true }, null);
    readTracker.applyRemoteMarker({ seq: 7, unread: 30, mentions: 2 }, 95);
    update();
    assert.deepEqual([counts(), readTracker.unreadAfter], [[30, 2], 7]);
    log.applyPush(message(96, 43));
    log.applyPush({ kind: "topic", seq: 97, memberId: "a", topic: "tea" });
    log.applyPush(message(98, 44, "a", { message: "@ann" }));
    assert.deepEqual(update().map(({ seq }) => seq), [98]);
    assert.deepEqual(counts(), [32, 3]);
    log.applyPush(message(99, 45, "a", { message: "", deleted: true }));
    update();
    assert.deepEqual(counts(), [33, 3]);
    log.applyPage({ messages: [message(88, 39)], lastSeq: 99, hasMore: true }, { before: 90 });
    update();
    assert.deepEqual(counts(), [33, 3]);
    log.applyPush(message(100, 46, "me"));
    log.applyPush(message(101, 47));
    update();
    assert.deepEqual([counts(), moves], [[1, 0], [100]]);
    update(true);
    assert.deepEqual([counts(), moves], [[0, 0], [100, 101]]);
  },
  "the counts of a moved marker neither omit nor repeat messages in transit"() {
    const { log, readTracker, update, counts } = trackAccount();
    log.applyJoin({ messages: [message(1, 1), message(2, 2), message(3, 3, "me")], lastSeq: 3, hasMore: false }, null);
    readTracker.applyRemoteMarker({ seq: 3, unread: 0, mentions: 0 }, 3);
    update();
    readTracker.applyRemoteMarker({ seq: 1, unread: 3, mentions: 1 }, 3); // includes message 3 of the user, and message 4
    update();
    assert.deepEqual(counts(), [3, 1]);
    log.applyPush(message(4, 4, "a", { message: "@ann" }));
    assert.deepEqual(update().map(({ seq }) => seq), [4]);
    assert.deepEqual(counts(), [3, 1]);
    log.applyPush(message(5, 5, "a", { message: "@ann" }));
    update();
    assert.deepEqual(counts(), [4, 2]);
    readTracker.applyRemoteMarker({ seq: 2, unread: 2, mentions: 1 }, 5); // counted before 5
    update();
    assert.deepEqual(counts(), [3, 2]);
    readTracker.applyRemoteMarker({ seq: 7, unread: 1, mentions: 0 }, 5);
    update();
    assert.deepEqual(counts(), [1, 0]);
    for (const seq of [6, 7, 8]) log.applyPush(message(seq, seq));
    update();
    assert.deepEqual(counts(), [1, 0]);
    log.applyPush(message(9, 9));
    update();
    assert.deepEqual(counts(), [2, 0]);
  },
  "an account keeps exact counts while missed entries are loaded"() {
    const { log, readTracker, update, counts, moves } = trackAccount();
    log.applyJoin({ messages: [message(1, 1)], lastSeq: 1, hasMore: false }, null);
    readTracker.applyRemoteMarker({ seq: 1, unread: 0, mentions: 0 }, 1);
    update();
    log.onDisconnected();
    log.applyJoin({ messages: [], lastSeq: 6, hasMore: true }, 1);
    readTracker.applyRemoteMarker({ seq: 3, unread: 3, mentions: 0 }, 6);
    log.applyPush(message(7, 7));
    update();
    assert.deepEqual(counts(), [3, 0]);
    log.applyPage({ messages: [2, 3, 4].map((seq) => message(seq, seq)), lastSeq: 7, hasMore: true }, { after: 1 });
    update();
    assert.deepEqual(counts(), [3, 0]);
    log.applyPage({ messages: [5, 6].map((seq) => message(seq, seq)), lastSeq: 6, hasMore: false }, { after: 4 });
    update();
    assert.deepEqual([counts(), moves], [[4, 0], []]);
    readTracker.markUnread(3);
    update();
    assert.deepEqual([counts(), moves], [[5, 0], [2]]);
  },
};

await runCases(cases);
