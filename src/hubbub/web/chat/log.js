// The messages of a room: a page of history at a time, and then live messages.

import { runOf } from "./sealed.js";

// A short first page loads quickly; a user who scrolls up gets longer ones.
const FIRST_PAGE = 100;
const PAGE = 300;
const JUMP_PAGE = 500;
// A page of large messages has fewer messages than requested; any such page has more characters
// than this.
const LARGE_CHARS = 250_000;

export class Log extends EventTarget {
  messages = new Map();
  // The seqs of the loaded messages, the oldest first.
  seqs = [];
  // True if there are no older messages.
  complete = false;
  #connection;
  #room;
  #loading = null;

  constructor(connection, room) {
    super();
    this.#connection = connection;
    this.#room = room;
  }

  // Load older messages; do nothing during a load, or if there are none.
  older(limit = this.seqs.length ? PAGE : FIRST_PAGE) {
    if (this.complete) return Promise.resolve();
    this.#loading ??= this.#load(limit).finally(() => (this.#loading = null));
    return this.#loading;
  }

  // Load until a message is here; return false if it does not exist.
  async reach(seq) {
    while (!this.messages.has(seq) && !this.complete && (this.seqs[0] ?? Infinity) > seq)
      await this.older(JUMP_PAGE);
    return this.messages.has(seq);
  }

  // Handle live events.
  apply(events) {
    const changed = events.flatMap((event) => this.#apply(event) ?? []);
    if (changed.length) this.#changed(changed);
  }

  // Add a whole message, as a command has returned it.
  put(message) {
    this.#insert(message);
    this.#changed([message.seq]);
  }

  async #load(limit) {
    const before = this.seqs[0];
    const params = { room_id: this.#room, limit, ...(before ? { before } : {}) };
    const page = await this.#connection.call("chat.history", params);
    const chars = page.reduce((sum, { text }) => sum + text.length, 0);
    this.complete = !page.length || (page.length < limit && chars < LARGE_CHARS);
    const older = page.map(({ seq }) => seq).filter((seq) => !this.messages.has(seq));
    for (const message of page) this.messages.set(message.seq, message);
    // The row after them has another neighbour now.
    const changed = [...older, this.seqs[0]];
    this.seqs = [...older, ...this.seqs];
    // Live messages may have arrived while the newest page was loading.
    if (!before) this.seqs.sort((one, other) => one - other);
    this.#changed(changed);
  }

  #apply(event) {
    if (event.type === "message") {
      if (this.messages.has(event.seq)) return null;
      const { stream, seq, at, by, text, reply_to } = event;
      this.#insert({ stream, seq, at, by, text, reply_to, edited_at: null, deleted: false, reactions: {} });
      return event.seq;
    }
    if (event.type === "sealed") return this.#applySealed(event);
    const message = this.messages.get(event.ref);
    if (!message) return null;
    this.messages.set(event.ref, { ...message, ...changeOf(message, event) });
    return event.ref;
  }

  // The line of a run of encrypted messages is in the row of its first.
  #applySealed({ stream, seq, at, by, device, session, body }) {
    if (this.messages.has(seq)) return null;
    const sealed = { device, session, body };
    this.#insert({
      ...{ stream, seq, at, by, text: "", sealed },
      ...{ reply_to: null, edited_at: null, deleted: false, reactions: {} },
    });
    return [runOf(seq, this)[0], seq];
  }

  #insert(message) {
    if (!this.messages.has(message.seq)) {
      this.seqs.push(message.seq);
      if (this.seqs.at(-2) > message.seq) this.seqs.sort((one, other) => one - other);
    }
    this.messages.set(message.seq, message);
  }

  #changed(seqs) {
    this.dispatchEvent(new CustomEvent("change", { detail: seqs }));
  }
}

// Apply an event to its message; applying it twice has no further effect.
function changeOf({ reactions }, { type, text, at, by, emoji }) {
  switch (type) {
    case "edited":
      return { text, edited_at: at };
    case "deleted":
      return { text: "", deleted: true, reactions: {} };
    case "reacted":
      return {
        reactions: { ...reactions, [emoji]: [...(reactions[emoji] ?? []).filter((user) => user !== by), by] },
      };
    case "unreacted": {
      const { [emoji]: users = [], ...others } = reactions;
      const left = users.filter((user) => user !== by);
      return { reactions: left.length ? { ...reactions, [emoji]: left } : others };
    }
    default:
      return {};
  }
}
