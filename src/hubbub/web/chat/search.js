// The search in a room.

import { openDialog, valuesOf } from "../core/dialog.js";
import { fill, h, timeOf } from "../core/dom.js";

// Open the search; `jump` takes the seq of the chosen message.
export function openSearch(app, roomId, jump) {
  const found = h("ul", { class: "found-list" });
  const choose = (message) => (found.closest("dialog").close(), jump(message.seq));

  async function look(event) {
    event.preventDefault();
    const params = { room_id: roomId, ...valuesOf(event.target) };
    try {
      const messages = await app.connection.call("chat.search", params);
      const hits = messages.map((message) => h("li", null, hit(app, message, choose)));
      fill(found, hits.length ? hits : h("li", { class: "empty" }, "No results."));
    } catch (error) {
      app.notify(error.message, "error");
    }
  }

  const words = { class: "input", type: "search", name: "text", required: true, "aria-label": "Search terms" };
  const button = h("button", { class: "button primary", type: "submit" }, "Search");
  openDialog(
    "Search in this room",
    h("form", { class: "search", onsubmit: look }, h("input", words), button),
    found,
  );
}

function hit(app, message, choose) {
  return h(
    "button",
    { class: "hit", type: "button", onclick: () => choose(message) },
    h("span", { class: "muted small" }, `${app.profiles.name(message.by)} · ${timeOf(message.at)}`),
    h("span", { class: "clip" }, message.text),
  );
}
