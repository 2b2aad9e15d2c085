// The rooms and conversations of the user, with unread counts, live.

import { onceAFrame } from "../core/dom.js";

const PAGE = 500;
const MEMBERSHIP = new Set(["joined", "left", "kicked", "banned", "role", "closed", "encrypted"])
const MESSAGES = new Set(["message", "sealed"]);

// Load all rooms that the user can find, or only those they have joined.
export async function readRooms(connection, { joined = false } = {}) {
  const rooms = [];
  for (;;) {
    const after = rooms.at(-1)?.id ?? null;
    const page = await connection.call("chat.rooms", { limit: PAGE, joined, after });
    rooms.push(...page);
    if (page.length < PAGE) return rooms;
  }
}

// Emits "change" when the list has changed, and "events" and "signal" with a room's news.
export class Rooms extends EventTarget {
  rooms = new Map();
  // Streams of rooms to which the user is invited.
  invitations = new Set();
  #app;
  #follows = new Map();
  #own = null;
  #closed = false;
  #reload;

  constructor(app) {
    super();
    this.#app = app;
    this.#reload = onceAFrame(() => this.load().catch((error) => app.notify(error.message, "error")));
  }

  async start() {
    this.#own = this.#app.connection.follow(`user/${this.#app.user.id}`, {
      onEvents: (events) => this.#ownEvents(events),
    });
    await this.load();
  }

  close() {
    this.#closed = true;
    this.#own?.close();
    for (const follow of this.#follows.values()) follow.close();
  }

  // The list, the most recently active first.
  get list() {
    return [...this.rooms.values()].sort((one, other) => other.active - one.active);
  }

  get unread() {
    return [...this.rooms.values()].reduce((sum, { unread }) => sum + unread, 0);
  }

  async load() {
    const { connection } = this.#app;
    const [rooms, directs, unread] = await Promise.all([
      readRooms(connection, { joined: true }),
      connection.call("chat.directs"),
      connection.call("chat.unread"),
    ]);
    if (this.#closed) return;
    const mine = [...rooms, ...directs];
    const before = this.rooms;
    this.rooms = new Map(
      mine.map((room) => [room.id, this.#entry(room, before.get(room.id), unread[room.id] ?? 0)]),
    );
    for (const room of mine) this.#follow(room);
    for (const [id, follow] of this.#follows)
      if (!this.rooms.has(id)) (follow.close(), this.#follows.delete(id));
    for (const { stream } of mine) this.invitations.delete(stream);
    this.#changed();
  }

  // Mark a room as read up to a message.
  read(id, seq) {
    const entry = this.rooms.get(id);
    if (!entry || entry.read >= seq) return;
    [entry.read, entry.unread] = [seq, 0];
    this.#app.connection.call("chat.mark_read", { room_id: id, seq }).catch(() => {});
    this.#changed();
  }

  #entry(room, before, unread) {
    const other = room.stream.startsWith("direct/")
      ? room.members.find((id) => id !== this.#app.user.id)
      : null;
    return {
      ...room,
      other,
      unread,
      active: before?.active ?? Date.parse(room.created_at),
      read: before?.read ?? 0,
    };
  }

  #follow({ id, stream }) {
    if (this.#follows.has(id)) return;
    const follow = this.#app.connection.follow(stream, {
      onEvents: (events) => this.#events(id, events),
      onSignal: (signal) => this.#signal(id, signal),
      onEnded: () => (this.#follows.delete(id), this.#reload()),
    });
    this.#follows.set(id, follow);
  }

  #events(id, events) {
    const entry = this.rooms.get(id);
    for (const { type, by, at } of entry ? events : []) {
      entry.active = Date.parse(at);
      if (MESSAGES.has(type) && by !== this.#app.user.id) entry.unread += 1;
    }
    this.dispatchEvent(new CustomEvent("events", { detail: { id, events } }));
    if (events.some(({ type }) => MEMBERSHIP.has(type))) this.#reload();
    else this.#changed();
  }

  #signal(id, signal) {
    this.#app.profiles.signal(signal);
    this.dispatchEvent(new CustomEvent("signal", { detail: { id, signal } }));
  }

  #ownEvents(events) {
    for (const { type, to } of events)
      if (type === "offered" && to.startsWith("room/")) this.invitations.add(to);
    if (events.some(({ type }) => ["linked", "unlinked", "offered"].includes(type))) this.#reload();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
