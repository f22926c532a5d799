/**
 * Test vectors against the page's modules, in any JavaScript runtime.
 */

/**
 * Run vector files.
 * @param {(module: string) => Promise<any>} load Import a module of the page, such as "state/names".
 * @param {Record<string, any>} files Contents of the vector files by name.
 * @returns {Promise<Record<string, {cases: number, failed: {name: string, actual: unknown}[]}>>} Result of each file.
 */
export async function runVectors(load, files) {
  const report = {};
  for (const [file, content] of Object.entries(files)) {
    const run = await RUNNERS[file](load, content);
    const failed = [];
    for (const testCase of content.cases) {
      const actual = await run(testCase);
      if (canonicalJson(actual) !== canonicalJson(testCase.expected)) failed.push({ name: testCase.name, actual });
    }
    report[file] = { cases: content.cases.length, failed };
  }
  return report;
}

const RUNNERS = {
  async sanitize(load) {
    const functions = await loadSanitizers(load);
    return (testCase) => resultOrError(() => functions[testCase.function](testCase.input));
  },

  async limits(load, { constants }) {
    const limits = await load("state/limits");
    const { validateNickname, validateRoomName } = await load("state/names");
    const { validateReaction } = await load("state/reactions");
    const functions = {
      ...(await loadSanitizers(load)),
      nickname: validateNickname,
      room_name: validateRoomName,
      reaction: validateReaction,
    };
    if (canonicalJson({ ...limits }) !== canonicalJson(constants)) throw new Error("limits.js differs from the vectors");
    return (testCase) => {
      const result = resultOrError(() => functions[testCase.function](expand(testCase.input)));
      return typeof result === "string" ? "valid" : result;
    };
  },

  async names(load) {
    const { canonicalName, validateNickname, validateRoomName } = await load("state/names");
    return ({ input, function: name }) => {
      const display = resultOrError(() => (name === "room_name" ? validateRoomName : validateNickname)(input));
      if (typeof display === "string") return { display, key: canonicalName(input) };
      return { error: display.error.replace(/nick_|room_/, "") };
    };
  },

  async quoted_names(load) {
    const { quoteName } = await load("state/names");
    return ({ input }) => quoteName(input);
  },

  async mentions(load) {
    const { MentionTokens } = await load("state/mentions");
    return ({ input }) => {
      const tokens = new MentionTokens(input.text);
      return { names: input.names.filter((name) => tokens.includes(name, input.members)), room: tokens.includesRoom };
    };
  },

  async commands(load) {
    const { actionText, parseInput } = await load("state/command_parser");
    return ({ action, input }) => {
      if (action !== undefined) return actionText(action) ?? "";
      const { argument, ...parsed } = parseInput(input);
      return argument === undefined ? parsed : { ...parsed, arguments: argument ? [argument] : [] };
    };
  },

  async durations(load) {
    const { parseEnd } = await load("state/duration_parser");
    const start = 1_800_000_000_000;
    return ({ input, expected }) => {
      const end = parseEnd(input, start);
      if (end === null || !expected?.local) return end === null ? null : { seconds: (end - start) / 1000 };
      const date = new Date(end);
      return { local: [date.getFullYear(), date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes()] };
    };
  },

  async upload_permission(load) {
    const { RoomAccess } = await load("state/room_access");
    return ({ input: { role, policy } }) => {
      const access = new RoomAccess();
      access.onJoined({ room: { policy, role: role ?? undefined }, uploadMaxBytes: 1 });
      return access.findUploadError()?.reason ?? null;
    };
  },

  async outbox(load, { constants }) {
    const { Backoff, ...backoffConstants } = await load("net/backoff");
    const { RetryPolicy: _, ...retryConstants } = await load("net/retry_policy");
    const { Outbox } = await load("net/outbox");
    const { RequestError } = await load("net/request_error");
    const values = { ...backoffConstants, ...retryConstants, ...(await load("net/timeouts")) };
    if (canonicalJson(values) !== canonicalJson(constants)) throw new Error("the delays of the page differ from the vectors");
    return (testCase) => (testCase.backoff ? runBackoff(Backoff, testCase) : runOutbox(Outbox, RequestError, testCase));
  },

  async room_log(load) {
    const { RoomLog } = await load("state/room_log");
    return ({ operations }) => {
      let log = new RoomLog();
      const states = [];
      const complete = (entry) => ({ memberId: "a", nickName: "ann", ts: entry.seq, ...entry });
      for (const { op, response, since, request, entry, count } of operations) {
        const page = response && { ...response, messages: response.messages.map(complete) };
        log.memberId = "a";
        if (op === "join") log.applyJoin(page, since);
        else if (op === "page") log.applyPage(page, request);
        else if (op === "push") {
          for (let offset = 0; offset < (count ?? 1); offset += 1) log.applyPush(complete({ ...entry, seq: entry.seq + offset }));
        } else if (op === "disconnect") log.onDisconnected();
        else if (op === "trim") log.trim(count);
        else if (op === "reset") log = log.replacement();
        else states.push(describeLog(log));
      }
      return states;
    };
  },

  async join_visibility(load) {
    const { RecentSpeakers } = await load("state/join_visibility");
    return ({ messages, laterSpeakers = 0, notice }) => {
      const speakers = new RecentSpeakers();
      for (const message of messages) speakers.add(message);
      for (let number = 0; number < laterSpeakers; number += 1) speakers.add({ memberId: `later ${number}`, ts: 0 });
      return speakers.isRelevant(notice);
    };
  },

  async sanctions(load, { entries }) {
    const { activeSanctions } = await load("state/sanctions");
    return ({ now }) => activeSanctions(entries, now).map(({ seq }) => seq);
  },

  async disguised_hosts(load) {
    const { disguisedHost } = await load("state/disguised_hosts");
    return ({ input }) => disguisedHost(input);
  },

  async file_captions(load) {
    const { describeContent } = await load("view/file_captions");
    return ({ input }) => describeContent({ message: input.message, attachments: [input.attachment] });
  },

  async search_terms(load) {
    const { findTerms } = await load("state/search_terms");
    return ({ input: { query, text } }) => findTerms(query, text).map(({ start, end }) => text.slice(start, end));
  },

  async links(load) {
    const { findLinks } = await load("state/links");
    return ({ input }) => findLinks(input).map(({ start, text }) => input.slice(start, start + text.length));
  },

  async room_links(load) {
    const { parseRoomLink } = await load("state/links");
    return ({ input }) => parseRoomLink(input);
  },
};

/** Run the operations of a backoff case, and return the delays in seconds. */
function runBackoff(Backoff, { random, backoff: operations }) {
  const backoff = new Backoff(() => random);
  const delays = [];
  for (const operation of operations) {
    if (operation === "next") delays.push(backoff.nextDelay());
    else if (operation === "stable") backoff.resetFailures();
    else if (operation.skip) for (let skipped = 0; skipped < operation.skip; skipped += 1) backoff.nextDelay();
    else backoff.setAnnouncedDelay(operation.announced);
  }
  return delays;
}

/**
 * Run the operations of an outbox case, and return the requests, the delays in seconds and the remaining items. A request
 * without a response stays in flight.
 */
async function runOutbox(Outbox, RequestError, { operations }) {
  const [requests, delays] = [[], []];
  let responses = [];
  let isOnline = false;
  let lastId = 0;
  const outbox = new Outbox({
    async request({ clientId, event, body }) {
      requests.push(`${clientId} ${event} ${body.message ?? body.emoji ?? ""}`);
      const response = responses.shift() ?? new Promise(() => {});
      const { seq, error, reason, retryAfter, lost } = await response;
      if (lost) isOnline = false;
      if (lost || error) throw new RequestError(lost ? "offline" : error, { reason, retryAfter });
      return seq;
    },
    store: { save() {}, delete() {} },
    onChange: () => {},
    newId: () => String((lastId += 1)),
    getLastSeq: () => 0,
    sleep: async (seconds) => void delays.push(seconds),
  });
  for (const { op, id, event, body, items, responses: next } of operations) {
    if (op === "connect") [isOnline, responses] = [true, [...next]];
    else if (op === "add") outbox.add(event, body, 0);
    else if (op === "retry") outbox.retry(id);
    else if (op === "drop") outbox.discard(id);
    else outbox.adopt(items.map((item) => ({ clientId: item.id, event: "sendMessage", body: item.body, ts: 0, state: item.failed ? "failed" : "pending", attempted: true })));
    if (isOnline) outbox.flush();
    await new Promise((resolve) => setTimeout(resolve));
    outbox.removeDelivered(() => true);
  }
  return { requests, delays, items: outbox.items.map(({ clientId, state }) => `${clientId} ${state}`) };
}

/** Return the part of the state of a log that the cases compare. */
function describeLog(log) {
  const { firstSeq, gaps, hasOlder, missingAfter } = log;
  const messages = log.items
    .filter(({ kind }) => kind === "message")
    .map(({ seq, message, edited, deleted, reactions }) => ({ seq, message, edited, deleted, reactions }));
  return { messages, lastSeq: log.lastSeq ?? 0, firstSeq, gaps, hasOlder, missingAfter };
}

/** Return the functions of `state/sanitize` by their names in the cases. */
async function loadSanitizers(load) {
  const sanitize = await load("state/sanitize");
  return {
    body: sanitize.sanitizeBody,
    line: sanitize.sanitizeLine,
    message: sanitize.validateMessage,
    topic: sanitize.validateTopic,
    query: sanitize.validateQuery,
    timestamp: sanitize.sanitizeTimestamp,
  };
}

/** Return the result of a function, or `{error}` with the code of a thrown RequestError. */
function resultOrError(compute) {
  try {
    return compute();
  } catch (error) {
    if (!error.code) throw error;
    return { error: error.code };
  }
}

/** Expand a text that is stated as a repetition. */
function expand(text) {
  if (typeof text === "string") return text;
  return (text.prefix ?? "") + text.repeat.repeat(text.times) + (text.suffix ?? "");
}

/** Return the JSON text of a value with sorted keys. */
function canonicalJson(value) {
  return JSON.stringify(value, (_, part) =>
    part && typeof part === "object" && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).sort()) : part,
  );
}
