/**
 * The page's room log against a model, over random histories and random deliveries.
 * Arguments: the folder with the page's modules, the first seed, how many seeds.
 * Writes what differed, one JSON line each, and ends with 1 if anything did.
 */

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const [folder, firstSeed, seeds] = process.argv.slice(2);
const { RoomLog } = await import(pathToFileURL(`${folder}/state/room_log.js`).href);

/** mulberry32: the same numbers for the same seed, everywhere. */
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

/** The server's side: a list of entries, and what each message reads like now. */
class Room {
  entries = [];

  get last() {
    return this.entries.length;
  }

  grow(pick) {
    const seq = this.last + 1;
    const base = { room: "tea", seq, id: seq, ts: seq, memberId: PEOPLE[pick(3)], nickName: "x" };
    const targets = this.entries.filter((entry) => entry.kind === "message");
    const kinds = ["message", "message", "edit", "delete", "reaction", "reaction", "topic"];
    const kind = targets.length ? kinds[pick(kinds.length)] : "message";
    const target = targets.length ? targets[pick(targets.length)].seq : undefined;
    const entry = {
      message: { ...base, kind, message: `said ${seq}` },
      topic: { ...base, kind, topic: `about ${seq}` },
      edit: { ...base, kind, target, message: `edited ${seq}` },
      delete: { ...base, kind, target },
      reaction: { ...base, kind, target, emoji: EMOJI[pick(2)], on: pick(3) > 0 },
    }[kind];
    this.entries.push(entry);
    return entry;
  }

  /** The entries from one seq to another, each message as it reads now. */
  present(from, to) {
    return this.entries.slice(from - 1, to).map((entry) => this.at(entry, this.last));
  }

  /** An entry as it read when `then` was the newest. */
  at(entry, then) {
    if (entry.kind !== "message") return entry;
    let now = { ...entry };
    for (const change of this.entries.slice(entry.seq, then)) {
      if (change.target !== entry.seq || now.deleted) continue;
      if (change.kind === "edit") now = { ...now, message: change.message, edited: change.seq };
      if (change.kind === "delete") {
        const { reactions: _, ...rest } = now;
        now = { ...rest, message: "", deleted: true };
      }
      if (change.kind === "reaction") {
        const reactions = structuredClone(now.reactions ?? {});
        const others = (reactions[change.emoji] ?? []).filter((id) => id !== change.memberId);
        reactions[change.emoji] = change.on ? [...others, change.memberId] : others;
        if (!reactions[change.emoji].length) delete reactions[change.emoji];
        now = { ...now, reactions };
      }
    }
    return now;
  }

  after(seq, limit) {
    return { entries: this.present(seq + 1, Math.min(this.last, seq + limit)), lastSeq: this.last };
  }

  before(seq, limit) {
    const first = Math.max(1, seq - limit);
    return { entries: this.present(first, seq - 1), lastSeq: this.last, hasOlder: first > 1, before: seq };
  }

  topicAt(then) {
    return this.entries.slice(0, then).findLast((entry) => entry.kind === "topic")?.topic ?? "";
  }
}

/** What of an item a reader can see. Reactions that are none may be told as nothing. */
function seen({ kind, seq, message, topic, deleted, edited, reactions }) {
  const shown = reactions && Object.keys(reactions).length ? reactions : undefined;
  return { kind, seq, message, topic, deleted: Boolean(deleted), edited, reactions: shown };
}

/**
 * At any time: exactly what the held stretches have, each message whose changes are
 * all held as it read at a moment not before `last`.
 */
function check(log, room) {
  const items = room.entries.filter((entry) => shown(entry) && log.has(entry.seq));
  assert.deepEqual(
    log.items.map(({ seq }) => seq),
    items.map(({ seq }) => seq),
  );
  for (const item of log.items) assert.equal(log.getItem(item.seq), item);
  const whole = items.filter(({ seq }) => heldFrom(log, log.getItem(seq).asOf + 1));
  const expected = whole.map((entry) => room.at(entry, Math.max(log.lastSeq, log.getItem(entry.seq).asOf)));
  assert.deepEqual(whole.map(({ seq }) => seen(log.getItem(seq))), expected.map(seen));
  assert.equal(log.topic, room.topicAt(log.lastSeq));
  for (const { after, before } of log.gaps) {
    assert.ok(log.has(after) && log.has(before) && !log.has(after + 1) && !log.has(before - 1));
  }
}

function shown({ kind }) {
  return kind === "message" || kind === "topic";
}

function heldFrom(log, first) {
  for (let seq = first; seq <= log.lastSeq; seq += 1) if (!log.has(seq)) return false;
  return true;
}

function play(seed) {
  const pick = random(seed);
  const room = new Room();
  for (let count = pick(60); count > 0; count -= 1) room.grow(pick);

  const log = new RoomLog();
  let pages = []; // read by the server, not yet arrived; answers keep their order
  let pushes = []; // sent, not yet arrived

  const ask = (kind) => {
    const topic = room.topicAt(room.last);
    if (kind === "open") pages.push({ kind, ...room.before(room.last + 1, 1 + pick(40)), topic });
    else if (log.lastSeq === null) return;
    else if (kind === "after") pages.push({ kind, ...room.after(log.lastSeq, 1 + pick(30)) });
    else if (kind === "around") pages.push({ kind, ...room.before(1 + pick(room.last + 1), 1 + pick(20)) });
    else if (kind === "gap" && log.gaps.length) {
      const { after, before } = log.gaps[pick(log.gaps.length)];
      pages.push(pick(2) ? { kind, ...room.after(after, 1 + pick(9)) } : { kind, ...room.before(before, 1 + pick(9)) });
    } else pages.push({ kind, ...room.before(log.firstSeq, 1 + pick(30)) });
  };
  const arrive = ({ kind, entries, lastSeq, hasOlder, before, topic }) => {
    if (kind === "open") {
      log.loadNewest(entries, { lastSeq, hasOlder });
      log.setTopic(topic, lastSeq);
    } else log.insertPage(entries, { lastSeq, hasOlder, before });
  };

  ask("open");
  for (let step = 0; step < 200; step += 1) {
    const what = pick(14);
    if (what < 5) pushes.push(room.grow(pick));
    else if (what < 8 && pushes.length) {
      // Mostly in order; some are lost, some come twice, some come late.
      const [entry] = pushes.splice(pick(4) ? 0 : pick(pushes.length), 1);
      if (pick(10)) log.push(entry);
      if (!pick(10)) log.push(entry);
    } else if (what === 8) ask("after");
    else if (what === 9) ask("before");
    else if (what === 10 && pages.length) arrive(pages.shift());
    else if (what === 12 && pick(3)) ask("around");
    else if (what === 12 && log.lastSeq !== null) log.trim(1 + pick(10));
    else if (what === 13) ask("gap");
    else if (what === 11 && !pick(6)) {
      // The connection breaks: nothing that was under way arrives. After a long
      // break it goes on with the newest page.
      pages = [];
      pushes = [];
      if (pick(2)) for (let count = pick(80); count > 0; count -= 1) room.grow(pick);
      if (log.lastSeq === null || pick(2)) ask("open");
    }
    if (log.lastSeq !== null && !pick(4)) check(log, room);
  }

  while (log.lastSeq === null) {
    if (!pages.some(({ kind }) => kind === "open")) ask("open");
    arrive(pages.shift());
  }
  log.expectSeq(room.last);
  while (log.isBehind) {
    const held = log.lastSeq;
    arrive({ kind: "after", ...room.after(log.lastSeq, 7) });
    assert.ok(log.lastSeq > held, "a page brings the log on");
  }
  assert.equal(log.lastSeq, room.last);
  check(log, room);
  for (let count = 0; log.gaps.length && count < 2000; count += 1) {
    const { after, before } = log.gaps[pick(log.gaps.length)];
    arrive({ kind: "gap", ...(pick(2) ? room.after(after, 7) : room.before(before, 7)) });
  }
  for (let count = 0; log.hasOlder && count < 200; count += 1) arrive({ kind: "before", ...room.before(log.firstSeq, 9) });
  assert.deepEqual([log.gaps, log.firstSeq], [[], 1]);
  check(log, room);
  assert.deepEqual(log.items.map(seen), room.present(1, room.last).filter(shown).map(seen));
}

let failed = 0;
for (let seed = Number(firstSeed); seed < Number(firstSeed) + Number(seeds); seed += 1) {
  try {
    play(seed);
  } catch (fault) {
    failed += 1;
    if (failed <= 3) console.log(JSON.stringify({ seed, fault: fault.stack ?? String(fault) }));
  }
}
console.log(JSON.stringify({ seeds: Number(seeds), failed }));
process.exit(failed ? 1 : 0);
