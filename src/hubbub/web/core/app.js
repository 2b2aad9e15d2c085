// The page: the signed-in user, the bar at the top, and the current view.

import { confirmDialog, formDialog, openMenu } from "./dialog.js";
import { fill, h } from "./dom.js";
import { has } from "./features.js";
import { icon } from "./icons.js";
import { notify } from "./notices.js";
import { Page, TOKEN, narrow } from "./page.js";
import "./sign-in.js";
import { switchTheme } from "./theme.js";

const AWAY_MS = 5 * 60_000;

// The first part of the address -> the view, which is loaded when it is first shown.
const ALL_VIEWS = {
  chat: { label: "Chat", element: "hub-chat", load: () => import("../chat/chat.js") },
  games: { label: "Games", element: "hub-games", load: () => import("../games/games.js") },
  shop: { label: "Shop", element: "hub-shop", load: () => import("../shop/shop.js") },
};
const VIEWS = Object.fromEntries(Object.entries(ALL_VIEWS).filter(([name]) => has(name)));
// The first view, also for an address of a feature that the hub does not have.
const [FIRST = ""] = Object.keys(VIEWS);

class App extends Page {
  #name = h("span", { class: "clip" });
  #bar = h("header", { class: "bar" });
  #tabs = h("nav", { class: "tabs", "aria-label": "Views" });
  #place = h("main", { class: "view", id: "view", tabindex: -1 });
  #shown = null;
  #turn = 0;
  #away = 0;

  start() {
    this.connection.addEventListener("signedin", () => this.#signedIn());
    this.connection.addEventListener("ended", ({ detail }) => this.#entrance(detail.message));
    addEventListener("hashchange", () => this.#navigate());
    narrow.addEventListener("change", () => this.#resized());
    document.addEventListener("visibilitychange", () => this.#noteVisibility());
    const token = localStorage.getItem(TOKEN);
    if (token) this.#signIn({ token }).catch(() => this.#entrance());
    else this.#entrance();
  }

  // Go to another address, like "#/shop/cart".
  go(hash) {
    location.hash = hash;
  }

  async #signIn(params) {
    await this.connection.signIn(params);
    this.#shell();
    this.#navigate();
  }

  #signedIn() {
    localStorage.setItem(TOKEN, this.connection.token);
    this.profiles.put(this.user);
    fill(this.#name, this.user.nickname);
    this.#noteVisibility();
  }

  // `guest` is the token of a guest who signs in to an account, which takes over their data.
  #entrance(message = null, guest = null) {
    if (!guest) localStorage.removeItem(TOKEN);
    this.connection.end();
    const entrance = document.createElement("hub-sign-in");
    // The server writes into the page whether it accepts guests.
    const noGuests = document.documentElement.dataset.guests === "no";
    entrance.toggleAttribute("account-only", guest !== null || noGuests);
    entrance.toggleAttribute("may-stay", guest !== null);
    entrance.addEventListener("stay", () => location.reload());
    entrance.addEventListener("signin", ({ detail }) =>
      this.#signIn({ ...detail, guest }).catch((error) => entrance.refused(error.message)),
    );
    this.#shown = null;
    fill(this.#place);
    fill(this.root, entrance);
    if (message) entrance.refused(message);
  }

  #shell() {
    fill(
      this.#tabs,
      Object.entries(VIEWS).map(([name, { label }]) =>
        h("a", { class: "tab", href: `#/${name}` }, icon(name), label),
      ),
    );
    const menu = h(
      "button",
      {
        class: "button quiet",
        "aria-haspopup": "menu",
        title: "Your account",
        onclick: () => this.#openMenu(menu),
      },
      icon("user"),
      h("span", { class: "visually-hidden" }, "Your account: "),
      this.#name,
    );
    fill(
      this.#bar,
      h("a", { class: "brand", href: `#/${FIRST}` }, h("img", { src: "web/core/icon.svg", alt: "" }), "Hubbub"),
      h("span", { class: "grow" }),
      this.light,
      menu,
    );
    fill(this.root, this.#bar, this.#place);
    this.#placeTabs();
    this.showLight();
  }

  // On a narrow screen the tabs are below the view.
  #placeTabs() {
    if (narrow.matches) this.root.append(this.#tabs);
    else this.#bar.firstChild.after(this.#tabs);
  }

  #resized() {
    if (!this.#tabs.isConnected) return;
    this.#placeTabs();
    this.showLight();
  }

  async #navigate() {
    if (!this.#tabs.isConnected) return;
    if (!FIRST) {
      fill(this.#place, h("p", { class: "empty" }, "This server has no chat, no games and no shop."));
      return;
    }
    const [asked, ...rest] = location.hash
      .replace(/^#\/?/, "")
      .split("/")
      .filter(Boolean)
      .map(decodeURIComponent);
    const [name, path] = Object.hasOwn(VIEWS, asked ?? "") ? [asked, rest] : [FIRST, []];
    const view = VIEWS[name];
    for (const tab of this.#tabs.children) set(tab, tab.hash === `#/${name}`);
    const turn = ++this.#turn;
    if (this.#shown?.localName !== view.element) {
      await view.load();
      // The user has gone to another view in the meantime.
      if (turn !== this.#turn || !this.#tabs.isConnected) return;
      this.#shown = document.createElement(view.element);
      this.#shown.app = this;
      fill(this.#place, this.#shown);
      document.title = `${view.label} · Hubbub`;
    }
    this.#shown.navigate(path);
  }

  #openMenu(button) {
    openMenu(button, [
      { label: "Profile", icon: "edit", act: () => this.#editProfile() },
      this.connection.signedIn.account
        ? { label: "Change password", icon: "lock", act: () => this.#changePassword() }
        : { label: "Create an account", icon: "lock", act: () => this.#createAccount() },
      !this.connection.signedIn.account && {
        label: "Sign in to an account",
        icon: "user",
        act: () => this.#entrance(null, localStorage.getItem(TOKEN)),
      },
      { label: "Switch theme", icon: "contrast", act: switchTheme },
      this.role === "admin" &&
        has("operations") && { label: "Operations", icon: "admin", act: () => location.assign("admin") },
      { label: "Sign out", icon: "out", danger: true, act: () => this.#signOut() },
    ]);
  }

  #editProfile() {
    const { nickname, avatar } = this.user;
    const fields = [
      { name: "nickname", label: "Nickname", value: nickname, required: true, maxlength: 100 },
      { name: "avatar", label: "Avatar (emoji)", value: avatar, required: true, maxlength: 16 },
    ];
    const act = async (values) => {
      this.connection.signedIn.user = await this.connection.call("users.update", values);
      this.#signedIn();
    };
    return formDialog("Your profile", fields, { submit: "Save", act });
  }

  #createAccount() {
    const fields = [
      { name: "name", label: "Account name", required: true, maxlength: 100, autocomplete: "username" },
      {
        name: "password",
        label: "Password (at least 8 characters)",
        type: "password",
        required: true,
        minlength: 8,
        autocomplete: "new-password",
      },
    ];
    const act = async (values) => {
      this.connection.signedIn.user = await this.connection.call("users.create_account", values);
      this.connection.signedIn.account = values.name;
      this.#signedIn();
      notify("Account created. You can sign in with it on any device.", "good");
    };
    return formDialog("Create an account", fields, {
      text: "You keep your rooms, points and cart.",
      submit: "Create account",
      act,
    });
  }

  #changePassword() {
    const fields = [
      {
        name: "old",
        label: "Current password",
        type: "password",
        required: true,
        autocomplete: "current-password",
      },
      {
        name: "new",
        label: "New password (at least 8 characters)",
        type: "password",
        required: true,
        minlength: 8,
        autocomplete: "new-password",
      },
    ];
    const act = async (values) => {
      await this.connection.call("users.change_password", values);
      notify("Password changed. All your other sessions are signed out.", "good");
    };
    return formDialog("Change password", fields, { submit: "Change password", act });
  }

  async #signOut() {
    const text = this.connection.signedIn.account
      ? "You can sign in again with your account."
      : "You are a guest, and cannot sign in as this guest again. To keep your data, create an account first.";
    if (!(await confirmDialog("Sign out?", text, { submit: "Sign out", danger: true }))) return;
    await this.connection.call("users.sign_out").catch(() => {});
    this.#entrance();
  }

  #noteVisibility() {
    clearTimeout(this.#away);
    const tell = (away) => this.connection.tell("users.set_away", { away });
    if (!document.hidden) tell(false);
    else this.#away = setTimeout(tell, AWAY_MS, true);
  }
}

function set(tab, current) {
  if (current) tab.setAttribute("aria-current", "page");
  else tab.removeAttribute("aria-current");
}

new App().start();
