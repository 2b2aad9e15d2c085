// Rooms and conversations: the list on the left, and the open one beside it.

import { formDialog, openDialog } from "../core/dialog.js";
import { View, fill, h, onceAFrame } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { OpenRoom } from "./room.js";
import { Rooms, readRooms } from "./rooms.js";
import { tool } from "./people.js";
import { avatarOf } from "../core/profiles.js";

const FOUND_MAX = 100;
// Public rooms that a newcomer sees at once, the oldest of them.
const OFFERED_MAX = 8;

export class Chat extends View {
  #rooms;
  #list = h("ul", { class: "room-list" });
  #place = h("div", { class: "place" });
  #offered = [];
  #open = null;
  #wanted = null;
  #draw = onceAFrame(() => this.#drawList());

  enter() {
    this.#rooms = new Rooms(this.app);
    const bar = h(
      "header",
      { class: "room-bar" },
      h("h1", { class: "grow" }, "Rooms"),
      tool("search", "Find rooms", () => this.#find()),
      tool("plus", "New room", () => this.#create()),
    );
    fill(this, h("section", { class: "rooms", "aria-label": "Your rooms" }, bar, this.#list), this.#place);
    this.#rooms.addEventListener("change", () => (this.#draw(), this.#openWanted()), { signal: this.signal });
    this.app.profiles.addEventListener("change", this.#draw, { signal: this.signal });
    this.#rooms
      .start()
      .then(() => this.#offer())
      .catch(this.failed);
  }

  // Offer some rooms to a user who is in none.
  async #offer() {
    if (this.#rooms.list.length) return;
    this.#offered = await this.connection.call("chat.rooms", { limit: OFFERED_MAX });
    this.#draw();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#open?.close();
    this.#rooms.close();
  }

  navigate([id = null]) {
    this.#wanted = id;
    this.toggleAttribute("data-open", id !== null);
    if (this.#open && this.#open.id !== id) (this.#open.close(), (this.#open = null));
    this.#openWanted();
    this.#draw();
  }

  #openWanted() {
    const id = this.#wanted;
    if (this.#open && !this.#rooms.rooms.has(id)) {
      // The user has left it, or was kicked.
      this.#open.close();
      this.#open = null;
      this.app.go("#/chat");
    }
    if (this.#open || !id || !this.#rooms.rooms.has(id)) {
      if (!this.#open)
        fill(
          this.#place,
          h("div", { class: "empty" }, icon("chat"), h("p", null, "Choose a room, or create one.")),
        );
      return;
    }
    this.#open = new OpenRoom(this.app, this.#rooms, id);
    fill(this.#place, this.#open.element);
    if (innerWidth > 720) this.#open.focus();
  }

  #drawList() {
    const rows = this.#rooms.list.map((room) => h("li", null, this.#row(room)));
    const invitations = [...this.#rooms.invitations].map((stream) =>
      h(
        "li",
        { class: "invitation" },
        h("span", { class: "grow" }, "You were invited to a private room."),
        h(
          "button",
          { class: "button compact primary", type: "button", onclick: () => this.#join(stream.slice(5)) },
          "Join",
        ),
      ),
    );
    const none = h(
      "li",
      { class: "empty" },
      h("p", null, "You have not joined any rooms yet."),
      this.#offered.length > 0 &&
        h(
          "ul",
          { class: "found-list", "aria-label": "Public rooms" },
          this.#offered.map((room) => this.#found(room, "primary")),
        ),
      h(
        "button",
        { class: "button", type: "button", onclick: () => this.#find() },
        icon("search"),
        "Find rooms",
      ),
      h(
        "button",
        {
          class: this.#offered.length ? "button" : "button primary",
          type: "button",
          onclick: () => this.#create(),
        },
        icon("plus"),
        "New room",
      ),
    );
    fill(this.#list, invitations, rows.length ? rows : none);
    document.title = this.#rooms.unread ? `(${this.#rooms.unread}) Chat · Hubbub` : "Chat · Hubbub";
  }

  #row({ id, name, other, unread, private: closed }) {
    const user = other && this.app.profiles.of(other);
    const shown = user ? user.nickname : name;
    const mark = user
      ? avatarOf(user, { presence: true })
      : h("span", { class: "avatar", "aria-hidden": "true" }, closed ? icon("lock") : "#");
    const count =
      unread > 0 &&
      h(
        "span",
        { class: "badge" },
        unread > 99 ? "99+" : String(unread),
        h("span", { class: "visually-hidden" }, " unread"),
      );
    return h(
      "a",
      {
        class: "room-link",
        href: `#/chat/${encodeURIComponent(id)}`,
        "aria-current": id === this.#wanted ? "true" : null,
      },
      mark,
      h("span", { class: "grow clip" }, shown),
      user && h("span", { class: "visually-hidden" }, user.status),
      count,
    );
  }

  async #create() {
    const fields = [
      { name: "name", label: "Name", required: true, maxlength: 100 },
      { name: "private", label: "Private: only invited users can join", type: "checkbox" },
    ];
    const act = (values) => this.connection.command("chat.create_room", values);
    const room = await formDialog("New room", fields, { submit: "Create room", act });
    if (room) await this.#show(room.id);
  }

  async #find() {
    const all = await readRooms(this.connection).catch(this.failed);
    const others = (all || []).filter(({ members }) => !members.includes(this.app.user.id));
    const list = h("ul", { class: "found-list" });
    const show = (words) => {
      const found = others.filter(({ name }) => name.toLowerCase().includes(words.toLowerCase()));
      fill(
        list,
        found.length
          ? found.slice(0, FOUND_MAX).map((room) => this.#found(room))
          : h("li", { class: "empty" }, "There are no other public rooms. Create one."),
      );
    };
    show("");
    openDialog(
      "Find rooms",
      h("input", {
        class: "input",
        type: "search",
        "aria-label": "Search by name",
        placeholder: "Search by name",
        oninput: ({ target }) => show(target.value),
      }),
      list,
    );
  }

  #found({ id, name, member_count }, kind = "") {
    const join = ({ target }) => (target.closest("dialog")?.close(), this.#join(id));
    const about = `${member_count} member${member_count === 1 ? "" : "s"}`;
    return h(
      "li",
      { class: "found-room" },
      h("span", { class: "grow clip" }, name),
      h("span", { class: "muted small" }, about),
      h("button", { class: `button compact ${kind}`, type: "button", onclick: join }, "Join"),
    );
  }

  async #join(id) {
    const room = await this.connection.call("chat.join", { room_id: id }).catch(this.failed);
    if (room) await this.#show(room.id);
  }

  async #show(id) {
    await this.#rooms.load().catch(this.failed);
    this.app.go(`#/chat/${encodeURIComponent(id)}`);
  }
}

customElements.define("hub-chat", Chat);
