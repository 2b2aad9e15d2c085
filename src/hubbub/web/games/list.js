// A list of matches, each a link to it.

import { fill, h, timeOf } from "../core/dom.js";
import { arrange, person } from "./parts.js";
import { icon } from "../core/icons.js";

export class MatchList {
  element = h("div", null, h("p", { class: "empty" }, "Loading…"));
  #app;
  #none;
  #list = h("ul", { class: "matches" });
  #matches = [];
  #rows = new Map();

  constructor(app, none) {
    this.#app = app;
    this.#none = h("p", { class: "empty" }, none);
  }

  show(matches) {
    this.#matches = matches;
    this.draw();
    arrange(this.element, [matches.length ? this.#list : this.#none]);
  }

  // Draw the list again, with the latest profiles of its players.
  draw() {
    this.#rows = new Map(this.#matches.map((match) => [match.id, this.#row(match)]));
    arrange(this.#list, [...this.#rows.values()]);
  }

  #row(match) {
    const { id, players, scores, winner } = match;
    const row = this.#rows.get(id) ?? h("li", null, h("a", { class: "match-row", href: `#/games/${id}` }));
    const sides = players.map((player) =>
      h(
        "span",
        { class: player === winner ? "side won" : "side" },
        person(this.#app, player),
        h("span", { class: "number" }, String(scores[player])),
      ),
    );
    fill(row.firstChild, h("span", { class: "sides" }, sides), this.#note(match));
    return row;
  }

  #note({ status, players, ended_at }) {
    if (status !== "active") return h("span", { class: "small muted" }, timeOf(ended_at));
    const mine = players.includes(this.#app.user.id);
    return h(
      "span",
      { class: mine ? "chip mine" : "chip" },
      icon(mine ? "play" : "eye"),
      mine ? "Resume" : "Watch",
    );
  }
}
