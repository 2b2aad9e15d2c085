// The online users with their global roles, and the followers that are behind.

import { confirmDialog, formDialog } from "../core/dialog.js";
import { h } from "../core/dom.js";
import { Table } from "./table.js";
import { avatarOf, guestLabel } from "../core/profiles.js";

const SHOWN_MAX = 50;
const ROLES = [
  ["user", "User"],
  ["moderator", "Moderator"],
  ["admin", "Admin"],
];

export class PeopleCard {
  #app;
  #table = new Table("People", [["User"], ["Since"], [""]], (user) => this.#cells(user), "Nobody is online.");
  element = h(
    "section",
    { class: "card" },
    h("h2", null, "People online"),
    h("div", { class: "scroll" }, this.#table.element),
  );

  constructor(app) {
    this.#app = app;
  }

  async load() {
    const users = await this.#app.connection.call("users.online");
    for (const user of users) this.#app.profiles.put(user);
    this.#table.show(users.slice(0, SHOWN_MAX), ({ id }) => id);
  }

  #cells(user) {
    const { id, nickname, joined_at } = user;
    const own = id === this.#app.user.id;
    const act = (label, title, onclick) =>
      !own && h("button", { class: "button compact", type: "button", "aria-label": title, onclick }, label);
    const role = act("Role", `Role of ${nickname}`, () => this.#setRole(user));
    const disable = act("Disable", `Disable ${nickname}`, () => this.#disable(user));
    return [
      h(
        "td",
        null,
        h(
          "div",
          { class: "row" },
          avatarOf(user, { presence: true }),
          h("span", { class: "clip" }, nickname, own && h("span", { class: "muted" }, " (you)")),
          guestLabel(user),
        ),
      ),
      h("td", null, new Date(joined_at).toLocaleDateString()),
      h("td", null, h("div", { class: "row actions" }, role, disable)),
    ];
  }

  async #setRole({ id, nickname }) {
    const act = ({ role }) => this.#app.connection.call("users.set_role", { user_id: id, role });
    const text = "Moderators can moderate every room. Admins can do everything.";
    if (
      await formDialog(`Role of ${nickname}`, [{ name: "role", label: "Role", options: ROLES }], {
        text,
        submit: "Set role",
        act,
      })
    )
      this.#app.notify(`The role of ${nickname} was changed.`, "good");
  }

  async #disable({ id, nickname }) {
    const act = () => this.#app.connection.call("users.disable", { user_id: id });
    const text =
      "The user is disconnected and cannot sign in. The command `hubbub users enable` lets the user sign in again.";
    if (await confirmDialog(`Disable ${nickname}?`, text, { submit: "Disable", danger: true, act }))
      this.#app.notify(`${nickname} is disabled.`, "good");
  }
}

// Make the card of the slowest followers; its `show` takes the results of operations.stats.
export class LagCard {
  #app;
  #table = new Table(
    "Slowest followers",
    [["User"], ["Follows"], ["Behind by", "number"]],
    (lag) => this.#cells(lag),
    "No followers are behind.",
  );
  element = h(
    "section",
    { class: "card" },
    h("h2", null, "Slowest followers"),
    h("div", { class: "scroll" }, this.#table.element),
  );

  constructor(app) {
    this.#app = app;
  }

  show({ slowest }) {
    this.#table.show(slowest, ({ user, stream }) => `${user} ${stream}`);
  }

  #cells({ user, stream, behind }) {
    return [
      h("td", null, this.#app.profiles.name(user)),
      h("td", null, stream),
      h("td", { class: "number" }, String(behind)),
    ];
  }
}
