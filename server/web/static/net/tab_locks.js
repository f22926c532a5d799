/**
 * Detection of closed tabs, and exclusive claims on their outbox items.
 *
 * - With Web Locks (secure contexts), each tab holds a lock for its lifetime. Acquiring that lock proves
 *   that the tab is closed. A second lock per scope elects one claimant, because storage writes reach
 *   other tabs with a delay.
 * - Without Web Locks (plain HTTP on a LAN), tabs probe each other over a BroadcastChannel. A suspended
 *   tab can be mistaken for a closed tab. Both tabs then send the same `clientId`, and the server
 *   deduplicates.
 */

const LOCK_PREFIX = "chat.tab.";
const PROBE_TIMEOUT = 1500; // ms
const PROBE_INTERVAL = 4000; // ms
const CLAIM_WINDOW = 400; // ms

const holdForever = () => new Promise(() => {});

/** Ignore the rejection of locks: browsers reject them together with the storage, so no items of closed tabs exist. */
function ignoreBlockedLocks(error) {
  if (!(error instanceof DOMException)) throw error;
}

/** Locks by the Web Locks API. */
class WebLocks {
  #held = new Set();

  constructor(tabId) {
    navigator.locks.request(LOCK_PREFIX + tabId, holdForever).catch(ignoreBlockedLocks);
  }

  /** Run a callback after a tab has closed, and after all other tabs that have claimed the scope have closed. */
  whenTabClosed(tabId, scope, callback) {
    this.#claimWhenClosed(tabId, scope, callback).catch(ignoreBlockedLocks);
  }

  /** Wait for the lock of the tab, then for the lock of the scope, which is held until this tab closes. */
  async #claimWhenClosed(tabId, scope, callback) {
    await navigator.locks.request(LOCK_PREFIX + tabId, () => {});
    const scopeLock = `${LOCK_PREFIX}${tabId}.${scope}`;
    if (this.#held.has(scopeLock)) {
      callback();
      return;
    }
    await navigator.locks.request(scopeLock, () => {
      this.#held.add(scopeLock);
      callback();
      return holdForever();
    });
  }
}

/** Locks by messages between the tabs. */
class BroadcastLocks {
  #tabId;
  #channel = new BroadcastChannel(LOCK_PREFIX);
  #aliveTabs = new Set();
  #callbacks = new Map(); // callback → id of the tab whose close runs the callback
  #claims = new Map(); // closed tab → lowest id among the claiming tabs

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

  /** Run a callback after a tab has closed if this tab is the claimant. */
  whenTabClosed(tabId, _scope, callback) {
    this.#callbacks.set(callback, tabId);
    this.#probe(tabId);
  }

  /** Probe a tab repeatedly while a callback waits for its close; claim the tab without an answer within `PROBE_TIMEOUT`. */
  #probe(tabId) {
    if (![...this.#callbacks.values()].includes(tabId)) return;
    this.#aliveTabs.delete(tabId);
    this.#channel.postMessage({ probe: tabId });
    setTimeout(() => {
      if (this.#aliveTabs.has(tabId)) setTimeout(() => this.#probe(tabId), PROBE_INTERVAL);
      else this.#claim(tabId);
    }, PROBE_TIMEOUT);
  }

  /** Elect the tab with the lowest id as claimant; all other tabs probe again later. */
  #claim(tabId) {
    if (this.#claims.has(tabId)) return;
    this.#claims.set(tabId, this.#tabId);
    this.#channel.postMessage({ claim: tabId, claimant: this.#tabId });
    setTimeout(() => {
      const isClaimant = this.#claims.get(tabId) === this.#tabId;
      this.#claims.delete(tabId);
      if (isClaimant) this.#runCallbacks(tabId);
      else setTimeout(() => this.#probe(tabId), PROBE_INTERVAL);
    }, CLAIM_WINDOW);
  }

  #runCallbacks(tabId) {
    for (const [callback, awaitedTabId] of this.#callbacks) {
      if (awaitedTabId !== tabId) continue;
      this.#callbacks.delete(callback);
      callback();
    }
  }
}

/**
 * @param {string} tabId Id of this tab.
 * @returns {{whenTabClosed: (tabId: string, scope: string, callback: () => void) => void}} Locks whose
 *   `whenTabClosed` runs `callback` after that tab has closed, or never if the browser blocks locks. Tabs that wait for the
 *   same `scope` run their callbacks one after another, so that only the first tab finds items to claim.
 */
export function createTabLocks(tabId) {
  if (globalThis.navigator?.locks) return new WebLocks(tabId);
  try {
    return new BroadcastLocks(tabId);
  } catch (error) {
    ignoreBlockedLocks(error);
    return { whenTabClosed: () => {} };
  }
}
