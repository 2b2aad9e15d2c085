// The message field: Enter sends, Shift+Enter begins a new line.

import { fill, h } from "../core/dom.js";
import { icon } from "../core/icons.js";

const TYPING_MS = 3_000;
const CHARS_MAX = 4_000;

// Emits "send" with { text, replyTo, editing }, and "typing" from time to time.
export class Composer extends HTMLElement {
  #text = h("textarea", {
    class: "input",
    rows: 1,
    maxlength: CHARS_MAX,
    "aria-label": "Message",
    placeholder: "Write a message",
    oninput: () => this.#input(),
    onkeydown: (event) => this.#key(event),
  });
  #about = h("div", { class: "about", hidden: true });
  #target = null;
  #editing = false;
  #toldAt = -Infinity;

  connectedCallback() {
    this.className = "composer";
    const send = h(
      "button",
      { class: "button primary round", type: "button", "aria-label": "Send", onclick: () => this.#send() },
      icon("send"),
    );
    fill(this, this.#about, h("div", { class: "row" }, this.#text, send));
  }

  focus() {
    this.#text.focus();
  }

  // The reason why the user cannot write here, or null.
  set closed(reason) {
    this.#text.disabled = Boolean(reason);
    this.#text.placeholder = reason ?? "Write a message";
  }

  // Reply to a message.
  reply(message, name) {
    this.#tellAbout(message, false, `Replying to ${name}: `, message.text);
  }

  // Edit one of the user's messages.
  edit(message) {
    this.#text.value = message.text;
    this.#tellAbout(message, true, "Editing: ", message.text);
    this.#grow();
  }

  // Stop replying or editing.
  clear() {
    if (this.#editing) this.#text.value = "";
    this.#target = null;
    this.#editing = false;
    this.#about.hidden = true;
    this.#grow();
  }

  #tellAbout(message, editing, what, text) {
    this.#target = message.seq;
    this.#editing = editing;
    const stop = h(
      "button",
      {
        class: "button quiet round compact",
        type: "button",
        "aria-label": "Cancel",
        onclick: () => (this.clear(), this.focus()),
      },
      icon("close"),
    );
    fill(
      this.#about,
      icon(editing ? "edit" : "reply"),
      h("span", { class: "clip grow" }, what, text),
      stop,
    ).hidden = false;
    this.focus();
  }

  #input() {
    this.#grow();
    const now = performance.now();
    if (this.#text.value && !this.#editing && now - this.#toldAt > TYPING_MS) {
      this.#toldAt = now;
      this.dispatchEvent(new Event("typing"));
    }
  }

  #key(event) {
    if (event.key === "Escape") this.clear();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#send();
  }

  #send() {
    const text = this.#text.value;
    if (!text.trim()) return;
    const detail = {
      text,
      replyTo: this.#editing ? null : this.#target,
      editing: this.#editing ? this.#target : null,
    };
    this.#text.value = "";
    this.#toldAt = -Infinity;
    this.clear();
    this.focus();
    this.dispatchEvent(new CustomEvent("send", { detail }));
  }

  #grow() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${Math.min(160, this.#text.scrollHeight + 2)}px`;
  }
}

customElements.define("hub-composer", Composer);
