/**
 * What stands beside the timeline: columns where there is room, drawers where not.
 *
 * Rule 1  On the right there is one at a time.
 * Rule 2  A drawer takes the focus when it opens and gives it back when it closes.
 */

const NAMES = {
  rooms: globalThis.matchMedia("(min-width: 48rem)"),
  members: globalThis.matchMedia("(min-width: 64rem)"),
  search: globalThis.matchMedia("(min-width: 64rem)"),
};

const BEHIND = [".top", "#talk"]; // what a drawer lies over

export class Panels {
  #chat = document.getElementById("chat");
  #shade = document.getElementById("shade");
  #open = new Set();
  #onOpen;

  /** @param {(name: string) => void} onOpen */
  constructor(onOpen) {
    this.#onOpen = onOpen;
    globalThis.visualViewport?.addEventListener("resize", fit);
    for (const [name, wide] of Object.entries(NAMES)) {
      toggleOf(name).addEventListener("click", () => this.show(name, !this.#open.has(name)));
      wide.addEventListener("change", () => this.#settle());
    }
    this.#shade.addEventListener("click", () => this.closeDrawer());
    for (const button of document.querySelectorAll("[data-shut]")) {
      button.addEventListener("click", () => this.closeDrawer());
    }
    this.#settle();
  }

  isOpen(name) {
    return this.#open.has(name);
  }

  show(name, open) {
    if (open && name !== "rooms") for (const other of ["members", "search"]) this.#open.delete(other);
    if (open && !NAMES[name].matches) this.#open.clear();
    if (open) this.#open.add(name);
    else this.#open.delete(name);
    if (!open && name === "search" && NAMES.members.matches) this.#open.add("members");
    this.#draw();
    if (open) this.#onOpen(name);
    if (open && !NAMES[name].matches && name !== "search") {
      const panel = document.getElementById(name);
      (panel.querySelector("[aria-current]") ?? panel.querySelector("[data-shut]")).focus();
    }
  }

  /** Closes what lies over the timeline, and the search. @returns {boolean} Whether there was any. */
  closeDrawer() {
    const [name] = [...this.#open].filter((one) => one === "search" || !NAMES[one].matches);
    if (!name) return false;
    this.show(name, false);
    toggleOf(name).focus();
    return true;
  }

  /** Closes the list of rooms where it is a drawer. */
  roomChosen() {
    if (!NAMES.rooms.matches && this.#open.has("rooms")) this.show("rooms", false);
    if (!NAMES.search.matches && this.#open.has("search")) this.show("search", false);
  }

  #settle() {
    this.#open = new Set(["rooms", "members"].filter((name) => NAMES[name].matches));
    this.#draw();
  }

  #draw() {
    for (const name of Object.keys(NAMES)) {
      const open = this.#open.has(name);
      toggleOf(name).setAttribute("aria-expanded", String(open));
      this.#chat.classList.toggle(`with-${name}`, open);
      document.getElementById(name).inert = !open;
    }
    const covered = [...this.#open].some((name) => !NAMES[name].matches);
    this.#shade.hidden = !covered;
    for (const element of BEHIND) document.querySelector(element).inert = covered;
  }
}

function toggleOf(name) {
  return document.getElementById(`${name}-toggle`);
}

/** Some browsers lay the keyboard of a phone over the page: then what is left is the page's height. */
function fit() {
  const { height, scale } = globalThis.visualViewport;
  const covered = scale === 1 && height < globalThis.innerHeight - 1;
  document.documentElement.style.setProperty("--height", covered ? `${height}px` : "100dvh");
}
