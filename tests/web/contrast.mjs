/**
 * The least contrast (WCAG 2.2) of the page's colours in both schemes: of every
 * text on every ground that it stands on, and of nicknames in all their hues,
 * computed from the style sheet's own numbers.
 */

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const { nickHue } = await import(pathToFileURL(`${folder}/view/dom.js`).href);
const sheet = readFileSync(`${folder}/base.css`, "utf8").match(/:root \{[^}]*\}/)[0];
const SCHEMES = ["light", "dark"];

/** A colour of the sheet in one scheme: `light-dark(one, other)`. */
function value(scheme, name) {
  return sheet.match(new RegExp(`--${name}: light-dark\\(([^,]+), ([^)]+)\\);`))[SCHEMES.indexOf(scheme) + 1];
}

/** Lightness and chroma of nicknames, or of the ground of their faces. */
function shade(scheme, of) {
  return sheet.match(new RegExp(`--${of}-${scheme}: ([\\d.]+) ([\\d.]+);`)).slice(1).map(Number);
}

/** OKLCH to linear sRGB (CSS Color 4, section 10), clipped to the gamut. */
function oklch(lightness, chroma, hue) {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((part) => Math.min(1, Math.max(0, part)));
}

function hex(colour) {
  return [1, 3, 5]
    .map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
}

function contrast(one, other) {
  const [low, high] = [one, other].map(([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b).sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const hues = new Set(Array.from({ length: 5000 }, (_, number) => nickHue(`nick${number}`)));
const TEXTS = {
  text: ["bg", "bg-raised", "bg-sunken"],
  "text-muted": ["bg", "bg-raised", "bg-sunken"],
  "text-faint": ["bg", "bg-raised", "bg-sunken"],
  "accent-strong": ["bg", "bg-sunken"],
  "on-accent": ["accent", "accent-strong"],
  warning: ["warning-bg", "bg"],
  error: ["bg", "bg-raised", "bg-sunken", "error-bg"],
};
let least = Infinity;
const poor = [];
for (const scheme of SCHEMES) {
  for (const [text, grounds] of Object.entries(TEXTS)) {
    for (const ground of grounds) {
      const found = contrast(hex(value(scheme, text)), hex(value(scheme, ground)));
      if (found < 4.5) poor.push(`${text} on ${ground}: ${found.toFixed(2)}`);
      least = Math.min(least, found);
    }
  }
  for (const hue of hues) {
    const nick = oklch(...shade(scheme, "nick"), hue);
    const face = oklch(...shade(scheme, "avatar"), hue);
    const grounds = ["bg", "bg-raised", "bg-sunken"].map((name) => hex(value(scheme, name)));
    for (const ground of [...grounds, face]) least = Math.min(least, contrast(nick, ground));
  }
}
console.log(JSON.stringify({ hues: hues.size, least: Number(least.toFixed(2)), poor }));
