/**
 * The page's own words: in the language that was chosen, else in the first of the
 * browser's that there is.
 *
 * `words` is a live binding: whoever shows a word takes it at the time it is shown.
 */

import { lasting } from "../state/storage.js";
import { english } from "./en.js";
import { chinese } from "./zh.js";

const LANGUAGES = { en: english, zh: chinese };

/** @returns {typeof english} The words for the first of these languages that there are. */
export function wordsFor(languages) {
  for (const language of languages) {
    const found = LANGUAGES[language.slice(0, 2).toLowerCase()];
    if (found) return found;
  }
  return english;
}

/** The languages that can be chosen, each by its own name. */
export const CHOICES = { en: "English", zh: "中文" };

/** The language that was chosen, or an empty string. */
export function chosenLanguage() {
  const chosen = lasting.get("language", "");
  return Object.hasOwn(LANGUAGES, chosen) ? chosen : "";
}

export let words = wordsFor([chosenLanguage(), ...(globalThis.navigator?.languages ?? [])]);

/** Speaks another language from now on; an empty one is the browser's. */
export function chooseLanguage(language) {
  if (language) lasting.put("language", language);
  else lasting.drop("language");
  words = wordsFor([language, ...(globalThis.navigator?.languages ?? [])]);
}

/** Puts the page's words where the document names them. */
export function speak() {
  document.documentElement.lang = words.lang;
  const each = (what, put) => {
    for (const element of document.querySelectorAll(`[data-${what}]`)) put(element, words[element.dataset[what]]);
  };
  each("word", (element, word) => (element.textContent = word));
  each("title", (element, word) => (element.title = word));
  each("label", (element, word) => element.setAttribute("aria-label", word));
  each("placeholder", (element, word) => (element.placeholder = word));
}
