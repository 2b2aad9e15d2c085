// Parts that the lobby and a match share.

import { h } from "../core/dom.js";
import { avatarOf } from "../core/profiles.js";

export const GAME = "arithmetic";

// A user: the avatar and the nickname.
export function person(app, id) {
  const user = app.profiles.of(id);
  // A name may be written from right to left, and must not affect the text beside it.
  return h("span", { class: "person" }, avatarOf(user), h("bdi", { class: "clip" }, user.nickname));
}

// A section of a view, with a heading.
export function card(title, name, content) {
  return h("section", { class: `card ${name}`, "aria-label": title }, h("h2", null, title), content);
}

// Set the items of a list. Existing items are not touched, so that they keep the focus.
export function arrange(list, elements) {
  for (const child of [...list.children]) if (!elements.includes(child)) child.remove();
  elements.forEach((element, index) => {
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
  });
}
