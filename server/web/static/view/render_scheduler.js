/**
 * Drawing once a frame, however often something is different: a flood of messages
 * costs as many drawings as the screen has frames.
 */

const MAX_DELAY = 250; // ms, where the browser draws nothing because nobody looks

export class RenderScheduler {
  #render;
  #timer = 0;

  /** @param {() => void} draw */
  constructor(render) {
    this.#render = render;
  }

  /** Draws soon. */
  schedule() {
    if (this.#timer) return;
    // A page that nobody sees gets no frames, and still has a title to keep.
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
