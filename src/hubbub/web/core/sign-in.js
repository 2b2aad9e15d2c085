// The sign-in form: a nickname for a guest, or a name and a password.

import { field, valuesOf } from "./dialog.js";
import { View, fill, h } from "./dom.js";

// Emits "signin" with the params of session.sign_in; the handler calls `refused` on an error.
// With the attribute `account-only` guests cannot sign in; with `may-stay` it can emit "stay".
export class SignIn extends View {
  #wrong = h("p", { class: "wrong", role: "alert", hidden: true });
  #account = false;
  #pending = false;

  enter() {
    this.className = "entrance";
    this.#account = this.hasAttribute("account-only");
    this.#show();
  }

  refused(message) {
    this.#pending = false;
    fill(this.#wrong, message).hidden = false;
    for (const button of this.querySelectorAll("button")) button.disabled = false;
  }

  // Tell a user who waits to be signed in that the server does not answer.
  unanswered() {
    if (this.#pending) fill(this.#wrong, "The server does not answer. Trying again…").hidden = false;
  }

  #show() {
    this.#pending = false;
    this.#wrong.hidden = true;
    const guest = [
      field({
        name: "nickname",
        label: "Nickname",
        required: true,
        maxlength: 100,
        autocomplete: "nickname",
        value: localStorage.getItem("hubbub.nickname") ?? "",
      }),
    ];
    const account = [
      field({
        name: "name",
        label: "Account name",
        required: true,
        maxlength: 100,
        autocomplete: "username",
      }),
      field({
        name: "password",
        label: "Password",
        type: "password",
        required: true,
        autocomplete: "current-password",
      }),
    ];
    const swap = this.#account ? "Join as a guest" : "I have an account";
    const form = h(
      "form",
      { onsubmit: (event) => this.#send(event) },
      h("h1", { class: "brand" }, h("img", { src: "web/core/icon.svg", alt: "" }), "Hubbub"),
      h(
        "p",
        { class: "muted" },
        this.#account ? "Sign in with your account." : "Choose a nickname to join.",
      ),
      this.#account ? account : guest,
      this.#wrong,
      h("button", { class: "button primary", type: "submit" }, this.#account ? "Sign in" : "Join"),
      this.hasAttribute("may-stay") &&
        h(
          "button",
          { class: "button quiet", type: "button", onclick: () => this.dispatchEvent(new Event("stay")) },
          "Continue as a guest",
        ),
      !this.hasAttribute("account-only") &&
        h(
          "button",
          {
            class: "button quiet",
            type: "button",
            onclick: () => ((this.#account = !this.#account), this.#show()),
          },
          swap,
        ),
    );
    fill(this, h("main", { class: "card" }, form));
    form.querySelector("input").focus();
  }

  #send(event) {
    event.preventDefault();
    const params = valuesOf(event.target);
    if (params.nickname) localStorage.setItem("hubbub.nickname", params.nickname);
    for (const button of this.querySelectorAll("button")) button.disabled = true;
    this.#pending = true;
    this.dispatchEvent(new CustomEvent("signin", { detail: params }));
  }
}

customElements.define("hub-sign-in", SignIn);
