// The end of a match.

import { fill, h } from "../core/dom.js";
import { icon } from "../core/icons.js";

export class Result {
  element = h("section", { class: "card result", "aria-label": "Result", tabindex: -1 });
  #app;
  #match;
  #plays;
  #standing = h("p", { class: "muted hint" });
  #asked = false;

  constructor(app, match, plays) {
    this.#app = app;
    this.#match = match;
    this.#plays = plays;
  }

  // `before` is the user's rating before the match, or null if it is not known.
  draw(before) {
    const { winner } = this.#match;
    const won = winner !== null && (winner === this.#app.user.id || !this.#plays);
    fill(
      this.element,
      h("span", { class: won ? "picture won" : "picture" }, icon(won ? "trophy" : "flag")),
      h("h2", null, this.title()),
      this.#plays && this.#standing,
      this.#plays && h("a", { class: "button primary", href: "#/games/play" }, "Play again"),
      h("a", { class: "button", href: "#/games" }, "Back to games"),
    );
    if (this.#plays && !this.#asked) this.#learnStanding(before).catch(() => {});
    this.#asked = true;
  }

  title() {
    const { status, winner, reason } = this.#match;
    if (status === "cancelled") return `The match was cancelled: ${reason}`;
    if (winner === null) return "A draw";
    if (winner === this.#app.user.id) return "You won!";
    const other = `${this.#app.profiles.name(winner)} won`;
    return this.#plays ? `You lost: ${other}` : other;
  }

  async #learnStanding(before) {
    const { connection, profiles, user } = this.#app;
    const found = await connection.call("users.get", { user_id: user.id });
    profiles.put(found);
    const rating = Math.round(found.rating);
    const change = rating - Math.round(before);
    const changed = before === null ? "" : ` (${change < 0 ? "−" : "+"}${Math.abs(change)})`;
    fill(this.#standing, `Your rating: ${rating}${changed}`);
  }
}
