/**
 * Which tabs of this browser are alive.
 *
 * A tab holds a lock (Web Locks) for as long as it lives, so the browser itself says
 * when it is gone. Over plain HTTP, as on a LAN, there are no locks: then tabs ask
 * each other. That can take a sleeping tab for gone; what both then send has one
 * `clientId`, and the server takes it once.
 */

const NAME = "chat.tab.";
const ANSWER_WITHIN = 1500; // ms
const ASK_EVERY = 10_000; // ms

class Locks {
  constructor(owner) {
    navigator.locks.request(NAME + owner, () => new Promise(() => {}));
  }

  whenGone(owner, act) {
    navigator.locks.request(NAME + owner, act);
  }
}

class Asking {
  #channel = new BroadcastChannel(NAME);
  #alive = new Set();

  constructor(owner) {
    this.#channel.addEventListener("message", ({ data }) => {
      if (data.alive) this.#alive.add(data.alive);
      if (data.asked === owner) this.#channel.postMessage({ alive: owner });
    });
  }

  whenGone(owner, act) {
    this.#alive.delete(owner);
    this.#channel.postMessage({ asked: owner });
    setTimeout(() => {
      if (this.#alive.has(owner)) setTimeout(() => this.whenGone(owner, act), ASK_EVERY);
      else act();
    }, ANSWER_WITHIN);
  }
}

/** @returns {{whenGone: (owner: string, act: () => void) => void}} For the tab with this id. */
export function ownersFor(owner) {
  return globalThis.navigator?.locks ? new Locks(owner) : new Asking(owner);
}
