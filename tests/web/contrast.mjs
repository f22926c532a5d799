/**
 * Minimum contrast ratio (WCAG 2.2) in both color schemes.
 *
 * Covers the pairs of text and background in `TEXTS`, and the nickname colors in every hue.
 * Argument: the folder of the modules. Prints one JSON line.
 */

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const { nickHue } = await import(pathToFileURL(`${folder}/view/dom.js`).href);
const sheet = readFileSync(`${folder}/base.css`, "utf8").match(/:root \{[^}]*\}/)[0];
const SCHEMES = ["light", "dark"];

/** Read a `light-dark()` color of the style sheet. */
function readColor(scheme, name) {
  return sheet.match(new RegExp(`--${name}: light-dark\\(([^,]+), ([^)]+)\\);`))[SCHEMES.indexOf(scheme) + 1];
}

/** Read the lightness and chroma of nicknames or avatars. */
function lightnessAndChroma(scheme, element) {
  return sheet.match(new RegExp(`--${element}-${scheme}: ([\\d.]+) ([\\d.]+);`)).slice(1).map(Number);
}

/** Convert OKLCH to linear sRGB (CSS Color 4, section 10) and clip to the gamut. */
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

function parseHex(color) {
  return [1, 3, 5]
    .map((at) => parseInt(color.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
}

function contrast(first, second) {
  const [low, high] = [first, second].map(([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b).sort((x, y) => x - y);
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
let minimum = Infinity;
const tooLow = [];
for (const scheme of SCHEMES) {
  for (const [text, backgrounds] of Object.entries(TEXTS)) {
    for (const background of backgrounds) {
      const ratio = contrast(parseHex(readColor(scheme, text)), parseHex(readColor(scheme, background)));
      if (ratio < 4.5) tooLow.push(`${text} on ${background}: ${ratio.toFixed(2)}`);
      minimum = Math.min(minimum, ratio);
    }
  }
  for (const hue of hues) {
    const nick = oklch(...lightnessAndChroma(scheme, "nick"), hue);
    const avatar = oklch(...lightnessAndChroma(scheme, "avatar"), hue);
    const backgrounds = ["bg", "bg-raised", "bg-sunken"].map((name) => parseHex(readColor(scheme, name)));
    for (const background of [...backgrounds, avatar]) minimum = Math.min(minimum, contrast(nick, background));
  }
}
console.log(JSON.stringify({ hues: hues.size, minimum: Number(minimum.toFixed(2)), tooLow }));
