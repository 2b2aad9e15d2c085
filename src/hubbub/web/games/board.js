// The leaderboard, live: its stream signals changes.

import { fill, h } from "../core/dom.js";
import { person } from "./parts.js";
import { icon } from "../core/icons.js";

const BOARD = "main";
const TOP = 20;
const READ_MS_MIN = 1_000;

export class Leaderboard {
  #table = h("div", null, h("p", { class: "empty" }, "Loading…"));
  // The buttons stay while the table is redrawn, so that a keyboard user keeps the focus.
  #back = h("button", { class: "button compact", type: "button", onclick: () => this.#turn("before") }, "Previous");
  #on = h("button", { class: "button compact", type: "button", onclick: () => this.#turn("after") }, "Next");
  #pager = h("nav", { class: "row", "aria-label": "Pages of the leaderboard", hidden: true }, this.#back, this.#on);
  element = h("div", null, this.#table, this.#pager);
  #app;
  #leaving;
  #follow = null;
  #timer = 0;
  #entries = null;
  #own = null;
  // The ends of the page: before or after the cursor of an entry; the top without one.
  #place = {};
  #more = false;

  constructor(app, leaving) {
    this.#app = app;
    this.#leaving = leaving;
    leaving.addEventListener("abort", () => this.#follow?.close());
  }

  // Follow the board; it does not exist before the first win, so retry.
  join() {
    if (this.#follow || this.#leaving.aborted) return;
    const onEvents = () => this.refresh();
    const onEnded = () => (this.#follow = null);
    this.#follow = this.#app.connection.follow(`board/${BOARD}`, { onEvents, onEnded });
  }

  // Load it again, at most once a second.
  refresh() {
    const wait = this.#entries ? READ_MS_MIN : 0;
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      this.#read().catch(() => {});
    }, wait);
  }

  draw() {
    if (this.#entries === null) return;
    const standing = this.#own ? `Your rank: ${this.#own.rank}` : "Win a match to get on the leaderboard.";
    fill(this.#table, this.#rows(), h("p", { class: "small muted" }, standing));
    const first = this.#entries[0]?.rank ?? 1;
    this.#back.disabled = first === 1;
    this.#on.disabled = !this.#more;
    this.#pager.hidden = first === 1 && !this.#more;
  }

  // Show the entries before or after the current ones. A cursor stays in place while scores
  // change, so a user who does not move is neither repeated nor missed.
  #turn(way) {
    const entry = this.#entries.at(way === "before" ? 0 : -1);
    this.#place = { [way]: entry.cursor };
    this.#read().catch(() => {});
  }

  async #read() {
    const call = (method, params) =>
      this.#app.connection.call(method, { board: BOARD, ...params }, { signal: this.#leaving });
    const own = call("games.rank").catch(() => null);
    const place = this.#place;
    let entries = await call("games.top", { limit: TOP + 1, ...place });
    // The top is a full page; and a new season has only the top.
    const short = "before" in place ? entries.length <= TOP : !entries.length;
    if (place === this.#place && short && Object.keys(place).length) {
      this.#place = {};
      entries = await call("games.top", { limit: TOP + 1 });
    }
    if ("before" in this.#place) entries = entries.slice(-TOP);
    this.#more = "before" in this.#place || entries.length > TOP;
    this.#entries = entries.slice(0, TOP);
    this.#own = await own;
    this.draw();
  }

  #rows() {
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
