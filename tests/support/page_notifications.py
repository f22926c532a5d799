"""Recorder of the notifications of the browser client."""

from playwright.async_api import Page

RECORD_NOTIFICATIONS = """
window.notifications = [];
window.Notification = class extends EventTarget {
  static permission = "default";
  static async requestPermission() { return (Notification.permission = window.allowed ?? "granted"); }
  constructor(title, { body, tag }) {
    super();
    this.close = () => {};
    notifications.push({ title, body, tag, notification: this });
  }
};
const startTimer = window.setTimeout;
window.setTimeout = (run, delay, ...rest) => {
  if (delay !== 1000) return startTimer(run, delay, ...rest);
  window.showNotifications = run;
  return 1;
};
void 0;
"""
"""Script that records notifications; `showNotifications` ends the time in which the page collects messages."""


async def show_notifications(page: Page) -> list[list[str]]:
    """Let the page show the collected messages; return title, text and tag of all notifications so far."""
    return await page.evaluate("showNotifications(), notifications.map(({ title, body, tag }) => [title, body, tag])")
