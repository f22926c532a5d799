/** Banner with the status of a user who is away, and the button that removes the status. */

import { errorText, strings } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { requireElement, setText } from "./dom.js";
import { showToast } from "./status.js";

/** Banner with the away status of the user. */
export class AwayBanner {
  #getSession;
  #banner = requireElement("away-banner");

  /** @param {() => import("../state/chat_session.js").ChatSession | null} getSession */
  constructor(getSession) {
    this.#getSession = getSession;
    requireElement("away-end", HTMLButtonElement).addEventListener("click", () => this.#end());
  }

  /** Show the status, or hide the banner without one. */
  render() {
    const away = this.#getSession()?.status.away ?? null;
    this.#banner.hidden = away === null;
    setText(requireElement("away-text"), away === null ? "" : strings.youAreAway(away));
  }

  async #end() {
    try {
      await this.#getSession()?.status.set(null);
      requireElement("composer-input").focus({ preventScroll: true });
    } catch (error) {
      showToast(errorText(requireRequestError(error)));
    }
  }
}
