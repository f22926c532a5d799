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

const NAME = "chat.tab.";
const ANSWER_WITHIN = 1500; // ms
const ASK_EVERY = 4000; // ms
const CLAIM_WITHIN = 400; // ms

const forLife = () => new Promise(() => {});

class Locks {
  #held = new Set();

  constructor(owner) {
    navigator.locks.request(NAME + owner, forLife);
  }

  async whenGone(owner, place, act) {
    await navigator.locks.request(NAME + owner, () => {});
    const left = `${NAME}${owner}.${place}`;
    if (this.#held.has(left)) {
      act();
      return;
    }
    navigator.locks.request(left, () => {
      this.#held.add(left);
      act();
      return forLife();
    });
  }
}

class Asking {
  #self;
  #channel = new BroadcastChannel(NAME);
  #alive = new Set();
  #waiting = new Map(); // what is to be done → the tab whose end it waits for
  #claims = new Map(); // a tab that is gone → the least of those who want what it left

  constructor(owner) {
    this.#self = owner;
    this.#channel.addEventListener("message", ({ data: { alive, asked, gone, claimed, by } }) => {
      if (alive) this.#alive.add(alive);
      if (asked === owner) this.#channel.postMessage({ alive: owner });
      if (gone) this.#claim(gone);
      if (by < this.#claims.get(claimed)) this.#claims.set(claimed, by);
    });
    globalThis.addEventListener("pagehide", () => this.#channel.postMessage({ gone: owner }));
  }

  whenGone(owner, _place, act) {
    this.#waiting.set(act, owner);
    this.#ask(owner);
  }

  #ask(owner) {
    if (![...this.#waiting.values()].includes(owner)) return;
    this.#alive.delete(owner);
    this.#channel.postMessage({ asked: owner });
    setTimeout(() => {
      if (this.#alive.has(owner)) setTimeout(() => this.#ask(owner), ASK_EVERY);
      else this.#claim(owner);
    }, ANSWER_WITHIN);
  }

  /** Of several that notice it together one alone goes on; the others ask again later. */
  #claim(owner) {
    if (this.#claims.has(owner)) return;
    this.#claims.set(owner, this.#self);
    this.#channel.postMessage({ claimed: owner, by: this.#self });
    setTimeout(() => {
      const mine = this.#claims.get(owner) === this.#self;
      this.#claims.delete(owner);
      if (mine) this.#act(owner);
      else setTimeout(() => this.#ask(owner), ASK_EVERY);
    }, CLAIM_WITHIN);
  }

  #act(owner) {
    for (const [act, other] of this.#waiting) {
      if (other !== owner) continue;
      this.#waiting.delete(act);
      act();
    }
  }
}

/**
 * @returns {{whenGone: (owner: string, place: string, act: () => void) => void}} For the tab with this id:
 *   calls `act` once `owner` is gone, in one tab alone of those that want what it left in `place`.
 */
export function ownersFor(owner) {
  return globalThis.navigator?.locks ? new Locks(owner) : new Asking(owner);
}
