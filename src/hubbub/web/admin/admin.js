// The operator's page: statistics of the hub, and its administration.

import { OrdersCard } from "./orders.js";
import { LagCard, PeopleCard } from "./people.js";
import { Plots } from "./plots.js";
import { ProductsCard } from "./products.js";
import { RoomsCard } from "./rooms.js";
import { openMenu } from "../core/dialog.js";
import { fill, h } from "../core/dom.js";
import { has } from "../core/features.js";
import { icon } from "../core/icons.js";
import { notify } from "../core/notices.js";
import { Page, TOKEN } from "../core/page.js";
import { isOfSameSignIn } from "../core/rpc.js";
import "../core/sign-in.js";
import { switchTheme } from "../core/theme.js";

// A sign-in here is for this window only; the main page keeps its own.
const OPERATOR = "hubbub.operator";
const STATS_MS = 1_000;
const LISTS_MS = 4_000;

// The sections of the page, and the feature that each belongs to.
const CARDS = [
  ["chat", RoomsCard],
  ["users", PeopleCard],
  ["shop", ProductsCard],
  ["operations", LagCard],
  ["shop", OrdersCard],
];

class Operations extends Page {
  #timers = [];

  start() {
    this.connection.addEventListener("ended", ({ detail }) => this.#entrance(detail.message));
    this.connection.addEventListener("signedin", () => this.#keepToken());
    const token = this.storedToken();
    if (token) this.#signIn({ token }).catch(() => this.#entrance());
    else this.#entrance();
  }

  // Go to an address of the page.
  go(hash) {
    location.assign(`./${hash}`);
  }

  storedToken() {
    return sessionStorage.getItem(OPERATOR) ?? super.storedToken();
  }

  // Each sign-in uses up a token, and gives the next one, which replaces it.
  #keepToken() {
    const [before, token] = [this.storedToken(), this.connection.token];
    if (!before || !isOfSameSignIn(before, token)) return;
    if (sessionStorage.getItem(OPERATOR)) sessionStorage.setItem(OPERATOR, token);
    else localStorage.setItem(TOKEN, token);
  }

  async #signIn(params) {
    const { role, refresh_token } = await this.connection.signIn(params);
    if (role !== "admin") {
      this.connection.end();
      this.#entrance(params.name ? `${params.name} is not an admin.` : null);
      return;
    }
    if (params.name) sessionStorage.setItem(OPERATOR, refresh_token);
    this.profiles.put(this.user);
    this.#show();
  }

  #entrance(message = null) {
    this.#stop();
    sessionStorage.removeItem(OPERATOR);
    this.connection.end();
    const entrance = document.createElement("hub-sign-in");
    entrance.toggleAttribute("account-only", true);
    entrance.addEventListener("signin", ({ detail }) =>
      this.#signIn(detail).catch((error) => entrance.refused(error.message)),
    );
    fill(this.root, entrance);
    if (message) entrance.refused(message);
  }

  #show() {
    const plots = new Plots();
    const cards = CARDS.filter(([feature]) => has(feature)).map(([, Card]) => new Card(this));
    const menu = h(
      "button",
      { class: "button quiet", type: "button", "aria-haspopup": "menu", onclick: () => this.#openMenu(menu) },
      icon("user"),
      h("span", { class: "clip" }, this.user.nickname),
    );
    const bar = h(
      "header",
      { class: "bar" },
      h("a", { class: "brand", href: "./" }, h("img", { src: "web/core/icon.svg", alt: "" }), "Hubbub"),
      h("h1", { class: "grow" }, "Operations"),
      this.light,
      menu,
    );
    const place = h(
      "div",
      { class: "cards" },
      cards.map(({ element }) => element),
    );
    const parts = has("operations") ? [plots.element, place] : [place];
    fill(this.root, bar, h("main", { class: "page operations", tabindex: -1 }, parts));
    this.showLight();
    if (has("operations"))
      this.#repeat(STATS_MS, async () => {
        const stats = await this.connection.call("operations.stats");
        for (const one of [plots, ...cards]) one.show?.(stats);
      });
    this.#repeat(LISTS_MS, () => Promise.all(cards.map((one) => one.load?.())));
  }

  // Repeat the work, and never run it twice at once.
  #repeat(milliseconds, work) {
    const place = this.#timers.push(0) - 1;
    const turn = async () => {
      await work().catch((error) => this.connection.state === "online" && notify(error.message, "error"));
      if (this.#timers.length) this.#timers[place] = setTimeout(turn, milliseconds);
    };
    turn();
  }

  #stop() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }

  #openMenu(button) {
    openMenu(button, [
      { label: "Back to Hubbub", icon: "chat", act: () => this.go("") },
      { label: "Switch theme", icon: "contrast", act: switchTheme },
      { label: "Sign out", icon: "out", danger: true, act: () => this.#signOut() },
    ]);
  }

  async #signOut() {
    await this.connection.call("users.sign_out").catch(() => {});
    if (!sessionStorage.getItem(OPERATOR)) localStorage.removeItem(TOKEN);
    this.#entrance();
  }
}

new Operations().start();
