// The room that is open: its messages, who is typing, and where one writes.

import { confirmDialog, openDialog, openMenu, valuesOf } from "./dialog.js";
import { fill, h, onceAFrame, timeOf } from "./dom.js";
import { icon } from "./icons.js";
import { Log } from "./chat-log.js";
import { messageRow } from "./chat-message.js";
import { invite, membersOf, moderates, tool } from "./chat-people.js";
import { pickEmoji } from "./chat-picker.js";
import { newKey } from "./rpc.js";
import "./chat-composer.js";
import "./chat-scroller.js";

const TYPING_MS = 5_000;
const PEOPLE_HIDDEN = "hubbub.people-hidden";

// One room on the page. `rooms` is the list it belongs to.
export class OpenRoom {
  element = h("section", { class: "room" });
  #app;
  #rooms;
  #id;
  #log;
  #pending = [];
  #typing = new Map();
  #scroller = document.createElement("hub-scroller");
  #composer = document.createElement("hub-composer");
  #title = h("div", { class: "grow" });
  #who = h("p", { class: "typing muted small", role: "status" });
  #people = h("aside", { class: "people", "aria-label": "Members" });
  #newer = h("button", { class: "button compact newer", type: "button", hidden: true, onclick: () => this.#scroller.toBottom() }, icon("down"), "New messages");
  #heard = h("p", { class: "visually-hidden", "aria-live": "polite" });
  #ended = new AbortController();
  #redraw = onceAFrame(() => this.#drawAround());

  constructor(app, rooms, id) {
    [this.#app, this.#rooms, this.#id] = [app, rooms, id];
    this.#log = new Log(app.connection, id);
    this.#build();
    const { signal } = this.#ended;
    this.#log.addEventListener("change", ({ detail }) => this.#changed(detail), { signal });
    rooms.addEventListener("events", ({ detail }) => detail.id === id && this.#events(detail.events), { signal });
    rooms.addEventListener("signal", ({ detail }) => detail.id === id && this.#signal(detail.signal), { signal });
    rooms.addEventListener("change", this.#redraw, { signal });
    app.profiles.addEventListener("change", this.#redraw, { signal });
    app.profiles.addEventListener("names", () => this.#show([...this.#log.seqs]), { signal });
    document.addEventListener("visibilitychange", () => this.#read(), { signal });
    this.#log.older().then(() => this.#read(), (error) => app.notify(error.message, "error"));
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
    const scroller = this.#scroller;
    scroller.render = (key) => this.#row(key);
    for (const [name, value] of Object.entries({ role: "log", "aria-label": "Messages", "aria-live": "off", tabindex: 0 })) scroller.setAttribute(name, value);
    scroller.addEventListener("top", () => this.#log.older().catch(() => {}));
    scroller.addEventListener("bottom", () => this.#read());
    this.#composer.addEventListener("send", ({ detail }) => this.#send(detail));
    this.#composer.addEventListener("typing", () => this.#app.connection.call("chat.typing", { room_id: this.#id }).catch(() => {}));
    const back = h("a", { class: "button quiet round back", href: "#/chat", "aria-label": "Back to the rooms" }, icon("back"));
    const bar = h("header", { class: "room-bar" }, back, this.#title, tool("search", "Search in this room", () => this.#search()), tool("people", "Members", () => this.#togglePeople()), tool("more", "More", (button) => this.#menu(button), { "aria-haspopup": "menu" }));
    this.#people.hidden = Boolean(localStorage.getItem(PEOPLE_HIDDEN)) || innerWidth < 1000;
    fill(this.element, h("div", { class: "talk" }, bar, scroller, this.#newer, this.#who, this.#composer, this.#heard), this.#people);
    this.#drawAround();
  }

  #drawAround() {
    const room = this.#room;
    if (!room) return;
    const { profiles } = this.#app;
    const name = room.other ? profiles.name(room.other) : room.name;
    const about = room.other ? profiles.of(room.other).status : `${room.members.length} member${room.members.length === 1 ? "" : "s"}${room.private ? " · private" : ""}`;
    fill(this.#title, h("h1", { class: "clip" }, name), h("p", { class: "muted small" }, about));
    this.#composer.closed = room.closed ? "This room is closed." : null;
    if (!this.#people.hidden) fill(this.#people, h("div", { class: "row" }, h("h2", { class: "grow" }, "Members"), tool("close", "Hide the members", () => this.#togglePeople())), membersOf(this.#app, room));
  }

  #row(key) {
    const pending = this.#pending.find((one) => one.key === key);
    const { seqs, messages } = this.#log;
    if (pending?.failed) return this.#failedRow(pending);
    const message = pending ?? messages.get(key);
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
      pick: (one, button) => pickEmoji(button, (emoji) => this.#change("chat.react", { seq: one.seq, emoji })),
      jump: (seq) => this.#jump(seq),
    });
  }

  #failedRow(pending) {
    const retry = h("button", { class: "button compact", type: "button", onclick: () => this.#deliver(pending) }, "Try again");
    const drop = h("button", { class: "button compact quiet", type: "button", onclick: () => this.#drop(pending) }, "Discard");
    return h("div", { class: "row-of-message" }, h("div", { class: "message heads failed", role: "alert" }, h("span"), h("div", { class: "said" }, h("p", { class: "text", dir: "auto" }, pending.text), h("p", { class: "small wrong" }, pending.failed), h("div", { class: "row" }, retry, drop))));
  }

  // What comes in

  #changed(seqs) {
    this.#show(seqs);
    this.#read();
  }

  #show(changed) {
    this.#scroller.show([...this.#log.seqs, ...this.#pending.map(({ key }) => key)], changed);
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
    this.#typing.set(by, setTimeout(() => (this.#typing.delete(by), this.#showTyping()), TYPING_MS));
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

  // What one does

  #send({ text, replyTo, editing }) {
    if (editing !== null) {
      this.#change("chat.edit", { seq: editing, text });
      return;
    }
    const pending = { key: newKey(), text, reply_to: replyTo, by: this.#app.user.id, at: new Date().toISOString(), reactions: {}, pending: true };
    this.#pending.push(pending);
    this.#scroller.toBottom();
    this.#deliver(pending);
  }

  async #deliver(pending) {
    pending.failed = null;
    this.#show([pending.key]);
    try {
      const { key, text, reply_to } = pending;
      const message = await this.#app.connection.call("chat.send", { room_id: this.#id, text, reply_to, key });
      this.#pending.splice(this.#pending.indexOf(pending), 1);
      this.#log.put(message);
    } catch (error) {
      pending.failed = error.message;
      this.#show([pending.key]);
    }
  }

  #drop(pending) {
    this.#pending.splice(this.#pending.indexOf(pending), 1);
    this.#show([]);
  }

  async #change(method, params) {
    try {
      this.#log.put(await this.#app.connection.call(method, { room_id: this.#id, ...params }));
    } catch (error) {
      this.#app.notify(error.message, "error");
    }
  }

  #remove(message) {
    return confirmDialog("Delete this message?", message.text.slice(0, 200), { submit: "Delete", danger: true, act: () => this.#change("chat.delete", { seq: message.seq }) });
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

  #menu(button) {
    const [app, room] = [this.#app, this.#room];
    const closes = (room.roles[app.user.id] === "creator" || app.role === "admin") && !room.closed;
    const leave = () => app.connection.call("chat.leave", { room_id: this.#id }).then(() => app.go("#/chat"));
    const close = () => app.connection.call("chat.close_room", { room_id: this.#id });
    openMenu(button, [
      { label: "Members", icon: "people", act: () => this.#togglePeople() },
      !room.other && { label: "Invite somebody", icon: "plus", act: () => invite(app, room).catch((error) => app.notify(error.message, "error")) },
      !room.other && closes && { label: "Close this room", icon: "lock", danger: true, act: () => confirmDialog("Close this room?", "Nothing more can be said in it.", { submit: "Close it", danger: true, act: close }) },
      !room.other && { label: "Leave", icon: "out", danger: true, act: () => confirmDialog("Leave this room?", room.private ? "It is private: somebody must invite you to come back." : "You can come back.", { submit: "Leave", danger: true, act: leave }) },
    ]);
  }

  #search() {
    const found = h("ul", { class: "found-list" });
    const look = async (event) => {
      event.preventDefault();
      const { text } = valuesOf(event.target);
      const messages = await this.#app.connection.call("chat.search", { room_id: this.#id, text }).catch((error) => this.#app.notify(error.message, "error"));
      if (messages) fill(found, messages.length ? messages.map((message) => h("li", null, this.#hit(message, found))) : h("li", { class: "empty" }, "Nothing was found."));
    };
    const words = h("input", { class: "input", type: "search", name: "text", required: true, "aria-label": "Words" });
    openDialog("Search in this room", h("form", { class: "search", onsubmit: look }, words, h("button", { class: "button primary", type: "submit" }, "Search")), found);
  }

  #hit(message, list) {
    const go = () => (list.closest("dialog").close(), this.#jump(message.seq));
    return h("button", { class: "hit", type: "button", onclick: go }, h("span", { class: "muted small" }, `${this.#app.profiles.name(message.by)} · ${timeOf(message.at)}`), h("span", { class: "clip" }, message.text));
  }
}
