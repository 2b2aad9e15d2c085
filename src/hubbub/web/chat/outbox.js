// Messages that the user has sent, and that the server has not confirmed yet.

import { h } from "../core/dom.js";
import { newKey } from "../core/rpc.js";

// Emits "change" with the key of a changed row, and "sent" with the confirmed message.
export class Outbox extends EventTarget {
  #app;
  #roomId;
  #pending = new Map();

  constructor(app, roomId) {
    super();
    [this.#app, this.#roomId] = [app, roomId];
  }

  get keys() {
    return [...this.#pending.keys()];
  }

  get(key) {
    return this.#pending.get(key);
  }

  // Send a text, and list it until it is confirmed.
  add(text, replyTo) {
    const by = this.#app.user.id;
    const at = new Date().toISOString();
    const message = { key: newKey(), text, reply_to: replyTo, by, at, reactions: {}, pending: true };
    this.#pending.set(message.key, message);
    this.#deliver(message);
  }

  // Make the row of a message that could not be sent.
  failedRow(message) {
    const act = (label, kind, onclick) =>
      h("button", { class: `button compact ${kind}`, type: "button", onclick }, label);
    const said = h(
      "div",
      { class: "said" },
      h("p", { class: "text", dir: "auto" }, message.text),
      h("p", { class: "small wrong" }, message.failed),
      h(
        "div",
        { class: "row" },
        act("Try again", "", () => this.#deliver(message)),
        act("Discard", "quiet", () => this.#drop(message)),
      ),
    );
    return h(
      "div",
      { class: "row-of-message" },
      h("div", { class: "message heads failed", role: "alert" }, h("span"), said),
    );
  }

  async #deliver(message) {
    message.failed = null;
    this.#changed(message);
    const { key, text, reply_to } = message;
    try {
      const params = { room_id: this.#roomId, text, reply_to, key };
      const sent = await this.#app.connection.call("chat.send", params);
      this.#pending.delete(key);
      this.dispatchEvent(new CustomEvent("sent", { detail: sent }));
    } catch (error) {
      message.failed = error.message;
      this.#changed(message);
    }
  }

  #drop(message) {
    this.#pending.delete(message.key);
    this.#changed(message);
  }

  #changed({ key }) {
    this.dispatchEvent(new CustomEvent("change", { detail: [key] }));
  }
}
