/** Render coalescing: at most one render per animation frame, regardless of the number of changes. */

const MAX_RENDER_DELAY = 250; // ms; for the title of hidden tabs, which get no animation frames
const MAX_DATE_DELAY = 60_000; // ms

/** Scheduler of one render function. */
export class RenderScheduler {
  #render;
  #timer = 0;

  /** @param {() => void} render */
  constructor(render) {
    this.#render = render;
  }

  /** Render in the next frame, or after `MAX_RENDER_DELAY` without frames. */
  schedule() {
    if (this.#timer) return;
    this.#timer = setTimeout(() => this.#renderNow(), MAX_RENDER_DELAY);
    requestAnimationFrame(() => this.#renderNow());
  }

  /** Render after every midnight. Timers stop while the computer is suspended, so the date is checked every minute. */
  watchDate() {
    const now = new Date();
    const delay = new Date(now).setHours(24, 0, 0, 0) - now.getTime();
    setTimeout(
      () => {
        if (new Date().getDate() !== now.getDate()) this.schedule();
        this.watchDate();
      },
      Math.min(delay, MAX_DATE_DELAY),
    );
  }

  #renderNow() {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#render();
  }
}
