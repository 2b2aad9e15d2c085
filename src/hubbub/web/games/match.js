// A match, for its players and for spectators. Everything is folded from its stream, so a reload
// or a reconnection shows the same.

import { confirmDialog } from "../core/dialog.js";
import { View, fill, h, onceAFrame } from "../core/dom.js";
import { Match } from "./fold.js";
import { GAME, arrange, card, person } from "./parts.js";
import { Question } from "./question.js";
import { Result } from "./result.js";
import { Scores } from "./scores.js";
import { icon } from "../core/icons.js";

const HISTORY = 8;

export class MatchView extends View {
  // Set before the view is shown.
  matchId;
  #match = new Match();
  #parts = null;
  // The user's rating during the match, if known.
  #rating = null;
  #live = h("p", { class: "visually-hidden", role: "status" });
  #role = h("span");
  #main = h("div", null, h("p", { class: "empty" }, "Loading the match…"));
  #history = h("ol", null, h("li", { class: "muted" }, "None yet"));

  enter() {
    this.className = "page";
    const back = { class: "button quiet round", href: "#/games", "aria-label": "Back to games" };
    fill(
      this,
      h(
        "div",
        { class: "row match-head" },
        h("a", back, icon("back")),
        h("h1", { class: "grow" }, "Match"),
        this.#role,
      ),
      this.#live,
      h("div", { class: "match" }, this.#main, card("Previous questions", "past", this.#history)),
    );
    const draw = onceAFrame(() => this.isConnected && this.#match.players.length && this.#draw());
    this.app.profiles.addEventListener("change", draw, { signal: this.signal });
    this.#noteRating().catch(() => {});
    this.#open(draw);
  }

  async #noteRating() {
    const [user, match] = await Promise.all([
      this.connection.call("users.get", { user_id: this.app.user.id }),
      // Load the match after the rating: if it is still running, that is the rating before its end.
      this.connection.call("games.match", { match_id: this.matchId }),
    ]);
    if (match.status === "active") this.#rating = user.rating;
  }

  #open(draw) {
    const onEvents = (events) => {
      for (const event of events) this.#match.apply(event);
      draw();
    };
    const onEnded = (error) => fill(this.#main, h("p", { class: "empty" }, error.message));
    const follow = this.connection.follow(`match/${this.matchId}`, { after: 0, onEvents, onEnded });
    this.signal.addEventListener("abort", () => follow.close());
  }

  #build() {
    const { app, signal, matchId } = this;
    const match = this.#match;
    const plays = match.players.includes(app.user.id);
    const resign = { class: "button danger compact", onclick: () => this.#resign() };
    const watching = h("span", { class: "chip" }, icon("eye"), "You are watching");
    fill(this.#role, plays ? h("button", resign, icon("flag"), "Resign") : watching);
    return {
      scores: new Scores(app, match, signal),
      question: match.game === GAME ? new Question(app, match, matchId, plays) : null,
      result: new Result(app, match, plays),
    };
  }

  #draw() {
    const { scores, question, result } = (this.#parts ??= this.#build());
    const active = this.#match.status === "active";
    this.#role.hidden = !active;
    scores.draw();
    if (active) question?.draw();
    else result.draw(this.#rating);
    this.#show(active ? question : result);
    this.#drawHistory();
    const said = active ? this.#standing() : result.title();
    if (this.#live.textContent !== said) fill(this.#live, said);
  }

  // Show the question or the result below the scores, and focus it when it is new.
  #show(part) {
    const news = part && !part.element.isConnected;
    arrange(this.#main, [this.#parts.scores.element, part?.element].filter(Boolean));
    if (news) (part.element.querySelector("input") ?? part.element).focus();
  }

  #drawHistory() {
    const last = this.#match.answered.slice(-HISTORY).reverse();
    const rows = last.map(({ text, answer, by }) => {
      const who = by === null ? h("span", { class: "muted" }, "Nobody") : person(this.app, by);
      return h("li", { class: "row" }, h("span", { class: "number asked" }, `${text} = ${answer}`), who);
    });
    if (rows.length) fill(this.#history, rows);
  }

  #standing() {
    const { players, scores } = this.#match;
    const points = players.map((player) => `${this.app.profiles.name(player)} ${scores.get(player)}`);
    return `${points.join(", ")}. ${this.#parts.question?.spoken() ?? ""}`;
  }

  #resign() {
    const act = () => this.connection.call("games.resign", { match_id: this.matchId });
    const text = "You lose the match if you resign.";
    return confirmDialog("Resign?", text, { submit: "Resign", danger: true, act });
  }
}

customElements.define("hub-match", MatchView);
