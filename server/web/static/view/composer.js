/**
 * Where you write.
 *
 * Rule 1  Enter sends, Shift+Enter begins a new line, and Enter that ends the
 *         composition of an input method does neither.
 * Rule 2  What is written belongs to its room, with what it answers or changes; it
 *         never goes to another.
 * Rule 3  What is pasted or dropped is never sent by itself; a large piece asks.
 */

import { words } from "../i18n/strings.js";
import { say } from "./dom.js";

const MOST = 4000; // characters, as `limits.py` has them: code points
const WARN = 300; // characters before that
const LINES_UNASKED = 5;
const FILE_AT_MOST = 64 * 1024; // bytes

/**
 * @typedef {object} Draft
 * @property {string} text
 * @property {number} [replyTo] The `seq` of what it answers.
 * @property {number} [editing] The `seq` of what it changes.
 * @property {string} [aside] What was being written before that.
 */

export class Composer {
  #form = document.getElementById("composer");
  #field = document.getElementById("message-field");
  #grow = document.getElementById("grow");
  #button = document.getElementById("send");
  #count = document.getElementById("count");
  #hint = document.getElementById("hint");
  #about = document.getElementById("about");
  #drop = document.getElementById("drop");
  #onDraft;
  #onSay;
  #ask;
  #room = "";
  /** @type {Draft} */
  #draft = { text: "" };
  #told = null; // what the line above the field says

  /**
   * @param {object} to
   * @param {(draft: Draft) => boolean} to.onSay False leaves it in the field.
   * @param {(draft: Draft) => void} to.onDraft
   * @param {() => void} to.onUp An empty field was left upwards.
   * @param {(question: object) => Promise<string | null>} to.ask See `Asking.ask`.
   */
  constructor({ onSay, onDraft, onUp, ask }) {
    this.#onSay = onSay;
    this.#onDraft = onDraft;
    this.#ask = ask;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("keydown", (event) => {
      if (event.key === "ArrowUp" && !this.#field.value && !event.shiftKey && !event.altKey) {
        event.preventDefault();
        onUp();
      }
      // 229: Safari ends a composition before the key that ended it.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    this.#field.addEventListener("input", () => {
      say(this.#hint, "");
      this.#written();
    });
    this.#field.addEventListener("paste", (event) => this.#pasted(event));
    document.getElementById("about-stop").addEventListener("click", () => {
      this.stop();
      this.focus();
    });
    // The button must not take the focus: on a phone the keyboard would go.
    this.#button.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#takeDrops(document.getElementById("talk"));
  }

  get text() {
    return this.#field.value;
  }

  get draft() {
    return this.#draft;
  }

  /** Shows a room's draft. */
  show(room, draft) {
    this.#room = room;
    this.#draft = draft;
    this.#field.placeholder = words.writeTo(room);
    this.#field.value = draft.text;
    say(this.#hint, "");
    this.#changed();
  }

  /** Answers a message. */
  reply(seq) {
    const { aside, editing } = this.#draft;
    this.#become({ text: editing ? (aside ?? "") : this.text, replyTo: seq });
  }

  /** Changes a message of yours; what was being written comes back after it. */
  edit(seq, text) {
    const { aside, editing, replyTo } = this.#draft;
    this.#become({ text, editing: seq, aside: editing ? aside : this.text, replyTo: editing ? undefined : replyTo });
  }

  /**
   * Takes back what the server refused, to be written anew.
   * @param {import("../net/outbox.js").Post} post
   */
  rewrite({ event, body }) {
    if (event === "editMessage") return this.edit(body.seq, body.message);
    const { aside, editing } = this.#draft;
    const written = editing ? aside : this.text;
    return this.#become({ text: written ? `${body.message}\n${written}` : body.message, replyTo: body.replyTo });
  }

  /** Neither answers nor changes anything. @returns {boolean} Whether it did. */
  stop() {
    const { aside, editing, replyTo } = this.#draft;
    if (!editing && !replyTo) return false;
    this.#become({ text: editing ? (aside ?? "") : this.text });
    return true;
  }

  /**
   * Says above the field what the text is for.
   * @param {{what: string, text: string, stop: string} | null} told
   */
  tell(told) {
    if (JSON.stringify(told) === JSON.stringify(this.#told)) return;
    this.#told = told;
    this.#about.hidden = !told;
    if (!told) return;
    say(document.getElementById("about-what"), told.what);
    say(document.getElementById("about-text"), told.text);
    const stop = document.getElementById("about-stop");
    stop.title = told.stop;
    stop.setAttribute("aria-label", told.stop);
  }

  /** Puts text in where the caret is. */
  insert(text) {
    const { selectionStart, selectionEnd } = this.#field;
    this.focus();
    this.#field.setRangeText(text, selectionStart, selectionEnd, "end");
    this.#written();
  }

  /** Says what is wrong with it. */
  hint(problem) {
    say(this.#hint, problem);
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  #submit() {
    const { text } = this;
    if (!text.trim() || lengthOf(text) > MOST) return;
    if (!this.#onSay({ ...this.#draft, text: text.trimEnd() })) return;
    this.#become({ text: this.#draft.editing ? (this.#draft.aside ?? "") : "" });
  }

  #become(draft) {
    this.#draft = draft;
    this.#field.value = draft.text;
    this.#changed();
    this.focus();
    this.#onDraft(draft);
  }

  #written() {
    this.#draft = { ...this.#draft, text: this.#field.value };
    this.#changed();
    this.#onDraft(this.#draft);
  }

  #changed() {
    this.#grow.dataset.text = this.#field.value;
    const left = MOST - lengthOf(this.#field.value);
    this.#button.disabled = !this.#field.value.trim() || left < 0;
    this.#count.hidden = left > WARN;
    this.#count.classList.toggle("over", left < 0);
    say(this.#count, left < 0 ? words.tooLong(-left) : words.charactersLeft(left));
  }

  async #pasted(event) {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (this.#takesAsItIs(text)) return; // the field does it, and can undo it
    event.preventDefault();
    await this.#offer(text);
  }

  #takesAsItIs(text) {
    return text.trimEnd().split("\n").length <= LINES_UNASKED && lengthOf(text) <= MOST;
  }

  async #offer(pasted) {
    const whole = pasted.replaceAll("\r\n", "\n");
    if (this.#takesAsItIs(whole)) {
      this.insert(whole);
      return;
    }
    const text = whole.trimEnd();
    const room = this.#room;
    const long = lengthOf(text) > MOST;
    const start = text.slice(0, 300);
    const choice = await this.#ask({
      title: words.pasteAsk(text.split("\n").length),
      text: long ? words.pasteLong(lengthOf(text)) : start.length < text.length ? `${start}…` : start,
      choices: [
        { value: "edit", label: words.pasteEdit },
        ...(long ? [] : [{ value: "send", label: words.pasteSend, kind: "primary" }]),
      ],
    });
    if (!choice || room !== this.#room) return;
    if (choice === "edit") this.insert(text);
    else this.#onSay({ text, replyTo: this.#draft.editing ? undefined : this.#draft.replyTo });
  }

  #takeDrops(place) {
    const over = (event) => {
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      this.#drop.hidden = false;
    };
    place.addEventListener("dragenter", over);
    place.addEventListener("dragover", over);
    place.addEventListener("dragleave", ({ relatedTarget }) => {
      if (!place.contains(relatedTarget)) this.#drop.hidden = true;
    });
    place.addEventListener("drop", async (event) => {
      event.preventDefault();
      this.#drop.hidden = true;
      const [file] = event.dataTransfer.files;
      const text = file ? await textOf(file) : event.dataTransfer.getData("text/plain");
      if (text) await this.#offer(text);
      else this.hint(words.onlyText);
    });
  }
}

/** What a file says; empty when it is no text, or too much. */
async function textOf(file) {
  if (file.size > FILE_AT_MOST) return "";
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    return "";
  }
}

function lengthOf(text) {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}
