// The search for an opponent.

import { fill, h } from "../core/dom.js";
import { GAME } from "./parts.js";
import { icon } from "../core/icons.js";

const WAIT_SECONDS = 90;
const RULES = "You both see a question. The first right answer gets ten points, and the first to 100 wins.";

export class Search {
  element = h("section", { class: "card hero", "aria-label": "Play", "aria-live": "polite" });
  #app;
  #leaving;
  #cancel = null;
  #rating = h("strong", { class: "number", "aria-live": "off" });

  constructor(app, leaving) {
    this.#app = app;
    this.#leaving = leaving;
    this.draw();
  }

  // Show the user's rating again.
  draw() {
    fill(this.#rating, String(Math.round(this.#app.profiles.of(this.#app.user.id).rating)));
  }

  // Search until an opponent is found, unless a search is already running.
  async start() {
    if (this.#cancel) return;
    const cancel = (this.#cancel = new AbortController());
    const signal = AbortSignal.any([cancel.signal, this.#leaving]);
    this.#showSearch(signal);
    try {
      const params = { queue: GAME, timeout: WAIT_SECONDS };
      const match = await this.#app.connection.command("games.find_match", params, { signal });
      // Replace the search in the history, so that "back" does not begin another search.
      location.replace(`#/games/${match.id}`);
    } catch (error) {
      if (error.code !== "cancelled") this.#showFailure(error);
    } finally {
      cancel.abort();
      if (this.#cancel === cancel) this.#cancel = null;
    }
  }

  stop() {
    this.#cancel?.abort();
    this.#cancel = null;
    const play = { class: "button primary big", href: "#/games/play" };
    this.#show(
      h("h2", null, "Quick arithmetic"),
      h("p", { class: "muted" }, RULES),
      h("a", play, icon("play"), "Play quick arithmetic"),
    );
  }

  #showSearch(signal) {
    const seconds = h("p", { class: "number", role: "timer" }, "0 s");
    let passed = 0;
    const timer = setInterval(() => fill(seconds, `${++passed} s`), 1_000);
    signal.addEventListener("abort", () => clearInterval(timer));
    this.#show(
      h("div", { class: "spinner" }),
      h("h2", null, "Looking for an opponent…"),
      seconds,
      h("a", { class: "button", href: "#/games" }, "Cancel"),
    );
  }

  #showFailure(error) {
    const title = error.reason === "no_opponent" ? "No opponent found" : "The search failed";
    this.#show(
      h("h2", null, title),
      h("p", { class: "muted" }, error.message),
      h("button", { class: "button primary", onclick: () => this.start() }, "Try again"),
      h("a", { class: "button quiet", href: "#/games" }, "Not now"),
    );
  }

  #show(...content) {
    const focused = this.element.contains(document.activeElement);
    fill(this.element, content, h("p", { class: "small muted" }, "Your rating: ", this.#rating));
    if (focused) this.element.querySelector("a, button").focus();
  }
}
