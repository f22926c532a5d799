/**
 * Automatic status after a time without input (setting `awayAfter`, in the terminal client `away_after`).
 *
 * - Tabs: share the time of the last input, so that input in one tab ends the automatic status of all tabs.
 * - Manual status: is neither replaced by the automatic one nor removed by input.
 * - Errors: are ignored; the next check repeats the request.
 */

import { requireRequestError } from "../net/request_error.js";
import { localStore } from "./storage.js";

export const MAX_AWAY_AFTER = 1440; // minutes
/** Storage key of the time of the last input. */
export const LAST_INPUT_KEY = "lastInput";

const MINUTE = 60_000; // ms
const INPUT_RESOLUTION = 1000; // ms; input within this time after a stored one is not stored

/** Return the minutes without input after which others see the user as away; 0 for never. */
export function storedAwayAfter() {
  const minutes = localStore.get("awayAfter", 0);
  return isValidAwayAfter(minutes) ? minutes : 0;
}

/** Store the minutes; see `storedAwayAfter`. */
export function storeAwayAfter(minutes) {
  localStore.set("awayAfter", minutes);
}

/** Return whether a value is a whole number of minutes from 0 to `MAX_AWAY_AFTER`. */
export function isValidAwayAfter(minutes) {
  return Number.isInteger(minutes) && minutes >= 0 && minutes <= MAX_AWAY_AFTER;
}

/** Restart the time without input of all tabs. */
export function restartIdleTime() {
  localStore.set(LAST_INPUT_KEY, Date.now());
}

/** Automatic status of the session of one tab. The load of the page counts as input. */
export class AutoAway {
  #getSession;
  #isRequesting = false;

  /** @param {() => import("./chat_session.js").ChatSession | null} getSession Null while the join form is visible. */
  constructor(getSession) {
    this.#getSession = getSession;
    restartIdleTime();
  }

  /** Restart the time without input, and remove the automatic status. No effect within `INPUT_RESOLUTION` of an input. */
  recordInput() {
    if (Math.abs(this.#idleTime) < INPUT_RESOLUTION) return;
    restartIdleTime();
    this.check();
  }

  /**
   * Set the automatic status after `awayAfter` minutes without input, unless the user is away already; remove it after input.
   * No effect without a session and during a request.
   */
  async check() {
    const status = this.#getSession()?.status;
    if (!status || this.#isRequesting) return;
    const limit = storedAwayAfter() * MINUTE;
    const isIdle = limit > 0 && this.#idleTime >= limit;
    if (isIdle ? status.away !== null : !status.isAutomatic) return;
    this.#isRequesting = true;
    try {
      await status.set(isIdle ? "" : null, { isAutomatic: isIdle });
    } catch (error) {
      requireRequestError(error);
      return;
    } finally {
      this.#isRequesting = false;
    }
    await this.check(); // input during the request
  }

  /** Milliseconds since the last input in any tab; negative after a change of the clock. */
  get #idleTime() {
    return Date.now() - localStore.get(LAST_INPUT_KEY, 0);
  }
}
