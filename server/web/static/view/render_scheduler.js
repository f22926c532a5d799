/**
 * Render coalescing: at most one render per animation frame, regardless of the number of changes.
 */

const MAX_DELAY = 250; // ms; used in hidden tabs, which get no animation frames

export class RenderScheduler {
  #render;
  #timer = 0;

  /** @param {() => void} render */
  constructor(render) {
    this.#render = render;
  }

  /** Request a render. */
  schedule() {
    if (this.#timer) return;
    // Hidden tabs still need title updates.
    this.#timer = setTimeout(() => this.#renderNow(), MAX_DELAY);
    requestAnimationFrame(() => this.#renderNow());
  }

  #renderNow() {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#render();
  }
}
