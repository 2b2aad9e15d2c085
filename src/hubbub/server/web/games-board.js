// The leaderboard, live: its stream tells that something has changed.

import { fill, h } from "./dom.js";
import { person } from "./games-parts.js";
import { icon } from "./icons.js";

const BOARD = "main";
const TOP = 20;
const READ_MS_MIN = 1_000;

export class Leaderboard {
  element = h("div", null, h("p", { class: "empty" }, "Loading…"));
  #app;
  #leaving;
  #follow = null;
  #timer = 0;
  #entries = null;
  #own = null;

  constructor(app, leaving) {
    this.#app = app;
    this.#leaving = leaving;
    leaving.addEventListener("abort", () => this.#follow?.close());
  }

  // Follow the board; it is not there before somebody has won, so this is tried again.
  join() {
    if (this.#follow || this.#leaving.aborted) return;
    const onEvents = () => this.refresh();
    const onEnded = () => (this.#follow = null);
    this.#follow = this.#app.connection.follow(`board/${BOARD}`, { onEvents, onEnded });
  }

  // Read it again, at most once a second.
  refresh() {
    const wait = this.#entries ? READ_MS_MIN : 0;
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      this.#read().catch(() => {});
    }, wait);
  }

  draw() {
    if (this.#entries === null) return;
    const standing = this.#own ? `Your rank: ${this.#own.rank}` : "Win a match, and you are on it.";
    fill(this.element, this.#table(), h("p", { class: "small muted" }, standing));
  }

  async #read() {
    const call = (method, params) =>
      this.#app.connection.call(method, { board: BOARD, ...params }, { signal: this.#leaving });
    const own = call("games.rank").catch(() => null);
    this.#entries = await call("games.top", { limit: TOP });
    this.#own = await own;
    this.draw();
  }

  #table() {
    if (!this.#entries.length)
      return h("p", { class: "empty" }, icon("trophy"), "Nobody is on the leaderboard yet.");
    const head = ["Rank", "Player", "Points"].map((name) => h("th", { scope: "col" }, name));
    const rows = this.#entries.map((entry) => this.#row(entry));
    return h("table", { class: "table" }, h("thead", null, h("tr", null, head)), h("tbody", null, rows));
  }

  #row({ rank, user_id, score }) {
    const own = user_id === this.#app.user.id;
    const cells = [String(rank), person(this.#app, user_id), String(score)];
    return h(
      "tr",
      { class: own && "own", "aria-current": own && "true" },
      cells.map((cell) => h("td", { class: "number" }, cell)),
    );
  }
}
