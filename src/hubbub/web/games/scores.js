// The players of a match, with their points and whether they are connected.

import { fill, h } from "../core/dom.js";
import { person } from "./parts.js";

// How long a player can be disconnected, unless the server has another setting.
const GRACE_SECONDS = 30;

export class Scores {
  element = h("ul", { class: "scores" });
  #app;
  #match;
  #timer = 0;

  constructor(app, match, leaving) {
    this.#app = app;
    this.#match = match;
    leaving.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  draw() {
    const { players, away, status } = this.#match;
    fill(
      this.element,
      players.map((player) => this.#player(player)),
    );
    clearTimeout(this.#timer);
    if (away.size && status === "active") this.#timer = setTimeout(() => this.draw(), 1_000);
  }

  #player(player) {
    const { scores, winner, goal } = this.#match;
    const points = scores.get(player);
    const max = goal || Math.max(1, ...scores.values());
    return h(
      "li",
      { class: player === winner ? "score won" : "score" },
      person(this.#app, player),
      h("span", { class: "points number" }, String(points)),
      h("progress", { "aria-label": `Points of ${this.#app.profiles.name(player)}`, max, value: points }),
      this.#note(player, points),
    );
  }

  #note(player, points) {
    const { away, gone, goal, status, winner } = this.#match;
    const note = (kind, text) => h("span", { class: `score-note number ${kind}` }, text);
    if (gone.has(player)) return note("bad", gone.get(player));
    const you = player === this.#app.user.id ? "You: " : "";
    if (status !== "active") return note("good", player === winner ? "Won" : "");
    if (!away.has(player)) return note("", goal ? `${you}${goal - points} to go` : you);
    // The clocks of client and server may differ.
    const gap = Math.max(0, Date.now() - away.get(player)) / 1_000;
    return note("warn", `Disconnected: ${Math.max(0, Math.ceil(GRACE_SECONDS - gap))} s to return`);
  }
}
