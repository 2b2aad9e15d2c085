// The lobby: search for an opponent, watch a match, and see the leaderboard.

import { View, fill, h, onceAFrame } from "../core/dom.js";
import { Leaderboard } from "./board.js";
import { MatchList } from "./list.js";
import { card } from "./parts.js";
import { Search } from "./search.js";

const REFRESH_MS = 3_000;
const RUNNING_MAX = 20;
const OVER_MAX = 6;
const INDEX_SHARDS = 16;

export class Lobby extends View {
  #search;
  #running;
  #over;
  #board;
  // Whether a match has begun or ended since the last load.
  #news = true;

  enter() {
    this.className = "page";
    this.#search = new Search(this.app, this.signal);
    this.#running = new MatchList(this.app, "No matches are running.");
    this.#over = new MatchList(this.app, "No matches have ended yet.");
    this.#board = new Leaderboard(this.app, this.signal);
    const grid = h(
      "div",
      { class: "lobby" },
      this.#search.element,
      card("Running matches", "running", this.#running.element),
      card("Leaderboard", "board", this.#board.element),
      card("Recent matches", "over", this.#over.element),
    );
    fill(this, h("h1", { class: "visually-hidden" }, "Games"), grid);
    const parts = [this.#search, this.#running, this.#over, this.#board];
    const draw = onceAFrame(() => parts.forEach((part) => part.draw()));
    this.app.profiles.addEventListener("change", draw, { signal: this.signal });
    const onEvents = () => (this.#news = true);
    // The index of running matches has several streams, with some of the matches each.
    for (let shard = 0; shard < INDEX_SHARDS; shard++) {
      const follow = this.connection.follow(`index/matches/${shard}`, { onEvents });
      this.signal.addEventListener("abort", () => follow.close());
    }
    this.#keepUp();
  }

  // Search for an opponent, or stop the search.
  search(wanted) {
    if (wanted) this.#search.start();
    else this.#search.stop();
  }

  async #keepUp() {
    while (!this.signal.aborted) {
      if (!document.hidden) await this.#refresh().catch(() => (this.#news = true));
      await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
    }
  }

  async #refresh() {
    this.#board.join();
    const active = await this.#matches("active", RUNNING_MAX);
    const mine = (match) => match.players.includes(this.app.user.id);
    this.#running.show(active.sort((one, other) => mine(other) - mine(one)));
    if (!this.#news) return;
    this.#news = false;
    this.#board.refresh();
    this.#over.show(await this.#matches("completed", OVER_MAX));
  }

  async #matches(status, limit) {
    const { connection, signal } = this;
    return (await connection.call("games.matches", { status, limit }, { signal })).reverse();
  }
}

customElements.define("hub-lobby", Lobby);
