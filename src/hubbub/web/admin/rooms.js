// Rooms, the busiest first, with their members, and a button that closes them.

import { confirmDialog, openDialog } from "../core/dialog.js";
import { fill, h } from "../core/dom.js";
import { Table } from "./table.js";
import { membersOf } from "../chat/people.js";
import { readRooms } from "../chat/rooms.js";

const SHOWN_MAX = 50;

export class RoomsCard {
  #app;
  #rooms = [];
  #traffic = [];
  #words = "";
  #table = new Table(
    "Rooms",
    [["Room"], ["Members", "number"], ["Events a minute", "number"], [""]],
    (room) => this.#cells(room),
    "There are no rooms.",
  );
  #search = h("input", {
    class: "input",
    type: "search",
    "aria-label": "Find a room",
    placeholder: "Find a room",
    oninput: ({ target }) => this.#find(target.value),
  });
  element = h(
    "section",
    { class: "card" },
    h("header", { class: "row" }, h("h2", { class: "grow" }, "Rooms"), this.#search),
    h("div", { class: "scroll" }, this.#table.element),
  );

  constructor(app) {
    this.#app = app;
  }

  async load() {
    this.#rooms = await readRooms(this.#app.connection);
    this.#draw();
  }

  // Take the busiest rooms from operations.stats.
  show({ rooms }) {
    // Streams of the application's own features are not rooms.
    this.#traffic = rooms.filter(({ stream }) => stream.startsWith("room/"));
    this.#draw();
  }

  #find(words) {
    this.#words = words.toLowerCase();
    this.#draw();
  }

  #draw() {
    const events = new Map(this.#traffic.map((one) => [one.stream, one.events]));
    const known = new Set(this.#rooms.map(({ stream }) => stream));
    // Private rooms are not listed, but appear here when they are busy.
    const others = this.#traffic
      .filter(({ stream }) => !known.has(stream))
      .map(({ stream, name }) => ({ id: stream.slice("room/".length), stream, name, members: null }));
    const all = [...this.#rooms, ...others].filter(
      ({ name, closed }) => !closed && name.toLowerCase().includes(this.#words),
    );
    const shown = all
      .map((room) => ({ ...room, events: events.get(room.stream) ?? 0 }))
      .sort((one, other) => other.events - one.events);
    this.#table.show(shown.slice(0, SHOWN_MAX), ({ stream }) => stream);
  }

  #cells(room) {
    const { name, members, member_count, events } = room;
    const look =
      members &&
      h(
        "button",
        {
          class: "button compact",
          type: "button",
          "aria-label": `Members of ${name}`,
          onclick: () => this.#openMembers(room),
        },
        "Members",
      );
    const close = h(
      "button",
      {
        class: "button compact danger",
        type: "button",
        "aria-label": `Close ${name}`,
        onclick: () => this.#close(room),
      },
      "Close",
    );
    return [
      h(
        "td",
        null,
        h("span", { class: "clip" }, name || room.id),
        !members && h("span", { class: "chip" }, "private"),
      ),
      h("td", { class: "number" }, members ? String(member_count) : "–"),
      h("td", { class: "number" }, String(events)),
      h("td", null, h("div", { class: "row actions" }, look, close)),
    ];
  }

  #openMembers({ id, name }) {
    const list = h("div");
    const draw = () => {
      const room = this.#rooms.find((one) => one.id === id);
      fill(list, room ? membersOf(this.#app, room) : "This room no longer exists.");
    };
    draw();
    const timer = setInterval(draw, 1_000);
    openDialog(`Members of ${name}`, list).addEventListener("close", () => clearInterval(timer));
  }

  async #close({ id, name }) {
    const act = () => this.#app.connection.call("chat.close_room", { room_id: id });
    const text = "Nobody can send messages in it. The history stays.";
    if (await confirmDialog(`Close ${name || id}?`, text, { submit: "Close room", danger: true, act })) {
      this.#app.notify(`${name || id} is closed.`, "good");
      await this.load();
    }
  }
}
