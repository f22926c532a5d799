/**
 * What happened in a room besides talking, as sentences.
 */

import { words } from "./words.js";

const NAMES_TOLD = 4;

/** The sentence for a change of topic. */
export function topicWords({ nickName, topic }) {
  return topic ? words.topicSet(nickName, topic) : words.topicCleared(nickName);
}

/** One sentence for each run of notices of one kind: comings, goings, new names. */
export function noticeWords(notices) {
  const runs = [];
  for (const { kind, nickName, oldNickName, text, more = 0 } of notices) {
    if (kind === "told") runs.push({ kind, sentence: text });
    else if (kind === "you") runs.push({ kind, sentence: words.youAre(nickName) });
    else if (kind === "nick") runs.push({ kind, sentence: words.renamed(oldNickName, nickName) });
    else if (runs.at(-1)?.kind === kind) {
      runs.at(-1).names.add(nickName);
      runs.at(-1).more += more;
    } else runs.push({ kind, names: new Set([nickName]), more });
  }
  return runs.map(({ kind, names, more, sentence }) => {
    if (sentence) return sentence;
    const told = [...names].slice(0, NAMES_TOLD);
    const who = words.and(told, names.size - told.length + more);
    return kind === "join" ? words.joined(who) : words.left(who);
  });
}
