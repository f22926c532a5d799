/**
 * Panels beside the timeline: columns on wide screens, drawers on narrow ones.
 *
 * - At most one panel is open on the right.
 * - An opened drawer receives the focus. `closePanel()` moves the focus to the toggle button.
 */

import { queryElement, requireElement } from "./dom.js";

const WIDE_LAYOUTS = {
  rooms: globalThis.matchMedia("(min-width: 48rem)"),
  members: globalThis.matchMedia("(min-width: 64rem)"),
  search: globalThis.matchMedia("(min-width: 64rem)"),
};

const COVERED_BY_DRAWER = [".room-header", "#conversation"]; // inert behind an open drawer

/** State of the three panels: rooms, members and search. */
export class SidePanels {
  #chatElement = requireElement("chat");
  #backdrop = requireElement("backdrop");
  #openPanels = new Set();
  #onOpen;

  /** @param {(name: string) => void} onOpen Called after a panel was opened, before an opened drawer receives the focus. */
  constructor(onOpen) {
    this.#onOpen = onOpen;
    globalThis.visualViewport?.addEventListener("resize", fitViewport);
    for (const [name, mediaQuery] of Object.entries(WIDE_LAYOUTS)) {
      getToggle(name).addEventListener("click", () => this.setOpen(name, !this.#openPanels.has(name)));
      mediaQuery.addEventListener("change", () => this.#resetLayout());
    }
    this.#backdrop.addEventListener("click", () => this.closePanel());
    for (const button of document.querySelectorAll("[data-close-panel]")) {
      button.addEventListener("click", () => this.closePanel());
    }
    this.#resetLayout();
  }

  /**
   * Return whether a panel is open.
   * @param {string} name `rooms`, `members` or `search`.
   */
  isOpen(name) {
    return this.#openPanels.has(name);
  }

  /**
   * Open or close a panel. A panel that opens on the right closes the other one there, a drawer all others. On wide screens,
   * the member panel replaces the closed search panel.
   * @param {string} name `rooms`, `members` or `search`.
   * @param {boolean} isOpen
   */
  setOpen(name, isOpen) {
    if (isOpen && name !== "rooms") for (const rightPanel of ["members", "search"]) this.#openPanels.delete(rightPanel);
    if (isOpen && !WIDE_LAYOUTS[name].matches) this.#openPanels.clear();
    if (isOpen) this.#openPanels.add(name);
    else this.#openPanels.delete(name);
    if (!isOpen && name === "search" && WIDE_LAYOUTS.members.matches) this.#openPanels.add("members");
    this.#render();
    if (isOpen) this.#onOpen(name);
    if (isOpen && !WIDE_LAYOUTS[name].matches && name !== "search") {
      const panel = requireElement(name);
      (queryElement(panel, "[aria-current]") ?? queryElement(panel, "[data-close-panel]"))?.focus();
    }
  }

  /**
   * Close the search panel or an open drawer, and focus its toggle button.
   * @returns {boolean} True if a panel was closed.
   */
  closePanel() {
    const [name] = [...this.#openPanels].filter((panel) => panel === "search" || !WIDE_LAYOUTS[panel].matches);
    if (!name) return false;
    this.setOpen(name, false);
    getToggle(name).focus();
    return true;
  }

  /** Close the open drawer after a selection, without a change of the focus; columns stay open. */
  closeDrawers() {
    for (const name of this.#openPanels) if (!WIDE_LAYOUTS[name].matches) this.setOpen(name, false);
  }

  #resetLayout() {
    this.#openPanels = new Set(["rooms", "members"].filter((name) => WIDE_LAYOUTS[name].matches));
    this.#render();
  }

  #render() {
    for (const name of Object.keys(WIDE_LAYOUTS)) {
      const isOpen = this.#openPanels.has(name);
      getToggle(name).setAttribute("aria-expanded", String(isOpen));
      this.#chatElement.classList.toggle(`show-${name}`, isOpen);
      requireElement(name).inert = !isOpen;
    }
    const isDrawerOpen = [...this.#openPanels].some((name) => !WIDE_LAYOUTS[name].matches);
    this.#backdrop.hidden = !isDrawerOpen;
    for (const selector of COVERED_BY_DRAWER) queryElement(document, selector)?.toggleAttribute("inert", isDrawerOpen);
  }
}

function getToggle(name) {
  return requireElement(`${name}-toggle`);
}

/** Reduce the height of the layout while the keyboard of a mobile browser covers a part of the page. */
function fitViewport() {
  const { height = globalThis.innerHeight, scale = 1 } = globalThis.visualViewport ?? {};
  const isKeyboardOpen = scale === 1 && height < globalThis.innerHeight - 1;
  document.documentElement.style.setProperty("--viewport-height", isKeyboardOpen ? `${height}px` : "100dvh");
}
