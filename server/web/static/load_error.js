/**
 * Message and one reload for a page that does not start: a module fails to load, or index.html is of another release.
 *
 * - Classic script without imports, so that it runs without the modules.
 * - index.html contains the message, and app.js removes the message after the start.
 * - A page that was reloaded is not reloaded again.
 */
{
  const RETRY_DELAY = 2000; // ms; covers the restart of a server
  const message = document.getElementById("load-error");
  const [navigation] = performance.getEntriesByType("navigation");
  let canReload = /** @type {PerformanceNavigationTiming | undefined} */ (navigation)?.type !== "reload";

  const reload = async () => {
    const response = await fetch("", { cache: "no-store" }).catch(() => null);
    if (response?.ok && message?.isConnected) location.reload();
  };

  const onError = ({ target }) => {
    if (!message?.isConnected || target instanceof HTMLLinkElement) return;
    message.classList.add("visible");
    if (canReload) setTimeout(reload, RETRY_DELAY);
    canReload = false;
  };

  // Load errors of elements do not bubble.
  globalThis.addEventListener("error", onError, { capture: true });
}
