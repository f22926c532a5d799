/**
 * Model-based test of RoomLog with random histories and random delivery orders.
 *
 * Arguments: module folder, first seed, number of seeds.
 * Prints one JSON line per failure and a summary. Exit status 1 if any seed failed.
 */

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";

const [folder, firstSeed, seeds] = process.argv.slice(2);
const { RoomLog } = await import(pathToFileURL(`${folder}/state/room_log.js`).href);

/** Create a deterministic generator (mulberry32) of random integers from 0 to `below - 1`. */
function random(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const PEOPLE = ["ann", "bob", "小明"];
const EMOJI = ["👍", "🎉"];

/** Server model: the list of entries, and by the seq of each message the list of its changes. */
class ServerModel {
  entries = [];
  changes = new Map();

  get last() {
    return this.entries.length;
  }

  /** Append a random entry, and return it. */
  addEntry(pick) {
    const seq = this.last + 1;
    const base = { room: "tea", seq, id: seq, ts: seq, memberId: PEOPLE[pick(3)], nickName: "x" };
    const targets = [...this.changes.keys()];
    const kinds = ["message", "message", "edit", "delete", "reaction", "reaction", "topic"];
    const kind = targets.length ? kinds[pick(kinds.length)] : "message";
    const target = targets.length ? targets[pick(targets.length)] : undefined;
    const entry = {
      message: { ...base, kind, message: `text ${seq}` },
      topic: { ...base, kind, topic: `topic ${seq}` },
      edit: { ...base, kind, target, message: `edited ${seq}` },
      delete: { ...base, kind, target },
      reaction: { ...base, kind, target, emoji: EMOJI[pick(2)], on: pick(3) > 0 },
    }[kind];
    this.entries.push(entry);
    if (kind === "message") this.changes.set(seq, []);
    else this.changes.get(entry.target)?.push(entry);
    return entry;
  }

  /** Return a range of entries with messages in their present state. */
  presentEntries(from, to) {
    return this.entries.slice(from - 1, to).map((entry) => this.stateAt(entry, this.last));
  }

  /** Return an entry in its state as of seq `asOf`. */
  stateAt(entry, asOf) {
    if (entry.kind !== "message") return entry;
    let now = { ...entry };
    for (const change of this.changes.get(entry.seq)) {
      if (change.seq > asOf || now.deleted) break;
      if (change.kind === "edit") now = { ...now, message: change.message, edited: change.seq };
      if (change.kind === "delete") {
        const { reactions: _, ...rest } = now;
        now = { ...rest, message: "", deleted: true };
      }
      if (change.kind === "reaction") {
        const reactions = { ...now.reactions };
        const { memberId, nickName } = change;
        const by = (reactions[change.emoji]?.by ?? []).filter((reactor) => reactor.memberId !== memberId);
        const isRepeated = by.length < (reactions[change.emoji]?.by.length ?? 0);
        if (!change.on || !isRepeated) {
          if (change.on) by.push({ memberId, nickName });
          reactions[change.emoji] = { count: by.length, by, own: false };
        }
        if (!reactions[change.emoji].count) delete reactions[change.emoji];
        now = { ...now, reactions };
      }
    }
    return now;
  }

  /** Return the response of a join. */
  join(since, limit) {
    const first = Math.max((since ?? 0) + 1, this.last - limit + 1);
    return { since, messages: this.presentEntries(first, this.last), lastSeq: this.last, hasMore: first > (since ?? 0) + 1 };
  }

  /** Return the history page after `seq`, with the range of its request. */
  after(seq, limit) {
    const last = Math.min(this.last, seq + limit);
    return { range: { after: seq }, messages: this.presentEntries(seq + 1, last), lastSeq: this.last, hasMore: last < this.last };
  }

  /** Return the history page before `seq`, with the range of its request. */
  before(seq, limit) {
    const first = Math.max(1, seq - limit);
    return { range: { before: seq }, messages: this.presentEntries(first, seq - 1), lastSeq: this.last, hasMore: first > 1 };
  }

  /** Return a history page that ends before `seq`, as the response of a request around `seq`. */
  around(seq, limit) {
    const { messages, lastSeq } = this.before(seq, limit);
    return { range: { around: seq }, messages, lastSeq, hasMore: true };
  }

  topicAt(asOf) {
    return this.entries.slice(0, asOf).findLast((entry) => entry.kind === "topic")?.topic ?? "";
  }
}

/** Reduce an item to its visible fields; empty reactions equal absent ones. */
function visibleFields({ kind, seq, message, topic, deleted, edited, reactions }) {
  const shown = reactions && Object.keys(reactions).length ? reactions : undefined;
  return { kind, seq, message, topic, deleted: Boolean(deleted), edited, reactions: shown };
}

/**
 * Invariant: the log contains exactly the loaded ranges. A message with all of its changes loaded equals
 * the server's message at some time since `lastSeq`.
 */
function checkInvariant(log, room) {
  const items = room.entries.filter((entry) => isVisible(entry) && log.has(entry.seq));
  assert.deepEqual(
    log.items.map(({ seq }) => seq),
    items.map(({ seq }) => seq),
  );
  for (const item of log.items) assert.equal(log.getItem(item.seq), item);
  for (const entry of items.filter(({ seq }) => hasAllFrom(log, seq + 1))) {
    const actual = visibleFields(log.getItem(entry.seq));
    let asOf = log.lastSeq;
    while (asOf < room.last && !isDeepStrictEqual(visibleFields(room.stateAt(entry, asOf)), actual)) asOf += 1;
    assert.deepEqual(actual, visibleFields(room.stateAt(entry, asOf)));
  }
  assert.equal(log.topic, room.topicAt(log.lastSeq));
  for (const { after, before } of log.gaps) {
    assert.ok((after === 0 || log.has(after)) && log.has(before) && !log.has(after + 1) && !log.has(before - 1));
  }
}

function isVisible({ kind }) {
  return kind === "message" || kind === "topic";
}

function hasAllFrom(log, first) {
  for (let seq = first; seq <= log.lastSeq; seq += 1) if (!log.has(seq)) return false;
  return true;
}

function runSeed(seed) {
  const pick = random(seed);
  const room = new ServerModel();
  for (let count = pick(60); count > 0; count -= 1) room.addEntry(pick);

  const log = new RoomLog();
  let pages = []; // responses in flight, in order
  let pushes = []; // pushes in flight

  const request = (kind) => {
    const topic = room.topicAt(room.last);
    if (kind === "open") pages.push({ kind, ...room.join(log.lastSeq, 1 + pick(40)), topic });
    else if (log.lastSeq === null) return;
    else if (kind === "after") pages.push({ kind, ...room.after(log.lastSeq, 1 + pick(30)) });
    else if (kind === "around") pages.push({ kind, ...room.around(1 + pick(room.last + 1), 1 + pick(20)) });
    else if (kind === "gap" && log.gaps.length) {
      const { after, before } = log.gaps[pick(log.gaps.length)];
      pages.push(pick(2) ? { kind, ...room.after(after, 1 + pick(9)) } : { kind, ...room.before(before, 1 + pick(9)) });
    } else pages.push({ kind, ...room.before(log.firstSeq, 1 + pick(30)) });
  };
  const deliver = ({ range, since, topic, ...response }) => {
    if (range) return log.applyPage(response, range);
    log.applyJoin(response, since);
    return log.setTopic(topic, response.lastSeq);
  };

  request("open");
  for (let step = 0; step < 200; step += 1) {
    const action = pick(14);
    if (action < 5) pushes.push(room.addEntry(pick));
    else if (action < 8 && pushes.length) {
      // Mostly in order, with losses, duplicates and delays.
      const [entry] = pushes.splice(pick(4) ? 0 : pick(pushes.length), 1);
      if (pick(10)) log.applyPush(entry);
      if (!pick(10)) log.applyPush(entry);
    } else if (action === 8) request("after");
    else if (action === 9) request("before");
    else if (action === 10 && pages.length) deliver(pages.shift());
    else if (action === 12 && pick(3)) request("around");
    else if (action === 12 && log.lastSeq !== null) log.trim(1 + pick(10));
    else if (action === 13) request("gap");
    else if (action === 11 && !pick(6)) {
      // Connection loss drops everything in flight; the client rejoins.
      pages = [];
      pushes = [];
      if (pick(2)) for (let count = pick(80); count > 0; count -= 1) room.addEntry(pick);
      log.onDisconnected();
      request("open");
    }
    if (log.lastSeq !== null && !pick(4)) checkInvariant(log, room);
  }

  while (pages.some(({ kind }) => kind === "open")) deliver(pages.shift());
  log.expectSeq(room.last);
  while (log.missingAfter !== null) {
    const before = log.lastSeq;
    deliver({ kind: "after", ...room.after(log.missingAfter, 7) });
    assert.ok(log.lastSeq > before, "a history page must advance the log");
  }
  assert.equal(log.lastSeq, room.last);
  checkInvariant(log, room);
  for (let count = 0; log.gaps.length && count < 2000; count += 1) {
    const { after, before } = log.gaps[pick(log.gaps.length)];
    deliver({ kind: "gap", ...(pick(2) ? room.after(after, 7) : room.before(before, 7)) });
  }
  for (let count = 0; log.hasOlder && count < 200; count += 1) deliver({ kind: "before", ...room.before(log.firstSeq, 9) });
  assert.deepEqual([log.gaps, log.firstSeq], [[], 1]);
  checkInvariant(log, room);
  assert.deepEqual(log.items.map(visibleFields), room.presentEntries(1, room.last).filter(isVisible).map(visibleFields));
}

let failed = 0;
for (let seed = Number(firstSeed); seed < Number(firstSeed) + Number(seeds); seed += 1) {
  try {
    runSeed(seed);
  } catch (error) {
    failed += 1;
    if (failed <= 3) console.log(JSON.stringify({ seed, error: error.stack ?? String(error) }));
  }
}
console.log(JSON.stringify({ seeds: Number(seeds), failed }));
process.exit(failed ? 1 : 0);
