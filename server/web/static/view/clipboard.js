/** Clipboard access. The Clipboard API is limited to secure contexts, and chat servers on a LAN often use plain HTTP. */

import { createElement } from "./dom.js";

/**
 * Write a text to the clipboard; the focus stays on its element.
 * @param {string} text
 * @returns {Promise<boolean>} False if the browser blocked the access.
 */
export async function writeClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelectedText(text);
  }
}

/** Copy by the `copy` command, which acts on the selection of a text field; an open modal dialog must contain the field. */
function copySelectedText(text) {
  const focused = document.activeElement;
  const field = createElement("textarea", "visually-hidden");
  field.value = text;
  field.style.whiteSpace = "pre"; // the command copies white space as rendered
  field.readOnly = true;
  (focused?.closest("dialog") ?? document.body).append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return isCopied;
}
