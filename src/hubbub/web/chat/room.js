// The open room: its messages, typing users, and the message field.

import { confirmDialog } from "../core/dialog.js";
import { fill, h, onceAFrame } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { Log } from "./log.js";
import { openRoomMenu } from "./menu.js";
import { messageRow } from "./message.js";
import { Outbox } from "./outbox.js";
import { membersOf, moderates, tool } from "./people.js";
import { pickEmoji } from "./picker.js";
import { isSealed, sealedNotice, sealedRow } from "./sealed.js";
import { openSearch } from "./search.js";
import "./composer.js";
import "./scroller.js";

const TYPING_MS = 5_000;
const PEOPLE_HIDDEN = "hubbub.people-hidden";

// One room on the page. `rooms` is the list it belongs to.
export class OpenRoom {
  element = h("section", { class: "room" });
  #app;
  #rooms;
  #id;
  #log;
  #outbox;
  #typing = new Map();
  #scroller = document.createElement("hub-scroller");
  #composer = document.createElement("hub-composer");
  #sealed = sealedNotice();
  #title = h("div", { class: "grow" });
  #who = h("p", { class: "typing muted small", role: "status" });
  #people = h("aside", { class: "people", "aria-label": "Members" });
  #newer = h(
    "button",
    { class: "button compact newer", type: "button", hidden: true, onclick: () => this.#scroller.toBottom() },
    icon("down"),
    "New messages",
  );
  #heard = h("p", { class: "visually-hidden", "aria-live": "polite" });
  #ended = new AbortController();
  #redraw = onceAFrame(() => this.#drawAround());

  constructor(app, rooms, id) {
    [this.#app, this.#rooms, this.#id] = [app, rooms, id];
    this.#log = new Log(app.connection, id);
    this.#outbox = new Outbox(app, id);
    this.#build();
    const { signal } = this.#ended;
    this.#outbox.addEventListener("change", ({ detail }) => this.#show(detail), { signal });
    this.#outbox.addEventListener("sent", ({ detail }) => this.#log.put(detail), { signal });
    this.#log.addEventListener("change", ({ detail }) => this.#changed(detail), { signal });
    rooms.addEventListener("events", ({ detail }) => detail.id === id && this.#events(detail.events), {
      signal,
    });
    rooms.addEventListener("signal", ({ detail }) => detail.id === id && this.#signal(detail.signal), {
      signal,
    });
    rooms.addEventListener("change", this.#redraw, { signal });
    app.profiles.addEventListener("change", this.#redraw, { signal });
    app.profiles.addEventListener("names", () => this.#show([...this.#log.seqs]), { signal });
    document.addEventListener("visibilitychange", () => this.#read(), { signal });
    this.#log.older().then(
      () => this.#read(),
      (error) => app.notify(error.message, "error"),
    );
  }

  get id() {
    return this.#id;
  }

  close() {
    this.#ended.abort();
  }

  focus() {
    this.#composer.focus();
  }

  get #room() {
    return this.#rooms.rooms.get(this.#id);
  }

  #build() {
    const app = this.#app;
    const scroller = this.#scroller;
    scroller.render = (key) => this.#row(key);
    for (const [name, value] of Object.entries({
      role: "log",
      "aria-label": "Messages",
      "aria-live": "off",
      tabindex: 0,
    }))
      scroller.setAttribute(name, value);
    scroller.addEventListener("top", () => this.#log.older().catch(() => {}));
    scroller.addEventListener("bottom", () => this.#read());
    this.#composer.addEventListener("send", ({ detail }) => this.#send(detail));
    this.#composer.addEventListener("typing", () =>
      this.#app.connection.tell("chat.typing", { room_id: this.#id }),
    );
    const back = h(
      "a",
      { class: "button quiet round back", href: "#/chat", "aria-label": "Back to rooms" },
      icon("back"),
    );
    const bar = h(
      "header",
      { class: "room-bar" },
      back,
      this.#title,
      tool("search", "Search in this room", () => openSearch(app, this.#id, (seq) => this.#jump(seq))),
      tool("people", "Members", () => this.#togglePeople()),
      tool("more", "More", (button) => openRoomMenu(button, app, this.#room, () => this.#togglePeople()), {
        "aria-haspopup": "menu",
      }),
    );
    this.#people.hidden = Boolean(localStorage.getItem(PEOPLE_HIDDEN)) || innerWidth < 1000;
    fill(
      this.element,
      h("div", { class: "talk" }, bar, scroller, this.#newer, this.#who, this.#sealed, this.#composer, this.#heard),
      this.#people,
    );
    this.#drawAround();
  }

  #drawAround() {
    const room = this.#room;
    if (!room) return;
    const { profiles } = this.#app;
    const name = room.other ? profiles.name(room.other) : room.name;
    const about = room.other
      ? profiles.of(room.other).status
      : `${room.member_count} member${room.member_count === 1 ? "" : "s"}${room.private ? " · private" : ""}`;
    const lock = room.encrypted && [icon("lock"), h("span", { class: "visually-hidden" }, "Encrypted: ")];
    fill(this.#title, h("h1", { class: "clip" }, lock, name), h("p", { class: "muted small" }, about));
    this.#sealed.hidden = !room.encrypted;
    this.#composer.hidden = Boolean(room.encrypted);
    this.#composer.closed = room.closed ? "This room is closed." : null;
    if (!this.#people.hidden)
      fill(
        this.#people,
        h(
          "div",
          { class: "row" },
          h("h2", { class: "grow" }, "Members"),
          tool("close", "Hide members", () => this.#togglePeople()),
        ),
        membersOf(this.#app, room),
      );
  }

  #row(key) {
    const pending = this.#outbox.get(key);
    const { seqs, messages } = this.#log;
    if (pending?.failed) return this.#outbox.failedRow(pending);
    const message = pending ?? messages.get(key);
    if (isSealed(message)) return sealedRow(message, { app: this.#app, log: this.#log });
    const before = pending ? messages.get(seqs.at(-1)) : messages.get(seqs[seqs.indexOf(key) - 1]);
    return messageRow(message, {
      app: this.#app,
      log: this.#log,
      before,
      moderates: moderates(this.#app, this.#room),
      reply: (one) => this.#composer.reply(one, this.#app.profiles.name(one.by)),
      edit: (one) => this.#composer.edit(one),
      remove: (one) => this.#remove(one),
      react: (one, emoji, on) => this.#change(on ? "chat.react" : "chat.unreact", { seq: one.seq, emoji }),
      pick: (one, button) =>
        pickEmoji(button, (emoji) => this.#change("chat.react", { seq: one.seq, emoji })),
      jump: (seq) => this.#jump(seq),
    });
  }

  // Incoming events and signals

  #changed(seqs) {
    this.#show(seqs);
    this.#read();
  }

  #show(changed) {
    this.#scroller.show([...this.#log.seqs, ...this.#outbox.keys], changed);
  }

  #events(events) {
    this.#log.apply(events);
    const others = events.filter(({ type, by }) => type === "message" && by !== this.#app.user.id);
    for (const { by } of others) this.#typing.delete(by);
    if (!others.length) return;
    this.#showTyping();
    const { by, text } = others.at(-1);
    fill(this.#heard, `${this.#app.profiles.name(by)}: ${text}`);
    if (!this.#scroller.atBottom) this.#newer.hidden = false;
  }

  #signal({ type, by }) {
    if (type !== "typing" || by === this.#app.user.id) return;
    clearTimeout(this.#typing.get(by));
    this.#typing.set(
      by,
      setTimeout(() => (this.#typing.delete(by), this.#showTyping()), TYPING_MS),
    );
    this.#showTyping();
  }

  #showTyping() {
    const names = [...this.#typing.keys()].map((id) => this.#app.profiles.name(id));
    fill(this.#who, names.length ? `${names.join(", ")} ${names.length === 1 ? "is" : "are"} typing…` : "");
  }

  #read() {
    if (document.hidden || !this.#scroller.atBottom || this.#ended.signal.aborted) return;
    this.#newer.hidden = true;
    const last = this.#log.seqs.at(-1);
    if (last) this.#rooms.read(this.#id, last);
  }

  // The user's actions

  #send({ text, replyTo, editing }) {
    if (editing !== null) {
      this.#change("chat.edit", { seq: editing, text });
      return;
    }
    this.#outbox.add(text, replyTo);
    this.#scroller.toBottom();
  }

  async #change(method, params) {
    try {
      this.#log.put(await this.#app.connection.call(method, { room_id: this.#id, ...params }));
    } catch (error) {
      this.#app.notify(error.message, "error");
    }
  }

  #remove(message) {
    return confirmDialog("Delete this message?", message.text.slice(0, 200), {
      submit: "Delete",
      danger: true,
      act: () => this.#change("chat.delete", { seq: message.seq }),
    });
  }

  async #jump(seq) {
    if (!(await this.#log.reach(seq))) return;
    const row = this.#scroller.toKey(seq)?.querySelector(".message");
    row?.classList.add("found");
    row?.focus({ preventScroll: true });
    row?.addEventListener("animationend", () => row.classList.remove("found"));
  }

  #togglePeople() {
    this.#people.hidden = !this.#people.hidden;
    if (this.#people.hidden) localStorage.setItem(PEOPLE_HIDDEN, "yes");
    else localStorage.removeItem(PEOPLE_HIDDEN);
    this.#drawAround();
  }
}
