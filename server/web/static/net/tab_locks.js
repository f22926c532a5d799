/**
 * Which tabs of this browser are alive.
 *
 * A tab holds a lock (Web Locks) for as long as it lives, so the browser itself says
 * when it is gone. Who then takes what it left in a place holds a lock on that, too:
 * what one tab writes into the storage reaches another a little later and piece by
 * piece, so a second one would still find a part there. Over plain HTTP, as on a LAN,
 * there are no locks: then tabs ask each other. That can take a sleeping tab for gone;
 * what both then send has one `clientId`, and the server takes it once.
 */

const LOCK_PREFIX = "chat.tab.";
const PROBE_TIMEOUT = 1500; // ms
const PROBE_INTERVAL = 4000; // ms
const CLAIM_WINDOW = 400; // ms

const holdForever = () => new Promise(() => {});

class WebLocks {
  #held = new Set();

  constructor(tabId) {
    navigator.locks.request(LOCK_PREFIX + tabId, holdForever);
  }

  async whenTabClosed(tabId, scope, callback) {
    await navigator.locks.request(LOCK_PREFIX + tabId, () => {});
    const scopeLock = `${LOCK_PREFIX}${tabId}.${scope}`;
    if (this.#held.has(scopeLock)) {
      callback();
      return;
    }
    navigator.locks.request(scopeLock, () => {
      this.#held.add(scopeLock);
      callback();
      return holdForever();
    });
  }
}

class BroadcastLocks {
  #tabId;
  #channel = new BroadcastChannel(LOCK_PREFIX);
  #aliveTabs = new Set();
  #callbacks = new Map(); // what is to be done → the tab whose end it waits for
  #claims = new Map(); // a tab that is gone → the least of those who want what it left

  constructor(tabId) {
    this.#tabId = tabId;
    this.#channel.addEventListener("message", ({ data: { alive, probe, closed, claim, claimant } }) => {
      if (alive) this.#aliveTabs.add(alive);
      if (probe === tabId) this.#channel.postMessage({ alive: tabId });
      if (closed) this.#claim(closed);
      if (claimant < this.#claims.get(claim)) this.#claims.set(claim, claimant);
    });
    globalThis.addEventListener("pagehide", () => this.#channel.postMessage({ closed: tabId }));
  }

  whenTabClosed(tabId, _scope, callback) {
    this.#callbacks.set(callback, tabId);
    this.#probe(tabId);
  }

  #probe(tabId) {
    if (![...this.#callbacks.values()].includes(tabId)) return;
    this.#aliveTabs.delete(tabId);
    this.#channel.postMessage({ probe: tabId });
    setTimeout(() => {
      if (this.#aliveTabs.has(tabId)) setTimeout(() => this.#probe(tabId), PROBE_INTERVAL);
      else this.#claim(tabId);
    }, PROBE_TIMEOUT);
  }

  /** Of several that notice it together one alone goes on; the others ask again later. */
  #claim(tabId) {
    if (this.#claims.has(tabId)) return;
    this.#claims.set(tabId, this.#tabId);
    this.#channel.postMessage({ claim: tabId, claimant: this.#tabId });
    setTimeout(() => {
      const isOwner = this.#claims.get(tabId) === this.#tabId;
      this.#claims.delete(tabId);
      if (isOwner) this.#runCallbacks(tabId);
      else setTimeout(() => this.#probe(tabId), PROBE_INTERVAL);
    }, CLAIM_WINDOW);
  }

  #runCallbacks(tabId) {
    for (const [callback, waitsFor] of this.#callbacks) {
      if (waitsFor !== tabId) continue;
      this.#callbacks.delete(callback);
      callback();
    }
  }
}

/**
 * @returns {{whenGone: (owner: string, place: string, act: () => void) => void}} For the tab with this id:
 *   calls `act` once `owner` is gone, in one tab alone of those that want what it left in `place`.
 */
export function createTabLocks(tabId) {
  return globalThis.navigator?.locks ? new WebLocks(tabId) : new BroadcastLocks(tabId);
}
