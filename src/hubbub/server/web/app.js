// The page: who is there, the bar at the top, and which view is shown.

import { confirmDialog, formDialog, openMenu } from "./dialog.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { notify } from "./notices.js";
import { Profiles } from "./profiles.js";
import { Connection } from "./rpc.js";
import "./sign-in.js";
import { restoreTheme, switchTheme } from "./theme.js";

const TOKEN = "hubbub.token";
const AWAY_MS = 5 * 60_000;
const LIGHTS = { online: "Connected", connecting: "Connecting…", offline: "Disconnected" };

// The first part of the address -> the view, loaded when it is shown first.
const VIEWS = {
  chat: { label: "Chat", element: "hub-chat", load: () => import("./chat.js") },
  games: { label: "Games", element: "hub-games", load: () => import("./games.js") },
  shop: { label: "Shop", element: "hub-shop", load: () => import("./shop.js") },
};

class Page {
  connection = new Connection(new URL("ws", document.baseURI.replace(/^http/, "ws")));
  profiles = new Profiles(this.connection);
  notify = notify;
  #root = document.getElementById("app");
  #light = h("span", { class: "light", role: "status" });
  #name = h("span", { class: "clip" });
  #tabs = h("nav", { class: "tabs", "aria-label": "Views" });
  #place = h("main", { class: "view", id: "view", tabindex: -1 });
  #shown = null;
  #away = 0;

  get user() {
    return this.connection.user;
  }

  get role() {
    return this.connection.signedIn?.role ?? "user";
  }

  start() {
    restoreTheme();
    this.connection.addEventListener("state", () => this.#showState());
    this.connection.addEventListener("signedin", () => this.#signedIn());
    this.connection.addEventListener("ended", ({ detail }) => this.#entrance(detail.message));
    addEventListener("hashchange", () => this.#navigate());
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
    localStorage.setItem(TOKEN, this.connection.signedIn.refresh_token ?? this.connection.signedIn.token);
    this.profiles.put(this.user);
    fill(this.#name, this.user.nickname);
    this.#noteVisibility();
  }

  // `guest` is the token of one who has an account as well: what the guest has comes along.
  #entrance(message = null, guest = null) {
    if (!guest) localStorage.removeItem(TOKEN);
    this.connection.end();
    const entrance = document.createElement("hub-sign-in");
    for (const name of ["account-only", "may-stay"]) entrance.toggleAttribute(name, guest !== null);
    entrance.addEventListener("stay", () => location.reload());
    entrance.addEventListener("signin", ({ detail }) =>
      this.#signIn({ ...detail, guest }).catch((error) => entrance.refused(error.message)),
    );
    this.#shown = null;
    fill(this.#root, entrance);
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
    const bar = h(
      "header",
      { class: "bar" },
      h("a", { class: "brand", href: "#/chat" }, h("img", { src: "web/icon.svg", alt: "" }), "Hubbub"),
      narrow.matches ? null : this.#tabs,
      h("span", { class: "grow" }),
      this.#light,
      menu,
    );
    fill(this.#root, bar, this.#place, narrow.matches ? this.#tabs : null);
    this.#showState();
  }

  // Move what the window's width puts elsewhere.
  resized() {
    if (this.#tabs.isConnected) this.#shell();
  }

  #showState() {
    this.#light.dataset.state = this.connection.state;
    fill(
      this.#light,
      h("span", { class: narrow.matches ? "visually-hidden" : null }, LIGHTS[this.connection.state]),
    );
  }

  async #navigate() {
    if (!this.#tabs.isConnected) return;
    const [name = "chat", ...path] = location.hash
      .replace(/^#\/?/, "")
      .split("/")
      .filter(Boolean)
      .map(decodeURIComponent);
    const view = VIEWS[name] ?? VIEWS.chat;
    for (const tab of this.#tabs.children) set(tab, tab.hash === `#/${VIEWS[name] ? name : "chat"}`);
    if (this.#shown?.localName !== view.element) {
      await view.load();
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
        : { label: "Keep this as an account", icon: "lock", act: () => this.#createAccount() },
      !this.connection.signedIn.account && {
        label: "Sign in to an account",
        icon: "user",
        act: () => this.#entrance(null, localStorage.getItem(TOKEN)),
      },
      { label: "Dark or light", icon: "contrast", act: switchTheme },
      this.role === "admin" && { label: "Operations", icon: "admin", act: () => location.assign("admin") },
      { label: "Sign out", icon: "out", danger: true, act: () => this.#signOut() },
    ]);
  }

  #editProfile() {
    const { nickname, avatar } = this.user;
    const fields = [
      { name: "nickname", label: "Nickname", value: nickname, required: true, maxlength: 100 },
      { name: "avatar", label: "Avatar (an emoji)", value: avatar, required: true, maxlength: 16 },
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
      await this.connection.call("users.create_account", values);
      this.connection.signedIn.account = values.name;
      notify("It is your account now: sign in with it anywhere.", "good");
    };
    return formDialog("Keep this as an account", fields, {
      text: "You keep your rooms, your points and your cart.",
      submit: "Create account",
      act,
    });
  }

  #changePassword() {
    const fields = [
      {
        name: "old",
        label: "Password until now",
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
      notify("The password is changed; everywhere else you are signed out.", "good");
    };
    return formDialog("Change password", fields, { submit: "Change", act });
  }

  async #signOut() {
    const text = this.connection.signedIn.account
      ? "You can sign in again with your account."
      : "You are a guest: nobody can come back as this guest. Keep it as an account first if you want to.";
    if (!(await confirmDialog("Sign out?", text, { submit: "Sign out", danger: true }))) return;
    await this.connection.call("users.sign_out").catch(() => {});
    this.#entrance();
  }

  #noteVisibility() {
    clearTimeout(this.#away);
    const tell = (away) =>
      this.connection.state === "online" && this.connection.call("users.set_away", { away }).catch(() => {});
    if (!document.hidden) tell(false);
    else this.#away = setTimeout(tell, AWAY_MS, true);
  }
}

const narrow = matchMedia("(max-width: 720px)");

function set(tab, current) {
  if (current) tab.setAttribute("aria-current", "page");
  else tab.removeAttribute("aria-current");
}

const page = new Page();
narrow.addEventListener("change", () => page.resized());
page.start();
