/**
 * The page's own words: in the language that was chosen, else in the first of the
 * browser's that there is.
 *
 * `words` is a live binding: whoever shows a word takes it at the time it is shown.
 */

import { localStore } from "../state/storage.js";
import { en } from "./en.js";
import { zh } from "./zh.js";

const CATALOGUES = { en, zh };

/** @returns {typeof english} The words for the first of these languages that there are. */
export function stringsFor(languages) {
  for (const language of languages) {
    const catalogue = CATALOGUES[language.slice(0, 2).toLowerCase()];
    if (catalogue) return catalogue;
  }
  return en;
}

/** The languages that can be chosen, each by its own name. */
export const LANGUAGE_NAMES = { en: "English", zh: "中文" };

/** The language that was chosen, or an empty string. */
export function storedLanguage() {
  const stored = localStore.get("language", "");
  return Object.hasOwn(CATALOGUES, stored) ? stored : "";
}

export let strings = stringsFor([storedLanguage(), ...(globalThis.navigator?.languages ?? [])]);

/** Speaks another language from now on; an empty one is the browser's. */
export function setLanguage(language) {
  if (language) localStore.set("language", language);
  else localStore.remove("language");
  strings = stringsFor([language, ...(globalThis.navigator?.languages ?? [])]);
}

/** Puts the page's words where the document names them. */
export function applyStrings() {
  document.documentElement.lang = strings.lang;
  const apply = (attribute, setString) => {
    for (const element of document.querySelectorAll(`[${attribute}]`)) setString(element, strings[element.getAttribute(attribute)]);
  };
  apply("data-i18n", (element, string) => (element.textContent = string));
  apply("data-i18n-title", (element, string) => (element.title = string));
  apply("data-i18n-label", (element, string) => element.setAttribute("aria-label", string));
  apply("data-i18n-placeholder", (element, string) => (element.placeholder = string));
}
