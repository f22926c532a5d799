/**
 * Browser storage.
 *
 * - `localStore` is persistent and shared by all tabs; `sessionStore` survives reloads of one tab.
 * - Contents: docs/page.md, "Stored data".
 */

import { canonicalName } from "./names.js";

// Servers behind different paths of one origin share the storage of the browser.
const BASE_PATH = globalThis.location ? new URL(".", location.href).pathname : "/";
const KEY_PREFIX = BASE_PATH === "/" ? "chat." : `chat.${BASE_PATH}.`;
const MAX_GUEST_KEYS = 100;
const MAX_READ_MARKERS = 500;
const MAX_MUTED_ROOMS = 500;
const MAX_DRAFT_ROOMS = 50; // rooms with a draft, and rooms with files of the next message
const UPLOAD_LIFETIME = 3_600_000; // ms; the server removes a file without a message after this time

/** JSON values in a storage of the browser; in memory if the browser does not store them. */
export class JsonStorage {
  #open;
  #fallback = new Map(); // values that the browser does not store; lost on reload

  /** @param {() => Storage} open Returns the storage of the browser, or throws if the storage is blocked. */
  constructor(open) {
    this.#open = open;
  }

  /**
   * Return the stored value; `defaultValue` if there is none, or if it is null or no valid JSON.
   * @param {string} key
   * @param {any} [defaultValue]
   * @returns {any}
   */
  get(key, defaultValue = null) {
    if (this.#fallback.has(key)) return this.#fallback.get(key);
    return this.#access((storage) => JSON.parse(storage.getItem(KEY_PREFIX + key) ?? "null"), null) ?? defaultValue;
  }

  /**
   * Store a JSON value, in memory if the browser rejects it.
   * @param {string} key
   * @param {any} value
   * @returns {boolean} False if the value will be lost on reload.
   */
  set(key, value) {
    this.#fallback.set(key, value);
    const isStored = this.#access((storage) => {
      storage.setItem(KEY_PREFIX + key, JSON.stringify(value));
      return true;
    }, false);
    if (isStored) this.#fallback.delete(key);
    return isStored;
  }

  /** Delete a value. */
  remove(key) {
    this.#fallback.delete(key);
    this.#access((storage) => storage.removeItem(KEY_PREFIX + key), undefined);
  }

  /** Return all keys with this prefix. */
  keys(prefix) {
    const stored = this.#access(Object.keys, []).filter((key) => key.startsWith(KEY_PREFIX)).map((key) => key.slice(KEY_PREFIX.length));
    return [...new Set([...stored, ...this.#fallback.keys()])].filter((key) => key.startsWith(prefix));
  }

  /**
   * Return the result of an operation, or `failure` if the storage is blocked, full or damaged.
   * @template T
   * @param {(storage: Storage) => T} operation
   * @param {T} failure
   */
  #access(operation, failure) {
    try {
      return operation(this.#open());
    } catch {
      return failure;
    }
  }

  /**
   * Return the key of a storage event without the prefix of the page; empty for keys of other applications.
   * @param {string | null} key Null if the storage was cleared.
   */
  static keyOf(key) {
    return key?.startsWith(KEY_PREFIX) ? key.slice(KEY_PREFIX.length) : "";
  }
}

/** Persistent storage, shared by all tabs. */
export const localStore = new JsonStorage(() => globalThis.localStorage);
/** Storage of this tab. */
export const sessionStore = new JsonStorage(() => globalThis.sessionStorage);

/** The last `MAX_GUEST_KEYS` changed guest keys by nickname. */
export const guestKeys = {
  /** Return the key of a guest; undefined without one. */
  get(nick) {
    return findEntry("guestKeys", canonicalName(nick));
  },

  /** Store the key of a guest. */
  set(nick, key) {
    if (this.get(nick) !== key) replaceEntry("guestKeys", canonicalName(nick), key, MAX_GUEST_KEYS);
  },
};

/** The last `MAX_READ_MARKERS` changed read markers by room and nickname. */
export const readMarkers = {
  /** Return the `seq` of a marker; null without one. */
  get(room, nick) {
    return findEntry("readMarkers", markerKey(room, nick)) ?? null;
  },

  /** Store a marker. */
  set(room, nick, seq) {
    replaceEntry("readMarkers", markerKey(room, nick), seq, MAX_READ_MARKERS);
  },
};

/** Rooms without notifications. */
export const mutedRooms = nameSet("mutedRooms", MAX_MUTED_ROOMS);

/** Nicknames whose status was set automatically. */
export const automaticStatuses = nameSet("automaticStatuses", MAX_GUEST_KEYS);

/** Return a stored set of names in canonical form; above the limit, the least recently added name is dropped. */
function nameSet(list, maxEntries) {
  return {
    has: (/** @type {string} */ name) => findEntry(list, canonicalName(name)) ?? false,
    add: (/** @type {string} */ name) => replaceEntry(list, canonicalName(name), true, maxEntries),
    delete: (/** @type {string} */ name) => removeEntry(list, canonicalName(name)),
  };
}

/** Return the value of an entry in a stored list of pairs. */
function findEntry(list, entryKey, store = localStore) {
  return store.get(list, []).find(([key]) => key === entryKey)?.[1];
}

/** Set the value of an entry, which becomes the last of a stored list of pairs; drop the first entries above the limit. */
function replaceEntry(list, entryKey, value, maxEntries, store = localStore) {
  const rest = store.get(list, []).filter(([key]) => key !== entryKey);
  store.set(list, [...rest, [entryKey, value]].slice(-maxEntries));
}

function removeEntry(list, entryKey, store = localStore) {
  store.set(list, store.get(list, []).filter(([key]) => key !== entryKey));
}

function markerKey(room, nick) {
  return JSON.stringify([canonicalName(room), canonicalName(nick)]);
}

/**
 * Drafts by room.
 *
 * Each tab has its own drafts. The latest draft of all tabs is also in local storage: a new tab starts with that draft.
 */
export const drafts = {
  /** @returns {import("../view/composer.js").Draft} Draft of this tab, otherwise of any tab; empty without one. */
  get(room) {
    const key = canonicalName(room);
    return findEntry("drafts", key, sessionStore) ?? findEntry("drafts", key) ?? { text: "" };
  },

  /** Store the draft of a room. An empty draft deletes the draft in local storage if this tab has stored that draft. */
  save(room, draft) {
    const key = canonicalName(room);
    const isEmpty = !draft.text && !draft.replyTo && !draft.editing;
    const previous = JSON.stringify(findEntry("drafts", key, sessionStore));
    // An empty draft of this tab hides the drafts of other tabs, and does not delete them.
    replaceEntry("drafts", key, draft, MAX_DRAFT_ROOMS, sessionStore);
    if (!isEmpty) replaceEntry("drafts", key, draft, MAX_DRAFT_ROOMS);
    else if (previous && previous === JSON.stringify(findEntry("drafts", key))) removeEntry("drafts", key);
  },
};

/**
 * Move the drafts, files, mute and read markers of a renamed room to its new name, in place of those of the new name.
 * @param {string} previousName
 * @param {string} name
 */
export function moveRoomEntries(previousName, name) {
  const [previousKey, key] = [canonicalName(previousName), canonicalName(name)];
  if (previousKey === key) return;
  const lists = /** @type {[string, JsonStorage, number][]} */ ([
    ["drafts", sessionStore, MAX_DRAFT_ROOMS],
    ["drafts", localStore, MAX_DRAFT_ROOMS],
    ["files", sessionStore, MAX_DRAFT_ROOMS],
    ["mutedRooms", localStore, MAX_MUTED_ROOMS],
  ]);
  for (const [list, store, maxEntries] of lists) {
    const value = findEntry(list, previousKey, store);
    if (value === undefined) continue;
    removeEntry(list, previousKey, store);
    replaceEntry(list, key, value, maxEntries, store);
  }
  for (const [entryKey, seq] of localStore.get("readMarkers", [])) {
    const [room, nick] = JSON.parse(entryKey);
    if (room !== previousKey) continue;
    removeEntry("readMarkers", entryKey);
    readMarkers.set(name, nick, seq);
  }
}

/** Uploaded files of the next message by room, in this tab. */
export const uploadedFiles = {
  /**
   * Return the files that were uploaded within `UPLOAD_LIFETIME`.
   * @param {string} room
   * @param {Set<string>} memberIds Ids of the user; only the uploader can attach a file.
   * @returns {import("./room_log.js").Attachment[]}
   */
  get(room, memberIds) {
    const { memberId, files = [] } = findEntry("files", canonicalName(room), sessionStore) ?? {};
    const available = files.filter(({ ts }) => memberIds.has(memberId) && Date.now() - ts < UPLOAD_LIFETIME);
    return available.map(({ attachment }) => attachment);
  },

  /** Replace the files of a room; the lifetime of a file starts when the file is saved for the first time. */
  save(room, memberId, attachments) {
    const { files: previous = [] } = findEntry("files", canonicalName(room), sessionStore) ?? {};
    const uploadTimes = new Map(previous.map(({ attachment, ts }) => [attachment.id, ts]));
    const files = attachments.map((attachment) => ({ attachment, ts: uploadTimes.get(attachment.id) ?? Date.now() }));
    replaceEntry("files", canonicalName(room), { memberId, files }, MAX_DRAFT_ROOMS, sessionStore);
  },
};
