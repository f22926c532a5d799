/**
 * When two names are the same, closely enough for this page: width, case and
 * spacing are folded away. The server decides; see `server/protocol/names.py`.
 */
export function canonicalName(name) {
  return name.normalize("NFKC").toLowerCase().replace(/\s+/gu, " ").trim();
}
