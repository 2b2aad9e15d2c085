// The question of a match, and the user's answer to it.

import { fill, h } from "../core/dom.js";
import { icon } from "../core/icons.js";

const FIELD = {
  class: "input",
  inputmode: "numeric",
  autocomplete: "off",
  enterkeyhint: "send",
  required: true,
  pattern: " *-?[0-9]+ *",
  title: "A whole number",
  "aria-label": "Your answer",
  "aria-describedby": "answer-hint",
};

export class Question {
  #app;
  #match;
  #id;
  // The last answer: { question, answer }. It survives a reload.
  #tried;
  #newest = null;
  #outcome = h("p", { class: "outcome" });
  #text = h("p", { class: "question number" });
  #hint = h("p", { class: "small muted hint", id: "answer-hint" });
  #input = h("input", FIELD);
  #send = h("button", { class: "button primary" }, icon("send"), "Answer");
  #form = h("form", { class: "answer", onsubmit: (event) => this.#answer(event) }, this.#input, this.#send);
  element = h("section", { class: "card asking", "aria-label": "Question" }, this.#outcome, this.#text);

  constructor(app, match, id, plays) {
    this.#app = app;
    this.#match = match;
    this.#id = id;
    this.#tried = JSON.parse(sessionStorage.getItem(`hubbub.tried.${id}`)) ?? {};
    if (plays) this.element.append(this.#form, this.#hint);
  }

  draw() {
    const { question } = this.#match;
    fill(this.#outcome, this.#last());
    fill(this.#text, question?.text ?? "…");
    this.#send.disabled = !this.#open;
    if (question?.number !== this.#newest) {
      // The field stays in place, and so does a phone's keyboard.
      this.#newest = question?.number;
      this.#input.value = "";
    }
    const waits = `You answered ${this.#tried.answer}. Waiting…`;
    fill(this.#hint, this.#open || !question ? "You have one try. Press Enter to answer." : waits);
  }

  // The text about the question, and the one before, for a screen reader.
  spoken() {
    const { question, answered } = this.#match;
    const last = answered.at(-1);
    const asked = question?.text.replace("×", "times").replace("−", "minus").replace("+", "plus");
    return `${last ? `${this.#first(last)}: ${last.answer}. ` : ""}${asked ?? ""}`;
  }

  get #open() {
    const { question } = this.#match;
    return question !== null && question.number !== this.#tried.question;
  }

  #last() {
    const last = this.#match.answered.at(-1);
    if (!last) return h("span", { class: "chip" }, "First question");
    const own = last.by === this.#app.user.id;
    const wrong = this.#tried.question === last.number && this.#tried.answer !== last.answer;
    const [kind, picture] = own ? ["good", "check"] : wrong ? ["bad", "close"] : ["", "people"];
    const answer = wrong ? `${last.answer}, not ${this.#tried.answer}` : last.answer;
    const text = `${last.text} = ${answer} · ${this.#first(last)}`;
    return h("span", { class: `chip ${kind}` }, icon(picture), h("span", { class: "clip" }, text));
  }

  #first({ by }) {
    if (by === null) return "No correct answer";
    return by === this.#app.user.id ? "You were first" : `${this.#app.profiles.name(by)} was first`;
  }

  async #answer(event) {
    event.preventDefault();
    const { question } = this.#match;
    if (!this.#open) return;
    const body = { question: question.number, answer: Number(this.#input.value) };
    this.#remember(body);
    this.#input.focus();
    try {
      await this.#app.connection.call("games.message", { match_id: this.#id, body });
    } catch (error) {
      if (this.#match.question !== question) return;
      // The answer did not count, so the user can try again.
      this.#remember({});
      this.#app.notify(error.message, "error");
    }
  }

  #remember(tried) {
    this.#tried = tried;
    sessionStorage.setItem(`hubbub.tried.${this.#id}`, JSON.stringify(tried));
    this.draw();
  }
}
