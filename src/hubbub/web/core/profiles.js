// Profiles: nicknames, avatars and presence, loaded together and cached for a while.

import { h } from "./dom.js";

const FRESH_MS = 30_000;
const ASKED_MAX = 500;

// The avatar of a user without one.
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

// Make the label of a guest, whose nickname is not verified; null for other users.
export function guestLabel({ guest }) {
  return guest ? h("span", { class: "chip small-chip", title: "No account" }, "guest") : null;
}

function hueOf(id) {
  let hash = 0;
  for (const letter of id) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
  return hash % 360;
}

// Emits "change" when a user's profile has changed, and "names" when a nickname,
// an avatar or a guest's label has changed.
export class Profiles extends EventTarget {
  #connection;
  #known = new Map();
  #wanted = new Set();

  constructor(connection) {
    super();
    this.#connection = connection;
  }

  // Return the known profile of a user; load missing data, and emit "change".
  of(id) {
    const found = this.#known.get(id);
    if (!found || performance.now() - found.at > FRESH_MS) this.#want(id);
    return found?.user ?? { id, nickname: "…", avatar: "👤", status: "offline", rating: 1500 };
  }

  name(id) {
    return this.of(id).nickname;
  }

  // Add profiles that came with another result.
  put(user) {
    this.#keep([user]);
  }

  // Handle a presence signal.
  signal({ by, type, body }) {
    const found = this.#known.get(by);
    if (type === "presence" && found) this.put({ ...found.user, status: body.status });
    else if (type === "presence") this.#want(by);
  }

  // Load all profiles again that are used from now on.
  forget() {
    for (const found of this.#known.values()) found.at = -Infinity;
    this.dispatchEvent(new Event("change"));
  }

  #want(id) {
    // The hub itself has no profile.
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
      // One of the users does not exist, so load them one by one.
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
