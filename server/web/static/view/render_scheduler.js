/**
 * Drawing once a frame, however often something is different: a flood of messages
 * costs as many drawings as the screen has frames.
 */

const SLOWEST = 250; // ms, where the browser draws nothing because nobody looks

export class Frames {
  #draw;
  #timer = 0;

  /** @param {() => void} draw */
  constructor(draw) {
    this.#draw = draw;
  }

  /** Draws soon. */
  ask() {
    if (this.#timer) return;
    // A page that nobody sees gets no frames, and still has a title to keep.
    this.#timer = setTimeout(() => this.#now(), SLOWEST);
    requestAnimationFrame(() => this.#now());
  }

  #now() {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#draw();
  }
}
