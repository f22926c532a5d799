/**
 * Cases for the page's pure modules. Arguments: the folder with the modules.
 * Writes how many there were; ends with 1 at the first that fails.
 */

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const load = (name) => import(pathToFileURL(`${process.argv[2]}/${name}.js`).href);
const { linesOf, same } = await load("state/timeline_model");
const { mentions } = await load("state/mentions");
const { actionOf, meaningOf } = await load("state/command_parser");
const { Reading } = await load("state/read_tracker");
const { RoomLog } = await load("state/room_log");
const { Shelf } = await load("state/storage");
const { Unsent } = await load("state/outbox_store");
const { Outbox } = await load("net/outbox");
const { newUuid } = await load("state/uuid");
const { isReaction } = await load("view/emoji_picker");
const { wordsFor } = await load("i18n/strings");

const NOON = new Date(2026, 10, 20, 12).getTime();
const MINUTE = 60_000;

function said(seq, memberId, ts, more = {}) {
  return { kind: "message", seq, memberId, nickName: memberId, message: `text ${seq}`, ts, ...more };
}

function lines(items, more = {}) {
  const item = (seq) => items.find((one) => one.seq === seq);
  const rest = { gaps: [], notices: [], waiting: [], changes: new Map(), mine: new Set(["me"]), nick: "me", unreadAfter: null, now: NOON };
  return linesOf({ items, item, ...rest, ...more });
}

const keys = (items, more) => lines(items, more).map(({ key }) => key.replace(/^d\d+/, "day"));
const heads = (items, more) => lines(items, more).filter(({ head }) => head).map(({ key }) => key);

class Refused extends Error {
  constructor(code, retryAfter) {
    super(code);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** An outbox whose requests are answered from a list: a seq, or a code to refuse with. */
function outboxWith(...answers) {
  const asked = [];
  const stored = new Map();
  const outbox = new Outbox({
    store: { put: (post) => stored.set(post.clientId, post), drop: (clientId) => stored.delete(clientId) },
    onChange: () => {},
    request: async ({ clientId, body }) => {
      asked.push(`${clientId} ${body.message ?? body.seq}`);
      const answer = answers.shift();
      if (typeof answer === "number") return answer;
      throw new Refused(answer, 0);
    },
  });
  const add = (clientId, message) => outbox.add(clientId, "sendMessage", { message }, NOON);
  return { outbox, asked, stored, add };
}

/** What a browser's storage looks like. */
function shelfOver(map) {
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

const states = ({ waiting }) => waiting.map(({ clientId, state }) => `${clientId} ${state}`);

const cases = {
  "a person's messages within minutes share a head"() {
    const items = [said(1, "a", NOON), said(2, "a", NOON + MINUTE), said(3, "b", NOON + MINUTE)];
    items.push(said(4, "b", NOON + 9 * MINUTE));
    assert.deepEqual(heads(items), ["m1", "m3", "m4"]);
  },
  "an answer, a new nickname and a line between begin anew"() {
    const items = [said(1, "a", NOON), said(2, "a", NOON, { replyTo: 1 })];
    items.push(said(3, "a", NOON, { nickName: "other" }), said(4, "a", NOON));
    assert.deepEqual(heads(items), ["m1", "m2", "m3", "m4"]);
    const notices = [{ id: 1, kind: "join", after: 1, ts: NOON, nickName: "x" }];
    assert.deepEqual(heads([said(1, "a", NOON), said(2, "a", NOON)], { notices }), ["m1", "m2"]);
  },
  "each day has a row, named when it is near"() {
    const day = 24 * 60 * MINUTE;
    const items = [said(1, "a", NOON - 2 * day), said(2, "a", NOON - day), said(3, "a", NOON - 1), said(4, "a", NOON)];
    assert.deepEqual(keys(items), ["day", "m1", "day", "m2", "day", "m3", "m4"]);
    assert.deepEqual(lines(items).flatMap(({ age }) => age ?? []), ["older", "yesterday", "today"]);
  },
  "the line above what is new stands above the first message of somebody else"() {
    const items = [said(1, "a", NOON), said(2, "me", NOON), said(3, "a", NOON)];
    assert.deepEqual(keys(items, { unreadAfter: 1 }), ["day", "m1", "m2", "unread", "m3"]);
    assert.deepEqual(keys(items, { unreadAfter: 3 }), ["day", "m1", "m2", "m3"]);
  },
  "notices stand where they came, those of one place together"() {
    const notice = (id, after) => ({ id, after, kind: "join", ts: NOON, nickName: `n${id}` });
    const notices = [notice(1, 0), notice(2, 1), notice(3, 1), notice(4, 2)];
    const items = [said(1, "a", NOON), said(2, "a", NOON)];
    assert.deepEqual(keys(items, { notices }), ["day", "n1", "m1", "n2", "m2", "n4"]);
    assert.deepEqual(keys([said(2, "a", NOON)], { notices }), ["day", "n2", "m2", "n4"]);
  },
  "what is unsent stands below, and not beside its own entry"() {
    const pending = { clientId: "c", event: "sendMessage", body: { message: "text" }, ts: NOON, state: "pending" };
    assert.deepEqual(keys([said(1, "me", NOON)], { waiting: [pending] }), ["day", "m1", "pc"]);
    assert.deepEqual(heads([said(1, "me", NOON, { nickName: "me" })], { waiting: [pending] }), ["m1"]);
    assert.deepEqual(keys([said(1, "me", NOON)], { waiting: [{ ...pending, seq: 1 }] }), ["day", "m1"]);
  },
  "what is missing has a line where it belongs"() {
    const items = [said(3, "a", NOON), said(9, "a", NOON), said(20, "a", NOON)];
    const gaps = [
      { after: 0, before: 3 },
      { after: 4, before: 8 },
      { after: 12, before: 20 },
      { after: 25, before: 30 },
    ];
    assert.deepEqual(keys(items, { gaps }), ["day", "m3", "g4-8", "m9", "g12-20", "m20"]);
    assert.deepEqual(heads(items, { gaps }), ["m3", "m9", "m20"]);
  },
  "an action has no head, and what follows begins anew"() {
    const items = [said(1, "a", NOON), said(2, "a", NOON, { message: "/me waves" }), said(3, "a", NOON)];
    assert.deepEqual(heads(items), ["m1", "m3"]);
  },
  "a line looks the same until something in it differs"() {
    const item = said(1, "a", NOON);
    const line = (one) => lines([one]).at(-1);
    assert.ok(same(line(item), line(item)));
    assert.ok(!same(line(item), line({ ...item })));
    const one = { id: 1, after: 0, kind: "join", ts: NOON, nickName: "n" };
    const row = (...notices) => lines([], { notices }).at(-1);
    assert.ok(!same(row(one), row(one, { ...one, id: 2 })));
  },
  "a nickname is named as a word of its own"() {
    for (const text of ["ann?", "@Ann hi", "hi ANN", "ann", "小明ann"]) assert.ok(mentions(text, "Ann"), text);
    for (const text of ["annual", "joann", "", "a n n", "ann2"]) assert.ok(!mentions(text, "ann"), text);
    for (const text of ["小明你好", "问问小明吧", "小明"]) assert.ok(mentions(text, "小明"), text);
    assert.ok(!mentions("anything", ""));
  },
  async "what you say is sent in order and once"() {
    const { outbox, asked, stored, add } = outboxWith(1, 2);
    add("a", "one");
    add("b", "two");
    assert.deepEqual([...stored.keys()], ["a", "b"]);
    await Promise.all([outbox.flush(), outbox.flush()]);
    assert.deepEqual(asked, ["a one", "b two"]);
    assert.deepEqual(states(outbox), ["a sent", "b sent"]);
    assert.equal(stored.size, 0);
    outbox.settle((seq) => seq === 1);
    assert.deepEqual(states(outbox), ["b sent"]);
    outbox.settle(() => true);
    assert.deepEqual(states(outbox), []);
  },
  async "a lost connection keeps it, under the same id"() {
    const { outbox, asked, stored, add } = outboxWith("offline", 7);
    add("a", "one");
    await outbox.flush();
    assert.deepEqual(states(outbox), ["a pending"]);
    assert.equal(stored.get("a").tried, true);
    await outbox.flush();
    assert.deepEqual(asked, ["a one", "a one"]);
    assert.deepEqual(states(outbox), ["a sent"]);
  },
  async "an entry that comes before its answer is not shown twice"() {
    const { outbox, add } = outboxWith("offline");
    add("a", "one");
    await outbox.flush();
    outbox.arrived(5, "one");
    assert.equal(outbox.waiting[0].seq, 5);
  },
  async "a server that is busy is waited for, however long, and what it refuses blocks nothing"() {
    const busy = Array(12).fill("rate_limited");
    const { outbox, asked, stored, add } = outboxWith(...busy, 1, "forbidden", 2);
    for (const [clientId, text] of Object.entries({ a: "one", b: "two", c: "three" })) add(clientId, text);
    await outbox.flush();
    outbox.settle(() => true);
    assert.deepEqual(asked, [...Array(13).fill("a one"), "b two", "c three"]);
    assert.deepEqual(states(outbox), ["b failed"]);
    assert.deepEqual([...stored.keys()], ["b"]);
    outbox.retry("b");
    assert.deepEqual(states(outbox), ["b pending"]);
    assert.equal(outbox.discard("b").body.message, "two");
    assert.deepEqual([states(outbox), stored.size], [[], 0]);
  },
  async "a server that fails again and again is not asked for ever"() {
    const { outbox, asked, add } = outboxWith("internal", "internal", "internal", 4);
    add("a", "one");
    await outbox.flush();
    assert.deepEqual([asked.length, states(outbox)], [3, ["a failed"]]);
  },
  "what is discarded while it is under way stays discarded"() {
    let answer;
    const stored = new Map();
    const outbox = new Outbox({
      store: { put: (post) => stored.set(post.clientId, post), drop: (clientId) => stored.delete(clientId) },
      onChange: () => {},
      request: () => new Promise((resolve) => (answer = resolve)),
    });
    outbox.add("a", "sendMessage", { message: "one" }, NOON);
    const flushed = outbox.flush();
    outbox.discard("a");
    answer(3);
    return flushed.then(() => assert.deepEqual([states(outbox), stored.size], [[], 0]));
  },
  "changes of messages are found by what they are about"() {
    const { outbox, add } = outboxWith();
    add("a", "one");
    outbox.add("b", "editMessage", { seq: 4, message: "x" }, NOON);
    outbox.add("c", "react", { seq: 4, emoji: "👍", on: true }, NOON);
    assert.deepEqual([...outbox.changes.keys()], [4]);
    assert.deepEqual(outbox.changes.get(4).map(({ clientId }) => clientId), ["b", "c"]);
    assert.equal(outbox.changes, outbox.changes);
  },
  "what a tab left unsent goes to one other, when it is gone, and in order"() {
    const storage = new Map();
    const tabs = new Map(); // owner → those who wait for its end
    const tabOf = (owner) => {
      const shelf = new Shelf(() => shelfOver(storage));
      const owners = { whenGone: (other, _place, act) => tabs.set(other, [...(tabs.get(other) ?? []), act]) };
      return new Unsent({ shelf, owner, owners });
    };
    const first = tabOf("first");
    for (const clientId of ["c", "a", "b"]) first.put("Tea", "Ann", { clientId, state: "pending" });
    first.put("tea", "Bob", { clientId: "of Bob", state: "pending" });
    first.put("tea", "ann", { clientId: "a", state: "failed" });
    assert.deepEqual(first.rooms("ANN"), ["Tea", "tea"]);
    const taken = { second: [], third: [] };
    for (const name of ["second", "third"]) {
      const other = tabOf(name);
      other.claim("tea", "ann", (posts) => taken[name].push(...posts.map(({ clientId }) => clientId)));
      other.claim("TEA", "ANN", () => assert.fail("it waits already"));
    }
    assert.deepEqual(taken, { second: [], third: [] });
    for (const act of tabs.get("first")) act();
    assert.deepEqual(taken, { second: ["c", "a", "b"], third: [] });
  },
  "a message is read when it is seen, and what came before stands above a line"() {
    const log = new RoomLog();
    log.open([said(1, "a", NOON)], { lastSeq: 1, hasOlder: false });
    const reads = [];
    const reading = new Reading({ read: null, onRead: (seq) => reads.push(seq) });
    const update = (looking) => reading.update({ log, mine: new Set(["me"]), nick: "ann", looking });
    update(true);
    assert.deepEqual([reading.unread, reading.unreadAfter, reads], [0, null, [1]]);
    log.push(said(2, "me", NOON));
    log.push(said(3, "a", NOON));
    assert.deepEqual(update(false), []);
    log.push(said(4, "a", NOON, { message: "Ann?" }));
    assert.deepEqual(update(false).map(({ seq }) => seq), [4]);
    assert.deepEqual([reading.unread, reading.named, reading.unreadAfter], [2, 1, 1]);
    assert.deepEqual(update(false), []);
    update(true);
    assert.deepEqual([reading.unread, reading.named, reading.unreadAfter, reads], [0, 0, 1, [1, 4]]);
    log.push(said(5, "a", NOON));
    update(true);
    assert.deepEqual([reading.unread, reading.unreadAfter], [0, 1]);
    reading.spoke();
    update(false);
    log.push(said(6, "a", NOON));
    update(false);
    assert.deepEqual([reading.unread, reading.unreadAfter], [1, 5]);
    reading.readElsewhere(6);
    update(false);
    assert.equal(reading.unread, 0);
  },
  "a slash begins a command, two of them say one, and no unknown one is sent"() {
    assert.deepEqual(meaningOf("hello /me"), { say: "hello /me" });
    assert.deepEqual(meaningOf("/"), { say: "/" });
    assert.deepEqual(meaningOf("//me"), { say: "/me" });
    assert.deepEqual(meaningOf("/ME waves\nand bows"), { say: "/me waves\nand bows" });
    assert.deepEqual(meaningOf("/me"), { command: "me", argument: "" });
    assert.deepEqual(meaningOf("/Join  the tea room "), { command: "join", argument: "the tea room" });
    assert.deepEqual(meaningOf("/part"), { command: "leave", argument: "" });
    for (const name of ["etc/hosts", "toString", "constructor", "__proto__", "nonsense"]) {
      assert.deepEqual(meaningOf(`/${name}`), { unknown: name });
    }
    assert.equal(actionOf("/me waves"), "waves");
    for (const text of ["/me", "/me  ", "/mean", "/Me waves", "x /me waves"]) assert.equal(actionOf(text), null);
  },
  "an id is a UUID of version 4 also where the browser makes none"() {
    const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    assert.match(newUuid(), form);
    const { randomUUID } = crypto;
    Object.defineProperty(crypto, "randomUUID", { value: undefined, configurable: true });
    const ids = new Set(Array.from({ length: 1000 }, newUuid));
    Object.defineProperty(crypto, "randomUUID", { value: randomUUID, configurable: true });
    assert.equal(ids.size, 1000);
    for (const id of ids) assert.match(id, form);
  },
  "a reaction is one emoji or a short word"() {
    for (const text of ["👍", "👍🏽", "❤️", "👩🏻‍❤️‍💋‍👨🏻", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🇨🇳", "1️⃣", "+1", "lol", "赞", "收到", "✓", "धन्यवाद"]) {
      assert.ok(isReaction(text), text);
    }
    for (const text of ["", "a word", "我完全同意", "wonderful!", "👍👍", "👍 ok", "\u200d", "\u3164", "\u2800", "🇨", "a\u20e3", "\u0301"]) {
      assert.ok(!isReaction(text), text);
    }
  },
  "both languages have the same words"() {
    const kind = (word) => (typeof word === "object" ? shape(word) : typeof word);
    const shape = (words) => Object.entries(words).map(([name, word]) => [name, kind(word)]);
    assert.deepEqual(shape(wordsFor(["zh-TW"])), shape(wordsFor(["en"])));
    assert.equal(wordsFor(["fr", "zh-CN", "en"]).lang, "zh-CN");
    assert.equal(wordsFor(["fr"]).lang, "en");
  },
};

for (const [name, run] of Object.entries(cases)) {
  try {
    await run();
  } catch (fault) {
    console.log(JSON.stringify({ failed: name, fault: fault.message }));
    process.exit(1);
  }
}
console.log(JSON.stringify({ cases: Object.keys(cases).length, failed: 0 }));
