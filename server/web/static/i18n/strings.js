/**
 * Localized strings in the selected language, otherwise in the first supported language of the browser or English.
 *
 * `strings` is a live binding. Read it at render time and do not cache its values.
 */

import { localStore } from "../state/storage.js";
import { en } from "./en.js";
import { zh } from "./zh.js";

const CATALOGUES = { en, zh };

/**
 * Return the strings of the first supported language, English by default.
 * @param {readonly string[]} languages Language tags (BCP 47) in order of preference; empty ones are skipped.
 * @returns {typeof en}
 */
export function stringsFor(languages) {
  for (const language of languages) {
    const catalogue = CATALOGUES[language.slice(0, 2).toLowerCase()];
    if (catalogue) return catalogue;
  }
  return en;
}

/** Names of the available languages in their own language. */
export const LANGUAGE_NAMES = { en: "English", zh: "中文" };

/** Return the selected language code; empty if the language of the browser applies. */
export function storedLanguage() {
  const stored = localStore.get("language", "");
  return Object.hasOwn(CATALOGUES, stored) ? stored : "";
}

/**
 * Return the text of a failed request: by its reason, otherwise by its code, otherwise that of the code `internal`.
 * @param {{code?: string, reason?: string, params?: Record<string, string | number>}} error
 */
export function errorText({ code = "internal", reason = "", params = {} }) {
  if (Object.hasOwn(strings.reasons, reason)) return /** @type {Record<string, Function>} */ (strings.reasons)[reason](params);
  return Object.hasOwn(strings.errors, code) ? /** @type {Record<string, string>} */ (strings.errors)[code] : strings.errors.internal;
}

/** Strings of the current language. */
export let strings = stringsFor([storedLanguage(), ...(globalThis.navigator?.languages ?? [])]);

/**
 * Select and save a language; the caller must render all texts again.
 * @param {string} language Language code; empty to follow the browser.
 */
export function setLanguage(language) {
  if (language) localStore.set("language", language);
  else localStore.remove("language");
  strings = stringsFor([language, ...(globalThis.navigator?.languages ?? [])]);
}

/** Write localized texts into all elements with `data-i18n*` attributes, and set the document language. */
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
