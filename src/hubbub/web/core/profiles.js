// Who is who: nicknames, avatars and presence, asked for together and kept for a while.

import { h } from "./dom.js";

const FRESH_MS = 30_000;
const ASKED_MAX = 500;

// What somebody has who has chosen no avatar.
const NO_AVATAR = "👤";

// Make the picture of a user; `status` shows presence as well.
export function avatarOf({ id, nickname, avatar, status }, { presence = false } = {}) {
  const plain = avatar === NO_AVATAR;
  const shown = plain ? [...nickname][0].toUpperCase() : avatar;
  const made = h(
    "span",
    {
      class: `avatar ${plain ? "letter" : ""}`,
      "data-status": presence ? status : null,
      "aria-hidden": "true",
    },
    shown,
  );
  made.style.setProperty("--hue", String(hueOf(id)));
  return made;
}

// Make the label of a guest, of whom nobody knows more than the nickname; null for others.
export function guestLabel({ guest }) {
  return guest ? h("span", { class: "chip small-chip", title: "Has no account" }, "guest") : null;
}

function hueOf(id) {
  let hash = 0;
  for (const letter of id) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
  return hash % 360;
}

// Emits "change" when something of somebody is known that was not, and "names" when a nickname,
// an avatar or a guest's label is another.
export class Profiles extends EventTarget {
  #connection;
  #known = new Map();
  #wanted = new Set();

  constructor(connection) {
    super();
    this.#connection = connection;
  }

  // What is known of a user now; the rest is asked for, and "change" tells of it.
  of(id) {
    const found = this.#known.get(id);
    if (!found || performance.now() - found.at > FRESH_MS) this.#want(id);
    return found?.user ?? { id, nickname: "…", avatar: "👤", status: "offline", rating: 1500 };
  }

  name(id) {
    return this.of(id).nickname;
  }

  // Take in what came with something else.
  put(user) {
    this.#keep([user]);
  }

  // Take in a presence signal.
  signal({ by, type, body }) {
    const found = this.#known.get(by);
    if (type === "presence" && found) this.put({ ...found.user, status: body.status });
    else if (type === "presence") this.#want(by);
  }

  // Ask again for everybody whom somebody asks for from now on.
  forget() {
    for (const found of this.#known.values()) found.at = -Infinity;
    this.dispatchEvent(new Event("change"));
  }

  #want(id) {
    // The hub itself is nobody.
    if (id.startsWith("/") || this.#wanted.has(id)) return;
    if (!this.#wanted.size) setTimeout(() => this.#ask());
    this.#wanted.add(id);
  }

  async #ask() {
    const ids = [...this.#wanted].slice(0, ASKED_MAX);
    try {
      const users = await this.#connection.call("users.get_many", { user_ids: ids });
      this.#keep(users);
    } catch {
      // One of them is not there, so they are asked for one by one.
      for (const id of ids) await this.#askOne(id);
    }
    for (const id of ids) this.#wanted.delete(id);
    if (this.#wanted.size) setTimeout(() => this.#ask());
  }

  async #askOne(id) {
    const nobody = { id, nickname: id, avatar: "👤", status: "offline", rating: 1500 };
    const user = await this.#connection.call("users.get", { user_id: id }).catch(() => nobody);
    this.#keep([user]);
  }

  #keep(users) {
    const others = users.filter(({ id, nickname, avatar, guest }) => {
      const before = this.#known.get(id)?.user;
      return before?.nickname !== nickname || before?.avatar !== avatar || before?.guest !== guest;
    });
    for (const user of users) this.#known.set(user.id, { user, at: performance.now() });
    if (others.length) this.dispatchEvent(new Event("names"));
    this.dispatchEvent(new Event("change"));
  }
}
