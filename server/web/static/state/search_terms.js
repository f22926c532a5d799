/** Search terms in a text; the same rules as in `tui_chat/protocol/search_query.py`. */

import { UNSPACED, fold } from "./names.js";

const SPACED_LETTER = `(?!${UNSPACED.source})[\\p{L}\\p{N}]`;
const STARTS_WITH_WORD = new RegExp(`^${SPACED_LETTER}`, "u");
const SHORT_FINAL_WORD = new RegExp(`(?<!${SPACED_LETTER})(?:${SPACED_LETTER}){1,2}$`, "u");
const SYNTAX_CHARACTERS = /[\\^$.*+?()[\]{}|/]/g;
/** Marks, and vowels and final consonants of Hangul, which fold as a unit with the preceding character. */
const COMBINING = /^[\p{M}\u1160-\u11ff]/u;

/** @typedef {{start: number, end: number}} Span Half-open range of UTF-16 units. */

/**
 * Return the spans of all terms of a query in a text, for highlighting: disjoint, ascending, and extended to whole letters with
 * their marks. The text need not contain all terms.
 * @param {string} query
 * @param {string} text
 * @returns {Span[]}
 */
export function findTerms(query, text) {
  const { folded, letters } = foldLetters(text);
  /** @type {Span[]} */
  const spans = [];
  for (const term of fold(query).split(/\s+/u).filter(Boolean)) {
    for (const match of folded.matchAll(termPattern(term))) {
      spans.push({ start: letters[match.index].start, end: letters[match.index + term.length - 1].end });
    }
  }
  return mergeSpans(spans);
}

/**
 * Return a pattern of a folded term at the start of a word; a short final word must be a whole word.
 * @param {string} term
 */
function termPattern(term) {
  const leftBoundary = STARTS_WITH_WORD.test(term) ? `(?<!${SPACED_LETTER})` : "";
  const rightBoundary = SHORT_FINAL_WORD.test(term) ? `(?!${SPACED_LETTER})` : "";
  return new RegExp(leftBoundary + term.replace(SYNTAX_CHARACTERS, "\\$&") + rightBoundary, "gu");
}

/**
 * Return the folded text, and the span of the letter of `text` for each of its UTF-16 units.
 * @param {string} text
 */
function foldLetters(text) {
  /** @type {string[]} */
  const parts = [];
  for (const character of text) {
    if (parts.length && COMBINING.test(character.normalize("NFKC"))) parts[parts.length - 1] += character;
    else parts.push(character);
  }
  /** @type {Span[]} */
  const letters = [];
  let folded = "";
  let start = 0;
  for (const part of parts) {
    const letter = { start, end: start + part.length };
    folded += fold(part);
    while (letters.length < folded.length) letters.push(letter);
    start = letter.end;
  }
  return { folded, letters };
}

/**
 * Merge overlapping and adjacent spans.
 * @param {Span[]} spans
 */
function mergeSpans(spans) {
  /** @type {Span[]} */
  const merged = [];
  for (const { start, end } of spans.sort((first, second) => first.start - second.start)) {
    const last = merged.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged;
}
