/**
 * Cases for the page's pure modules. Arguments: the folder with the modules.
 * Writes how many there were; ends with 1 at the first that fails.
 */

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const load = (name) => import(pathToFileURL(`${process.argv[2]}/${name}.js`).href);
const { linesOf, mentions, same } = await load("lines");
const { Outbox } = await load("outbox");
const { newUuid } = await load("ids");
const { wordsFor } = await load("words");

const NOON = new Date(2026, 10, 20, 12).getTime();
const MINUTE = 60_000;

function said(seq, memberId, ts, more = {}) {
  return { kind: "message", seq, memberId, nickName: memberId, message: `text ${seq}`, ts, ...more };
}

function lines(items, more = {}) {
  const item = (seq) => items.find((one) => one.seq === seq);
  const rest = { notices: [], waiting: [], mine: new Set(["me"]), nick: "me", unreadAfter: null, now: NOON };
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
  const stored = [];
  const outbox = new Outbox({
    waiting: [],
    keep: (waiting) => stored.push(waiting),
    onChange: () => {},
    request: async (clientId, text) => {
      asked.push(`${clientId} ${text}`);
      const answer = answers.shift();
      if (typeof answer === "number") return { seq: answer };
      throw new Refused(answer, 0);
    },
  });
  return { outbox, asked, stored };
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
    const pending = { clientId: "c", text: "text", ts: NOON, state: "pending" };
    assert.deepEqual(keys([said(1, "me", NOON)], { waiting: [pending] }), ["day", "m1", "pc"]);
    assert.deepEqual(heads([said(1, "me", NOON, { nickName: "me" })], { waiting: [pending] }), ["m1"]);
    assert.deepEqual(keys([said(1, "me", NOON)], { waiting: [{ ...pending, seq: 1 }] }), ["day", "m1"]);
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
    const { outbox, asked } = outboxWith(1, 2);
    outbox.add("a", "one", NOON);
    outbox.add("b", "two", NOON);
    await Promise.all([outbox.flush(() => false), outbox.flush(() => false)]);
    assert.deepEqual(asked, ["a one", "b two"]);
    assert.deepEqual(states(outbox), ["a sent", "b sent"]);
    outbox.arrived(2, "two");
    outbox.arrived(1, "one");
    assert.deepEqual(states(outbox), []);
  },
  async "a lost connection keeps it, under the same id"() {
    const { outbox, asked, stored } = outboxWith("offline", 7);
    outbox.add("a", "one", NOON);
    await outbox.flush(() => false);
    assert.deepEqual(states(outbox), ["a pending"]);
    assert.equal(stored.at(-1)[0].clientId, "a");
    await outbox.flush((seq) => seq === 7);
    assert.deepEqual(asked, ["a one", "a one"]);
    assert.deepEqual(states(outbox), []);
  },
  async "an entry that comes before its answer is not shown twice"() {
    const { outbox } = outboxWith("offline");
    outbox.add("a", "one", NOON);
    await outbox.flush(() => false);
    outbox.arrived(5, "one");
    assert.equal(outbox.waiting[0].seq, 5);
  },
  async "what passes is tried again, what does not has failed and blocks nothing"() {
    const { outbox, asked } = outboxWith("rate_limited", 1, "forbidden", 2);
    outbox.add("a", "one", NOON);
    outbox.add("b", "two", NOON);
    outbox.add("c", "three", NOON);
    await outbox.flush(() => true);
    assert.deepEqual(asked, ["a one", "a one", "b two", "c three"]);
    assert.deepEqual(states(outbox), ["b failed"]);
    outbox.retry("b");
    assert.deepEqual(states(outbox), ["b pending"]);
    outbox.discard("b");
    assert.deepEqual(states(outbox), []);
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
